//! `cargo xtask results`: trains over many seeds and writes the tables in `results/`.
//!
//! [`verb`] reads the arguments, [`seeds`] trains, [`finished`] reads what a run says of itself, [`statistics`] compares
//! with the reference, and [`page`] is the frame every table shares. [`algorithms`], [`cartpole`], [`family`], [`minatar`],
//! [`minatar_random`], [`notebook`], [`studies`], [`environments`] and [`zoo`] are the tables; [`record`] keeps runs as lines of
//! comma-separated values ([`rows`]), [`training`] reads a run folder back and [`curves`] draws it. [`mod@check`] makes the runs again that pages rest on.

mod algorithms;
mod cartpole;
mod check;
mod curves;
mod environments;
mod family;
mod finished;
mod minatar;
mod minatar_random;
mod notebook;
mod page;
mod random;
mod record;
mod rows;
mod seeds;
mod statistics;
mod studies;
mod training;
mod verb;
mod zoo;

pub use page::table;
pub use verb::run;
