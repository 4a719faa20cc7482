//! The program from outside: what it prints, how it ends, what it leaves on disk.

mod advising;
mod comparing;
mod config_importing;
mod diagnosing;
mod envs;
mod export;
mod going_on;
mod help;
mod importing;
mod interruptions;
mod machines;
mod refusals;
mod reporting;
mod seals;
mod seeds;
mod serving;
mod sharing;
mod together;
mod tool;
mod training;
mod tuning;
mod verifying;
mod watching;
