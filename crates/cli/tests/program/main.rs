//! The program from outside: what it prints, how it ends, what it leaves on disk.

mod help;
mod interruptions;
mod refusals;
mod reporting;
mod tool;
mod training;
mod watching;
mod worlds;
