//! Messages about the device that networks are computed on.

use requel::{Registry, Trainer};

use crate::style;

/// The registry with the devices that the program was built for: CUDA's with the feature `cuda`. A registry that already has devices keeps
/// them.
#[cfg(feature = "cuda")]
pub fn with_devices(registry: Registry) -> Registry {
    if registry.accelerator().is_some() { registry } else { registry.with_accelerator(requel_gpu::Cuda::default()) }
}

/// The registry with the devices that the program was built for: only the CPU.
#[cfg(not(feature = "cuda"))]
pub fn with_devices(registry: Registry) -> Registry {
    registry
}

/// Says which device is used and why, if there is anything to say.
pub fn tell(trainer: &Trainer, is_quiet: bool) {
    let Some(used) = trainer.agent().device() else { return };
    if used.is_doubtful {
        style::warn(format_args!("networks on {used}"));
    } else if !is_quiet && (used.reason.is_some() || used.device != "cpu") {
        style::say(format_args!("networks on {used}"));
    }
}
