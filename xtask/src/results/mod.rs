//! `cargo xtask results`: trains over many seeds and writes the tables in `results/`.
//!
//! [`verb`] reads the arguments, [`seeds`] trains, [`finished`] reads what a run says of itself, [`statistics`] compares
//! with the reference, and [`page`] is the frame every table shares. [`cartpole`], [`family`], [`minatar`], [`minatar_random`],
//! [`notebook`] and [`environments`] are the tables; [`training`] reads a run folder back and [`curves`] draws it.

mod cartpole;
mod curves;
mod environments;
mod family;
mod finished;
mod minatar;
mod minatar_random;
mod notebook;
mod page;
mod seeds;
mod statistics;
mod training;
mod verb;

pub use finished::finished_line;
pub use page::table;
pub use verb::run;
