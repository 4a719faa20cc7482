//! `cargo xtask bench`: how fast requel is, compared with the machine's limit, the targets and other programs; and the instruction counts
//! that `cargo xtask test` compares with the committed ones.
//!
//! [`verb`] reads the arguments, [`programs`] builds and starts the benchmarks of the crates, [`figures`] reads what they
//! print, [`aims`] says what is aimed at, [`own`] makes the table, [`envs`] and [`peers`] compare with other
//! programs, [`page`] writes `results/benchmarks.md`, and [`instructions`] counts.

mod aims;
mod envs;
mod figures;
mod instructions;
mod own;
mod page;
mod peers;
mod programs;
mod verb;

pub use verb::run;
