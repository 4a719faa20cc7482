//! The tables that a study declares: the results of its runs, as Markdown.
//!
//! [`TableSpec`] is a `[[table]]` in a study's file, [`Tables`] renders it from the existing runs ([`RunRow`](super::RunRow)).

mod columns;
mod markdown;
mod reference;
mod spec;
mod tables;
mod verdict;

pub use reference::Reference;
pub use spec::{Column, Figure, Rows, Statistic, TableSpec};
pub use tables::{CellRows, Tables};
