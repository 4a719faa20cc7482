//! [`Cabinet`], what all MinAtar games have in common: action sets, sticky actions, the board as observation and picture.

use crate::entry::MadeEnv;
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View,
};

/// Cells along each side of the board.
pub(super) const SIDE: usize = 10;
pub(super) const LAST: usize = SIDE - 1;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::float("sticky_action_prob", 0.1, "probability that the last action is repeated, 0 to 1"),
    OptionSpec::bool("difficulty_ramping", true, "whether the game becomes harder over time"),
    OptionSpec::bool("full_action_set", false, "whether to have all six actions, or only those that have an effect"),
];

/// What the player does in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing.
    Wait,
    /// Moves to the left.
    Left,
    /// Moves up.
    Up,
    /// Moves to the right.
    Right,
    /// Moves down.
    Down,
    /// Fires.
    Fire,
}

impl Input {
    /// Its effect, in a word.
    fn name(self) -> &'static str {
        match self {
            Input::Wait => "nothing",
            Input::Left => "left",
            Input::Up => "up",
            Input::Right => "right",
            Input::Down => "down",
            Input::Fire => "fire",
        }
    }
}

const ALL: [Input; 6] = [Input::Wait, Input::Left, Input::Up, Input::Right, Input::Down, Input::Fire];

/// The result of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The points won.
    pub reward: f64,
    /// The game is over.
    pub over: bool,
}

/// The rules of a MinAtar game.
pub(crate) trait Game: Clone + Send + 'static {
    /// The inputs that have an effect.
    const INPUTS: &'static [Input];
    /// One colour per channel of the observation.
    const COLORS: &'static [Color];

    /// The game before its first start.
    fn new(difficulty_ramping: bool) -> Self;

    /// Restarts the game.
    fn start(&mut self, rng: &mut GymRng);

    /// Advances by one frame.
    fn frame(&mut self, input: Input, rng: &mut GymRng) -> Outcome;

    /// Whether a game can continue from here; see [`Dynamics::can_go_on`].
    fn can_go_on(&self) -> bool {
        true
    }

    /// Calls `mark(channel, row, column)` for each thing on the board.
    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize));

    fn save(&self, writer: &mut StateWriter);

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError>;
}

/// A game with the controls and the screen around it.
#[derive(Clone, Debug)]
pub struct Cabinet<G> {
    game: G,
    inputs: &'static [Input],
    sticky_probability: f64,
    last: usize,
}

impl<G> Cabinet<G> {
    /// The game inside.
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The same, for setting an arbitrary state.
    pub fn game_mut(&mut self) -> &mut G {
        &mut self.game
    }
}

/// Creates the environment of the game `G`.
pub(super) fn build<G: Game + 'static>(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    Ok(Box::new(simulation::<G>(spec, options)?))
}

fn simulation<G: Game>(spec: EnvSpec, options: &Options<'_>) -> Result<Simulation<Cabinet<G>>, crate::EnvError> {
    let inputs = if options.bool("full_action_set")? { &ALL } else { G::INPUTS };
    let cabinet = Cabinet {
        game: G::new(options.bool("difficulty_ramping")?),
        inputs,
        sticky_probability: options.float("sticky_action_prob", 0.0..=1.0)?,
        last: 0,
    };
    let channels = G::COLORS.len();
    let len = SIDE * SIDE * channels;
    let shape = vec![SIDE, SIDE, channels];
    let space = Space::Box { low: vec![0.0; len], high: vec![1.0; len], shape, dtype: DType::Bool };
    let action_names = inputs.iter().map(|input| input.name().to_owned()).collect();
    let spec = EnvSpec { action_names, ..spec };
    Ok(Simulation::new(spec, space, Space::Discrete { n: inputs.len() }, cabinet))
}

impl<G: Game> Dynamics for Cabinet<G> {
    fn reset(&mut self, rng: &mut GymRng) {
        self.last = 0;
        self.game.start(rng);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let Action::Discrete(asked) = action else { return Step::default() };
        if rng.random() >= self.sticky_probability {
            self.last = asked;
        }
        let Outcome { reward, over } = self.game.frame(self.inputs[self.last], rng);
        Step { reward, terminated: over, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        let channels = G::COLORS.len();
        self.game.draw(&mut |channel, row, column| observation[(row * SIDE + column) * channels + channel] = 1.0);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.last);
        self.game.save(writer);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.last = reader.index(self.inputs.len())?;
        self.game.restore(reader)
    }

    fn can_go_on(&self) -> bool {
        self.game.can_go_on()
    }

    fn scene(&self) -> Option<Scene> {
        let mut shapes = Vec::new();
        self.game.draw(&mut |channel, row, column| {
            let (left, bottom) = (column as f32, (LAST - row) as f32);
            let (min, max) = ((left + 0.04, bottom + 0.04), (left + 0.96, bottom + 0.96));
            shapes.push(Shape::Rectangle { min, max, color: G::COLORS[channel] });
        });
        let side = SIDE as f32;
        Some(Scene {
            view: View { left: 0.0, right: side, bottom: 0.0, top: side },
            background: Color(20, 22, 30),
            shapes,
        })
    }
}
