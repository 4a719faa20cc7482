//! Many runs at once: training them on all cores with one display, and the table of their results.

mod board;
mod several;
mod table;
mod together;

pub use several::{below, resume, train};
pub use together::{Reports, Together};
