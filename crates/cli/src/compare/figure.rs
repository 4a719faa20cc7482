//! The picture of a comparison: learning curves on the left; on the right, scores with their intervals, which also serve as the legend.

use requel::study::{Comparison, GroupResult};
use requel_envs::Color;

use super::axis::{Axis, Ends, label};
use super::mark::{Dash, Mark, Picture};
use super::text::{estimate, scored};
use crate::columns::folded;
use crate::show::font::{self, Align};
use crate::show::palette::SERIES;

const INK: Color = Color(0x1f, 0x24, 0x37);
const MUTED: Color = Color(0x64, 0x6c, 0x84);
const GRID: Color = Color(0xe6, 0xe9, 0xf0);
const PAPER: Color = Color(0xff, 0xff, 0xff);

const WIDTH: f32 = 1200.0;
const TOP: f32 = 122.0;
/// The distance between two lines of the heading.
const LINE: f32 = 22.0;
const BELOW: f32 = 70.0;
/// Left and right end of the curves, and of the scores.
const CURVES: (f32, f32) = (86.0, 726.0);
const SCORES: (f32, f32) = (786.0, 1164.0);
/// Heights of capitals.
const TITLE: f32 = 15.0;
const TEXT: f32 = 9.5;
const SMALL: f32 = 8.5;
/// The least height of a group's row, and the height of all rows together.
const ROW: f32 = 46.0;
const LEAST: f32 = 420.0;

/// Lays out the picture; `title` is its heading.
pub fn figure(comparison: &Comparison, title: &str) -> Picture {
    let height = LEAST.max(ROW * comparison.groups.len() as f32);
    let mut marks = Vec::new();
    let top = heading(&mut marks, comparison, title);
    curves(&mut marks, comparison, (top, top + height));
    scores(&mut marks, comparison, (top, top + height));
    let size = (WIDTH, top + height + BELOW);
    marks.insert(0, Mark::Block { at: (0.0, 0.0), size, color: PAPER, opacity: 1.0 });
    Picture { size, marks }
}

/// Colour and dash of the group at an index.
pub fn style(index: usize) -> (Color, Dash) {
    let dashes = [Dash::Solid, Dash::Dashed, Dash::Dotted];
    (SERIES[index % SERIES.len()], dashes[index / SERIES.len() % dashes.len()])
}

/// Writes title, sample and caveats. Returns the height at which the charts may start.
fn heading(marks: &mut Vec<Mark>, comparison: &Comparison, title: &str) -> f32 {
    let mut below = seeds(comparison);
    if comparison.groups.iter().any(|group| group.runs.len() > 1) {
        below.push_str("; interquartile means");
    }
    if comparison.groups.iter().any(|group| group.score.interval.is_some()) {
        let percent = (100.0 * comparison.confidence).round();
        below.push_str(&format!(" with {percent} % bootstrap intervals over seeds"));
    }
    text(marks, (36.0, 46.0), (TITLE, Align::Left, INK), title);
    text(marks, (36.0, 70.0), (TEXT, Align::Left, MUTED), below);
    let mut extra = 0.0;
    for caveat in &comparison.caveats {
        for line in folded(&caveat.to_string(), ((WIDTH - 72.0) / font::width("0", TEXT)) as usize) {
            extra += LINE;
            text(marks, (36.0, 70.0 + extra), (TEXT, Align::Left, INK), line);
        }
    }
    TOP + extra
}

/// The number of seeds in the groups.
pub fn seeds(comparison: &Comparison) -> String {
    let runs: Vec<usize> = comparison.groups.iter().map(|group| group.runs.len()).collect();
    match (runs.iter().min(), runs.iter().max()) {
        (Some(1), Some(1)) => "1 seed each".to_owned(),
        (Some(least), Some(most)) if least == most => format!("{most} seeds each"),
        (Some(least), Some(most)) => format!("{least} to {most} seeds each"),
        _ => "no runs".to_owned(),
    }
}

fn curves(marks: &mut Vec<Mark>, comparison: &Comparison, (top, bottom): (f32, f32)) {
    let drawn = || comparison.groups.iter().filter(|group| !group.curve.env_steps.is_empty());
    text(marks, (CURVES.0 - 50.0, top - 18.0), (TEXT, Align::Left, INK), "return of the greedy policy in training");
    let ends = |values: &dyn Fn(&GroupResult) -> (f64, f64)| {
        drawn().map(values).fold((f64::INFINITY, f64::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)))
    };
    let steps =
        |group: &GroupResult| (group.curve.env_steps[0], group.curve.env_steps[group.curve.env_steps.len() - 1]);
    let values = |group: &GroupResult| {
        let all = || group.curve.iqm.iter().chain(&group.curve.low).chain(&group.curve.high).copied();
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    };
    let x = Axis::new(ends(&steps), (CURVES.0, CURVES.1), 6, Ends::Exact);
    let y = Axis::new(ends(&values), (bottom, top), 6, Ends::Rounded);
    for &tick in &y.ticks {
        line(marks, [(CURVES.0, y.at(tick)), (CURVES.1, y.at(tick))], 1.0, (GRID, Dash::Solid));
        text(marks, (CURVES.0 - 10.0, y.at(tick) + SMALL / 2.0), (SMALL, Align::Right, MUTED), label(tick));
    }
    for &tick in &x.ticks {
        line(marks, [(x.at(tick), bottom), (x.at(tick), bottom + 5.0)], 1.0, (MUTED, Dash::Solid));
        text(marks, (x.at(tick), bottom + 22.0), (SMALL, Align::Center, MUTED), label(tick));
    }
    line(marks, [(CURVES.0, bottom), (CURVES.1, bottom)], 1.0, (MUTED, Dash::Solid));
    text(marks, ((CURVES.0 + CURVES.1) / 2.0, bottom + 46.0), (TEXT, Align::Center, INK), "env steps");
    if drawn().next().is_none() {
        let middle = ((CURVES.0 + CURVES.1) / 2.0, (top + bottom) / 2.0);
        text(marks, middle, (TEXT, Align::Center, MUTED), "no evaluations in training");
    }
    if let Some(threshold) = comparison.threshold.filter(|threshold| y.at(*threshold) == y.within(*threshold)) {
        line(marks, [(CURVES.0, y.at(threshold)), (CURVES.1, y.at(threshold))], 1.2, (MUTED, Dash::Dashed));
    }
    // All bands below all lines.
    for (index, group) in comparison.groups.iter().enumerate() {
        let up = group.curve.env_steps.iter().zip(&group.curve.high).map(|(s, v)| (x.at(*s), y.at(*v)));
        let down = group.curve.env_steps.iter().zip(&group.curve.low).rev().map(|(s, v)| (x.at(*s), y.at(*v)));
        if !group.curve.low.is_empty() {
            marks.push(Mark::Area { within: up.chain(down).collect(), color: style(index).0, opacity: 0.16 });
        }
    }
    for (index, group) in comparison.groups.iter().enumerate() {
        let through: Vec<(f32, f32)> =
            group.curve.env_steps.iter().zip(&group.curve.iqm).map(|(s, v)| (x.at(*s), y.at(*v))).collect();
        let (color, dash) = style(index);
        if let [point] = through[..] {
            marks.push(Mark::Dot { center: point, radius: 4.0, color, opacity: 1.0 });
        }
        marks.push(Mark::Line { through, width: 2.4, color, dash });
    }
}

fn scores(marks: &mut Vec<Mark>, comparison: &Comparison, (top, bottom): (f32, f32)) {
    text(marks, (SCORES.0, top - 18.0), (TEXT, Align::Left, INK), scored(comparison.metric).to_owned());
    let all = || {
        comparison.groups.iter().flat_map(|group| {
            let ends = group.score.interval.into_iter().flat_map(|interval| [interval.low, interval.high]);
            group.runs.iter().map(|run| run.score).chain(ends)
        })
    };
    let ends = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let x = Axis::new(ends, (SCORES.0 + 4.0, SCORES.1 - 4.0), 5, Ends::Rounded);
    for &tick in &x.ticks {
        line(marks, [(x.at(tick), top), (x.at(tick), bottom)], 1.0, (GRID, Dash::Solid));
        text(marks, (x.at(tick), bottom + 22.0), (SMALL, Align::Center, MUTED), label(tick));
    }
    line(marks, [(SCORES.0, bottom), (SCORES.1, bottom)], 1.0, (MUTED, Dash::Solid));
    text(marks, ((SCORES.0 + SCORES.1) / 2.0, bottom + 46.0), (TEXT, Align::Center, INK), "return, each dot a seed");
    let row = (bottom - top) / comparison.groups.len().max(1) as f32;
    for (index, group) in comparison.groups.iter().enumerate() {
        let (color, dash) = style(index);
        let words = top + row * index as f32 + (row - 30.0) / 2.0 + 8.0;
        let bar = words + 16.0;
        let value = estimate(Some(&group.score));
        let room = SCORES.1 - SCORES.0 - 34.0 - font::width(&value, SMALL) - 14.0;
        // Behind the words, so that the grid does not run through them.
        marks.push(Mark::Block {
            at: (SCORES.0, words - 13.0),
            size: (SCORES.1 - SCORES.0, 17.0),
            color: PAPER,
            opacity: 1.0,
        });
        line(marks, [(SCORES.0, words - 4.0), (SCORES.0 + 24.0, words - 4.0)], 3.0, (color, dash));
        text(marks, (SCORES.0 + 32.0, words), (SMALL, Align::Left, INK), shortened(&group.name, room, SMALL));
        text(marks, (SCORES.1, words), (SMALL, Align::Right, MUTED), value);
        for run in &group.runs {
            marks.push(Mark::Dot { center: (x.at(run.score), bar), radius: 3.2, color, opacity: 0.35 });
        }
        if let Some(ends) = group.score.interval {
            let (low, high) = (x.at(ends.low), x.at(ends.high));
            line(marks, [(low, bar), (high, bar)], 3.0, (color, Dash::Solid));
            for end in [low, high] {
                line(marks, [(end, bar - 5.0), (end, bar + 5.0)], 2.0, (color, Dash::Solid));
            }
        }
        let center = (x.at(group.score.value), bar);
        marks.push(Mark::Dot { center, radius: 6.2, color: PAPER, opacity: 1.0 });
        marks.push(Mark::Dot { center, radius: 5.0, color, opacity: 1.0 });
    }
}

fn text(marks: &mut Vec<Mark>, at: (f32, f32), look: (f32, Align, Color), text: impl Into<String>) {
    let (cap, align, color) = look;
    marks.push(Mark::Text { at, cap, align, color, text: text.into() });
}

fn line(marks: &mut Vec<Mark>, ends: [(f32, f32); 2], width: f32, (color, dash): (Color, Dash)) {
    marks.push(Mark::Line { through: ends.to_vec(), width, color, dash });
}

/// The text, shortened to the space available.
fn shortened(text: &str, room: f32, cap: f32) -> String {
    if font::width(text, cap) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while !kept.is_empty() && font::width(&kept.iter().chain(&['…']).collect::<String>(), cap) > room {
        kept.pop();
    }
    kept.into_iter().chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::sample;

    #[test]
    fn everything_lies_inside_the_picture() {
        [sample::comparison(), sample::uncertain()].iter().for_each(lies_inside);
    }

    #[test]
    fn a_group_of_few_runs_has_no_bar_and_the_picture_says_why() {
        let count = |comparison: &Comparison, what: fn(&Mark) -> bool| {
            figure(comparison, "x").marks.iter().filter(|mark| what(mark)).count()
        };
        let whiskers = |mark: &Mark| matches!(mark, Mark::Line { width, .. } if *width == 2.0);
        let bands = |mark: &Mark| matches!(mark, Mark::Area { .. });
        let (all, few) = (sample::comparison(), sample::uncertain());
        assert_eq!((count(&all, whiskers), count(&few, whiskers)), (6, 4));
        assert_eq!((count(&all, bands), count(&few, bands)), (3, 2));
        let told = |mark: &Mark| matches!(mark, Mark::Text { text, .. } if text.contains("fewer than 5 runs"));
        assert_eq!((count(&all, told), count(&few, told)), (0, 1));
    }

    fn lies_inside(comparison: &Comparison) {
        figure(comparison, "CartPole-v1").assert_inside();
    }

    #[test]
    fn a_long_name_leaves_room_for_its_score() {
        let shown = shortened("notebook agent.gamma=0.99", font::width("notebook…", 8.0), 8.0);
        assert_eq!(shown, "notebook…");
        assert_eq!(shortened("short", 500.0, 8.0), "short");
    }

    #[test]
    fn many_groups_are_told_apart_by_colour_and_dash() {
        let styles: Vec<_> = (0..21).map(style).collect();
        for (index, one) in styles.iter().enumerate() {
            assert!(styles[..index].iter().all(|other| other != one), "{index}");
        }
    }

    #[test]
    fn a_comparison_without_curves_can_be_drawn() {
        let mut comparison = sample::comparison();
        comparison.groups.iter_mut().for_each(|group| group.curve = requel::study::Curve::default());
        let picture = figure(&comparison, "x");
        assert!(
            picture.marks.iter().any(|m| matches!(m, Mark::Text { text, .. } if text.starts_with("no evaluations")))
        );
    }
}
