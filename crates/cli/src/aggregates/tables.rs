//! Results of variants over several environments, as tables: in the terminal, in Markdown, in LaTeX and for a spreadsheet.

use std::io::Write;
use std::path::{Path, PathBuf};

use requel::stats::{Estimate, Interval};
use requel::study::{Study, TaskAggregates, VariantAggregates};

use super::page;
use crate::exit::Failure;
use crate::output;
use crate::style;
use crate::table::Table;

/// A measure of a variant.
pub type Of = fn(&VariantAggregates) -> Option<&Estimate>;

/// The measures.
pub const MEASURES: [(&str, Of); 5] = [
    ("IQM", |one| Some(&one.interquartile_mean)),
    ("median", |one| Some(&one.median)),
    ("mean", |one| Some(&one.mean)),
    ("optimality gap", |one| Some(&one.optimality_gap)),
    ("P> first", |one| one.improvement_over_first.as_ref()),
];

/// Prints the table.
///
/// # Errors
/// If stdout cannot be written to.
pub fn print(found: &TaskAggregates) -> Result<(), Failure> {
    let heading: Vec<String> = MEASURES.iter().map(|(name, _)| format!(">{name}")).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading.iter().map(String::as_str)).collect();
    let mut table = Table::new(&heading);
    for variant in &found.variants {
        table.row([variant.name.clone()].into_iter().chain(MEASURES.iter().map(|(_, of)| shown(of(variant)))));
    }
    let mut out = style::stdout();
    table.write(&mut out)?;
    writeln!(out, "\nnormalised scores over {}: {}", counted(found), scales(found))?;
    Ok(out.flush()?)
}

/// Writes the tables, and says what each is.
///
/// # Errors
/// If a file cannot be written.
pub fn write(
    study: &Study,
    found: &TaskAggregates,
    out: &Path,
    tables: &str,
) -> Result<Vec<(PathBuf, &'static str)>, Failure> {
    let json = serde_json::to_vec_pretty(found).map_err(Failure::failed)?;
    let files = [
        ("study.html", page::html(study, found)?.into_bytes(), "curves to hover over and zoom"),
        ("study.md", (markdown(study, found) + tables).into_bytes(), "the tables"),
        ("study.tex", latex(found).into_bytes(), "the table for a paper"),
        ("study.csv", csv(found).into_bytes(), "for a spreadsheet"),
        ("profile.csv", curves(found, Curves::Profile).into_bytes(), "performance profiles"),
        ("efficiency.csv", curves(found, Curves::Efficiency).into_bytes(), "sample-efficiency curves"),
        ("study.json", json, "everything"),
    ];
    let mut written = Vec::new();
    for (name, bytes, what) in files {
        let path = out.join(name);
        output::write(&path, &bytes)?;
        written.push((path, what));
    }
    Ok(written)
}

fn counted(found: &TaskAggregates) -> String {
    format!("{} environments", found.tasks.len())
}

/// `CartPole-v1 from 9.3 to 500, …`
fn scales(found: &TaskAggregates) -> String {
    let scales: Vec<String> =
        found.tasks.iter().map(|task| format!("{} from {} to {}", task.env, task.zero, task.one)).collect();
    scales.join(", ")
}

/// An estimate with its interval, where it has one.
pub fn shown(estimate: Option<&Estimate>) -> String {
    match estimate {
        None => "-".into(),
        Some(Estimate { value, interval: None }) => format!("{value:.3}"),
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => format!("{value:.3} [{low:.3}, {high:.3}]"),
    }
}

fn markdown(study: &Study, found: &TaskAggregates) -> String {
    let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
    let mut out = format!("# {}\n\n{}\n\n", study.name, study.description);
    out.push_str(&format!("|  | {} |\n|---|{}\n", names.join(" | "), "---:|".repeat(names.len())));
    for variant in &found.variants {
        let cells: Vec<String> = MEASURES.iter().map(|(_, of)| shown(of(variant))).collect();
        out.push_str(&format!("| **{}** | {} |\n", variant.name, cells.join(" | ")));
    }
    let percent = (100.0 * found.confidence).round();
    out.push_str(&format!(
        "\nNormalised scores: {}. A number with brackets has its {percent} % interval by a bootstrap stratified over \
         environments (Agarwal et al. 2021). *IQM*: interquartile mean of all runs. *Median*, *mean*: over the means of environments. \
         *Optimality gap*: by how much runs fall short of 1 on average. *P> first*: the probability that a run scores higher than one of \
         the first row in the same environment, ties counted half.",
        scales(found)
    ));
    let left_out = left_out(study, found);
    if !left_out.is_empty() {
        out.push_str(&format!("\n\nNot trained in every environment, and so in no row: {}.", left_out.join(", ")));
    }
    out.push_str("\n\nEach environment by itself:");
    for task in &found.tasks {
        let place = study.place(Path::new(""), &task.env).join("study.md");
        out.push_str(&format!(" [{}]({})", task.env, place.display()));
    }
    out + "\n"
}

/// The variants of a study that are in no aggregate because they were not trained in every environment.
pub fn left_out<'s>(study: &'s Study, found: &TaskAggregates) -> Vec<&'s str> {
    let names = study.variants.iter().map(|variant| variant.name.as_str());
    names.filter(|name| !found.variants.iter().any(|variant| variant.name == *name)).collect()
}

/// A table for `\\input`, with the rules of `booktabs`.
fn latex(found: &TaskAggregates) -> String {
    let escaped = |text: &str| text.replace('\\', "\\textbackslash{}").replace(['_', '%', '&', '#'], " ");
    let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
    let heading = names.join(" & ").replace("P> first", "$P(X > Y_1)$");
    let mut out = format!(
        "% {}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n & {heading} \\\\\n\\midrule\n",
        scales(found),
        "r".repeat(names.len())
    );
    for variant in &found.variants {
        let cell = |estimate: Option<&Estimate>| match estimate {
            None => "--".to_owned(),
            Some(Estimate { value, interval: None }) => format!("{value:.2}"),
            Some(Estimate { value, interval: Some(ends) }) => {
                format!("{value:.2} {{\\small [{:.2}, {:.2}]}}", ends.low, ends.high)
            }
        };
        let cells: Vec<String> = MEASURES.iter().map(|(_, of)| cell(of(variant))).collect();
        out.push_str(&format!("{} & {} \\\\\n", escaped(&variant.name), cells.join(" & ")));
    }
    out + "\\bottomrule\n\\end{tabular}\n"
}

/// A row for each variant and environment, and for each variant and measure over all.
fn csv(found: &TaskAggregates) -> String {
    let mut out = String::from("variant,environment,measure,runs,value,low,high\n");
    for variant in &found.variants {
        for (task, scores) in found.tasks.iter().zip(&variant.scores) {
            let mean = requel::stats::mean(scores).unwrap_or(f64::NAN);
            out.push_str(&format!("{},{},mean,{},{mean},,\n", variant.name, task.env, scores.len()));
        }
        let runs: usize = variant.scores.iter().map(Vec::len).sum();
        for (name, of) in MEASURES {
            let Some(Estimate { value, interval }) = of(variant) else { continue };
            let ends = interval.map_or(",".into(), |ends| format!("{},{}", ends.low, ends.high));
            out.push_str(&format!("{},all,{name},{runs},{value},{ends}\n", variant.name));
        }
    }
    out
}

/// Which curves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Curves {
    Profile,
    Efficiency,
}

fn curves(found: &TaskAggregates, which: Curves) -> String {
    let mut out = match which {
        Curves::Profile => String::from("variant,score,share_of_runs_above,low,high\n"),
        Curves::Efficiency => String::from("variant,share_of_budget,iqm,low,high\n"),
    };
    let mut row = |name: &str, x: f64, value: f64, ends: Option<Interval>| {
        let ends = ends.map_or(",".into(), |ends| format!("{},{}", ends.low, ends.high));
        out.push_str(&format!("{name},{x},{value},{ends}\n"));
    };
    for variant in &found.variants {
        match which {
            Curves::Profile => {
                for (at, (x, share)) in found.thresholds.iter().zip(&variant.profile).enumerate() {
                    row(&variant.name, *x, *share, variant.profile_intervals.as_ref().map(|ends| ends[at]));
                }
            }
            Curves::Efficiency => {
                for (x, estimate) in found.shares.iter().zip(&variant.sample_efficiency) {
                    let Some(Estimate { value, interval }) = estimate else { continue };
                    row(&variant.name, *x, *value, *interval);
                }
            }
        }
    }
    out
}
