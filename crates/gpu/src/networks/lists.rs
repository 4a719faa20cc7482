//! Lists of one number for each parameter, read from a device and written to it.

use std::sync::PoisonError;

use super::DeviceNetworks;
use crate::DeviceError;
use crate::driver::{self, Program};

/// A list with one number for each parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// The parameters.
    Online,
    /// Those of the slower copy.
    Target,
    /// The gradients of the last update, clipped.
    Gradients,
    /// A running average of the optimiser, by its place in [`requel_nn::OptimizerSpec::buffer_names`].
    Buffer(usize),
}

impl DeviceNetworks {
    /// Reads a list.
    ///
    /// # Errors
    /// If the device is lost.
    ///
    /// # Panics
    /// If `into` does not have one number per parameter, or there is no such list; the same holds for [`DeviceNetworks::write`].
    pub fn read(&self, what: Numbers, into: &mut [f32]) -> Result<(), DeviceError> {
        let from = self.list(what);
        assert_eq!(into.len(), from.len, "a number for each parameter");
        let mut program = Program::default();
        program.download(from, self.exchange);
        let mut runner = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        runner.run_once(&program)?;
        into.copy_from_slice(runner.staging.get(self.exchange));
        Ok(())
    }

    /// Writes a list.
    ///
    /// # Errors
    /// As [`DeviceNetworks::read`].
    pub fn write(&mut self, what: Numbers, from: &[f32]) -> Result<(), DeviceError> {
        let to = self.list(what);
        assert_eq!(from.len(), to.len, "a number for each parameter");
        let mut program = Program::default();
        program.upload(self.exchange, to);
        let exchange = self.exchange;
        let runner = self.lists.get_mut().unwrap_or_else(PoisonError::into_inner);
        runner.staging.get_mut(exchange).copy_from_slice(from);
        runner.run_once(&program)
    }

    /// What a layer gave in the first pass, rows × outputs: see [`requel_nn::Workspace::activations`].
    ///
    /// # Errors
    /// As [`DeviceNetworks::read`].
    pub fn activations(&self, layer: usize) -> Result<Vec<f32>, DeviceError> {
        let from = self.looks[0].values[layer + 1];
        let exchange = self.exchange;
        let mut runner = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let mut numbers = Vec::with_capacity(from.len);
        let mut at = 0;
        while at < from.len {
            let len = exchange.len.min(from.len - at);
            let mut program = Program::default();
            program.download(from.part(at..at + len), exchange.first(len));
            runner.run_once(&program)?;
            numbers.extend_from_slice(runner.staging.get(exchange.first(len)));
            at += len;
        }
        Ok(numbers)
    }

    pub(super) fn list(&self, what: Numbers) -> driver::Numbers {
        match what {
            Numbers::Online => self.online,
            Numbers::Target => self.target.expect("there is a slower copy"),
            Numbers::Gradients => self.gradients,
            Numbers::Buffer(place) => self.buffers[place],
        }
    }
}
