//! `timing.csv`: everything that depends on the clock, separate from the rest.

pub(super) const HEADER: &str = "session,env_steps,wall_seconds,env_steps_per_second\n";

/// A row: seconds since this session (this process) started, and its speed so far.
pub(super) fn row(session: u64, env_steps: u64, wall_seconds: f64, env_steps_per_second: f64) -> String {
    format!("{session},{env_steps},{wall_seconds:.3},{env_steps_per_second:.0}\n")
}
