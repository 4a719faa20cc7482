//! [`Control`], what others may ask of a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a session from another thread, or from a signal, to stop or to save. It is heard between two steps.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    checkpoint: Arc<AtomicBool>,
}

impl Control {
    /// Nothing asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Save a checkpoint and stop.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Save a checkpoint and go on.
    pub fn request_checkpoint(&self) {
        self.checkpoint.store(true, Ordering::Relaxed);
    }

    /// The flag that [`Control::request_stop`] sets, for a signal handler to set.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether to stop.
    pub fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
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
}
