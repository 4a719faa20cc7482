//! Telling a person or a script how training goes. All of these listen to the trainer and change nothing.

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
