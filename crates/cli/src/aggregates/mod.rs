//! Results of variants over several environments: as tables ([`tables`]) and as a page for the browser ([`page`]).
//!
//! The figures are [`requel::study::TaskAggregates`]'s.

mod page;
mod tables;

pub use tables::{print, write};
