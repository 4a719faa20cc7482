//! [`Catch`], `Toy/Catch-v0`.

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Toy/Catch-v0",
    max_episode_steps: None,
    reward_threshold: Some(1.0),
    reward_range: Some((-1.0, 1.0)),
    frames_per_second: 5.0,
    action_names: &["left", "stay", "right"],
    observation_names: &[],
    metrics: &[],
    options: &[
        OptionSpec::int("rows", 10, "height of the board, 2 to 64"),
        OptionSpec::int("columns", 5, "width of the board, 1 to 64"),
    ],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let (rows, columns) = (options.int("rows", 2..=64)? as usize, options.int("columns", 1..=64)? as usize);
    let cells = rows * columns;
    let space =
        Space::Box { low: vec![0.0; cells], high: vec![1.0; cells], shape: vec![rows, columns], dtype: DType::F32 };
    let catch = Catch { rows, columns, ball: (0, 0), paddle: columns / 2 };
    Ok(Box::new(Simulation::new(spec, space, Space::Discrete { n: 3 }, catch)))
}

/// A ball falls straight down; a paddle on the bottom row must be there when it arrives.
///
/// **Actions**: `Discrete(3)`: 0 moves the paddle to the left, 1 leaves it, 2 moves it to the right.
///
/// **Observation**: `Box(rows, columns)`, 10 × 5 unless options say otherwise: 1 at the ball and at the paddle, 0
/// elsewhere; the first row is the top.
///
/// **Reward**: when the ball is on the bottom row 1 if the paddle is under it, else −1; 0 before.
///
/// **Start**: the ball in a random column of the top row, the paddle in the middle.
///
/// **End**: terminated when the ball is on the bottom row, after `rows − 1` steps.
///
/// **Source**: Osband et al., *Behaviour Suite for Reinforcement Learning* (2020), experiment "catch".
#[derive(Clone, Debug)]
pub struct Catch {
    rows: usize,
    columns: usize,
    /// Row (0 at the top) and column.
    ball: (usize, usize),
    /// Column.
    paddle: usize,
}

impl Dynamics for Catch {
    fn reset(&mut self, rng: &mut GymRng) {
        self.ball = (0, rng.below(self.columns));
        self.paddle = self.columns / 2;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        self.paddle = match action {
            Action::Discrete(0) => self.paddle.saturating_sub(1),
            Action::Discrete(2) => (self.paddle + 1).min(self.columns - 1),
            _ => self.paddle,
        };
        self.ball.0 = (self.ball.0 + 1).min(self.rows - 1);
        let terminated = self.ball.0 == self.rows - 1;
        let reward = match (terminated, self.ball.1 == self.paddle) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -1.0,
        };
        Step { reward, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.ball.0 * self.columns + self.ball.1] = 1.0;
        observation[(self.rows - 1) * self.columns + self.paddle] = 1.0;
    }

    fn save(&self, writer: &mut StateWriter) {
        for value in [self.ball.0, self.ball.1, self.paddle] {
            writer.index(value);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.ball = (reader.index(self.rows)?, reader.index(self.columns)?);
        self.paddle = reader.index(self.columns)?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        self.ball.0 + 1 < self.rows
    }

    fn scene(&self) -> Option<Scene> {
        let (width, height) = (self.columns as f32, self.rows as f32);
        let ball = (self.ball.1 as f32 + 0.5, height - 0.5 - self.ball.0 as f32);
        let paddle = self.paddle as f32;
        Some(Scene {
            view: View { left: 0.0, right: width, bottom: 0.0, top: height },
            background: Color(24, 28, 38),
            shapes: vec![
                Shape::Rectangle { min: (paddle, 0.05), max: (paddle + 1.0, 0.4), color: Color(86, 180, 233) },
                Shape::Circle { center: ball, radius: 0.35, color: Color(240, 228, 66) },
            ],
        })
    }
}
