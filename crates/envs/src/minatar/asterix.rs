//! [`Asterix`], `MinAtar/Asterix-v1`.

use super::cabinet::{Game, Input, LAST, OPTIONS, Outcome, SIDE, build};
use crate::entry::Entry;
use crate::{Color, GymRng, StateError, StateReader, StateWriter};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MinAtar/Asterix-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: Some((0.0, 1.0)),
    frames_per_second: 20.0,
    action_names: &["nothing", "left", "up", "right", "down"],
    observation_names: &[],
    metrics: &[],
    options: OPTIONS,
    build: build::<Asterix>,
}];

/// Things run in the rows 1 to 8, at most one in each.
const LANES: usize = 8;
/// Frames between two arrivals, at first.
const SPAWN_PERIOD: u32 = 10;
/// Frames between two moves of the things, at first.
const MOVE_PERIOD: u32 = 5;
/// Frames from one step of difficulty to the next.
const RAMP_PERIOD: u32 = 102;

/// The player runs around in a field, picks up treasure and avoids enemies.
///
/// **Actions**: nothing, left, up, right, down.
///
/// **Observation**: 4 channels: player, enemies, the positions of things before their last move, treasure.
///
/// **Reward**: 1 for each treasure.
///
/// **Start**: the player in the middle of an empty field.
///
/// **End**: terminated when an enemy touches the player. Every 10 frames something enters from the left or the right in a free row,
/// treasure with probability 1/3; all things move every 5 frames. With ramping, the former interval shrinks by one frame every 102 frames
/// and the latter every 204, both down to 1.
///
/// **Source**: Young and Tian (2019); see [`crate::minatar`].
#[derive(Clone, Debug)]
pub struct Asterix {
    ramping: bool,
    /// Row and column.
    player: (usize, usize),
    /// Indexed by row minus 1.
    things: [Option<Thing>; LANES],
    spawn_period: u32,
    move_period: u32,
    /// Frames until something enters, until all things move, until the difficulty increases.
    spawn_rest: u32,
    move_rest: u32,
    ramp_rest: u32,
    ramps: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Thing {
    column: usize,
    runs_right: bool,
    is_treasure: bool,
}

impl Thing {
    /// Its position after a move; `None` off the field.
    fn ahead(&self) -> Option<usize> {
        if self.runs_right { Some(self.column + 1).filter(|column| *column < SIDE) } else { self.column.checked_sub(1) }
    }

    fn behind(&self) -> Option<usize> {
        Thing { runs_right: !self.runs_right, ..*self }.ahead()
    }
}

impl Asterix {
    fn spawn(&mut self, rng: &mut GymRng) {
        let free = || (0..LANES).filter(|lane| self.things[*lane].is_none());
        let count = free().count();
        if count == 0 {
            return;
        }
        let runs_right = rng.below(2) == 1;
        let is_treasure = rng.random() < 1.0 / 3.0;
        let nth = rng.below(count);
        if let Some(lane) = free().nth(nth) {
            let column = if runs_right { 0 } else { LAST };
            self.things[lane] = Some(Thing { column, runs_right, is_treasure });
        }
    }

    /// Handles contact between the player and whatever is at the same place.
    fn meet(&mut self, outcome: &mut Outcome) {
        let (row, column) = self.player;
        let thing = &mut self.things[row - 1];
        match *thing {
            Some(met) if met.column == column && met.is_treasure => {
                *thing = None;
                outcome.reward += 1.0;
            }
            Some(met) if met.column == column => outcome.over = true,
            _ => {}
        }
    }

    fn ramp(&mut self) {
        self.ramp_rest -= 1;
        if self.ramp_rest > 0 || (self.spawn_period == 1 && self.move_period == 1) {
            self.ramp_rest = self.ramp_rest.max(1);
            return;
        }
        self.ramp_rest = RAMP_PERIOD;
        self.ramps += 1;
        if self.ramps.is_multiple_of(2) {
            self.move_period = (self.move_period - 1).max(1);
        }
        self.spawn_period = (self.spawn_period - 1).max(1);
    }
}

impl Game for Asterix {
    const INPUTS: &'static [Input] = &[Input::Wait, Input::Left, Input::Up, Input::Right, Input::Down];
    const COLORS: &'static [Color] = &[Color(86, 180, 233), Color(230, 80, 70), Color(92, 88, 96), Color(240, 200, 60)];

    fn new(difficulty_ramping: bool) -> Self {
        Self {
            ramping: difficulty_ramping,
            player: (5, 5),
            things: [None; LANES],
            spawn_period: SPAWN_PERIOD,
            move_period: MOVE_PERIOD,
            spawn_rest: SPAWN_PERIOD,
            move_rest: MOVE_PERIOD,
            ramp_rest: RAMP_PERIOD,
            ramps: 0,
        }
    }

    fn start(&mut self, _: &mut GymRng) {
        *self = Self::new(self.ramping);
    }

    fn frame(&mut self, input: Input, rng: &mut GymRng) -> Outcome {
        let mut outcome = Outcome::default();
        if self.spawn_rest == 0 {
            self.spawn(rng);
            self.spawn_rest = self.spawn_period;
        }
        let (row, column) = &mut self.player;
        match input {
            Input::Left => *column = column.saturating_sub(1),
            Input::Right => *column = (*column + 1).min(LAST),
            Input::Up => *row = (*row - 1).max(1),
            Input::Down => *row = (*row + 1).min(LANES),
            _ => {}
        }
        self.meet(&mut outcome);
        if self.move_rest == 0 {
            self.move_rest = self.move_period;
            for lane in &mut self.things {
                *lane = lane.and_then(|thing| Some(Thing { column: thing.ahead()?, ..thing }));
            }
            self.meet(&mut outcome);
        }
        self.spawn_rest = self.spawn_rest.saturating_sub(1);
        self.move_rest = self.move_rest.saturating_sub(1);
        if self.ramping {
            self.ramp();
        }
        outcome
    }

    fn can_go_on(&self) -> bool {
        let (row, column) = self.player;
        self.things[row - 1].is_none_or(|thing| thing.column != column || thing.is_treasure)
    }

    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize)) {
        let things = || (1..).zip(&self.things).filter_map(|(row, thing)| Some((row, (*thing)?)));
        for (row, thing) in things() {
            if let Some(column) = thing.behind() {
                mark(2, row, column);
            }
        }
        for (row, thing) in things() {
            mark(if thing.is_treasure { 3 } else { 1 }, row, thing.column);
        }
        mark(0, self.player.0, self.player.1);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.u8(self.player.0 as u8);
        writer.u8(self.player.1 as u8);
        for thing in &self.things {
            writer.bool(thing.is_some());
            let thing = thing.unwrap_or(Thing { column: 0, runs_right: false, is_treasure: false });
            writer.u8(thing.column as u8);
            writer.bool(thing.runs_right);
            writer.bool(thing.is_treasure);
        }
        let periods = [self.spawn_period, self.move_period];
        for number in periods.into_iter().chain([self.spawn_rest, self.move_rest, self.ramp_rest, self.ramps]) {
            writer.u32(number);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.player = (reader.small(LANES + 1)?, reader.small(SIDE)?);
        for thing in &mut self.things {
            let exists = reader.bool()?;
            let found = Thing { column: reader.small(SIDE)?, runs_right: reader.bool()?, is_treasure: reader.bool()? };
            *thing = exists.then_some(found);
        }
        self.spawn_period = reader.u32_to(SPAWN_PERIOD)?;
        self.move_period = reader.u32_to(MOVE_PERIOD)?;
        self.spawn_rest = reader.u32_to(SPAWN_PERIOD)?;
        self.move_rest = reader.u32_to(MOVE_PERIOD)?;
        self.ramp_rest = reader.u32_to(RAMP_PERIOD)?;
        self.ramps = reader.u32_to(SPAWN_PERIOD)?;
        if self.player.0 == 0 || [self.spawn_period, self.move_period, self.ramp_rest].contains(&0) {
            return Err(StateError("a player or a period at an impossible place".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
impl Asterix {
    pub(super) fn spawns_now(&self) -> bool {
        self.spawn_rest == 0
    }

    pub(super) fn skip_spawn(&mut self) {
        self.spawn_rest = self.spawn_period;
    }

    pub(super) fn place_thing(&mut self, row: usize, runs_right: bool, is_treasure: bool) {
        let column = if runs_right { 0 } else { LAST };
        self.things[row - 1] = Some(Thing { column, runs_right, is_treasure });
    }
}
