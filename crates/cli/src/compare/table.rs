//! A comparison in the terminal: with as many columns as fit.

use std::io::{self, Write};

use requel::stats::Interval;
use requel::study::{Comparison, GroupResult, Metric};

use super::axis::label;
use super::text::{estimate, reached, score_name, seconds, short};
use crate::columns::{folded, of_stdout, width};
use crate::numbers::grouped;
use crate::show::Ability;
use crate::style::{self, MUTED, paint};
use crate::table::Table;

/// The meaning of the signs that appear in the table.
fn note(comparison: &Comparison) -> String {
    let mut note = "interquartile means over seeds".to_owned();
    if comparison.groups.iter().any(|group| group.score.interval.is_some()) {
        let percent = (100.0 * comparison.confidence).round();
        note.push_str(&format!(", [ ] with a {percent} % bootstrap interval"));
    }
    if comparison.groups.iter().any(|group| group.improvement_over_first.is_some()) {
        note.push_str(&format!("; P> probability of a higher {} return", score_name(comparison.metric)));
    }
    note
}

/// A column, and its cell for a group.
type Column<'a> = (String, Box<dyn Fn(&GroupResult) -> String + 'a>);

const GAP: usize = 3;
/// Longer names continue on the next line.
const NAME: usize = 30;
/// With room for more columns than this, intervals are drawn too.
const STRIP: usize = 32;

/// Prints the table as wide as the terminal.
///
/// # Errors
/// If stdout cannot be written to.
pub fn print(comparison: &Comparison) -> io::Result<()> {
    let mut out = style::stdout();
    write(&mut out, comparison, (columns(), Ability::detect().unicode))?;
    out.flush()
}

/// How many characters fit into a line.
fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(of_stdout).unwrap_or(80)
}

fn write(out: &mut impl Write, comparison: &Comparison, (columns, unicode): (usize, bool)) -> io::Result<()> {
    let names: Vec<Vec<String>> = comparison.groups.iter().map(|group| wrapped(&group.name)).collect();
    let widest = names.iter().flatten().map(|name| width(name)).max().unwrap_or(0);
    let mut room = columns.saturating_sub(widest);
    let mut chosen: Vec<Column<'_>> = Vec::new();
    for (heading, cell) in wanted(comparison, columns, unicode) {
        let cells = comparison.groups.iter().map(|group| width(&cell(group))).max().unwrap_or(0);
        let needed = cells.max(width(&heading)) + GAP;
        if needed <= room {
            room -= needed;
            chosen.push((heading, cell));
        }
    }
    let headings: Vec<String> = [String::new()].into_iter().chain(chosen.iter().map(|c| format!(">{}", c.0))).collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (group, name) in comparison.groups.iter().zip(&names) {
        let cells = chosen.iter().map(|(_, cell)| cell(group));
        table.row([name[0].clone()].into_iter().chain(cells));
        name[1..].iter().for_each(|part| table.row([part.as_str()]));
    }
    table.write(out)?;
    writeln!(out)?;
    folded(&note(comparison), columns).into_iter().try_for_each(|line| writeln!(out, "{}", paint(MUTED, line)))?;
    for caveat in &comparison.caveats {
        folded(&format!("note: {caveat}"), columns).into_iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

/// The columns, most important first.
fn wanted(comparison: &Comparison, columns: usize, unicode: bool) -> Vec<Column<'_>> {
    let wide = columns >= 120;
    let mut wanted: Vec<Column<'_>> = vec![
        ("runs".into(), Box::new(|group| group.runs.len().to_string())),
        (format!("{} return", score_name(comparison.metric)), Box::new(|group| estimate(Some(&group.score)))),
    ];
    if columns >= 160
        && unicode
        && let Some(scale) = scale(comparison)
    {
        let heading = format!("{:<w$}{:>w$}", label(scale.0), label(scale.1), w = STRIP / 2);
        wanted.push((heading, Box::new(move |group| strip(group, scale))));
    }
    let over = move |group: &GroupResult| match &group.improvement_over_first {
        improvement if wide => estimate(improvement.as_ref()),
        improvement => improvement.map_or("-".into(), |p| short(p.value)),
    };
    wanted.push(("P> first".into(), Box::new(over)));
    if let Some(threshold) = comparison.threshold {
        let cell = |group: &GroupResult| group.reached.as_ref().map_or("-".into(), |r| reached(r, group.runs.len()));
        wanted.push((format!("steps to {}", label(threshold)), Box::new(cell)));
    }
    wanted.push(("time".into(), Box::new(seconds)));
    let over = move |group: &GroupResult| match &group.improvement_over_previous {
        improvement if wide => estimate(improvement.as_ref()),
        improvement => improvement.map_or("-".into(), |p| short(p.value)),
    };
    wanted.push(("P> previous".into(), Box::new(over)));
    if comparison.metric != Metric::Training {
        wanted.push(("training, last 100".into(), Box::new(|group| estimate(group.train_return_last_100.as_ref()))));
    }
    wanted.push(("over training".into(), Box::new(|group| estimate(group.mean_over_training.as_ref()))));
    wanted.push(("env steps".into(), Box::new(|group| grouped(group.env_steps as u64))));
    wanted
}

/// The range of all scores and intervals; `None` if there is no interval to draw.
fn scale(comparison: &Comparison) -> Option<(f64, f64)> {
    comparison.groups.iter().find(|group| group.score.interval.is_some())?;
    let ends = |group: &GroupResult| {
        let value = group.score.value;
        group.score.interval.unwrap_or(Interval { low: value, high: value })
    };
    let low = comparison.groups.iter().map(|group| ends(group).low).fold(f64::INFINITY, f64::min);
    let high = comparison.groups.iter().map(|group| ends(group).high).fold(f64::NEG_INFINITY, f64::max);
    // The ends are labelled, so they are whole numbers.
    let (low, high) = (low.floor(), high.ceil());
    Some(if high > low { (low, high) } else { (low, low + 1.0) })
}

/// A score with its interval on the scale: `   ├──●───┤   `, or `      ●       ` if it has none.
fn strip(group: &GroupResult, (low, high): (f64, f64)) -> String {
    let at = |value: f64| {
        ((value - low) / (high - low) * (STRIP - 1) as f64).round().clamp(0.0, (STRIP - 1) as f64) as usize
    };
    let middle = at(group.score.value);
    let (from, to) = group.score.interval.map_or((middle, middle), |ends| (at(ends.low), at(ends.high)));
    let sign = |place: usize| match place {
        p if p == middle => '●',
        p if p == from => '├',
        p if p == to => '┤',
        p if from < p && p < to => '─',
        _ => ' ',
    };
    (0..STRIP).map(sign).collect()
}

/// The name in parts of at most [`NAME`] characters, broken between words where possible.
fn wrapped(name: &str) -> Vec<String> {
    folded(name, NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::sample;

    fn table(columns: usize) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        write(&mut out, &sample::comparison(), (columns, true)).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn there_are_as_many_columns_as_there_is_room_for() {
        for columns in [80, 120, 200] {
            let text = table(columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
        }
        insta::assert_snapshot!("80 columns", table(80));
        insta::assert_snapshot!("200 columns", table(200));
    }

    #[test]
    fn groups_of_few_runs_have_no_interval_and_the_reader_is_told() {
        let mut out = anstream::StripStream::new(Vec::new());
        write(&mut out, &sample::uncertain(), (160, true)).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let row = text.lines().find(|line| line.starts_with("notebook")).unwrap();
        assert!(!row.contains('[') && row.contains(" - "), "{text}");
        assert!(text.contains("note: unequal budgets: 40000 env steps and 500 episodes"), "{text}");
        assert!(text.contains("note: one group has fewer than 5 runs"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 160), "{text}");
    }
}
