//! Many runs at once: training them on all cores with one display, and the table of what they came to.

mod board;
mod several;
mod table;
mod together;

pub use several::{below, resume, train};
pub use together::{Reports, Together};
