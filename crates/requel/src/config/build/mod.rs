//! From the sections of a config to what is made of them.

mod env;
mod network;
mod optimizer;
mod replay;

pub use network::Outputs;
