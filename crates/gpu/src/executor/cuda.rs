//! [`Cuda`], which chooses between the CPU and a card.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use requel::Machine;
use requel::agent::{
    Accelerator, AgentError, CpuExecutor, DeviceFault, DeviceName, DeviceUse, Executor, ExecutorShape, ExecutorSpec,
};

use super::GpuNetworks;
use super::networks::fault;
use crate::{Card, DeviceError, Driver};

/// An update that takes less than this on the CPU is not worth a card: about twenty launches, two copies and a wait take longer.
pub const WORTH_A_CARD: Duration = Duration::from_micros(200);

/// The number of updates measured, after one that is not, and the maximum total time.
const MEASURED: usize = 5;
const PATIENCE: Duration = Duration::from_millis(200);

/// The CUDA devices of this machine.
#[derive(Clone, Debug, Default)]
pub struct Cuda {
    /// The driver's library, unless it is the system's.
    library: Option<OsString>,
}

impl Cuda {
    /// The devices found by a driver library at another path.
    pub fn at(library: impl Into<OsString>) -> Self {
        Cuda { library: Some(library.into()) }
    }

    /// The driver.
    ///
    /// # Errors
    /// [`DeviceError::NoDriver`], [`DeviceError::NoDevice`].
    pub fn driver(&self) -> Result<Driver, DeviceError> {
        match &self.library {
            Some(library) => Driver::at(library),
            None => Driver::system(),
        }
    }

    /// A device.
    ///
    /// # Errors
    /// As [`Cuda::driver`], and [`DeviceError::NoSuchDevice`].
    pub fn card(&self, ordinal: usize) -> Result<Card, DeviceError> {
        self.driver()?.card(ordinal)
    }
}

impl Accelerator for Cuda {
    fn devices(&self) -> Result<String, DeviceFault> {
        let unusable = |error: DeviceError| DeviceFault::Unusable { reason: error.to_string() };
        let driver = self.driver().map_err(unusable)?;
        let (major, minor) = driver.version();
        let mut found = Vec::new();
        for ordinal in 0..driver.devices() {
            let card = driver.card(ordinal).map_err(unusable)?;
            let (free, _) = card.memory().map_err(unusable)?;
            found.push(format!("{card}, {} free", requel::memory::display_bytes(free as u64)));
        }
        Ok(format!("{}; driver of CUDA {major}.{minor}; experimental", found.join("; ")))
    }

    fn executor(
        &self,
        asked: DeviceName,
        (spec, shape): (&ExecutorSpec, ExecutorShape),
        machine: &Machine,
    ) -> Result<(Option<Box<dyn Executor>>, DeviceUse), AgentError> {
        let on_the_cpu = |reason: String| Ok((None, DeviceUse { reason: Some(reason), ..DeviceUse::default() }));
        let (ordinal, is_asked_for) = match asked {
            DeviceName::Cpu => return Ok((None, DeviceUse::default())),
            DeviceName::Cuda(ordinal) => (ordinal.unwrap_or(0), true),
            DeviceName::Auto => (0, false),
        };
        let card = match self.card(ordinal) {
            Ok(card) => card,
            // If nobody requested a card and there is no driver, nothing is reported.
            Err(DeviceError::NoDriver { .. }) if !is_asked_for => return Ok((None, DeviceUse::default())),
            Err(error) if !is_asked_for => return on_the_cpu(error.to_string()),
            Err(error) => return Err(fault(error)),
        };
        let time = time_of_an_update(CpuExecutor::new(spec, shape, machine)?)?;
        let measured = format!("an update takes {:.3} ms on the CPU", time.as_secs_f64() * 1e3);
        let worth = format!("{:.1} ms", WORTH_A_CARD.as_secs_f64() * 1e3);
        let is_small = time < WORTH_A_CARD;
        if is_small && !is_asked_for {
            return on_the_cpu(format!("{measured}, and a card is faster from about {worth} on"));
        }
        let reason = match (is_small, is_asked_for) {
            (true, _) => Some(format!(
                "{measured}, and below about {worth} a card is slower; `train.device=\"auto\"` takes the faster one"
            )),
            (false, true) => None,
            (false, false) => Some(measured),
        };
        let device = DeviceUse { device: card.to_string(), reason, is_doubtful: is_small };
        match GpuNetworks::executor(&card, spec, shape, machine) {
            Ok(executor) => Ok((Some(Box::new(executor.on(device.clone()))), device)),
            Err(AgentError::Device(error)) if !is_asked_for => on_the_cpu(error.to_string()),
            Err(error) => Err(error),
        }
    }
}

/// The time of an update on one core: the median of a few, with transitions that are all zeros.
fn time_of_an_update(mut executor: CpuExecutor) -> Result<Duration, AgentError> {
    let begun = Instant::now();
    executor.update(0, None)?;
    let mut times = vec![begun.elapsed()];
    while times.len() < MEASURED && begun.elapsed() < PATIENCE {
        let one = Instant::now();
        executor.update(0, None)?;
        times.push(one.elapsed());
    }
    // The first one also allocates memory; it only counts if there was no time for more.
    let mut measured = if times.len() > 1 { times.split_off(1) } else { times };
    measured.sort_unstable();
    Ok(measured[measured.len() / 2])
}
