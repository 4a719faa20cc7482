//! [`Taxi`], `Taxi-v4`.

use super::board::{Board, Direction, INK};
use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader, StateWriter,
    Step,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Taxi-v4",
    max_episode_steps: Some(200),
    reward_threshold: Some(8.0),
    reward_range: Some((-10.0, 20.0)),
    frames_per_second: 4.0,
    action_names: &["down", "up", "right", "left", "pick up", "drop off"],
    observation_names: &[],
    metrics: &[],
    options: &[
        OptionSpec::bool("is_rainy", false, "whether the taxi may drift to either side"),
        OptionSpec::float("rainy_probability", 0.8, "probability of driving straight in the rain"),
        OptionSpec::bool("fickle_passenger", false, "whether passengers may change their mind once during the trip"),
        OptionSpec::float("fickle_probability", 0.3, "probability that a fickle passenger changes their mind"),
    ],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let straight = options.float("rainy_probability", 0.0..=1.0)?;
    let fickle = options.float("fickle_probability", 0.0..=1.0)?;
    let taxi = Taxi {
        cell: 0,
        passenger: 0,
        destination: 1,
        will_change: false,
        mask: [false; ACTIONS],
        straight: options.bool("is_rainy")?.then_some(straight),
        fickle: options.bool("fickle_passenger")?.then_some(fickle),
    };
    Ok(Box::new(Simulation::new(spec, Space::Discrete { n: STATES }, Space::Discrete { n: ACTIONS }, taxi)))
}

const BOARD: Board = Board { rows: 5, columns: 5 };
const STATES: usize = 500;
const ACTIONS: usize = 6;
const PICK_UP: usize = 4;
const DROP_OFF: usize = 5;
/// The passenger's location in the taxi, after the four stands.
const ON_BOARD: usize = 4;
/// The cells of the stands: red, green, yellow, blue.
const STANDS: [usize; 4] = [0, 4, 20, 23];
/// Cells with a wall on their right side.
const WALLS: [usize; 6] = [1, 6, 15, 17, 20, 22];
/// By the number of the action.
const DIRECTIONS: [Direction; 4] = [Direction::Down, Direction::Up, Direction::Right, Direction::Left];

/// A taxi picks up a passenger at one of four stands and brings them to another.
///
/// **Actions**: `Discrete(6)`: 0 drives down, 1 up, 2 right, 3 left, 4 picks the passenger up, 5 drops them off. The action
/// mask allows those that change something.
///
/// **Observation**: `Discrete(500)`: ((row · 5 + column) · 5 + passenger) · 4 + destination; passenger and destination are
/// 0 red, 1 green, 2 yellow, 3 blue, and the passenger is 4 in the taxi.
///
/// **Reward**: −1 for each step, 20 for the passenger at the destination, −10 for picking up or dropping off where that is
/// not possible.
///
/// **Start**: the taxi anywhere, the passenger at a stand, the destination another one; all equally likely.
///
/// **End**: terminated with the passenger at the destination; truncated after 200 steps. Solved at a mean return of 8; the
/// best possible is about 8.46 in the dry.
///
/// **Source**: T. G. Dietterich, *Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition* (2000);
/// Gymnasium 1.4 for the map, the numbering, rain and fickle passengers.
#[derive(Clone, Debug)]
pub struct Taxi {
    cell: usize,
    passenger: usize,
    destination: usize,
    /// The passenger will change their mind on the first ride.
    will_change: bool,
    mask: [bool; ACTIONS],
    /// Probability of driving straight; `None` without rain.
    straight: Option<f64>,
    /// Probability of a change of mind; `None` if passengers never change it.
    fickle: Option<f64>,
}

impl Taxi {
    fn index(&self) -> usize {
        (self.cell * 5 + self.passenger) * 4 + self.destination
    }

    fn set_index(&mut self, index: usize) {
        self.destination = index % 4;
        self.passenger = index / 4 % 5;
        self.cell = index / 20;
        self.mask = self.possible();
    }

    fn possible(&self) -> [bool; ACTIONS] {
        let waits_here = self.passenger < ON_BOARD && self.cell == STANDS[self.passenger];
        let may_leave = self.passenger == ON_BOARD && STANDS.contains(&self.cell);
        let [down, up, right, left] = DIRECTIONS.map(|direction| beside(self.cell, direction) != self.cell);
        [down, up, right, left, waits_here, may_leave]
    }

    fn drive(&mut self, direction: Direction, rng: &mut GymRng) {
        let ahead = beside(self.cell, direction);
        let Some(straight) = self.straight else {
            rng.random();
            self.cell = ahead;
            return;
        };
        let aside = (1.0 - straight) / 2.0;
        let (left, right) = match direction {
            Direction::Down => (Direction::Right, Direction::Left),
            Direction::Up => (Direction::Left, Direction::Right),
            Direction::Right => (Direction::Up, Direction::Down),
            Direction::Left => (Direction::Down, Direction::Up),
        };
        let turn = rng.categorical(&[straight, aside, aside]);
        // A taxi in front of a wall does not drift either.
        self.cell = match turn {
            _ if ahead == self.cell => ahead,
            0 => ahead,
            1 => beside(self.cell, left),
            _ => beside(self.cell, right),
        };
    }
}

/// The cell that a taxi in `cell` drives to; `cell` itself at a wall.
fn beside(cell: usize, direction: Direction) -> usize {
    let next = BOARD.neighbour(cell, direction);
    let walled = match direction {
        Direction::Right => WALLS.contains(&cell),
        Direction::Left => WALLS.contains(&next),
        _ => false,
    };
    if walled { cell } else { next }
}

impl Dynamics for Taxi {
    fn reset(&mut self, rng: &mut GymRng) {
        let draw = rng.random();
        let mut sum = 0.0;
        let passes = |index: &usize| {
            let (passenger, destination) = (index / 4 % 5, index % 4);
            sum += if passenger < ON_BOARD && passenger != destination { 1.0 / 300.0 } else { 0.0 };
            sum > draw
        };
        let index = (0..STATES).find(passes).unwrap_or(0);
        self.set_index(index);
        self.will_change = self.fickle.is_some_and(|probability| rng.random() < probability);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let Action::Discrete(action) = action else { return Step::default() };
        let from = self.cell;
        let rode_along = self.passenger == ON_BOARD;
        let mut step = Step { reward: -1.0, ..Step::default() };
        match action {
            PICK_UP | DROP_OFF => {
                rng.random();
                let here = STANDS.iter().position(|stand| *stand == self.cell);
                match (action, here) {
                    (PICK_UP, Some(stand)) if self.passenger == stand => self.passenger = ON_BOARD,
                    (DROP_OFF, Some(stand)) if rode_along => {
                        self.passenger = stand;
                        if stand == self.destination {
                            step = Step { reward: 20.0, terminated: true, truncated: false };
                        }
                    }
                    _ => step.reward = -10.0,
                }
            }
            direction => self.drive(DIRECTIONS[direction], rng),
        }
        if self.will_change && rode_along && self.cell != from {
            self.will_change = false;
            let nth = rng.below(3);
            // One of the three other stands, in their order.
            self.destination = nth + usize::from(nth >= self.destination);
        }
        self.mask = self.possible();
        step
    }

    fn observe(&self, observation: &mut [f32]) {
        observation[0] = self.index() as f32;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.index());
        writer.bool(self.will_change);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        let index = reader.index(STATES)?;
        self.set_index(index);
        self.will_change = reader.bool()?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        self.passenger != self.destination
    }

    fn scene(&self) -> Option<Scene> {
        const COLORS: [Color; 4] = [Color(222, 92, 86), Color(92, 176, 96), Color(240, 214, 84), Color(86, 140, 214)];
        let mut shapes: Vec<_> = (0..BOARD.cells()).map(|cell| BOARD.tile(cell, Color(222, 224, 228))).collect();
        for (stand, color) in STANDS.into_iter().zip(COLORS) {
            shapes.push(BOARD.tile(stand, color));
        }
        shapes.extend(BOARD.flag(STANDS[self.destination]));
        for cell in WALLS {
            let (x, y) = BOARD.center(cell);
            shapes.push(Shape::Line { from: (x + 0.5, y - 0.5), to: (x + 0.5, y + 0.5), width: 0.1, color: INK });
        }
        let (x, y) = BOARD.center(self.cell);
        let block = |half: (f32, f32), up: f32, color| Shape::Rectangle {
            min: (x - half.0, y + up - half.1),
            max: (x + half.0, y + up + half.1),
            color,
        };
        let wheel = |side: f32| Shape::Circle { center: (x + side, y - 0.25), radius: 0.1, color: INK };
        shapes.push(block((0.4, 0.14), -0.12, Color(250, 184, 20)));
        shapes.push(block((0.24, 0.12), 0.12, Color(250, 184, 20)));
        shapes.push(block((0.18, 0.08), 0.12, Color(236, 244, 250)));
        shapes.extend([wheel(-0.22), wheel(0.22)]);
        // The passenger waits at a stand, or sits behind the window.
        if self.passenger == ON_BOARD {
            shapes.push(Shape::Circle { center: (x, y + 0.12), radius: 0.08, color: Color(148, 52, 138) });
        } else {
            shapes.extend(BOARD.figure(STANDS[self.passenger], Color(148, 52, 138)));
        }
        Some(BOARD.scene(shapes))
    }

    fn action_mask(&self) -> Option<&[bool]> {
        Some(&self.mask)
    }
}
