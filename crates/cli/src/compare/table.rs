//! A comparison in the terminal: as many columns as there is room for.

use std::io::{self, IsTerminal, Write};

use requel::study::{Comparison, GroupResult, Metric};

use super::axis::label;
use super::text::{estimate, reached, score_name, seconds, short};
use crate::numbers::grouped;
use crate::show::Ability;
use crate::style::{MUTED, paint};
use crate::table::Table;

/// A column, and what stands in it for a group.
type Column<'a> = (String, Box<dyn Fn(&GroupResult) -> String + 'a>);

const GAP: usize = 3;
/// A name that is longer goes on in the next line.
const NAME: usize = 30;
/// Where there is room for more columns than these, intervals are drawn as well.
const STRIP: usize = 32;

/// Prints the table as wide as the terminal.
///
/// # Errors
/// What stdout returns.
pub fn print(comparison: &Comparison) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    write(&mut out, comparison, (columns(), Ability::detect().unicode))?;
    out.flush()
}

/// How many characters fit into a line.
fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal =
        || std::io::stdout().is_terminal().then(crossterm::terminal::size)?.ok().map(|(width, _)| width.into());
    told.or_else(terminal).unwrap_or(80)
}

fn write(out: &mut impl Write, comparison: &Comparison, (columns, unicode): (usize, bool)) -> io::Result<()> {
    let names: Vec<Vec<String>> = comparison.groups.iter().map(|group| wrapped(&group.name)).collect();
    let widest = names.iter().flatten().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut room = columns.saturating_sub(widest);
    let mut chosen: Vec<Column<'_>> = Vec::new();
    for (heading, cell) in wanted(comparison, columns, unicode) {
        let width = comparison.groups.iter().map(|group| cell(group).chars().count()).max().unwrap_or(0);
        let width = width.max(heading.chars().count()) + GAP;
        if width <= room {
            room -= width;
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
    let percent = (100.0 * comparison.confidence).round();
    let note = format!(
        "[ ] {percent} % bootstrap interval of the interquartile mean over seeds; P> probability of a higher {} return",
        score_name(comparison.metric)
    );
    writeln!(out)?;
    folded(&note, columns).into_iter().try_for_each(|line| writeln!(out, "{}", paint(MUTED, line)))
}

/// The columns, the most wanted first.
fn wanted(comparison: &Comparison, columns: usize, unicode: bool) -> Vec<Column<'_>> {
    let wide = columns >= 120;
    let mut wanted: Vec<Column<'_>> = vec![
        ("runs".into(), Box::new(|group| group.runs.len().to_string())),
        (format!("{} return", score_name(comparison.metric)), Box::new(|group| estimate(Some(&group.score)))),
    ];
    if columns >= 160 && unicode {
        let scale = scale(comparison);
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

/// The range of all intervals.
fn scale(comparison: &Comparison) -> (f64, f64) {
    let intervals = || comparison.groups.iter().map(|group| group.score.interval);
    let low = intervals().map(|i| i.low).fold(f64::INFINITY, f64::min);
    let high = intervals().map(|i| i.high).fold(f64::NEG_INFINITY, f64::max);
    // Labels stand at the ends, so these are whole numbers.
    let (low, high) = (low.floor(), high.ceil());
    if high > low { (low, high) } else { (low, low + 1.0) }
}

/// A score's interval on the scale: `   ├──●───┤   `.
fn strip(group: &GroupResult, (low, high): (f64, f64)) -> String {
    let at = |value: f64| {
        ((value - low) / (high - low) * (STRIP - 1) as f64).round().clamp(0.0, (STRIP - 1) as f64) as usize
    };
    let (from, middle, to) = (at(group.score.interval.low), at(group.score.value), at(group.score.interval.high));
    let sign = |place: usize| match place {
        p if p == middle => '●',
        p if p == from => '├',
        p if p == to => '┤',
        p if from < p && p < to => '─',
        _ => ' ',
    };
    (0..STRIP).map(sign).collect()
}

/// The name in parts of at most [`NAME`] characters, cut between words where that can be.
fn wrapped(name: &str) -> Vec<String> {
    folded(name, NAME)
}

fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let line = lines.last_mut().expect("there is always a line");
        let needed = line.chars().count() + usize::from(!line.is_empty()) + word.len();
        if needed > width && !line.is_empty() {
            lines.push(String::new());
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.last_mut().expect("there is always a line").extend(word);
            lines.push(String::new());
            word = rest;
        }
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    lines
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
    fn text_is_folded_between_words() {
        assert_eq!(folded("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(folded("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(folded("", 3), [""]);
    }
}
