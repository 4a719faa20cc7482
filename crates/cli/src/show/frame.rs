//! [`Frame`], what is shown of one moment.

use std::sync::Arc;

use requel_envs::Scene;

/// An environment at one moment, with its caption.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The environment as shapes.
    pub scene: Scene,
    /// The caption below it.
    pub caption: Caption,
}

/// The caption below an environment.
#[derive(Clone, Debug)]
pub struct Caption {
    /// The environment's id.
    pub env: String,
    /// Which episode this is, counted from 1.
    pub episode: u32,
    /// How many steps of the episode have been taken.
    pub step: u32,
    /// The sum of the episode's rewards so far.
    pub episode_return: f64,
    /// Shown instead of these numbers if they are not known.
    pub note: Option<String>,
    /// The policy's values at this moment; `None` if there is no policy, or the episode has ended.
    pub decision: Option<Decision>,
}

/// The policy's values at a moment.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The value of each action: the discounted return expected after it.
    pub q_values: Vec<f32>,
    /// The action that is taken.
    pub action: usize,
    /// The names of the actions, if known.
    pub names: Option<Arc<[String]>>,
}

impl Decision {
    /// The name of an action; its number if the name is not known.
    pub fn name(&self, action: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(action));
        name.map_or_else(|| action.to_string(), Clone::clone)
    }

    /// How much more an action is worth than the action taken: its advantage, 0 or less if that is the best.
    pub fn advantage(&self, action: usize) -> f32 {
        self.q_values[action] - self.q_values[self.action]
    }

    /// The number beside an action's bar: the value of the action taken, the advantage of the others.
    pub fn figure(&self, action: usize) -> String {
        match self.advantage(action) {
            _ if action == self.action => format!("{:.2}", self.q_values[action]),
            0.0 => "-0".into(),
            advantage if advantage.abs() < 0.01 => format!("{advantage:+.4}"),
            advantage => format!("{advantage:+.2}"),
        }
    }
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

/// A number for people: whole ones without a decimal point, others with two decimals.
pub fn tidy(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The span of the value bars: the largest disadvantage seen. The action taken has a full bar, the others are shorter the more they lose,
/// so that 146.59 and 146.55 can be told apart if that is all there is to decide.
#[derive(Clone, Copy, Debug)]
pub struct BarScale {
    span: f32,
}

/// The minimum span, as a fraction of the value of the action taken: smaller differences are arithmetic noise.
const LEAST_RELATIVE_SPAN: f32 = 1e-4;

impl BarScale {
    /// A scale that has seen nothing.
    pub fn new() -> Self {
        BarScale { span: 0.0 }
    }

    /// A scale that has seen these frames.
    pub fn of(frames: &[Frame]) -> Self {
        let mut scale = BarScale::new();
        frames.iter().filter_map(|frame| frame.caption.decision.as_ref()).for_each(|decision| scale.include(decision));
        scale
    }

    /// Widens the scale to include a decision. Values that are not finite are ignored.
    pub fn include(&mut self, decision: &Decision) {
        let advantages = (0..decision.q_values.len()).map(|action| decision.advantage(action).abs());
        self.span = advantages.filter(|advantage| advantage.is_finite()).fold(self.span, f32::max);
    }

    /// The length of an action's bar, 0.04 to 1: even the shortest bar is visible.
    pub fn fraction(&self, decision: &Decision, action: usize) -> f32 {
        const STUB: f32 = 0.04;
        let advantage = decision.advantage(action);
        if !advantage.is_finite() {
            return STUB;
        }
        let least = LEAST_RELATIVE_SPAN * decision.q_values[decision.action].abs().max(1e-6);
        STUB + (1.0 - STUB) * (1.0 + advantage / self.span.max(least)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(q_values: &[f32], action: usize) -> Decision {
        Decision { q_values: q_values.to_vec(), action, names: None }
    }

    #[test]
    fn bars_show_what_is_lost_by_another_action() {
        let (close, far) = (decision(&[146.59, 146.55], 0), decision(&[10.0, f32::NAN, 30.0], 2));
        let mut scale = BarScale::new();
        scale.include(&close);
        assert_eq!((scale.fraction(&close, 0), scale.fraction(&close, 1)), (1.0, 0.04));
        // Beside a decision that matters, one that does not has bars of one length.
        scale.include(&far);
        assert_eq!([0, 1, 2].map(|action| scale.fraction(&far, action)), [0.04, 0.04, 1.0]);
        assert!(scale.fraction(&close, 1) > 0.99);
    }

    #[test]
    fn noise_is_no_difference() {
        let noise = decision(&[100.0, 99.999_99], 0);
        let mut scale = BarScale::new();
        scale.include(&noise);
        assert!(scale.fraction(&noise, 1) > 0.9);
    }

    #[test]
    fn an_action_has_its_name_and_its_advantage() {
        let names: Arc<[String]> = Arc::new(["push left".into(), "push right".into()]);
        let named = Decision { names: Some(names), ..decision(&[146.55, 146.59], 1) };
        assert_eq!((named.name(0), named.figure(0)), ("push left".into(), "-0.04".into()));
        assert_eq!((named.name(1), named.figure(1)), ("push right".into(), "146.59".into()));
        assert_eq!(decision(&[1.0, 1.001], 1).figure(0), "-0.0010");
        assert_eq!(decision(&[1.0], 0).name(0), "0");
    }

    #[test]
    fn numbers_are_tidy() {
        assert_eq!(tidy(500.0), "500");
        assert_eq!(tidy(-1.256), "-1.26");
    }
}
