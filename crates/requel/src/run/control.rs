//! [`Control`], requests to a running session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Pace;
use super::pace::Gate;

/// Requests from another thread, or from a signal handler, that a session stops, saves, pauses or slows down. They take effect between two
/// steps, and change no result.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    checkpoint: Arc<AtomicBool>,
    gate: Arc<Gate>,
    ask: Option<Ask>,
}

/// The function that is asked whether to stop.
#[derive(Clone)]
struct Ask(Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

impl Control {
    /// Without any request.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but a function is also asked whether to stop: for a program that has to check for signals itself, such as one inside an
    /// interpreter. It is called at every step, including those of evaluations, until it returns true.
    #[must_use]
    pub fn asking(self, ask: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Control { ask: Some(Ask(Arc::new(ask))), ..self }
    }

    /// Save a checkpoint and stop.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Save a checkpoint and continue.
    pub fn request_checkpoint(&self) {
        self.checkpoint.store(true, Ordering::Relaxed);
    }

    /// Sets how fast training may run from now on. While it is held back it still saves on request, and stops.
    pub fn set_pace(&self, pace: Pace) {
        self.gate.set_pace(pace);
    }

    /// The current pace.
    pub fn pace(&self) -> Pace {
        self.gate.pace()
    }

    /// Allows one step of the environments while paused.
    pub fn allow_step(&self) {
        self.gate.allow_step();
    }

    /// The flag that [`Control::request_stop`] sets, for a signal handler to set.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether to stop.
    pub fn stop_requested(&self) -> bool {
        if !self.stop.load(Ordering::Relaxed) && self.ask.as_ref().is_some_and(|ask| (ask.0)()) {
            self.request_stop();
        }
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether the next step may be made, given that the previous one started at `last_step`; waits briefly until it may.
    pub(super) fn may_step(&self, last_step: Instant) -> bool {
        self.gate.may_step(last_step)
    }

    /// Whether to save; each request is returned once.
    pub(super) fn take_checkpoint_request(&self) -> bool {
        self.checkpoint.load(Ordering::Relaxed) && self.checkpoint.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_heard_by_every_clone_and_a_checkpoint_only_once() {
        let control = Control::new();
        let other = control.clone();
        assert!(!control.stop_requested() && !control.take_checkpoint_request());
        other.request_checkpoint();
        assert!(control.take_checkpoint_request() && !control.take_checkpoint_request());
        other.stop_flag().store(true, Ordering::Relaxed);
        assert!(control.stop_requested() && control.stop_requested());
    }

    #[test]
    fn a_function_is_asked_until_it_says_so_and_every_clone_knows() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let plain = Control::new();
        let control = plain.clone().asking(move || count.fetch_add(1, Ordering::Relaxed) == 2);
        let heard: Vec<bool> = (0..5).map(|_| control.stop_requested()).collect();
        assert_eq!(heard, [false, false, true, true, true]);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert!(plain.stop_requested());
    }
}
