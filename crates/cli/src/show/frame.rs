//! [`Frame`], what there is to see at one moment.

use requel_envs::Scene;

/// A world at one moment, and what is said about it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The world as shapes.
    pub scene: Scene,
    /// What is written beneath.
    pub caption: Caption,
}

/// What is written beneath a world.
#[derive(Clone, Debug)]
pub struct Caption {
    /// The world's id.
    pub world: String,
    /// Which episode this is, counted from 1.
    pub episode: u32,
    /// How many steps of the episode have been taken.
    pub step: u32,
    /// The sum of the episode's rewards so far.
    pub episode_return: f64,
    /// Written in place of these numbers where they are not known.
    pub note: Option<String>,
    /// What the policy thinks of this moment; `None` if there is no policy, or nothing left to decide.
    pub decision: Option<Decision>,
}

/// What a policy thinks of a moment.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The value of each action: the discounted return expected after it.
    pub q_values: Vec<f32>,
    /// The action that is taken.
    pub action: usize,
}

impl Caption {
    /// The numbers of the caption as one line, such as `episode 1 · step 20 · return 20`.
    pub fn numbers(&self) -> String {
        if let Some(note) = &self.note {
            return note.clone();
        }
        format!("episode {} · step {} · return {}", self.episode, self.step, tidy(self.episode_return))
    }
}

/// A number as people write it: whole ones without a point, others with two decimals.
pub fn tidy(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The range that value bars span: what was seen so far, but never so narrow that noise looks like a difference.
#[derive(Clone, Copy, Debug)]
pub struct BarScale {
    low: f32,
    high: f32,
}

/// The least width of a bar scale, as a part of the greatest value seen.
const LEAST_RELATIVE_SPAN: f32 = 0.1;

impl BarScale {
    /// A scale that has seen nothing.
    pub fn new() -> Self {
        BarScale { low: f32::INFINITY, high: f32::NEG_INFINITY }
    }

    /// Widens the scale to hold these values. What is not finite is left out.
    pub fn include(&mut self, values: &[f32]) {
        for &value in values.iter().filter(|v| v.is_finite()) {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
        }
    }

    /// The length of a value's bar, 0.04 to 1: the least value still has a stub, so that it is seen to be there.
    pub fn fraction(&self, value: f32) -> f32 {
        const STUB: f32 = 0.04;
        if self.low > self.high || !value.is_finite() {
            return STUB;
        }
        let least = LEAST_RELATIVE_SPAN * self.low.abs().max(self.high.abs()).max(1e-6);
        let span = (self.high - self.low).max(least);
        STUB + (1.0 - STUB) * ((value - (self.high - span)) / span).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_span_what_was_seen() {
        let mut scale = BarScale::new();
        scale.include(&[10.0, f32::NAN, 30.0]);
        assert_eq!(scale.fraction(30.0), 1.0);
        assert_eq!(scale.fraction(10.0), 0.04);
        assert!((scale.fraction(20.0) - 0.52).abs() < 1e-6);
    }

    #[test]
    fn nearly_equal_values_have_nearly_equal_bars() {
        let mut scale = BarScale::new();
        scale.include(&[99.9, 100.0]);
        assert!(scale.fraction(99.9) > 0.98);
    }

    #[test]
    fn numbers_are_tidy() {
        assert_eq!(tidy(500.0), "500");
        assert_eq!(tidy(-1.256), "-1.26");
    }
}
