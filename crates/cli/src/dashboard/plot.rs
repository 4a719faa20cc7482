//! Curves over env steps, in a frame.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, BorderType, Chart, Dataset, GraphType};

use super::chronicle::Series;
use crate::numbers::grouped;

/// One curve of a plot.
pub struct Curve<'a> {
    /// Its name, a word or two.
    pub name: &'static str,
    /// Its points.
    pub series: &'a Series,
    /// Its colour.
    pub color: Color,
    /// Whether its points are joined.
    pub joined: bool,
}

/// Curves over env steps.
pub struct Plot<'a> {
    /// The title.
    pub title: &'static str,
    /// The curves; the last one is in front.
    pub curves: Vec<Curve<'a>>,
    /// Values that no curve should pass, drawn dotted once a curve comes near them.
    pub limits: Vec<f64>,
    /// Whether the vertical axis is logarithmic; values that are not positive are then left out.
    pub logarithmic: bool,
}

/// Colours of everything except curves.
#[derive(Clone, Copy)]
pub struct Inks {
    /// Less important text, and lines.
    pub muted: Color,
}

impl Plot<'_> {
    /// Draws the plot.
    pub fn draw(&self, frame: &mut Frame, area: Rect, inks: Inks) {
        let muted = Style::new().fg(inks.muted);
        let title = self.heading(usize::from(area.width.saturating_sub(2)));
        let block = Block::bordered().border_type(BorderType::Rounded).border_style(muted).title(title);
        let points: Vec<Vec<(f64, f64)>> = self.curves.iter().map(|curve| self.placed(curve.series)).collect();
        let all = || points.iter().flatten();
        if all().next().is_none() {
            frame.render_widget(block, area);
            return;
        }
        let x_most = all().map(|p| p.0).fold(1.0, f64::max);
        let limits: Vec<f64> =
            self.limits.iter().copied().filter(|limit| all().any(|point| is_near(point.1, *limit))).collect();
        let (low, high) = self.bounds(all().map(|p| p.1).chain(limits.iter().copied()));
        let dots = f64::from(area.width.max(2)) - 1.0;
        let dotted: Vec<Vec<(f64, f64)>> = limits
            .iter()
            .map(|limit| (0..area.width).map(|dot| (x_most * f64::from(dot) / dots, *limit)).collect())
            .collect();
        let limits = dotted
            .iter()
            .map(|dots| Dataset::default().marker(Marker::Dot).graph_type(GraphType::Scatter).style(muted).data(dots));
        let datasets = self.curves.iter().zip(&points).map(|(curve, points)| {
            let (marker, kind) = match curve.joined {
                true => (Marker::Braille, GraphType::Line),
                false => (Marker::Braille, GraphType::Scatter),
            };
            Dataset::default().marker(marker).graph_type(kind).style(Style::new().fg(curve.color)).data(points)
        });
        let label = |v: f64| Span::styled(if self.logarithmic { short(10f64.powf(v)) } else { tick(v) }, muted);
        let mut labels = vec![label(low), label((low + high) / 2.0), label(high)];
        if area.height < 8 {
            labels.remove(1);
        }
        let steps = |v: f64| Span::styled(grouped(v as u64), muted);
        let mut below = vec![steps(0.0), Span::styled("env steps", muted), steps(x_most)];
        if area.width < 40 {
            below.remove(1);
        }
        let chart = Chart::new(limits.chain(datasets).collect())
            .block(block)
            .legend_position(None)
            .x_axis(Axis::default().style(muted).bounds([0.0, x_most]).labels(below))
            .y_axis(Axis::default().style(muted).bounds([low, high]).labels(labels));
        frame.render_widget(chart, area);
    }

    /// Title, names and newest values in the given number of columns. If there is not enough room, parts without digits are dropped first:
    /// curves without a value, then names from the left, then the title; digits are never cut.
    fn heading(&self, columns: usize) -> Line<'static> {
        let names = self.curves.len();
        let plain = (0..=names + 2).map(|left_out| {
            let mut title = Vec::new();
            if left_out < names + 2 {
                title.push(Span::raw(format!(" {} ", self.title)));
            }
            for (place, curve) in self.curves.iter().enumerate() {
                let style = Style::new().fg(curve.color);
                if !curve.joined {
                    title.extend((left_out == 0).then(|| Span::styled(format!("• {} ", curve.name), style)));
                    continue;
                }
                let name = if place + 1 < left_out { String::new() } else { format!("{} ", curve.name) };
                let last = curve.series.last().map_or("-".into(), short);
                title.push(Span::styled(format!("━ {name}{last} "), style));
            }
            Line::from(title)
        });
        plain.into_iter().find(|line| line.width() <= columns).unwrap_or_default()
    }

    fn placed(&self, series: &Series) -> Vec<(f64, f64)> {
        match self.logarithmic {
            false => series.points().to_vec(),
            true => series.points().iter().filter(|p| p.1 > 0.0).map(|p| (p.0, p.1.log10())).collect(),
        }
    }

    /// The range of the vertical axis: all values, between round numbers, but never so narrow that noise looks like a change.
    fn bounds(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let least = if self.logarithmic { 0.5 } else { 0.02 * low.abs().max(high.abs()).max(1e-3) };
        let air = ((least - (high - low)) / 2.0).max(0.0);
        let (low, high) = (low - air, high + air);
        if self.logarithmic { (low - 0.04 * (high - low), high + 0.04 * (high - low)) } else { round(low, high) }
    }
}

/// Whether some value is at least halfway from 0 to a limit, or beyond it: showing a distant limit would flatten the curve.
fn is_near(value: f64, limit: f64) -> bool {
    value.abs() >= 0.5 * limit.abs() && value * limit >= 0.0
}

/// A tight range around both whose ends and middle are round numbers.
fn round(low: f64, high: f64) -> (f64, f64) {
    const QUARTERS: f64 = 4.0;
    let scale = 10f64.powf(((high - low) / QUARTERS).log10().floor());
    [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0]
        .into_iter()
        .map(|step| {
            let step = step * scale;
            let low = (low / (2.0 * step) + 1e-9).floor() * 2.0 * step;
            (low, low + QUARTERS * step)
        })
        .find(|range| range.1 >= high - 1e-9 * scale)
        .unwrap_or((low, high))
}

/// A number in few characters: `0.013`, `57.3`, `1,240`, `31k`.
pub fn short(value: f64) -> String {
    match value.abs() {
        a if a < 1e-12 => "0".into(),
        a if a < 1e-3 => format!("{value:.0e}"),
        a if a < 0.1 => format!("{value:.3}"),
        a if a < 10.0 => format!("{value:.2}"),
        a if a < 1000.0 => format!("{value:.1}"),
        a if a < 10_000.0 => format!("{value:.0}"),
        a if a < 1e6 => format!("{:.0}k", value / 1e3),
        a if a < 1e9 => format!("{:.1}M", value / 1e6),
        _ => format!("{value:.1e}"),
    }
}

/// A number on an axis: like [`short`], but whole numbers have no decimal point.
fn tick(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 10_000.0 { format!("{value:.0}") } else { short(value) }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [0.0, 0.0123, -3.456, 57.31, 1240.0, 31_234.0, 2.5e6, 1e-5, 9.7e12];
        assert_eq!(all.map(short), ["0", "0.012", "-3.46", "57.3", "1240", "31k", "2.5M", "1e-5", "9.7e12"]);
    }

    #[test]
    fn a_limit_is_drawn_once_a_curve_comes_near() {
        let drawn = |most: f64| {
            let mut series = Series::new();
            (0..50).for_each(|i| series.push(f64::from(i), most * f64::from(i) / 49.0));
            let curves = vec![Curve { name: "mean Q", series: &series, color: Color::Reset, joined: true }];
            let plot = Plot { title: "value", curves, limits: vec![100.0], logarithmic: false };
            let mut terminal = Terminal::new(TestBackend::new(60, 12)).unwrap();
            terminal.draw(|frame| plot.draw(frame, frame.area(), Inks { muted: Color::Reset })).unwrap();
            terminal.backend().to_string()
        };
        let dots = |text: &str| text.matches('•').count();
        assert_eq!(dots(&drawn(30.0)), 0, "{}", drawn(30.0));
        for most in [80.0, 400.0] {
            assert!(dots(&drawn(most)) > 30, "{}", drawn(most));
        }
    }

    #[test]
    fn equal_values_still_have_a_range_and_noise_stays_small() {
        let plot = Plot { title: "x", curves: Vec::new(), limits: Vec::new(), logarithmic: false };
        let (low, high) = plot.bounds([500.0, 500.0].into_iter());
        assert!(low < 500.0 && high > 500.0);
        let (low, high) = plot.bounds([100.0, 100.1].into_iter());
        assert!(high - low >= 2.0 - 1e-9, "{low} {high}");
        let ranges = [[0.0, 100.0], [10.0, 103.0], [0.0, 448.7], [-200.0, -84.0], [0.05, 1.0], [20.0, 31_000.0]];
        let rounded = ranges.map(|range| plot.bounds(range.into_iter()));
        let expected = [(0.0, 100.0), (0.0, 120.0), (0.0, 500.0), (-240.0, -80.0), (0.0, 1.0), (0.0, 40_000.0)];
        for ((low, high), (expected_low, expected_high)) in rounded.into_iter().zip(expected) {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
            assert!(
                close(low, expected_low) && close(high, expected_high),
                "{low} to {high}, not {expected_low} to {expected_high}"
            );
        }
    }
}
