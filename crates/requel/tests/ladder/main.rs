//! The library from outside, rung by rung: config, checkpoints, learning rules, determinism, exact resume, toy worlds.
//! One binary, so that it links once.

mod checkpoints;
mod config;
mod determinism;
mod evaluation;
mod failures;
mod golden;
mod resume;
mod sessions;
mod support;
mod toys;
mod transitions;
mod vector;
