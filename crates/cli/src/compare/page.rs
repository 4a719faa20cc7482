//! A comparison as a page for the browser.

use requel::study::Comparison;
use serde::Serialize;

use super::figure::style;
use super::svg::hex;
use crate::exit::Failure;
use crate::page::Page;

const PAGE: Page = Page {
    style: include_str!("../../assets/compare/compare.css"),
    body: include_str!("../../assets/compare/compare.html"),
    script: include_str!("../../assets/compare/compare.js"),
};

#[derive(Serialize)]
struct Shown<'a> {
    comparison: &'a Comparison,
    styles: Vec<LineStyle>,
    caveats: Vec<String>,
    version: &'static str,
}

#[derive(Serialize)]
struct LineStyle {
    color: String,
    dash: &'static [f32],
}

/// The page.
///
/// # Errors
/// If the figures are no JSON.
pub fn html(comparison: &Comparison, title: &str) -> Result<String, Failure> {
    let look = |index| {
        let (color, dash) = style(index);
        LineStyle { color: hex(color), dash: dash.lengths() }
    };
    let styles = (0..comparison.groups.len()).map(look).collect();
    let caveats = comparison.caveats.iter().map(ToString::to_string).collect();
    let shown = Shown { comparison, styles, caveats, version: env!("CARGO_PKG_VERSION") };
    PAGE.html(title, &shown).map_err(Failure::failed)
}
