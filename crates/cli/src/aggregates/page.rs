//! The page over all environments of a study.

use std::path::Path;

use requel::stats::mean;
use requel::study::{Study, TaskAggregates};
use serde::Serialize;

use super::tables::{MEASURES, left_out, shown};
use crate::compare;
use crate::exit::Failure;
use crate::page::{Page, escape, table};

const PAGE: Page = Page {
    style: include_str!("../../assets/study/study.css"),
    body: include_str!("../../assets/study/study.html"),
    script: include_str!("../../assets/study/study.js"),
};

#[derive(Serialize)]
struct Shown<'a> {
    aggregates: &'a TaskAggregates,
    styles: Vec<compare::LineStyle>,
}

/// The page. The pages of the individual environments are in the places that [`Study::place`] gives.
///
/// # Errors
/// If the figures cannot be written as JSON.
pub fn html(study: &Study, found: &TaskAggregates) -> Result<String, Failure> {
    let styles = (0..found.variants.len()).map(compare::line_style).collect();
    let runs: usize = found.variants.iter().flat_map(|variant| &variant.scores).map(Vec::len).sum();
    let subtitle = format!("{} environments, {} variants, {runs} runs", found.tasks.len(), found.variants.len());
    let left_out = left_out(study, found);
    let caveats = match left_out.is_empty() {
        true => String::new(),
        false => {
            format!("<li>left out because not trained in every environment: {}</li>", escape(&left_out.join(", ")))
        }
    };
    let intervals = match found.variants.iter().any(|variant| variant.interquartile_mean.interval.is_some()) {
        true => format!(
            "In brackets {} % intervals by a bootstrap stratified over environments (Agarwal et al. 2021).",
            (100.0 * found.confidence).round()
        ),
        false => "Too few runs for intervals.".into(),
    };
    let parts = [
        ("{{name}}", escape(&study.name)),
        ("{{description}}", escape(&study.description)),
        ("{{subtitle}}", subtitle),
        ("{{caveats}}", caveats),
        ("{{intervals}}", intervals),
        ("{{aggregates}}", aggregates(found)),
        ("{{environments}}", environments(study, found)),
        ("{{footer}}", format!("requel {}", env!("CARGO_PKG_VERSION"))),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(mark, html)| (*mark, html.as_str())).collect();
    PAGE.html(&study.name, &Shown { aggregates: found, styles }, &parts).map_err(Failure::failed)
}

fn aggregates(found: &TaskAggregates) -> String {
    let heading: Vec<String> = MEASURES.iter().map(|(name, _)| format!("#{name}")).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading.iter().map(String::as_str)).collect();
    let rows = found.variants.iter().map(|variant| {
        let cells = MEASURES.iter().map(|(_, of)| shown(of(variant)));
        ("", [escape(&variant.name)].into_iter().chain(cells).collect())
    });
    table(&heading, rows)
}

/// A row for each environment: its scale, and the mean score of each variant.
fn environments(study: &Study, found: &TaskAggregates) -> String {
    let names: Vec<String> = found.variants.iter().map(|variant| format!("#{}", variant.name)).collect();
    let heading: Vec<&str> =
        ["", "#counts as 0", "#counts as 1"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let rows = found.tasks.iter().enumerate().map(|(at, task)| {
        let page = study.place(Path::new(""), &task.env).join("study.html");
        let link = format!("<a href=\"{}\">{}</a>", attribute(&page.display().to_string()), escape(&task.env));
        let scale = [task.zero, task.one].map(|end| end.to_string());
        let score = |variant: &requel::study::VariantAggregates| {
            mean(&variant.scores[at]).map_or_else(|| "–".into(), |score| format!("{score:.3}"))
        };
        ("", [link].into_iter().chain(scale).chain(found.variants.iter().map(score)).collect())
    });
    table(&heading, rows)
}

/// Text escaped for use as an attribute value.
fn attribute(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}
