//! [`Control`], what others may ask of a session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Pace;
use super::pace::Gate;

/// Asks a session from another thread, or from a signal, to stop, to save, to pause or to go more slowly. It is heard between two
/// steps, and changes no result.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    checkpoint: Arc<AtomicBool>,
    gate: Arc<Gate>,
    ask: Option<Ask>,
}

/// What is asked whether to stop.
#[derive(Clone)]
struct Ask(Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

impl Control {
    /// Nothing asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, which also asks a function whether to stop: for a program that cannot be told of a signal but has to look for it,
    /// as one within an interpreter. It is asked at every step, evaluations' too, and no more once it has said so.
    #[must_use]
    pub fn asking(self, ask: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Control { ask: Some(Ask(Arc::new(ask))), ..self }
    }

    /// Save a checkpoint and stop.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Save a checkpoint and go on.
    pub fn request_checkpoint(&self) {
        self.checkpoint.store(true, Ordering::Relaxed);
    }

    /// How fast training may go from now on. While it is held back it still saves when asked to, and stops.
    pub fn set_pace(&self, pace: Pace) {
        self.gate.set_pace(pace);
    }

    /// How fast training may go.
    pub fn pace(&self) -> Pace {
        self.gate.pace()
    }

    /// Lets one step of the environments pass while paused.
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

    /// Whether the next step may be made, the one before it having begun at `last_step`; waits a little for that.
    pub(super) fn may_step(&self, last_step: Instant) -> bool {
        self.gate.may_step(last_step)
    }

    /// Whether to save; asked once, answered once.
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
