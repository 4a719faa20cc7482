//! [`Seaquest`], `MinAtar/Seaquest-v1`.

use super::cabinet::{Game, Input, LAST, OPTIONS, Outcome, SIDE, build};
use crate::entry::Entry;
use crate::{Color, GymRng, StateError, StateReader, StateWriter};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MinAtar/Seaquest-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: None,
    frames_per_second: 20.0,
    action_names: &["nothing", "left", "up", "right", "down", "fire"],
    observation_names: &[],
    metrics: &[],
    options: OPTIONS,
    build: build::<Seaquest>,
}];

/// The lowest row of the water; the row below shows the gauges.
const BOTTOM: usize = 8;
/// Frames until the oxygen is used up.
const OXYGEN: u32 = 200;
/// Frames of oxygen per cell of the gauge.
const OXYGEN_CELL: u32 = 20;
/// Divers that fit into the submarine.
const BERTHS: usize = 6;
/// Frames between two shots of the player, and of an enemy submarine.
const PLAYER_COOLDOWN: u32 = 5;
const ENEMY_COOLDOWN: u32 = 10;
/// Frames between two arrivals of enemies, at first, and of divers.
const SPAWN_PERIOD: u32 = 20;
const DIVER_PERIOD: u32 = 30;
/// Frames between the moves of an enemy, at first, and of a diver.
const PAUSE: u32 = 5;
const LEAST_PAUSE: u32 = 2;
/// More of one kind than can ever be on the board.
const MOST: usize = 400;

/// A submarine shoots fish and submarines, picks up divers and brings them to the surface before it runs out of oxygen.
///
/// **Actions**: all six.
///
/// **Observation**: 10 channels: front and back of the submarine, its bullets, the positions of things before their last move, enemy
/// bullets, fish, enemy submarines, oxygen gauge, diver gauge, divers. The gauges are in the bottom row, the former from the left, the
/// latter from the right.
///
/// **Reward**: 1 for each fish or submarine shot; at the surface with six divers 1 for each cell of the oxygen gauge.
///
/// **Start**: at the surface, with full oxygen for 200 frames under water.
///
/// **End**: terminated when an enemy or its bullet touches the front, when the oxygen is used up, and on surfacing without a diver.
/// Surfacing refills the oxygen and brings one diver ashore, or all six. Every 20 frames an enemy tries to enter from the left or the right
/// in a random row, a submarine with probability 1/3; it does not enter if one comes the other way. Every 30 frames a diver comes. They
/// move every sixth frame. With ramping, each surfacing makes arrivals one frame more frequent, down to 1, and every second one makes the
/// enemies faster by a frame, down to a move every third.
///
/// **Source**: Young and Tian (2019); see [`crate::minatar`].
#[derive(Clone, Debug)]
pub struct Seaquest {
    ramping: bool,
    /// Row and column of the front.
    player: (usize, usize),
    faces_right: bool,
    oxygen: u32,
    divers_on_board: usize,
    at_surface: bool,
    shots: Vec<Swimmer>,
    enemy_shots: Vec<Swimmer>,
    fish: Vec<Swimmer>,
    submarines: Vec<Swimmer>,
    divers: Vec<Swimmer>,
    spawn_period: u32,
    pause: u32,
    surfacings: u32,
    /// Frames until the player can fire, an enemy comes, a diver comes.
    fire_rest: u32,
    spawn_rest: u32,
    diver_rest: u32,
}

/// Anything that moves along a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Swimmer {
    row: usize,
    column: usize,
    swims_right: bool,
    /// Frames until it moves; bullets always move.
    rest: u32,
    /// Frames until it shoots; only submarines do.
    shot_rest: u32,
}

impl Swimmer {
    fn place(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// Moves by one cell. False if that is off the board.
    fn swim(&mut self) -> bool {
        match (self.swims_right, self.column) {
            (true, LAST) | (false, 0) => return false,
            (true, _) => self.column += 1,
            (false, _) => self.column -= 1,
        }
        true
    }

    fn behind(&self) -> Option<(usize, usize)> {
        let mut other = Swimmer { swims_right: !self.swims_right, ..*self };
        other.swim().then_some(other.place())
    }
}

impl Seaquest {
    fn spawn_enemy(&mut self, rng: &mut GymRng) {
        let swims_right = rng.below(2) == 1;
        let is_submarine = rng.random() < 1.0 / 3.0;
        let row = 1 + rng.below(BOTTOM);
        let comes_against = |other: &Swimmer| other.row == row && other.swims_right != swims_right;
        if self.fish.iter().chain(&self.submarines).any(comes_against) {
            return;
        }
        let column = if swims_right { 0 } else { LAST };
        let enemy = Swimmer { row, column, swims_right, rest: self.pause, shot_rest: ENEMY_COOLDOWN };
        if is_submarine { self.submarines.push(enemy) } else { self.fish.push(enemy) }
    }

    fn spawn_diver(&mut self, rng: &mut GymRng) {
        let swims_right = rng.below(2) == 1;
        let row = 1 + rng.below(BOTTOM);
        let column = if swims_right { 0 } else { LAST };
        self.divers.push(Swimmer { row, column, swims_right, rest: PAUSE, shot_rest: 0 });
    }

    fn steer(&mut self, input: Input) {
        let (row, column) = &mut self.player;
        match input {
            Input::Fire if self.fire_rest == 0 => {
                let shot = Swimmer { row: *row, column: *column, swims_right: self.faces_right, ..Swimmer::default() };
                self.shots.push(shot);
                self.fire_rest = PLAYER_COOLDOWN;
            }
            Input::Left => {
                *column = column.saturating_sub(1);
                self.faces_right = false;
            }
            Input::Right => {
                *column = (*column + 1).min(LAST);
                self.faces_right = true;
            }
            Input::Up => *row = row.saturating_sub(1),
            Input::Down => *row = (*row + 1).min(BOTTOM),
            _ => {}
        }
    }

    fn move_shots(&mut self) -> f64 {
        let mut reward = 0.0;
        let (fish, submarines) = (&mut self.fish, &mut self.submarines);
        self.shots.retain_mut(|shot| {
            if !shot.swim() {
                return false;
            }
            for enemies in [&mut *fish, &mut *submarines] {
                if let Some(hit) = enemies.iter().position(|enemy| enemy.place() == shot.place()) {
                    enemies.remove(hit);
                    reward += 1.0;
                    return false;
                }
            }
            true
        });
        reward
    }

    fn move_divers(&mut self) {
        let (player, on_board) = (self.player, &mut self.divers_on_board);
        self.divers.retain_mut(|diver| {
            let mut taken = |diver: &Swimmer| {
                let taken = diver.place() == player && *on_board < BERTHS;
                *on_board += usize::from(taken);
                taken
            };
            if taken(diver) {
                return false;
            }
            if diver.rest > 0 {
                diver.rest -= 1;
                return true;
            }
            diver.rest = PAUSE;
            diver.swim() && !taken(diver)
        });
    }

    fn move_enemies(&mut self, outcome: &mut Outcome) {
        let (player, pause) = (self.player, self.pause);
        for (enemies, shoot) in [(&mut self.submarines, true), (&mut self.fish, false)] {
            let shots = &mut self.shots;
            let enemy_shots = &mut self.enemy_shots;
            enemies.retain_mut(|enemy| {
                outcome.over |= enemy.place() == player;
                if enemy.rest > 0 {
                    enemy.rest -= 1;
                } else {
                    enemy.rest = pause;
                    if !enemy.swim() {
                        return false;
                    }
                    outcome.over |= enemy.place() == player;
                    if let Some(hit) = shots.iter().position(|shot| shot.place() == enemy.place()) {
                        shots.remove(hit);
                        outcome.reward += 1.0;
                        return false;
                    }
                }
                if shoot && enemy.shot_rest == 0 {
                    enemy.shot_rest = ENEMY_COOLDOWN;
                    enemy_shots.push(Swimmer { rest: 0, shot_rest: 0, ..*enemy });
                } else {
                    enemy.shot_rest = enemy.shot_rest.saturating_sub(1);
                }
                true
            });
            if shoot {
                enemy_shots.retain_mut(|shot| {
                    outcome.over |= shot.place() == player;
                    let stays = shot.swim();
                    outcome.over |= stays && shot.place() == player;
                    stays
                });
            }
        }
    }

    fn breathe(&mut self, outcome: &mut Outcome) {
        if self.player.0 > 0 {
            self.at_surface = false;
            outcome.over |= self.oxygen == 0;
            self.oxygen = self.oxygen.saturating_sub(1);
        } else if !self.at_surface {
            if self.divers_on_board == 0 {
                outcome.over = true;
                return;
            }
            if self.divers_on_board == BERTHS {
                outcome.reward += f64::from(self.oxygen / OXYGEN_CELL);
            }
            self.surface();
        }
    }

    fn surface(&mut self) {
        self.at_surface = true;
        self.oxygen = OXYGEN;
        self.divers_on_board -= if self.divers_on_board == BERTHS { BERTHS } else { 1 };
        if self.ramping && (self.spawn_period > 1 || self.pause > LEAST_PAUSE) {
            if self.pause > LEAST_PAUSE && self.surfacings % 2 == 1 {
                self.pause -= 1;
            }
            self.spawn_period = (self.spawn_period - 1).max(1);
            self.surfacings += 1;
        }
    }
}

impl Game for Seaquest {
    const INPUTS: &'static [Input] = &[Input::Wait, Input::Left, Input::Up, Input::Right, Input::Down, Input::Fire];
    const COLORS: &'static [Color] = &[
        Color(240, 200, 60),
        Color(180, 140, 40),
        Color(250, 244, 200),
        Color(56, 70, 100),
        Color(240, 110, 90),
        Color(0, 158, 115),
        Color(204, 60, 60),
        Color(120, 190, 240),
        Color(204, 121, 167),
        Color(230, 160, 200),
    ];

    fn new(difficulty_ramping: bool) -> Self {
        Self {
            ramping: difficulty_ramping,
            player: (0, SIDE / 2),
            faces_right: false,
            oxygen: OXYGEN,
            divers_on_board: 0,
            at_surface: true,
            shots: vec![],
            enemy_shots: vec![],
            fish: vec![],
            submarines: vec![],
            divers: vec![],
            spawn_period: SPAWN_PERIOD,
            pause: PAUSE,
            surfacings: 0,
            fire_rest: 0,
            spawn_rest: SPAWN_PERIOD,
            diver_rest: DIVER_PERIOD,
        }
    }

    fn start(&mut self, _: &mut GymRng) {
        *self = Self::new(self.ramping);
    }

    fn frame(&mut self, input: Input, rng: &mut GymRng) -> Outcome {
        let mut outcome = Outcome::default();
        if self.spawn_rest == 0 {
            self.spawn_enemy(rng);
            self.spawn_rest = self.spawn_period;
        }
        if self.diver_rest == 0 {
            self.spawn_diver(rng);
            self.diver_rest = DIVER_PERIOD;
        }
        self.steer(input);
        outcome.reward += self.move_shots();
        self.move_divers();
        self.move_enemies(&mut outcome);
        for rest in [&mut self.fire_rest, &mut self.spawn_rest, &mut self.diver_rest] {
            *rest = rest.saturating_sub(1);
        }
        self.breathe(&mut outcome);
        outcome
    }

    fn draw(&self, mark: &mut dyn FnMut(usize, usize, usize)) {
        for column in 0..(self.oxygen / OXYGEN_CELL) as usize {
            mark(7, LAST, column);
        }
        for berth in 0..self.divers_on_board {
            mark(8, LAST, LAST - 1 - berth);
        }
        for (row, column) in self.fish.iter().chain(&self.submarines).chain(&self.divers).filter_map(Swimmer::behind) {
            mark(3, row, column);
        }
        let groups =
            [(9, &self.divers), (5, &self.fish), (6, &self.submarines), (4, &self.enemy_shots), (2, &self.shots)];
        for (channel, swimmers) in groups {
            for swimmer in swimmers {
                mark(channel, swimmer.row, swimmer.column);
            }
        }
        let (row, column) = self.player;
        let player = Swimmer { row, column, swims_right: self.faces_right, ..Swimmer::default() };
        if let Some((row, column)) = player.behind() {
            mark(1, row, column);
        }
        mark(0, row, column);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.u8(self.player.0 as u8);
        writer.u8(self.player.1 as u8);
        writer.bool(self.faces_right);
        writer.bool(self.at_surface);
        writer.u8(self.divers_on_board as u8);
        let numbers = [self.oxygen, self.spawn_period, self.pause, self.surfacings];
        for number in numbers.into_iter().chain([self.fire_rest, self.spawn_rest, self.diver_rest]) {
            writer.u32(number);
        }
        for swimmers in [&self.shots, &self.enemy_shots, &self.fish, &self.submarines, &self.divers] {
            writer.index(swimmers.len());
            for swimmer in swimmers {
                writer.u8(swimmer.row as u8);
                writer.u8(swimmer.column as u8);
                writer.bool(swimmer.swims_right);
                writer.u32(swimmer.rest);
                writer.u32(swimmer.shot_rest);
            }
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.player = (reader.small(BOTTOM + 1)?, reader.small(SIDE)?);
        self.faces_right = reader.bool()?;
        self.at_surface = reader.bool()?;
        self.divers_on_board = reader.small(BERTHS + 1)?;
        self.oxygen = reader.u32_to(OXYGEN)?;
        self.spawn_period = reader.u32_to(SPAWN_PERIOD)?;
        self.pause = reader.u32_to(PAUSE)?;
        self.surfacings = reader.u32_to(SPAWN_PERIOD)?;
        self.fire_rest = reader.u32_to(PLAYER_COOLDOWN)?;
        self.spawn_rest = reader.u32_to(SPAWN_PERIOD)?;
        self.diver_rest = reader.u32_to(DIVER_PERIOD)?;
        if self.spawn_period == 0 {
            return Err(StateError("enemies cannot come all the time".into()));
        }
        for swimmers in [&mut self.shots, &mut self.enemy_shots, &mut self.fish, &mut self.submarines, &mut self.divers]
        {
            swimmers.clear();
            for _ in 0..reader.index(MOST)? {
                swimmers.push(Swimmer {
                    row: reader.small(BOTTOM + 1)?,
                    column: reader.small(SIDE)?,
                    swims_right: reader.bool()?,
                    rest: reader.u32_to(PAUSE)?,
                    shot_rest: reader.u32_to(ENEMY_COOLDOWN)?,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Seaquest {
    /// Whether an enemy and whether a diver comes in the next frame.
    pub(super) fn spawns_now(&self) -> (bool, bool) {
        (self.spawn_rest == 0, self.diver_rest == 0)
    }

    pub(super) fn skip_spawns(&mut self) {
        if self.spawn_rest == 0 {
            self.spawn_rest = self.spawn_period;
        }
        if self.diver_rest == 0 {
            self.diver_rest = DIVER_PERIOD;
        }
    }

    /// Places what channel 5, 6 or 9 shows at an edge.
    pub(super) fn place_swimmer(&mut self, channel: usize, row: usize, swims_right: bool) {
        let column = if swims_right { 0 } else { LAST };
        let new = Swimmer { row, column, swims_right, rest: self.pause, shot_rest: ENEMY_COOLDOWN };
        match channel {
            5 => self.fish.push(new),
            6 => self.submarines.push(new),
            _ => self.divers.push(Swimmer { rest: PAUSE, shot_rest: 0, ..new }),
        }
    }
}
