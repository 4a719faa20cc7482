//! The commands, one file each.

mod beginning;
pub mod bench;
pub mod compare;
pub mod completions;
pub mod config;
pub mod diagnose;
pub mod doctor;
pub mod envs;
pub mod eval;
pub mod export;
pub mod import;
mod joining;
pub mod note;
pub mod pack;
pub mod presets;
pub mod report;
pub mod resume;
pub mod rollout;
pub mod serve;
pub mod study;
pub mod train;
pub mod tune;
pub mod verify;
pub mod watch;
