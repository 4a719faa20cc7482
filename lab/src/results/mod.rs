//! `cargo xtask results`: trains over many seeds and writes the tables in `results/`.
//!
//! A page is a study and prose in `results/studies`, which [`studied`] makes one of: [`seeds`] trains, [`record`] keeps the runs, and
//! [`page`] is the frame. [`studies`] has the pages of the studies that come with requel, [`minatar`] adds curves ([`training`],
//! [`curves`]), [`minatar_random`] compares with the originals by the tests in [`statistics`]. [`verb`] reads the arguments, [`finished`]
//! what a run says of itself, and [`mod@check`] makes the runs again that pages rest on.

mod check;
mod curves;
mod finished;
mod minatar;
mod minatar_random;
mod page;
mod record;
mod seeds;
mod statistics;
mod studied;
mod studies;
mod training;
mod verb;

pub use page::table;
pub use verb::run;
