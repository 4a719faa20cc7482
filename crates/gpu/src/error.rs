//! [`DeviceError`], why a device cannot be used, or can no longer be used.

use thiserror::Error;

/// Why a device cannot be used, or can no longer be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no driver library, or it cannot be loaded.
    #[error("no CUDA driver: {reason}; install NVIDIA's driver, or train with `train.device=\"cpu\"`")]
    NoDriver {
        /// The error of the system's loader.
        reason: String,
    },
    /// The driver library lacks a function.
    #[error("the CUDA driver has no `{name}`: it is older than CUDA 12.0, which the kernels need; update the driver")]
    DriverTooOld {
        /// The function.
        name: &'static str,
    },
    /// The driver finds no device.
    #[error("the CUDA driver finds no device; train with `train.device=\"cpu\"`")]
    NoDevice,
    /// There is no device with this number.
    #[error("there is no device cuda:{ordinal}: this machine has {count}, counted from 0")]
    NoSuchDevice {
        /// The requested number.
        ordinal: usize,
        /// How many there are.
        count: usize,
    },
    /// Networks and batches do not fit the device's memory.
    #[error(
        "networks and batches need {needed} bytes, and the device has {free} free: use a smaller `network.hidden` or \
         `replay.batch_size`, or another device"
    )]
    OutOfMemory {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes that are free.
        free: usize,
    },
    /// A network or a batch is too large for the kernels' counters.
    #[error("{what} has {count} numbers, but at most {most} are supported: use a smaller network or batch")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its numbers.
        count: usize,
        /// The maximum.
        most: usize,
    },
    /// A kind of layer that no kernel supports.
    #[error("layers.{layer} is a kind of layer that cannot be computed on a device")]
    UnknownLayer {
        /// Index of the layer.
        layer: usize,
    },
    /// A call of the driver failed during use: the device is lost, or the program has a bug.
    #[error(
        "the device was lost: {call} returned {error} ({code}); the last checkpoint is intact, continue with `requel \
         resume`"
    )]
    Lost {
        /// The driver's call.
        call: &'static str,
        /// The error's name according to the driver.
        error: String,
        /// The error's number.
        code: i32,
    },
}
