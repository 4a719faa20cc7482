//! `cargo xtask faults`: faults put into real runs, and what must come of each.

mod damage;
mod finish;
mod kill;
mod memory;
mod page;
mod rule;
mod runs;
mod same_bits;
mod signals;
mod suites;
mod together;
mod verb;

pub use verb::run;
