//! [`Execution`], how a run is computed.

use clap::Args;
use requel::Machine;
use requel::run::Session;

use crate::style;

/// How a run is computed, which changes nothing of its result.
#[derive(Args, Clone, Copy, Debug)]
pub struct Execution {
    /// At most so many threads for large networks and many environments; 0: one per core. The result is the same
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub threads: usize,
}

/// More are no mistake worth a search: a typing error.
const MOST_THREADS: usize = 1024;

impl Execution {
    /// The session, computed that way from now on, on this machine.
    pub fn of(self, session: Session, machine: &Machine) -> Session {
        let threads = match self.threads {
            0 => machine.threads,
            threads => threads,
        };
        if threads == 1 {
            return session;
        }
        // The training thread is one of the pool: what it hands out is then picked up without a wait.
        match rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global() {
            Ok(()) => session.with_threads(threads),
            Err(error) => {
                style::warn(format_args!("training goes on with one thread: {error}"));
                session
            }
        }
    }
}

/// Reads a number of threads, or of runs at a time, which has a thread each.
///
/// # Errors
/// The range.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if threads <= MOST_THREADS => Ok(threads),
        _ => Err(format!("expected a number from 0 to {MOST_THREADS}")),
    }
}
