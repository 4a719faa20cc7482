//! A comparison as a page for the browser.

use requel::study::Comparison;
use serde::Serialize;

use super::figure::{figure, seeds, style};
use super::svg::{hex, inline_svg};
use super::text::cells;
use crate::exit::Failure;
use crate::page::{Page, escape, table};

const PAGE: Page = Page {
    style: include_str!("../../assets/compare/compare.css"),
    body: include_str!("../../assets/compare/compare.html"),
    script: include_str!("../../assets/compare/compare.js"),
};

#[derive(Serialize)]
struct Shown<'a> {
    comparison: &'a Comparison,
    styles: Vec<LineStyle>,
}

/// How a group's line is drawn, for scripts.
#[derive(Serialize)]
pub struct LineStyle {
    color: String,
    dash: &'static [f32],
}

/// The style of the group at an index.
pub fn line_style(index: usize) -> LineStyle {
    let (color, dash) = style(index);
    LineStyle { color: hex(color), dash: dash.lengths() }
}

/// The page.
///
/// # Errors
/// If the figures cannot be written as JSON.
pub fn html(comparison: &Comparison, title: &str) -> Result<String, Failure> {
    let styles = (0..comparison.groups.len()).map(line_style).collect();
    let shown = Shown { comparison, styles };
    let groups = comparison.groups.len();
    let counted = if groups == 1 { "1 group".to_owned() } else { format!("{groups} groups") };
    let subtitle = format!("{}, {counted}, {}", comparison.envs.join(", "), seeds(comparison));
    let caveats: String =
        comparison.caveats.iter().map(|note| format!("<li>{}</li>", escape(&note.to_string()))).collect();
    let (heading, rows) = cells(comparison);
    let heading: Vec<String> = heading.into_iter().map(|name| format!("#{name}")).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading[1..].iter().map(String::as_str)).collect();
    let rows = rows.into_iter().map(|row| ("", row.iter().map(|cell| escape(cell)).collect()));
    let parts = [
        ("{{name}}", escape(title)),
        ("{{subtitle}}", escape(&subtitle)),
        ("{{caveats}}", caveats),
        ("{{picture}}", inline_svg(&figure(comparison, title))),
        ("{{table}}", table(&heading, rows)),
        ("{{footer}}", format!("requel {}", env!("CARGO_PKG_VERSION"))),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(mark, html)| (*mark, html.as_str())).collect();
    PAGE.html(title, &shown, &parts).map_err(Failure::failed)
}
