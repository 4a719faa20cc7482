//! The device on which networks are computed: [`DeviceName`] requests one, an [`Accelerator`] provides devices other than the CPU,
//! [`DeviceUse`] says which is used.

use std::fmt;
use std::str::FromStr;

use super::{AgentError, DeviceFault, Executor, ExecutorShape, ExecutorSpec};
use crate::machine::Machine;

/// The requested device, named as in `train.device`. No result depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceName {
    /// Whichever is faster.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A CUDA device by its number; `None`: the first.
    Cuda(Option<usize>),
}

/// A name that is not a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchName;

/// The device on which networks are computed, for records and messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceUse {
    /// Such as `cpu`, or `cuda:0 (NVIDIA H100)`.
    pub device: String,
    /// Why this device was chosen, unless it was simply requested.
    pub reason: Option<String>,
    /// Whether another device would be better.
    pub is_doubtful: bool,
}

/// Provides executors on devices other than the CPU.
pub trait Accelerator: Send + Sync {
    /// The available devices, in one line.
    ///
    /// # Errors
    /// Why there are none.
    fn devices(&self) -> Result<String, DeviceFault>;

    /// The executor for updates of this spec and shape on the requested device, which is never the CPU by name. `None` if the CPU should be
    /// used after all, with the reason.
    ///
    /// # Errors
    /// If a device requested by name cannot be used.
    fn executor(
        &self,
        asked: DeviceName,
        sizes: (&ExecutorSpec, ExecutorShape),
        machine: &Machine,
    ) -> Result<(Option<Box<dyn Executor>>, DeviceUse), AgentError>;
}

impl FromStr for DeviceName {
    type Err = NoSuchName;

    fn from_str(text: &str) -> Result<Self, NoSuchName> {
        match text {
            "auto" => Ok(DeviceName::Auto),
            "cpu" => Ok(DeviceName::Cpu),
            "cuda" => Ok(DeviceName::Cuda(None)),
            _ => {
                let ordinal = text.strip_prefix("cuda:").filter(|digits| digits.bytes().all(|d| d.is_ascii_digit()));
                ordinal.and_then(|digits| digits.parse().ok()).map(|n| DeviceName::Cuda(Some(n))).ok_or(NoSuchName)
            }
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceName::Auto => f.write_str("auto"),
            DeviceName::Cpu => f.write_str("cpu"),
            DeviceName::Cuda(None) => f.write_str("cuda"),
            DeviceName::Cuda(Some(ordinal)) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl Default for DeviceUse {
    /// The CPU, without a reason.
    fn default() -> Self {
        DeviceUse { device: "cpu".into(), reason: None, is_doubtful: false }
    }
}

impl fmt::Display for DeviceUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => f.write_str(&self.device),
            Some(reason) => write!(f, "{}: {reason}", self.device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let names = ["auto", "cpu", "cuda", "cuda:0", "cuda:12"];
        assert_eq!(names.map(|name| name.parse::<DeviceName>().unwrap().to_string()), names);
        for name in ["", "gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda: 1", "cuda:99999999999999999999999", "CPU"] {
            assert_eq!(name.parse::<DeviceName>(), Err(NoSuchName), "{name}");
        }
    }
}
