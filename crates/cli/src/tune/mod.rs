//! A search over settings as shown to users: its progress, its results, and the winner on fresh seeds.

mod board;
mod figure;
pub mod files;
mod fresh;
mod page;
pub mod text;

pub use board::Board;
pub use fresh::{Fresh, FreshScores};
