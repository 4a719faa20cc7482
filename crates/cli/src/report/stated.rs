//! Parts of the page that can be read even if scripts are blocked: scores, evaluations, settings, a picture of the curve.

use std::time::Duration;

use requel::diagnose::Finding;
use requel::run::Run;
use requel::stats::Bootstrap;
use requel::study::{Comparison, RunRecord, Scoring, group};

use super::page::Shown;
use super::settings::Row;
use crate::compare;
use crate::invocation::own_name;
use crate::numbers::{duration, grouped};
use crate::page::{escape, table};
use crate::shell::in_own_name;
use crate::show::tidy;

/// The result tiles.
pub fn tiles(shown: &Shown) -> String {
    let mut html = String::new();
    let mut tile = |value: &str, label: &str, class: &str| {
        html.push_str(&format!("<div class=\"tile{class}\"><b>{value}</b><span>{}</span></div>\n", escape(label)));
    };
    let spread = |mean, std| format!("{}<small> ± {}</small>", number(mean), number(std));
    let solved = shown.solved;
    let good = if solved { " good" } else { "" };
    if let Some(summary) = &shown.summary {
        let last = &summary.final_evaluation;
        let label = format!("final policy, {} greedy episodes", last.episodes);
        tile(&spread(last.mean_return, last.std_return), &label, good);
    }
    let score = &shown.score;
    let label = format!("best policy, {} greedy episodes", score.episodes);
    tile(&spread(score.mean_return, score.std_return), &label, "");
    if let Some(goal) = shown.goal {
        tile(if solved { "solved" } else { "not solved" }, &format!("goal {}", number(goal)), good);
    }
    if let Some(summary) = &shown.summary {
        tile(&grouped(summary.env_steps), "env steps", "");
        tile(&grouped(summary.episodes), "training episodes", "");
    }
    if let Some(seconds) = shown.wall_seconds {
        tile(&duration(Duration::from_secs_f64(seconds.max(0.0))), "training time", "");
    }
    html
}

/// Which episodes chose the best policy, and which ones it is scored on.
pub fn chosen(shown: &Shown, episodes: usize) -> String {
    let scored = match shown.summary {
        Some(_) => "the scores of this policy and of the final one are over fresh episodes, the same for both",
        None => "its score is over fresh episodes",
    };
    format!(
        "The best policy is the one with the highest evaluation during training (over {episodes} episodes each); \
         {scored}. It may therefore score less than it did then, or less than the final policy."
    )
}

/// What is wrong with training, and what to try; empty if nothing is.
pub fn findings(shown: &Shown) -> String {
    let item = |Finding { check, severity, evidence, advice }: &Finding| {
        let severity = severity.word();
        let (evidence, advice) = (with_code(evidence), with_code(advice));
        format!("<li class=\"{severity}\"><b>{severity}: {check}</b> {evidence}.<br>Try: {advice}.</li>\n")
    };
    match shown.findings.as_slice() {
        [] => String::new(),
        found => {
            let items: String = found.iter().map(item).collect();
            format!(
                "<section aria-labelledby=\"findings-title\"><h2 id=\"findings-title\">Trouble</h2>\n<p \
                 class=\"muted\">Findings of {} diagnose, worst first.</p>\n<ul class=\"card\" \
                 id=\"findings\">\n{items}</ul></section>\n",
                own_name()
            )
        }
    }
}

/// Text for a page, with parts in backticks as code.
fn with_code(text: &str) -> String {
    let text = in_own_name(text);
    let parts = text.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }).collect()
}

/// The table of evaluations.
pub fn evaluations(shown: &Shown) -> String {
    let e = &shown.course.evaluations;
    let best = e.best.iter().rposition(|best| *best);
    let rows = (0..e.x.len()).map(|i| {
        let cells = [grouped(e.x[i] as u64), number(e.mean[i]), number(e.std[i]), grouped(e.episodes[i] as u64)];
        let class = if Some(i) == best { " class=\"best\" title=\"the best policy\"" } else { "" };
        (class, cells.to_vec())
    });
    table(&["#env steps", "#mean return", "#standard deviation", "#episodes"], rows)
}

/// How many settings differ from the preset.
pub fn settings_note(shown: &Shown) -> String {
    let preset = escape(&shown.preset);
    match shown.settings.iter().filter(|row| row.preset.is_some()).count() {
        0 => format!("All settings are those of the preset {preset}."),
        changed => format!("{changed} of {} differ from the preset {preset}.", shown.settings.len()),
    }
}

/// The settings: those that differ from the preset, and all of them behind a click.
pub fn settings(shown: &Shown) -> String {
    let rows = |wanted: &dyn Fn(&&Row) -> bool| {
        let rows = shown.settings.iter().filter(wanted).map(|row| {
            let code = |text: &str| format!("<code>{}</code>", escape(text));
            let preset = row.preset.as_deref();
            let cells = vec![code(&row.key), code(&row.value), code(preset.unwrap_or("")), escape(&row.meaning)];
            (if preset.is_some() { " class=\"changed\"" } else { "" }, cells)
        });
        let table = table(&["key", "#value", "#preset", ".meaning"], rows);
        format!("<div class=\"scroll\"><table>{table}</table></div>")
    };
    let mut html = String::new();
    if shown.settings.iter().any(|row| row.preset.is_some()) {
        html.push_str(&rows(&|row| row.preset.is_some()));
    }
    let all = rows(&|_| true);
    html.push_str(&format!("<details><summary>All {} settings</summary>{all}</details>", shown.settings.len()));
    html
}

/// The learning curve of a finished run as SVG; empty if there is none.
pub fn picture(run: &Run) -> String {
    let Ok(record) = RunRecord::read(run) else { return String::new() };
    let env = record.config.env.id.clone();
    // A single run has no interval, so nothing is drawn twice.
    let scoring = Scoring { bootstrap: Bootstrap { resamples: 1, ..Bootstrap::default() }, ..Scoring::default() };
    let mut comparison = Comparison::new(&group(vec![record]).groups, &scoring);
    if comparison.groups.is_empty() {
        return String::new();
    }
    comparison.caveats.clear();
    compare::inline_svg(&compare::figure(&comparison, &env))
}

/// The program that made the page.
pub fn footer(shown: &Shown) -> String {
    let weights = shown.summary.as_ref().map(|summary| format!(", weights BLAKE3 {}", summary.weights_blake3));
    escape(&format!("{}{}", shown.made.join(" · "), weights.unwrap_or_default()))
}

/// A number formatted like in the page's script.
fn number(value: f64) -> String {
    match value {
        v if !v.is_finite() => "–".into(),
        v if v.fract() == 0.0 && v.abs() < 1e15 => {
            format!("{}{}", if v < 0.0 { "-" } else { "" }, grouped(v.abs() as u64))
        }
        v if v.abs() < 0.01 => format!("{v:.2e}"),
        v => tidy(v),
    }
}
