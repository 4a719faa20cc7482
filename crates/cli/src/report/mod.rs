//! `report.html`: a run on one page that needs no network.
//!
//! [`course`] reads the logs, [`replay`] records episodes as shapes, [`page`] puts both onto a [`crate::page`].

mod course;
mod page;
mod replay;
mod settings;

pub use course::Course;
pub use page::{machine, write};
pub use settings::rows as settings;
