//! Ctrl-C, SIGTERM and SIGHUP.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::Exit;

/// What was asked for from outside. The first signal only sets a flag; a second Ctrl-C ends the program at once.
#[derive(Clone, Debug)]
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
        let signals = Signals { interrupted: Arc::default(), terminated: Arc::default(), hung_up: Arc::default() };
        // Registered first, so that at the first signal it still finds the flag down.
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

    /// Listens from now on, and raises `stop` with the first signal.
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

    /// How to end, if ending was asked for.
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
