//! Lists of one number for each parameter, read from a device and written to it.

use super::DeviceNetworks;
use crate::DeviceError;
use crate::driver;

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
    /// If `into` has not a number for each parameter, or there is no such list; so for [`DeviceNetworks::write`].
    pub fn read(&self, what: Numbers, into: &mut [f32]) -> Result<(), DeviceError> {
        let from = self.list(what);
        assert_eq!(into.len(), from.len, "a number for each parameter");
        let mut program = driver::Program::default();
        program.download(from, self.exchange);
        let mut runner = self.runner();
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
        let mut program = driver::Program::default();
        program.upload(self.exchange, to);
        let exchange = self.exchange;
        let runner = self.runner_mut();
        runner.staging.get_mut(exchange).copy_from_slice(from);
        runner.run_once(&program)
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
