//! The MinAtar games: miniatures of Atari games on a board of 10 × 10 cells, with a separate channel for each kind of thing.
//!
//! They are written from the rules as described in the paper, Young and Tian, *MinAtar: An Atari-Inspired Testbed for Thorough and
//! Reproducible Reinforcement Learning Experiments* (2019), and in the original project's published description, and checked against the
//! package on PyPI, run as a black box, which also showed timings and the layout of the channels; its source was not read for this. What
//! the original draws from numpy's old generator is drawn from this crate's, so the same seed gives a different game from the same
//! distribution.
//!
//! What was compared with the original (MinAtar 1.0.15): 147 recorded games of all five, 24 262 frames without sticky actions, are replayed
//! in the tests, and every board, reward and end is equal once what appears at random is taken from the recording. Rebuilt walls of
//! Breakout and second waves of Space Invaders are among them; six divers brought ashore at once are not, nor is ramping after frame 300,
//! which for Asterix was checked up to frame 920 by the times of arrivals. Under a random policy with sticky actions, over 6000 games of
//! the original (Freeway: 2000) and 30 000 of this crate (Freeway: 6000), no mean return or length differs by more than 1.5 standard
//! errors, and no distribution of them by more than chance explains: `results/minatar-random.md`, made by `cargo xtask results
//! minatar-random`.
//!
//! **Actions** are, in the order of the original, 0 nothing, 1 left, 2 up, 3 right, 4 down, 5 fire; an environment has those that have an
//! effect in it, in that order, or all six with `full_action_set`. **Observation**: `Box(10, 10, channels)` of truth values, row by row
//! from the top. With `sticky_action_prob` (0.1) the last action is repeated instead of the requested one. At the start of an episode there
//! is no last action: if the first frame sticks, it does nothing. The original keeps the last action over a reset, so there the first frame
//! of an episode may repeat the last action of the previous episode.

pub(crate) mod asterix;
pub(crate) mod breakout;
mod cabinet;
pub(crate) mod freeway;
#[cfg(test)]
mod replay;
pub(crate) mod seaquest;
pub(crate) mod space_invaders;

pub use asterix::Asterix;
pub use breakout::Breakout;
pub use cabinet::Cabinet;
pub use freeway::Freeway;
pub use seaquest::Seaquest;
pub use space_invaders::SpaceInvaders;
