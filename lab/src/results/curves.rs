//! Learning curves as one SVG picture of small panels.

use std::fmt::Write as _;

/// One panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// What is drawn in it, each in a colour of its own.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// (env steps, return).
    pub points: Vec<(u64, f64)>,
}

const COLUMNS: usize = 3;
/// Width and height of a panel with its margins, pixels.
const CELL: (f64, f64) = (330.0, 240.0);
/// Left, right, top and bottom margin of the plot in its cell, pixels.
const MARGIN: (f64, f64, f64, f64) = (48.0, 14.0, 34.0, 38.0);
/// From the palette of Okabe and Ito (2008), which the colour-blind tell apart.
const COLORS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// The panels in rows, with a legend in the cell after the last.
pub fn figure_of(panels: &[Panel]) -> String {
    let rows = (panels.len() + 1).div_ceil(COLUMNS);
    let (width, height) = (CELL.0 * COLUMNS as f64, CELL.1 * rows as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"11\" fill=\"#1f2437\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, corner(index));
    }
    legend(&mut out, panels, corner(panels.len()));
    out.push_str("</svg>\n");
    out
}

fn corner(index: usize) -> (f64, f64) {
    (CELL.0 * (index % COLUMNS) as f64, CELL.1 * (index / COLUMNS) as f64)
}

fn draw(out: &mut String, panel: &Panel, (x, y): (f64, f64)) {
    let (left, right) = (x + MARGIN.0, x + CELL.0 - MARGIN.1);
    let (top, bottom) = (y + MARGIN.2, y + CELL.1 - MARGIN.3);
    text(out, (left, y + 22.0), "start", "#1f2437", &format!("<tspan font-weight=\"600\">{}</tspan>", panel.title));
    let points = || panel.series.iter().flat_map(|series| &series.points);
    if points().next().is_none() {
        text(out, (left, (top + bottom) / 2.0), "start", "#646c84", "no runs yet");
        return;
    }
    let steps = tick_step(points().map(|&(steps, _)| steps as f64).fold(1.0, f64::max));
    let returns = tick_step(points().map(|&(_, value)| value).fold(1e-9, f64::max));
    // Returns of these games are never below 0, so both axes begin there.
    let at = |(step, value): (f64, f64)| {
        (left + (right - left) * step / steps.end, bottom - (bottom - top) * (value / returns.end).max(0.0))
    };
    for tick in returns.ticks() {
        let height = at((0.0, tick)).1;
        line(out, &[(left, height), (right, height)], "#e6e9f0", 1.0);
        text(out, (left - 7.0, height + 4.0), "end", "#646c84", &shown(tick));
    }
    for tick in steps.ticks() {
        text(out, (at((tick, 0.0)).0, bottom + 16.0), "middle", "#646c84", &shown(tick));
    }
    for (series, color) in panel.series.iter().zip(COLORS.iter().cycle()) {
        let through: Vec<(f64, f64)> = series.points.iter().map(|&(steps, value)| at((steps as f64, value))).collect();
        line(out, &through, color, 2.2);
    }
}

fn legend(out: &mut String, panels: &[Panel], (x, y): (f64, f64)) {
    let left = x + MARGIN.0;
    let mut height = y + MARGIN.2 + 10.0;
    let longest = panels.iter().map(|panel| panel.series.as_slice()).max_by_key(|series| series.len());
    for (series, color) in longest.unwrap_or_default().iter().zip(COLORS.iter().cycle()) {
        line(out, &[(left, height), (left + 26.0, height)], color, 2.2);
        text(out, (left + 36.0, height + 4.0), "start", "#1f2437", &series.name);
        height += 22.0;
    }
    text(out, (left, height + 12.0), "start", "#646c84", "training return over frames");
}

/// An axis from 0.
struct Axis {
    end: f64,
    step: f64,
}

impl Axis {
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = self.step;
        (0..=(self.end / step).round() as u32).map(move |index| f64::from(index) * step)
    }
}

/// The axis of three to six steps of 1, 2 or 5 times a power of ten that reaches `highest`, which is above 0.
fn tick_step(highest: f64) -> Axis {
    let rough = highest / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|&step| step >= rough * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * power);
    Axis { end: step * (highest / step - 1e-9).ceil(), step }
}

fn shown(value: f64) -> String {
    if value >= 1e6 {
        format!("{} M", round(value / 1e6))
    } else if value >= 1e4 {
        format!("{} k", round(value / 1e3))
    } else {
        round(value).to_string()
    }
}

/// Without the digits that binary fractions leave behind.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn line(out: &mut String, through: &[(f64, f64)], color: &str, width: f64) {
    let points: Vec<String> = through.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>",
        points.join(" ")
    );
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, color: &str, words: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_the_highest_value_in_round_steps() {
        for (highest, end, step) in
            [(1_000_000.0, 1e6, 2e5), (57.3, 60.0, 20.0), (0.9, 1.0, 0.2), (10.0, 10.0, 2.0), (10.1, 15.0, 5.0)]
        {
            let axis = tick_step(highest);
            assert!((axis.end / end - 1.0).abs() < 1e-9 && (axis.step / step - 1.0).abs() < 1e-9, "{highest}");
        }
    }

    #[test]
    fn the_highest_point_is_at_the_top_and_the_last_at_the_right() {
        let series = Series { name: "C51".into(), points: vec![(0, 0.0), (1000, 10.0)] };
        let text = figure_of(&[Panel { title: "A".into(), series: vec![series] }]);
        let ends = format!("48.0,{:.1} {:.1},34.0", CELL.1 - MARGIN.3, CELL.0 - MARGIN.1);
        assert!(text.contains(&ends), "{text}");
        assert!(text.contains(">C51<"));
    }

    #[test]
    fn a_panel_without_runs_says_so() {
        assert!(figure_of(&[Panel { title: "A".into(), series: Vec::new() }]).contains("no runs yet"));
    }
}
