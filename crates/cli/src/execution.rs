//! [`Execution`], how a run is computed.

use clap::Args;
use requel::Machine;
use requel::run::Session;

use crate::style;

/// How a run is computed; its result does not depend on it.
#[derive(Args, Clone, Copy, Debug)]
pub struct Execution {
    /// Maximum number of threads for large networks and many environments; 0: one per core. The result is the same
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub threads: usize,
}

/// A larger number is surely a typing error.
const MOST_THREADS: usize = 1024;

impl Execution {
    /// Applies this to the session, on this machine.
    pub fn of(self, session: Session, machine: &Machine) -> Session {
        let threads = match self.threads {
            0 => machine.threads,
            threads => threads,
        };
        if threads == 1 {
            return session;
        }
        // The training thread is part of the pool, so work that it hands out is picked up without a wait.
        match rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global() {
            Ok(()) => session.with_threads(threads),
            Err(error) => {
                style::warn(format_args!("training continues with one thread: {error}"));
                session
            }
        }
    }
}

/// Reads a number of threads, or of runs at a time, each of which has a thread.
///
/// # Errors
/// The range.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if threads <= MOST_THREADS => Ok(threads),
        _ => Err(format!("expected a number from 0 to {MOST_THREADS}")),
    }
}
