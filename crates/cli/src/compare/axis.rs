//! [`Axis`], from values to places, with ticks at round numbers.

/// A range of values along a length.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    /// The positions of `low` and `high`.
    places: (f32, f32),
    /// Round numbers in the range.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis for values from `low` to `high` at the positions `places`, with about `wanted` ticks. The range is never empty, and starts
    /// and ends at a tick if `rounded`.
    pub fn new((low, high): (f64, f64), places: (f32, f32), wanted: usize, ends: Ends) -> Self {
        let (mut low, mut high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
        if high - low < 1e-9 * high.abs().max(1.0) {
            let half = (0.05 * high.abs()).max(0.5);
            (low, high) = (low - half, high + half);
        }
        let step = round_step((high - low) / wanted.max(1) as f64);
        if ends == Ends::Rounded {
            // A value only barely past a tick does not need another tick.
            low = ((low / step) + 1e-9).floor() * step;
            high = ((high / step) - 1e-9).ceil() * step;
        }
        let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
        let ticks = (first..=last).map(|i| i as f64 * step).collect();
        Axis { low, high, places, ticks }
    }

    /// Where a value lies.
    pub fn at(&self, value: f64) -> f32 {
        let share = ((value - self.low) / (self.high - self.low)) as f32;
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// The same, with values outside the range clamped to the nearest end.
    pub fn within(&self, value: f64) -> f32 {
        self.at(value.clamp(self.low, self.high))
    }
}

/// Where an axis starts and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// At the smallest and largest value.
    Exact,
    /// At ticks.
    Rounded,
}

/// The round number, 1, 2, 2.5 or 5 times a power of ten, at or above `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| step <= factor * power * (1.0 + 1e-9)).unwrap_or(10.0);
    factor * power
}

/// A number on an axis: `12k`, `0.5`, `-100`.
pub fn label(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}{unit}", if text == "-0" { "0" } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::new((2_000.0, 40_000.0), (0.0, 100.0), 5, Ends::Exact);
        assert_eq!(axis.ticks, [10_000.0, 20_000.0, 30_000.0, 40_000.0]);
        assert_eq!((axis.at(2_000.0), axis.at(40_000.0)), (0.0, 100.0));
        let axis = Axis::new((9.3, 500.0), (100.0, 0.0), 5, Ends::Rounded);
        assert_eq!(axis.ticks, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!((axis.at(0.0), axis.at(250.0), axis.within(900.0)), (100.0, 50.0, 0.0));
    }

    #[test]
    fn an_empty_range_is_widened() {
        for (low, high) in [(500.0, 500.0), (0.0, 0.0), (-3.0, -3.0), (f64::NAN, 1.0)] {
            let axis = Axis::new((low, high), (0.0, 1.0), 4, Ends::Rounded);
            assert!(axis.at(low.max(-1e9)).is_finite() && axis.ticks.len() > 1, "{low}");
        }
    }

    #[test]
    fn labels_are_short() {
        let labels = [0.0, -0.0, 0.25, 500.0, 12_500.0, 2_000_000.0, -100.0].map(label);
        assert_eq!(labels, ["0", "0", "0.25", "500", "12.5k", "2M", "-100"]);
    }
}
