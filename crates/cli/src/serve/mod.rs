//! `requel serve`: the runs below a directory as a local page.
//!
//! [`listing`] finds the runs and [`entry`] says what each is, [`changes`] knows what is new to a page that asks again and [`live`]
//! tells programs of it, [`http`] reads requests, [`server`] answers them. Nothing is ever written, no request changes anything,
//! and a name that is asked for is only ever compared with the names that were found.

mod changes;
mod entry;
mod http;
mod listing;
mod live;
mod request;
mod server;

pub use server::{Server, ServerSettings};
