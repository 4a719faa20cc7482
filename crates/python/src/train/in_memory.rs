//! [`InMemory`], training without a directory.

use std::sync::Arc;

use pyo3::prelude::*;
use requel::Trainer;
use requel::run::{Control, Summary};
use requel::train::{Observer, Termination, TrainError};

use super::events::Listener;
use super::training::Ended;

/// What is done while a trainer is lent out.
pub type WhileLent<'a> = &'a mut dyn FnMut() -> PyResult<()>;
/// Lends a trainer to others while something is done, and takes it back.
type Lend<'a> = &'a dyn Fn(Box<Trainer>, WhileLent<'_>) -> (Box<Trainer>, PyResult<()>);

/// Training without a directory. Callbacks are called after each step, and can use the trainer meanwhile: what they ask the model is
/// answered with the weights of that step.
pub struct InMemory<'a> {
    pub trainer: Box<Trainer>,
    pub listener: Option<Listener>,
    pub control: &'a Control,
    pub lend: Lend<'a>,
}

impl InMemory<'_> {
    /// Trains until training is over or is asked to stop, and then scores the policy if `score` is true.
    pub fn run(mut self, score: bool) -> (Box<Trainer>, Result<Ended, TrainError>) {
        let asked = self.control.clone();
        self.trainer.give_up_evaluations_when(Arc::new(move || asked.stop_requested()));
        loop {
            if self.control.stop_requested() {
                return (self.trainer, Ok(Ended::Interrupted));
            }
            let advanced = advance(&mut self.trainer, self.listener.as_mut());
            let told;
            (self, told) = self.tell();
            let termination = match advanced {
                _ if told.is_err() => return (self.trainer, told.map(|()| Ended::Interrupted)),
                Err(TrainError::Interrupted) => continue,
                Err(error) => return (self.trainer, Err(error)),
                Ok(_) => self.trainer.termination(),
            };
            let Some(termination) = termination else { continue };
            return match score {
                true => self.finish(termination),
                false => (self.trainer, Ok(Ended::Stopped(Some(termination)))),
            };
        }
    }

    fn finish(mut self, termination: Termination) -> (Box<Trainer>, Result<Ended, TrainError>) {
        let outcome = match &mut self.listener {
            Some(listener) => self.trainer.finish(termination, listener),
            None => self.trainer.finish(termination, &mut ()),
        };
        let (ended, told) = self.tell();
        let ended_by = match outcome {
            _ if told.is_err() => told.map(|()| Ended::Interrupted),
            Err(TrainError::Interrupted) => Ok(Ended::Interrupted),
            outcome => outcome.map(|outcome| Ended::Finished(Box::new(Summary::from(&outcome)))),
        };
        (ended.trainer, ended_by)
    }

    /// Passes on the events of a step, and any request of a callback to stop.
    fn tell(mut self) -> (Self, Result<(), TrainError>) {
        let Some(listener) = self.listener.as_mut().filter(|listener| listener.has_waiting()) else {
            return (self, Ok(()));
        };
        let told;
        (self.trainer, told) = (self.lend)(self.trainer, &mut || listener.tell_waiting());
        if listener.asks_to_stop() {
            self.trainer.ask_to_stop();
        }
        (self, told.map_err(|raised| TrainError::Observer(Box::new(raised))))
    }
}

fn advance(trainer: &mut Trainer, listener: Option<&mut Listener>) -> Result<Option<Termination>, TrainError> {
    match listener {
        Some(listener) => trainer.advance(listener),
        None => trainer.advance(&mut ()),
    }
}
