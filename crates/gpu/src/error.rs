//! [`DeviceError`], why a device cannot be used, or not any more.

use thiserror::Error;

/// Why a device cannot be used, or not any more.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no driver library, or it cannot be loaded.
    #[error("no CUDA driver: {reason}; install NVIDIA's driver, or train with `train.device=\"cpu\"`")]
    NoDriver {
        /// What the system's loader says.
        reason: String,
    },
    /// The driver library lacks a call.
    #[error("the CUDA driver has no `{name}`: it is older than CUDA 12.0, which the kernels need; update it")]
    DriverTooOld {
        /// The call.
        name: &'static str,
    },
    /// The driver finds no device.
    #[error("the CUDA driver finds no device; train with `train.device=\"cpu\"`")]
    NoDevice,
    /// There are not so many devices.
    #[error("there is no device cuda:{ordinal}: there are {count}, counted from 0")]
    NoSuchDevice {
        /// Which was asked for.
        ordinal: usize,
        /// How many there are.
        count: usize,
    },
    /// Networks and batches do not fit the device's memory.
    #[error(
        "networks and batches need {needed} bytes and {free} of the device's memory are free: use smaller `network.hidden` or `replay.batch_size`, or another device"
    )]
    OutOfMemory {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes that there are.
        free: usize,
    },
    /// A network or a batch is beyond what the kernels count.
    #[error("{what} has {count} numbers, {most} at most: use a smaller network or batch")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its numbers.
        count: usize,
        /// The most that there may be.
        most: usize,
    },
    /// A kind of layer that no kernel computes.
    #[error("layers.{layer} is of a kind that cannot be computed on a device")]
    UnknownLayer {
        /// Index of the layer.
        layer: usize,
    },
    /// A call of the driver failed while the device was in use: it is lost, or the program has a fault.
    #[error(
        "the device is lost: {call} says {error} ({code}); what was saved last is whole, go on with `requel resume`"
    )]
    Lost {
        /// The driver's call.
        call: &'static str,
        /// The error's name, as the driver has it.
        error: String,
        /// The error's number.
        code: i32,
    },
}
