//! `cargo xtask planted`: makes ten well-known mistakes on purpose, one at a time and in a copy, and sees that a test catches each.

mod list;
mod verb;

pub use verb::run;
