//! Games of the original program, recorded by `xtask/golden/minatar_games.py`, replayed frame by frame.
//!
//! What the original draws at random is taken from its boards: where things start, what appears. Everything that follows from it must be
//! equal: every board, every reward, every end.

use super::cabinet::{Game, Input, SIDE};
use super::{Asterix, Breakout, Freeway, Seaquest, SpaceInvaders};
use crate::GymRng;

/// One truth value per channel for each cell.
#[derive(Clone, PartialEq)]
struct Board {
    bits: Vec<bool>,
    channels: usize,
}

impl Board {
    fn of<G: Game>(game: &G) -> Self {
        let channels = G::COLORS.len();
        let mut bits = vec![false; SIDE * SIDE * channels];
        game.draw(&mut |channel, row, column| bits[(row * SIDE + column) * channels + channel] = true);
        Self { bits, channels }
    }

    fn has(&self, channel: usize, row: usize, column: usize) -> bool {
        self.bits[(row * SIDE + column) * self.channels + channel]
    }

    /// Rows and columns where a channel is set.
    fn all(&self, channel: usize) -> Vec<(usize, usize)> {
        let cells = (0..SIDE * SIDE).map(|cell| (cell / SIDE, cell % SIDE));
        cells.filter(|(row, column)| self.has(channel, *row, *column)).collect()
    }

    fn packed(&self) -> Vec<u8> {
        let byte =
            |bits: &[bool]| (0..8).fold(0, |byte, i| byte << 1 | u8::from(bits.get(i).copied().unwrap_or(false)));
        self.bits.chunks(8).map(byte).collect()
    }

    fn hash(&self) -> u32 {
        self.packed().iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }
}

/// The random draws of the original, inserted into a game.
trait Recorded: Game {
    /// Makes the start equal to the board.
    fn begin(&mut self, _board: &Board) {}

    /// Takes the random draws from the board after a frame with `input`, before or after that frame.
    fn before(&mut self, _input: Input, _reward: f64, _board: Option<&Board>) {}
    fn after(&mut self, _reward: f64, _board: Option<&Board>) {}
}

impl Recorded for SpaceInvaders {}

impl Recorded for Breakout {
    fn begin(&mut self, board: &Board) {
        self.place_ball(board.all(1)[0].1);
    }
}

impl Recorded for Freeway {
    fn begin(&mut self, board: &Board) {
        self.take_over(board, 0);
    }

    fn after(&mut self, reward: f64, board: Option<&Board>) {
        if reward > 0.0 {
            self.take_over(board.expect("a board after each crossing"), 1);
        }
    }
}

impl Freeway {
    /// The cars on the board, each `driven` frames after its start.
    fn take_over(&mut self, board: &Board, driven: usize) {
        for row in 1..=8 {
            let column = (0..SIDE).find(|column| board.has(1, row, *column)).unwrap();
            let trails = (1..=5).flat_map(|pause| (0..SIDE).map(move |column| (pause, column)));
            let (pause, trail) = trails.into_iter().find(|(pause, column)| board.has(1 + pause, row, *column)).unwrap();
            self.set_car(row - 1, (column, (trail + 1) % SIDE == column, pause, pause - driven));
        }
    }
}

impl Recorded for Asterix {
    fn before(&mut self, input: Input, reward: f64, board: Option<&Board>) {
        if !self.spawns_now() {
            return;
        }
        self.skip_spawn();
        let Some(board) = board else { return };
        let mut without = self.clone();
        let outcome = without.frame(input, &mut GymRng::default());
        let predicted = Board::of(&without);
        if outcome.reward < reward {
            // It hit the player and was gone before it could be seen.
            let (row, column) = predicted.all(0)[0];
            self.place_thing(row, column < SIDE / 2, true);
        }
        for (channel, is_treasure) in [(1, false), (3, true)] {
            for (row, column) in board.all(channel) {
                if !predicted.has(channel, row, column) {
                    self.place_thing(row, column < SIDE / 2, is_treasure);
                }
            }
        }
    }
}

impl Recorded for Seaquest {
    fn before(&mut self, input: Input, _: f64, board: Option<&Board>) {
        let (enemy, diver) = self.spawns_now();
        if !enemy && !diver {
            return;
        }
        self.skip_spawns();
        let Some(board) = board else { return };
        let mut without = self.clone();
        without.frame(input, &mut GymRng::default());
        let predicted = Board::of(&without);
        if predicted.all(8).len() < board.all(8).len() {
            // A diver met the player and was on board before it could be seen.
            let (row, column) = predicted.all(0)[0];
            self.place_swimmer(9, row, column < SIDE / 2);
        }
        for channel in [5, 6, 9] {
            for (row, column) in board.all(channel) {
                if !predicted.has(channel, row, column) {
                    self.place_swimmer(channel, row, column == 0);
                }
            }
        }
    }
}

/// Replays all games of a recording; returns the number of frames and points.
fn replay<G: Recorded>(mut data: &[u8]) -> (usize, f64) {
    fn take<'a>(data: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (head, rest) = data.split_at(length);
        *data = rest;
        head
    }
    let channels = G::COLORS.len();
    let bytes = (SIDE * SIDE * channels).div_ceil(8);
    let unpack = |bytes: &[u8]| {
        let bits = (0..SIDE * SIDE * channels).map(|i| bytes[i / 8] >> (7 - i % 8) & 1 == 1).collect();
        Board { bits, channels }
    };
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let (mut frames, mut points, mut games) = (0, 0.0, 0);
    while !data.is_empty() {
        let length = number(take(&mut data, 4));
        let first = unpack(take(&mut data, bytes));
        let mut game = G::new(true);
        game.start(&mut GymRng::default());
        game.begin(&first);
        assert!(Board::of(&game) == first, "the beginning of game {games}");
        for frame in 1..=length {
            let head = take(&mut data, 7);
            let (input, reward, flags) = (G::INPUTS[usize::from(head[0])], f64::from(head[1]), head[2]);
            let board = (flags & 2 != 0).then(|| unpack(take(&mut data, bytes)));
            game.before(input, reward, board.as_ref());
            let outcome = game.frame(input, &mut GymRng::default());
            game.after(outcome.reward, board.as_ref());
            let place = || format!("game {games}, frame {frame} of {length}");
            assert_eq!(outcome.reward, reward, "reward, {}", place());
            assert_eq!(outcome.over, flags & 1 != 0, "end, {}", place());
            assert_eq!(Board::of(&game).hash(), number(&head[3..]), "board, {}", place());
            points += reward;
            frames += 1;
        }
        games += 1;
    }
    assert!(games >= 20, "{games} games");
    (frames, points)
}

#[test]
fn breakout() {
    let (frames, points) = replay::<Breakout>(include_bytes!("../../tests/golden/minatar-breakout.games"));
    assert!(frames > 2_000 && points > 200.0, "{frames} frames, {points} points");
}

#[test]
fn space_invaders() {
    let (frames, points) = replay::<SpaceInvaders>(include_bytes!("../../tests/golden/minatar-space_invaders.games"));
    assert!(frames > 2_000 && points > 200.0, "{frames} frames, {points} points");
}

#[test]
fn freeway() {
    let (frames, points) = replay::<Freeway>(include_bytes!("../../tests/golden/minatar-freeway.games"));
    assert!(frames > 2_000 && points > 20.0, "{frames} frames, {points} points");
}

#[test]
fn asterix() {
    let (frames, points) = replay::<Asterix>(include_bytes!("../../tests/golden/minatar-asterix.games"));
    assert!(frames > 2_000 && points > 20.0, "{frames} frames, {points} points");
}

#[test]
fn seaquest() {
    let (frames, points) = replay::<Seaquest>(include_bytes!("../../tests/golden/minatar-seaquest.games"));
    assert!(frames > 2_000 && points > 10.0, "{frames} frames, {points} points");
}
