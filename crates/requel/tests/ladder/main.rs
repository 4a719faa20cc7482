//! The library from outside, rung by rung: config, checkpoints, learning rules, determinism, exact resume, toy environments.
//! One binary, so that it links once.

mod altered;
mod bad_envs;
mod bad_rules;
mod beginnings;
mod checkpoints;
mod compat;
mod config;
mod config_page;
mod corpora;
mod determinism;
mod diagnose;
mod distributions;
mod evaluation;
mod failures;
mod fragile;
mod frames;
mod golden;
mod hostile;
mod logs;
mod masks;
mod new_episodes;
mod own_envs;
mod presets;
mod resume;
mod segments;
mod sessions;
mod skipping;
mod starts;
mod stats;
mod storage;
mod study;
mod support;
mod toys;
mod transitions;
mod vector;
