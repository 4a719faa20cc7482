//! The MinAtar games: miniatures of Atari games on a board of 10 × 10 cells, each kind of thing in a channel of its own.
//!
//! They are written anew from the rules as Young and Tian describe them in *MinAtar: An Atari-Inspired Testbed for Thorough
//! and Reproducible Reinforcement Learning Experiments* (2019) and in the public documentation, and from what the original
//! program, run as a black box, shows: timings and the layout of the channels. No code of the original was used. What the
//! original draws from numpy's old generator is drawn from this crate's, so that seeds give other games of the same law.
//!
//! **Actions** are, in the order of the original, 0 nothing, 1 left, 2 up, 3 right, 4 down, 5 fire; a world has those that
//! have an effect in it, in that order, or with `full_action_set` all six. **Observation**: `Box(10, 10, channels)` of
//! truth values, row by row from the top. With `sticky_action_prob` (0.1) the last action is done again in place of the
//! one asked for.

pub(crate) mod asterix;
pub(crate) mod breakout;
mod cabinet;
pub(crate) mod freeway;
pub(crate) mod seaquest;
pub(crate) mod space_invaders;

pub use asterix::Asterix;
pub use breakout::Breakout;
pub use cabinet::Cabinet;
pub use freeway::Freeway;
pub use seaquest::Seaquest;
pub use space_invaders::SpaceInvaders;
