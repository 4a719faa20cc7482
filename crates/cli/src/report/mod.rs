//! `report.html`: a run on one page that needs no network.
//!
//! [`course`] gathers the contents of the logs, [`replay`] records episodes as shapes, [`page`] puts both onto a [`crate::page`]. [`tail`]
//! and [`clock`] read logs that are still growing, for [`crate::serve`].

mod clock;
mod course;
mod page;
mod replay;
mod settings;
mod stated;
mod tail;

pub use page::{is_current, path, write};
pub use settings::rows as settings;
pub use tail::{Following, Lines, Tail};
