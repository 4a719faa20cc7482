//! Trainings by the executor on the host twin: the weights of the CPU, also when a run goes from one to the other.

mod presets;
mod resume;
#[path = "../../examples/parts/screen.rs"]
mod screen;
mod twin;
