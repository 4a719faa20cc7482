//! Telling a person or a script how training goes. All of these listen to the trainer and change nothing.

mod json;
mod person;
mod sparkline;
mod tally;

pub use json::{JsonLines, Tag};
pub use person::Person;
pub use tally::{Budget, Tally};
