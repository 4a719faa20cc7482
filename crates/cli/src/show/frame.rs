//! [`Frame`], what there is to see at one moment.

use std::sync::Arc;

use requel_envs::Scene;

/// An environment at one moment, and what is said about it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The environment as shapes.
    pub scene: Scene,
    /// What is written beneath.
    pub caption: Caption,
}

/// What is written beneath an environment.
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
    /// What the actions are called, where that is known.
    pub names: Option<Arc<[String]>>,
}

impl Decision {
    /// What an action is called; its number where that is not known.
    pub fn name(&self, action: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(action));
        name.map_or_else(|| action.to_string(), Clone::clone)
    }

    /// By how much an action is worth more than the one that is taken: its advantage, 0 or less where that is the best.
    pub fn advantage(&self, action: usize) -> f32 {
        self.q_values[action] - self.q_values[self.action]
    }

    /// The number beside an action's bar: the value of the action that is taken, the advantage of the others.
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

/// A number as people write it: whole ones without a point, others with two decimals.
pub fn tidy(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// What the bars of values span: the greatest disadvantage that was seen. A bar is full for the action that is taken and the
/// shorter the more is lost by another, so that 146.59 and 146.55 can be told apart where that is what there is to decide.
#[derive(Clone, Copy, Debug)]
pub struct BarScale {
    span: f32,
}

/// The least span, as a part of the value of the action that is taken: less is the noise of the arithmetic.
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

    /// Widens the scale to hold a decision. What is not finite is left out.
    pub fn include(&mut self, decision: &Decision) {
        let advantages = (0..decision.q_values.len()).map(|action| decision.advantage(action).abs());
        self.span = advantages.filter(|advantage| advantage.is_finite()).fold(self.span, f32::max);
    }

    /// The length of an action's bar, 0.04 to 1: the least one still has a stub, so that it is seen to be there.
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
