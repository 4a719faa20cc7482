//! [`Freeway`], `MinAtar/Freeway-v1`.

use super::cabinet::{Game, Input, LAST, OPTIONS, Outcome, SIDE, build};
use crate::entry::Entry;
use crate::{Color, GymRng, StateError, StateReader, StateWriter};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MinAtar/Freeway-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: Some((0.0, 1.0)),
    frames_per_second: 20.0,
    action_names: &["nothing", "up", "down"],
    observation_names: &[],
    metrics: &[],
    options: OPTIONS,
    build: build::<Freeway>,
}];

const LANES: usize = 8;
/// Frames between two moves of the slowest car.
const SLOWEST: usize = 5;
/// Frames between two moves of the player.
const PLAYER_PERIOD: u32 = 3;
/// The column that the player walks in.
const PLAYER_COLUMN: usize = 4;
/// Frames of an episode.
const FRAMES: u32 = 2_501;

/// A chicken crosses a road of eight lanes, over and over.
///
/// **Actions**: nothing, up, down. The player moves at most every third frame.
///
/// **Observation**: 7 channels: player, cars, and five for the positions of cars before their last move, one per interval between moves, 1
/// to 5 frames.
///
/// **Reward**: 1 for each crossing, after which the player starts again from the bottom and the cars get new speeds and directions.
///
/// **Start**: the player at the bottom, the cars in column 0 with random speeds and directions.
///
/// **End**: terminated after 2501 frames. A car that hits the player sends the player back to the bottom. There is no ramping.
///
/// **Source**: Young and Tian (2019); see [`crate::minatar`].
#[derive(Clone, Debug)]
pub struct Freeway {
    /// The player's row.
    player: usize,
    /// Frames until the player can move.
    rest: u32,
    frames_left: u32,
    /// From the top lane, which is row 1, downwards.
    cars: [Car; LANES],
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Car {
    column: usize,
    drives_right: bool,
    /// Frames between its moves, 1 to [`SLOWEST`].
    pause: usize,
    /// Frames until it moves.
    rest: usize,
}

impl Car {
    fn redirect(&mut self, rng: &mut GymRng) {
        self.pause = 1 + rng.below(SLOWEST);
        self.drives_right = rng.below(2) == 1;
        self.rest = self.pause;
    }

    /// Advances by one frame; the road wraps around.
    fn drive(&mut self) {
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        self.rest = self.pause;
        self.column = (self.column + if self.drives_right { 1 } else { LAST }) % SIDE;
    }

    /// Its previous position.
    fn behind(&self) -> usize {
        (self.column + if self.drives_right { LAST } else { 1 }) % SIDE
    }
}

impl Game for Freeway {
    const INPUTS: &'static [Input] = &[Input::Wait, Input::Up, Input::Down];
    const COLORS: &'static [Color] = &[
        Color(240, 228, 66),
        Color(213, 94, 0),
        Color(150, 190, 240),
        Color(120, 158, 206),
        Color(92, 126, 172),
        Color(68, 96, 138),
        Color(48, 68, 104),
    ];

    fn new(_difficulty_ramping: bool) -> Self {
        Self {
            player: LAST,
            rest: PLAYER_PERIOD,
            frames_left: FRAMES,
            cars: [Car { pause: 1, ..Car::default() }; LANES],
        }
    }

    fn start(&mut self, rng: &mut GymRng) {
        *self = Self::new(false);
        for car in &mut self.cars {
            car.redirect(rng);
        }
    }

    fn frame(&mut self, input: Input, rng: &mut GymRng) -> Outcome {
        let mut outcome = Outcome::default();
        if self.rest == 0 && matches!(input, Input::Up | Input::Down) {
            self.rest = PLAYER_PERIOD;
            self.player = if input == Input::Up { self.player - 1 } else { (self.player + 1).min(LAST) };
        }
        if self.player == 0 {
            outcome.reward = 1.0;
            self.player = LAST;
            for car in &mut self.cars {
                car.redirect(rng);
            }
        }
        for (lane, car) in self.cars.iter_mut().enumerate() {
            let hits = |car: &Car, player: usize| car.column == PLAYER_COLUMN && lane + 1 == player;
            if hits(car, self.player) {
                self.player = LAST;
            }
            car.drive();
            if hits(car, self.player) {
                self.player = LAST;
            }
        }
        self.rest = self.rest.saturating_sub(1);
        self.frames_left = self.frames_left.saturating_sub(1);
        outcome.over = self.frames_left == 0;
        outcome
    }

    fn can_go_on(&self) -> bool {
        self.frames_left > 0
    }

    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize)) {
        for (lane, car) in self.cars.iter().enumerate() {
            mark(1 + car.pause, lane + 1, car.behind());
        }
        for (lane, car) in self.cars.iter().enumerate() {
            mark(1, lane + 1, car.column);
        }
        mark(0, self.player, PLAYER_COLUMN);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.u8(self.player as u8);
        writer.u32(self.rest);
        writer.u32(self.frames_left);
        for car in &self.cars {
            writer.u8(car.column as u8);
            writer.bool(car.drives_right);
            writer.u8(car.pause as u8);
            writer.u8(car.rest as u8);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.player = reader.small(SIDE)?;
        self.rest = reader.u32_to(PLAYER_PERIOD)?;
        self.frames_left = reader.u32_to(FRAMES)?;
        for car in &mut self.cars {
            car.column = reader.small(SIDE)?;
            car.drives_right = reader.bool()?;
            car.pause = reader.small(SLOWEST + 1)?;
            car.rest = reader.small(SLOWEST + 1)?;
        }
        if self.player == 0 || self.cars.iter().any(|car| car.pause == 0 || car.rest > car.pause) {
            return Err(StateError("a player or a car at an impossible place".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
impl Freeway {
    pub(super) fn set_car(&mut self, lane: usize, (column, drives_right, pause, rest): (usize, bool, usize, usize)) {
        self.cars[lane] = Car { column, drives_right, pause, rest };
    }
}
