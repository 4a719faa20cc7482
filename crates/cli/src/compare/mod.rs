//! Groups of runs side by side: as a table in the terminal, as a picture, as a page, as a file for a spreadsheet.
//!
//! The figures are [`requel::study::Comparison`]'s. [`mod@figure`] lays the picture out in marks, which [`png`] and [`svg`] draw.

mod axis;
mod collect;
mod figure;
mod mark;
mod page;
mod png;
mod svg;
mod table;
mod text;

pub use axis::{Axis, Ends, label};
pub use collect::{collect, warn_of};
pub use figure::figure;
pub use mark::{Dash, Mark, Picture};
pub use page::{LineStyle, html, line_style};
pub use png::png;
pub use svg::{inline_svg, svg};
pub use table::print;
pub use text::{cells, csv, markdown};

#[cfg(test)]
mod sample;
