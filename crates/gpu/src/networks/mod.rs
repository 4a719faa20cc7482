//! A network on a device, with its slower copy, its optimiser and the passes of an update.

mod device;
mod lists;
mod spec;

pub use device::{DeviceNetworks, MOST_LOOKS, Step};
pub use lists::Numbers;
pub use spec::{Look, NetworksSpec};
