//! The program from outside: what it prints, how it ends, what it leaves on disk.

mod help;
mod interruptions;
mod refusals;
mod tool;
mod training;
mod watching;
mod worlds;
