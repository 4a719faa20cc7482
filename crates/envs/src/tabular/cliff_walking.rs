//! [`CliffWalking`], `CliffWalking-v1` and `CliffWalkingSlippery-v1`.

use super::board::{AGENT, Board, Direction};
use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, Dynamics, EnvSpec, GymRng, Scene, Simulation, Space, StateError, StateReader, StateWriter, Step,
};

pub(crate) const ENVS: &[Entry] = &[
    Entry {
        id: "CliffWalking-v1",
        max_episode_steps: None,
        reward_threshold: None,
        reward_range: Some((-100.0, -1.0)),
        frames_per_second: 4.0,
        action_names: &["up", "right", "down", "left"],
        observation_names: &[],
        metrics: &[],
        options: &[OptionSpec::bool("is_slippery", false, SLIPPERY)],
        build,
    },
    Entry {
        id: "CliffWalkingSlippery-v1",
        max_episode_steps: None,
        reward_threshold: None,
        reward_range: Some((-100.0, -1.0)),
        frames_per_second: 4.0,
        action_names: &["up", "right", "down", "left"],
        observation_names: &[],
        metrics: &[],
        options: &[OptionSpec::bool("is_slippery", true, SLIPPERY)],
        build,
    },
];

const SLIPPERY: &str = "whether the agent may slide to either side, each with probability 1/3";

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let walk = CliffWalking { cell: START, is_slippery: options.bool("is_slippery")? };
    let states = Space::Discrete { n: BOARD.cells() };
    Ok(Box::new(Simulation::new(spec, states, Space::Discrete { n: 4 }, walk)))
}

const BOARD: Board = Board { rows: 4, columns: 12 };
const START: usize = 36;
const GOAL: usize = 47;

/// By the number of the action. The neighbours of an action in this cyclic order are at right angles to it.
const DIRECTIONS: [Direction; 4] = [Direction::Up, Direction::Right, Direction::Down, Direction::Left];

fn is_cliff(cell: usize) -> bool {
    START < cell && cell < GOAL
}

/// From one end of a cliff to the other, along its edge or safely further inland.
///
/// **Actions**: `Discrete(4)`: 0 up, 1 right, 2 down, 3 left. If it is slippery, the move goes in the chosen direction with probability
/// 1/3, else to one of the two sides.
///
/// **Observation**: `Discrete(48)`: the cell of the 4 × 12 board, row by row from the upper left.
///
/// **Reward**: −1 for each step, −100 for a step over the cliff, which leads back to the start and does not end the episode.
///
/// **Start**: in the lower left corner.
///
/// **End**: terminated in the lower right corner; no time limit. The shortest way costs −13.
///
/// **Source**: Sutton and Barto, *Reinforcement Learning: An Introduction* (2018), example 6.6; Gymnasium 1.4.
#[derive(Clone, Debug)]
pub struct CliffWalking {
    cell: usize,
    is_slippery: bool,
}

impl Dynamics for CliffWalking {
    fn reset(&mut self, rng: &mut GymRng) {
        // The original draws from a distribution with all its weight on one cell.
        rng.random();
        self.cell = START;
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let Action::Discrete(action) = action else { return Step::default() };
        let turn = match self.is_slippery {
            false => rng.categorical(&[1.0]),
            // Turned by a quarter turn back, not at all, or by a quarter turn forward.
            true => rng.categorical(&[1.0 / 3.0; 3]) + 3,
        };
        self.cell = BOARD.neighbour(self.cell, DIRECTIONS[(action + turn) % 4]);
        if is_cliff(self.cell) {
            self.cell = START;
            return Step { reward: -100.0, ..Step::default() };
        }
        Step { reward: -1.0, terminated: self.cell == GOAL, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation[0] = self.cell as f32;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.cell);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.cell = reader.index(BOARD.cells())?;
        if is_cliff(self.cell) {
            return Err(StateError(format!("cell {} is over the cliff", self.cell)));
        }
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        self.cell != GOAL
    }

    fn scene(&self) -> Option<Scene> {
        let color = |cell| if is_cliff(cell) { Color(92, 74, 66) } else { Color(196, 216, 158) };
        let mut shapes: Vec<_> = (0..BOARD.cells()).map(|cell| BOARD.tile(cell, color(cell))).collect();
        shapes.push(BOARD.letter(START, "S"));
        shapes.extend(BOARD.flag(GOAL));
        shapes.extend(BOARD.figure(self.cell, AGENT));
        Some(BOARD.scene(shapes))
    }
}
