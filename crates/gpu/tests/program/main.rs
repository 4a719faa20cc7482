//! The program from outside, with the host twin in the driver's place, and with drivers on which things go wrong: which error it gives,
//! how it ends, and that a run goes on.

#![cfg(target_os = "linux")]

mod bench;
mod desk;
mod faults;
mod trainings;
