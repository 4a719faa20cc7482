//! `cargo xtask results`: trains over many seeds and writes the tables in `results/`.
//!
//! [`verb`] reads the arguments, [`seeds`] trains, [`finished`] reads what a run says of itself, [`statistics`] compares
//! with the reference, [`page`] is the frame every table shares, and [`cartpole`] and [`notebook`] are the two tables.

mod cartpole;
mod finished;
mod notebook;
mod page;
mod seeds;
mod statistics;
mod verb;

pub use finished::finished_line;
pub use page::table;
pub use verb::run;
