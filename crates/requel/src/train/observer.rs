//! [`Observer`], who listens to training.

use super::TrainEvent;

/// Why an observer cannot go on; training stops with it.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Listens to training. It sees everything and can change nothing; it can only fail, and then training stops.
///
/// Closures are observers: `&mut |event: &TrainEvent<'_>| { …; Ok(()) }`.
pub trait Observer {
    /// Called for each event, in order.
    ///
    /// # Errors
    /// Whatever keeps it from doing its work, such as a full disk.
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError>;

    /// Whether to be told of every single step.
    fn wants_steps(&self) -> bool {
        false
    }
}

impl<F: FnMut(&TrainEvent<'_>) -> Result<(), ObserverError>> Observer for F {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self(event)
    }
}

/// Nobody listens.
impl Observer for () {
    fn on_event(&mut self, _: &TrainEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

/// Two listen, the first one first.
impl<A: Observer + ?Sized, B: Observer + ?Sized> Observer for (&mut A, &mut B) {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if !matches!(event, TrainEvent::Stepped { .. }) {
            self.0.on_event(event)?;
            return self.1.on_event(event);
        }
        if self.0.wants_steps() {
            self.0.on_event(event)?;
        }
        if self.1.wants_steps() {
            self.1.on_event(event)?;
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        self.0.wants_steps() || self.1.wants_steps()
    }
}
