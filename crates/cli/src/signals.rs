//! Ctrl-C, SIGTERM and SIGHUP.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::{Exit, Failure};

/// Requests from outside to stop. The first signal only sets a flag; a second Ctrl-C ends the program at once.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen() -> io::Result<Self> {
        let signals = Signals::default();
        // Registered first, so that the flag is still unset at the first signal.
        signal_hook::flag::register_conditional_shutdown(
            SIGINT,
            Exit::Interrupted as i32,
            signals.interrupted.clone(),
        )?;
        signal_hook::flag::register(SIGINT, signals.interrupted.clone())?;
        signal_hook::flag::register(SIGTERM, signals.terminated.clone())?;
        signal_hook::flag::register(SIGHUP, signals.hung_up.clone())?;
        Ok(signals)
    }

    /// Listens from now on, and sets `stop` at the first signal.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen_and_stop(stop: Arc<AtomicBool>) -> io::Result<Self> {
        let signals = Self::listen()?;
        signal_hook::flag::register(SIGINT, stop.clone())?;
        signal_hook::flag::register(SIGTERM, stop.clone())?;
        signal_hook::flag::register(SIGHUP, stop)?;
        Ok(signals)
    }

    /// Stops the current work if that was requested.
    ///
    /// # Errors
    /// If a signal came; it says how to end.
    pub fn check(&self) -> Result<(), Failure> {
        match self.received() {
            Some(exit) => Err(Failure { exit, ..Failure::failed("stopped by a signal") }),
            None => Ok(()),
        }
    }

    /// Behaves as if this way of ending had been requested.
    #[cfg(test)]
    pub fn of(exit: Exit) -> Self {
        let signals = Self::default();
        let flag = match exit {
            Exit::Terminated => &signals.terminated,
            Exit::HungUp => &signals.hung_up,
            _ => &signals.interrupted,
        };
        flag.store(true, Ordering::Relaxed);
        signals
    }

    /// How to end, if a signal came.
    pub fn received(&self) -> Option<Exit> {
        if self.interrupted.load(Ordering::Relaxed) {
            Some(Exit::Interrupted)
        } else if self.terminated.load(Ordering::Relaxed) {
            Some(Exit::Terminated)
        } else if self.hung_up.load(Ordering::Relaxed) {
            Some(Exit::HungUp)
        } else {
            None
        }
    }
}
