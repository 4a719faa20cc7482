//! [`Breakout`], `MinAtar/Breakout-v1`.

use super::cabinet::{Game, Input, LAST, OPTIONS, Outcome, SIDE, build};
use crate::entry::Entry;
use crate::{Color, GymRng, StateError, StateReader, StateWriter};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MinAtar/Breakout-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: Some((0.0, 1.0)),
    frames_per_second: 20.0,
    action_names: &["nothing", "left", "right"],
    observation_names: &[],
    metrics: &[],
    options: OPTIONS,
    build: build::<Breakout>,
}];

/// The rows that have bricks at first.
const BRICK_ROWS: std::ops::RangeInclusive<usize> = 1..=3;

/// A paddle keeps a ball in play, which breaks bricks.
///
/// **Actions**: nothing, left, right.
///
/// **Observation**: 4 channels: paddle, ball, the position of the ball one frame ago, bricks.
///
/// **Reward**: 1 for each brick.
///
/// **Start**: the ball at the left or the right edge under the bricks, flying down and inwards.
///
/// **End**: terminated when the ball passes the paddle. The ball flies diagonally. A wall reverses its horizontal direction, the top and a
/// brick its vertical one; after a brick it flies through bricks until it has been in the open once. The paddle sends it back up: onwards
/// if the ball was already above the paddle, and back where it came from if the ball meets it sideways. When no brick is left and the ball
/// is down, three new rows appear. There is no ramping.
///
/// **Source**: Young and Tian (2019); see [`crate::minatar`].
#[derive(Clone, Debug)]
pub struct Breakout {
    paddle: usize,
    /// Row and column.
    ball: (usize, usize),
    /// The ball one frame ago.
    trail: (usize, usize),
    flies_down: bool,
    flies_right: bool,
    bricks: [[bool; SIDE]; SIDE],
    /// The ball broke a brick and has not been in the open since.
    in_wall: bool,
}

impl Breakout {
    fn fill(&mut self) {
        for row in BRICK_ROWS {
            self.bricks[row] = [true; SIDE];
        }
    }
}

impl Game for Breakout {
    const INPUTS: &'static [Input] = &[Input::Wait, Input::Left, Input::Right];
    const COLORS: &'static [Color] =
        &[Color(86, 180, 233), Color(240, 228, 66), Color(120, 116, 60), Color(204, 96, 80)];

    fn new(_difficulty_ramping: bool) -> Self {
        let start = (3, 0);
        let bricks = [[false; SIDE]; SIDE];
        Self { paddle: 4, ball: start, trail: start, flies_down: true, flies_right: true, bricks, in_wall: false }
    }

    fn start(&mut self, rng: &mut GymRng) {
        *self = Self::new(false);
        self.fill();
        self.flies_right = rng.below(2) == 0;
        self.ball.1 = if self.flies_right { 0 } else { LAST };
        self.trail = self.ball;
    }

    fn frame(&mut self, input: Input, _: &mut GymRng) -> Outcome {
        match input {
            Input::Left => self.paddle = self.paddle.saturating_sub(1),
            Input::Right => self.paddle = (self.paddle + 1).min(LAST),
            _ => {}
        }
        let (row, column) = self.ball;
        self.trail = self.ball;
        let mut outcome = Outcome::default();

        // A wall keeps the ball in its column for this frame.
        let column_ahead = match (self.flies_right, column) {
            (true, LAST) | (false, 0) => {
                self.flies_right = !self.flies_right;
                column
            }
            (true, _) => column + 1,
            (false, _) => column - 1,
        };
        let row_ahead = match (self.flies_down, row) {
            (false, 0) => {
                self.flies_down = true;
                self.ball = (0, column_ahead);
                self.in_wall = false;
                return outcome;
            }
            (true, _) => (row + 1).min(LAST),
            (false, _) => row - 1,
        };

        let mut row_after = row_ahead;
        if self.bricks[row_ahead][column_ahead] {
            if !self.in_wall {
                self.bricks[row_ahead][column_ahead] = false;
                self.flies_down = !self.flies_down;
                self.in_wall = true;
                row_after = row;
                outcome.reward = 1.0;
            }
        } else {
            self.in_wall = false;
            if row_ahead == LAST {
                if self.bricks.iter().flatten().all(|brick| !brick) {
                    self.fill();
                }
                if column == self.paddle {
                    self.flies_down = false;
                    row_after = row;
                } else if column_ahead == self.paddle {
                    self.flies_down = false;
                    self.flies_right = !self.flies_right;
                    row_after = row;
                } else {
                    outcome.over = true;
                }
            }
        }
        self.ball = (row_after, column_ahead);
        outcome
    }

    fn can_go_on(&self) -> bool {
        self.ball.0 < LAST
    }

    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize)) {
        for (row, bricks) in self.bricks.iter().enumerate() {
            for column in (0..SIDE).filter(|column| bricks[*column]) {
                mark(3, row, column);
            }
        }
        mark(2, self.trail.0, self.trail.1);
        mark(1, self.ball.0, self.ball.1);
        mark(0, LAST, self.paddle);
    }

    fn save(&self, writer: &mut StateWriter) {
        for value in [self.paddle, self.ball.0, self.ball.1, self.trail.0, self.trail.1] {
            writer.u8(value as u8);
        }
        for flag in [self.flies_down, self.flies_right, self.in_wall] {
            writer.bool(flag);
        }
        for brick in self.bricks.iter().flatten() {
            writer.bool(*brick);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        for value in [&mut self.paddle, &mut self.ball.0, &mut self.ball.1, &mut self.trail.0, &mut self.trail.1] {
            *value = reader.small(SIDE)?;
        }
        for flag in [&mut self.flies_down, &mut self.flies_right, &mut self.in_wall] {
            *flag = reader.bool()?;
        }
        for brick in self.bricks.iter_mut().flatten() {
            *brick = reader.bool()?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Breakout {
    /// Puts the ball at an edge for the start.
    pub(super) fn place_ball(&mut self, column: usize) {
        self.flies_right = column == 0;
        self.ball.1 = column;
        self.trail = self.ball;
    }
}
