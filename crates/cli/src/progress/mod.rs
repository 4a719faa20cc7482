//! Progress of training for a user or a script. All of these only listen to the trainer.

mod headway;
mod json;
mod person;
mod sparkline;
mod tally;
mod warnings;

pub use headway::{Headway, time_left};
pub use json::{JsonLines, Tag};
pub use person::Person;
pub use tally::Tally;
pub use warnings::{Warnings, warning};
