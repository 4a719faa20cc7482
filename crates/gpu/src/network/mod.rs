//! The passes of a network as programs of a device.

mod backward;
mod forward;
mod pass;
mod plan;

pub(crate) use pass::{Input, Pass, PassSize, Rooms, checked};
pub(crate) use plan::Plan;
