//! `requel serve`: the runs below a directory as a local page.
//!
//! [`listing`] finds the runs and [`entry`] describes each, [`changes`] knows what is new to a page that polls and [`live`] sends it to
//! programs, [`http`] reads requests, [`server`] answers them. Nothing is ever written, no request changes anything, and a requested name
//! is only compared with the names that were found.

mod changes;
mod entry;
mod http;
mod listing;
mod live;
mod request;
mod server;

pub use server::{Server, ServerSettings};
