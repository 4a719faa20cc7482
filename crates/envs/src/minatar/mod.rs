//! The MinAtar games: miniatures of Atari games on a board of 10 × 10 cells, each kind of thing in a channel of its
//! own.
//!
//! They are written from the rules as the paper, Young and Tian, *MinAtar: An Atari-Inspired Testbed for Thorough and
//! Reproducible Reinforcement Learning Experiments* (2019), and the original project's published description give them,
//! and checked against the package on PyPI, run as a black box, which also showed timings and the layout of the
//! channels; its source was not opened for it. What the original draws from numpy's old generator is drawn from this
//! crate's, so that seeds give other games of the same law.
//!
//! What was compared with the original (MinAtar 1.0.15): 147 recorded games of all five, 24 262 frames without sticky
//! actions, are replayed in the tests, and every board, reward and end is equal once what appears at random is taken
//! over from the recording. Rebuilt walls of Breakout and second waves of Space Invaders are among them, six divers set
//! ashore at once are not, nor ramping after frame 300, which for Asterix was followed to frame 920 by the times of
//! arrivals. Under a random policy with sticky actions, over 6000 games of the original (Freeway: 2000) and 30 000 of this
//! crate (Freeway: 6000), no mean return or length differs by more than 1.5 standard errors, and no distribution of them by
//! more than chance explains: `results/minatar-random.md`, made by `cargo xtask results minatar-random`.
//!
//! **Actions** are, in the order of the original, 0 nothing, 1 left, 2 up, 3 right, 4 down, 5 fire; an environment has those
//! that have an effect in it, in that order, or with `full_action_set` all six. **Observation**: `Box(10, 10,
//! channels)` of truth values, row by row from the top. With `sticky_action_prob` (0.1) the last action is done again
//! in place of the one asked for. At the start of an episode nothing has been done last: the first frame that sticks does
//! nothing. The original keeps the last action over a reset, so that there an episode's first frame may do what the episode
//! before it did last.

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
