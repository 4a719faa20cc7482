//! From the sections of a config to what is made of them. The parts themselves know no config.

mod agents;
mod augmentation;
mod env;
mod exploration;
mod network;
mod optimizer;
mod replay;
mod replay_buffer;
mod values;

pub use network::Outputs;
