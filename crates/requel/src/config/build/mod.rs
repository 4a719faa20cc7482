//! From the sections of a config to specs. The components themselves do not know the config.

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
