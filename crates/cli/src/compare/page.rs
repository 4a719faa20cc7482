//! A comparison as a page for the browser: template, style, script, charts library and data in one file.

use requel::study::Comparison;
use serde::Serialize;

use super::figure::style;
use super::svg::hex;
use crate::exit::Failure;
use crate::page::{escape, fill, script_data};

const TEMPLATE: &str = include_str!("../../assets/compare/compare.html");
const OWN_STYLE: &str = include_str!("../../assets/compare/compare.css");
const SCRIPT: &str = include_str!("../../assets/compare/compare.js");
const STYLE: &str = include_str!("../../assets/report/report.css");
const UPLOT_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const UPLOT_SCRIPT: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");

#[derive(Serialize)]
struct Page<'a> {
    comparison: &'a Comparison,
    styles: Vec<LineStyle>,
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
    let page = Page { comparison, styles: (0..comparison.groups.len()).map(look).collect() };
    let data = script_data(&page).map_err(Failure::failed)?;
    let parts = [
        ("{{title}}", &*escape(title)),
        ("{{uplot-style}}", UPLOT_STYLE),
        ("{{style}}", STYLE),
        ("{{own-style}}", OWN_STYLE),
        ("{{uplot-script}}", UPLOT_SCRIPT),
        ("{{script}}", SCRIPT),
        ("{{data}}", &data),
        ("{{version}}", env!("CARGO_PKG_VERSION")),
    ];
    Ok(fill(TEMPLATE, &parts))
}
