//! `report.html`: a run on one page that needs no network.
//!
//! [`course`] reads the logs, [`replay`] records episodes as shapes, [`page`] puts both into the template under
//! `assets/report/`, with uPlot for the charts.

mod course;
mod page;
mod replay;
mod settings;

pub use course::Course;
pub use page::{UPLOT_SCRIPT, UPLOT_STYLE, escape, machine, write};
