//! Playing episodes for somebody to look at.

mod keys;
mod live;
mod player;

pub use live::{Pace, play};
pub use player::{Acting, Player};
