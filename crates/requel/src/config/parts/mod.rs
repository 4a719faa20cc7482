//! From the sections of a config to the parts that a training is made of. The parts themselves know no config.

mod agents;
mod exploration;
mod replay;
mod values;
