//! [`Observer`], which listens to training.

use super::{TrainError, TrainEvent};

/// Why an observer cannot continue; it stops training.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Listens to training. It sees everything and changes no result. It can ask training to stop, which the run records as its way of ending;
/// if it fails, training stops with its error.
///
/// Closures are observers: `&mut |event: &TrainEvent<'_>| { …; Ok(()) }`.
pub trait Observer {
    /// Called for each event, in order.
    ///
    /// # Errors
    /// Any reason why it cannot do its work, such as a full disk.
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError>;

    /// Whether to receive every single step.
    fn wants_steps(&self) -> bool {
        false
    }

    /// Whether training should stop. Called after each step of the environments; training then ends as it does at the end of its budget,
    /// with a final evaluation and a summary, and [`Termination::Asked`](super::Termination::Asked) as the reason. A run that ended this
    /// way can be extended.
    fn asks_to_stop(&self) -> bool {
        false
    }
}

impl<F: FnMut(&TrainEvent<'_>) -> Result<(), ObserverError>> Observer for F {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self(event)
    }
}

/// Passes an event to an observer.
pub(super) fn tell(observer: &mut dyn Observer, event: TrainEvent<'_>) -> Result<(), TrainError> {
    observer.on_event(&event).map_err(TrainError::Observer)
}

/// No observer.
impl Observer for () {
    fn on_event(&mut self, _: &TrainEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

/// Two observers, called in this order.
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

    fn asks_to_stop(&self) -> bool {
        self.0.asks_to_stop() || self.1.asks_to_stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::EpisodeRecord;

    struct Heard {
        events: usize,
        wants: bool,
    }

    impl Observer for Heard {
        fn on_event(&mut self, _: &TrainEvent<'_>) -> Result<(), ObserverError> {
            self.events += 1;
            Ok(())
        }

        fn wants_steps(&self) -> bool {
            self.wants
        }
    }

    #[test]
    fn of_two_only_the_one_that_asks_is_told_of_steps() {
        let envs = requel_envs::VectorEnv::new(vec![requel_envs::make("CartPole-v1").unwrap()]).unwrap();
        let step =
            TrainEvent::Stepped { env_steps: 1, envs: &envs, actions: &[0], steps: &[], observations: &[0.0; 4] };
        let episode = EpisodeRecord { index: 0, return_: 0.0, length: 1, terminated: true, truncated: false };
        for (wants, expected) in [((false, true), (1, 2)), ((true, false), (2, 1)), ((false, false), (1, 1))] {
            let (mut a, mut b) = (Heard { events: 0, wants: wants.0 }, Heard { events: 0, wants: wants.1 });
            let mut both = (&mut a, &mut b);
            assert_eq!(both.wants_steps(), wants.0 || wants.1);
            both.on_event(&step).unwrap();
            both.on_event(&TrainEvent::EpisodeEnded { env_steps: 1, episode }).unwrap();
            assert_eq!((a.events, b.events), expected);
        }
    }
}
