//! The tables that a study declares: what its runs come to, as Markdown.
//!
//! [`TableSpec`] is a `[[table]]` of a study's file, [`Tables`] renders it of the runs ([`RunRow`](super::RunRow)) that there are.

mod columns;
mod markdown;
mod reference;
mod spec;
mod tables;
mod verdict;

pub use reference::Reference;
pub use spec::{Column, Figure, Rows, Statistic, TableSpec};
pub use tables::{CellRows, Tables};
