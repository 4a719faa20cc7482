//! Random valid actions.

use crate::{Action, Env, GymRng, Space};

/// An owned action.
#[derive(Clone, Debug)]
pub(super) enum OwnedAction {
    Discrete(usize),
    Continuous(Vec<f32>),
}

impl OwnedAction {
    pub(super) fn borrow(&self) -> Action<'_> {
        match self {
            OwnedAction::Discrete(index) => Action::Discrete(*index),
            OwnedAction::Continuous(values) => Action::Continuous(values),
        }
    }
}

/// Random valid actions, from a generator separate from the environment's.
#[derive(Clone)]
pub(super) struct Actions {
    space: Space,
    rng: GymRng,
}

impl Actions {
    pub(super) fn new(env: &dyn Env) -> Self {
        Self { space: env.action_space().clone(), rng: GymRng::from_seed(1_000) }
    }

    pub(super) fn next(&mut self, env: &dyn Env) -> OwnedAction {
        match (&self.space, env.action_mask()) {
            (Space::Discrete { n }, None) => OwnedAction::Discrete(self.rng.below(*n)),
            (Space::Discrete { .. }, Some(mask)) => {
                let allowed: Vec<usize> = (0..mask.len()).filter(|action| mask[*action]).collect();
                OwnedAction::Discrete(allowed.get(self.rng.below(allowed.len())).copied().unwrap_or(0))
            }
            (Space::Box { low, high, .. }, _) => {
                // An unbounded element gets a number near its bound, or near 0.
                let bounds = low.iter().zip(high).map(|(low, high)| match (low.is_finite(), high.is_finite()) {
                    (true, true) => (*low, *high),
                    (true, false) => (*low, *low + 1.0),
                    (false, true) => (*high - 1.0, *high),
                    (false, false) => (-1.0, 1.0),
                });
                let draw = |(low, high): (f32, f32)| self.rng.uniform(low.into(), high.into()) as f32;
                OwnedAction::Continuous(bounds.map(draw).collect())
            }
            (Space::MultiDiscrete { .. }, _) => OwnedAction::Continuous(vec![]),
        }
    }
}
