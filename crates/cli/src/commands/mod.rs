//! The commands, one file each.

pub mod completions;
pub mod config;
pub mod envs;
pub mod eval;
pub mod presets;
pub mod report;
pub mod resume;
pub mod rollout;
pub mod train;
pub mod watch;
