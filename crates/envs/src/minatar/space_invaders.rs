//! [`SpaceInvaders`], `MinAtar/SpaceInvaders-v1`.

use super::cabinet::{Game, Input, LAST, OPTIONS, Outcome, SIDE, build};
use crate::entry::Entry;
use crate::{Color, GymRng, StateError, StateReader, StateWriter};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MinAtar/SpaceInvaders-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: None,
    frames_per_second: 20.0,
    action_names: &["nothing", "left", "right", "fire"],
    observation_names: &[],
    metrics: &[],
    options: OPTIONS,
    build: build::<SpaceInvaders>,
}];

/// Frames between two shots of the player.
const PLAYER_COOLDOWN: u32 = 5;
/// Frames between two shots of the aliens.
const ALIEN_COOLDOWN: u32 = 10;
/// Frames between two moves of the first wave, and of the fastest.
const FIRST_PERIOD: u32 = 12;
const FASTEST_PERIOD: u32 = 6;

type Cells = [[bool; SIDE]; SIDE];

/// A cannon shoots at a formation of aliens, which comes closer and shoots back.
///
/// **Actions**: nothing, left, right, fire. The cannon can fire every fifth frame.
///
/// **Observation**: 6 channels: cannon, aliens, aliens that move to the left, aliens that move to the right, the cannon's
/// bullets, the aliens' bullets.
///
/// **Reward**: 1 for each alien.
///
/// **Start**: the cannon in column 5, four rows of six aliens that will move to the left.
///
/// **End**: terminated when a bullet or an alien reaches the cannon, or an alien the bottom. At the edge the formation moves down a row and
/// turns around. It moves every 12 frames, and every *n* frames when *n* < 12 aliens are left. Every tenth frame the lowest alien of the
/// column nearest to the cannon shoots. With ramping, each new wave moves one frame sooner than the last, down to 6.
///
/// **Source**: Young and Tian (2019); see [`crate::minatar`].
#[derive(Clone, Debug)]
pub struct SpaceInvaders {
    ramping: bool,
    cannon: usize,
    aliens: Cells,
    move_right: bool,
    shots: Cells,
    alien_shots: Cells,
    /// Frames until the cannon can fire, the aliens move, the aliens shoot.
    rests: [u32; 3],
    /// Frames between two moves of this wave.
    period: u32,
}

const FIRE: usize = 0;
const MARCH: usize = 1;
const SHOOT: usize = 2;

impl SpaceInvaders {
    fn new_wave(&mut self) {
        for row in 0..4 {
            for column in 2..8 {
                self.aliens[row][column] = true;
            }
        }
    }

    fn count(&self) -> u32 {
        self.aliens.iter().flatten().filter(|alien| **alien).count() as u32
    }

    /// Moves the formation. True if that ends the game.
    fn march(&mut self) -> bool {
        self.rests[MARCH] = self.count().min(self.period);
        let edge = if self.move_right { LAST } else { 0 };
        if self.aliens.iter().any(|row| row[edge]) {
            self.move_right = !self.move_right;
            let landed = self.aliens[LAST].contains(&true);
            self.aliens.rotate_right(1);
            landed || self.aliens[LAST][self.cannon]
        } else {
            for row in &mut self.aliens {
                if self.move_right { row.rotate_right(1) } else { row.rotate_left(1) }
            }
            self.aliens[LAST][self.cannon]
        }
    }

    /// The lowest alien in the column nearest to the cannon, the left one of two.
    fn nearest(&self) -> Option<(usize, usize)> {
        let lowest = |column: usize| (0..SIDE).rev().find(|row| self.aliens[*row][column]).map(|row| (row, column));
        let mut columns: Vec<usize> = (0..SIDE).collect();
        columns.sort_by_key(|column| column.abs_diff(self.cannon));
        columns.into_iter().find_map(lowest)
    }
}

impl Game for SpaceInvaders {
    const INPUTS: &'static [Input] = &[Input::Wait, Input::Left, Input::Right, Input::Fire];
    const COLORS: &'static [Color] = &[
        Color(86, 180, 233),
        Color(0, 158, 115),
        Color(0, 158, 115),
        Color(120, 200, 90),
        Color(240, 228, 66),
        Color(230, 80, 70),
    ];

    fn new(difficulty_ramping: bool) -> Self {
        let empty = [[false; SIDE]; SIDE];
        Self {
            ramping: difficulty_ramping,
            cannon: SIDE / 2,
            aliens: empty,
            move_right: false,
            shots: empty,
            alien_shots: empty,
            rests: [0, FIRST_PERIOD, ALIEN_COOLDOWN],
            period: FIRST_PERIOD,
        }
    }

    fn start(&mut self, _: &mut GymRng) {
        *self = Self::new(self.ramping);
        self.new_wave();
    }

    fn frame(&mut self, input: Input, _: &mut GymRng) -> Outcome {
        let mut outcome = Outcome::default();
        match input {
            Input::Left => self.cannon = self.cannon.saturating_sub(1),
            Input::Right => self.cannon = (self.cannon + 1).min(LAST),
            Input::Fire if self.rests[FIRE] == 0 => {
                self.shots[LAST][self.cannon] = true;
                self.rests[FIRE] = PLAYER_COOLDOWN;
            }
            _ => {}
        }

        self.shots.rotate_left(1);
        self.shots[LAST] = [false; SIDE];
        self.alien_shots.rotate_right(1);
        self.alien_shots[0] = [false; SIDE];
        outcome.over = self.alien_shots[LAST][self.cannon] || self.aliens[LAST][self.cannon];

        if self.rests[MARCH] == 0 {
            outcome.over |= self.march();
        }
        if self.rests[SHOOT] == 0 {
            self.rests[SHOOT] = ALIEN_COOLDOWN;
            if let Some((row, column)) = self.nearest() {
                self.alien_shots[row][column] = true;
            }
        }
        for row in 0..SIDE {
            for column in 0..SIDE {
                if self.aliens[row][column] && self.shots[row][column] {
                    self.aliens[row][column] = false;
                    self.shots[row][column] = false;
                    outcome.reward += 1.0;
                }
            }
        }
        for rest in &mut self.rests {
            *rest = rest.saturating_sub(1);
        }
        if self.count() == 0 {
            if self.ramping && self.period > FASTEST_PERIOD {
                self.period -= 1;
            }
            self.new_wave();
        }
        outcome
    }

    fn can_go_on(&self) -> bool {
        !self.aliens[LAST][self.cannon] && !self.alien_shots[LAST][self.cannon]
    }

    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize)) {
        let mut each = |cells: &Cells, channel: usize| {
            for (row, column) in (0..SIDE * SIDE).map(|cell| (cell / SIDE, cell % SIDE)) {
                if cells[row][column] {
                    mark(channel, row, column);
                }
            }
        };
        each(&self.aliens, 1);
        each(&self.aliens, if self.move_right { 3 } else { 2 });
        each(&self.shots, 4);
        each(&self.alien_shots, 5);
        mark(0, LAST, self.cannon);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.u8(self.cannon as u8);
        writer.bool(self.move_right);
        for number in self.rests {
            writer.u32(number);
        }
        writer.u32(self.period);
        for cell in [&self.aliens, &self.shots, &self.alien_shots].into_iter().flatten().flatten() {
            writer.bool(*cell);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.cannon = reader.small(SIDE)?;
        self.move_right = reader.bool()?;
        for (rest, most) in self.rests.iter_mut().zip([PLAYER_COOLDOWN, FIRST_PERIOD, ALIEN_COOLDOWN]) {
            *rest = reader.u32_to(most)?;
        }
        self.period = reader.u32_to(FIRST_PERIOD)?;
        for cell in [&mut self.aliens, &mut self.shots, &mut self.alien_shots].into_iter().flatten().flatten() {
            *cell = reader.bool()?;
        }
        Ok(())
    }
}
