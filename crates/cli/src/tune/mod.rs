//! A search over settings as a person sees it: how it goes, what it came to, and the winner on fresh seeds.

mod board;
mod figure;
pub mod files;
mod fresh;
mod page;
pub mod text;

pub use board::Board;
pub use fresh::{Fresh, FreshScores};
