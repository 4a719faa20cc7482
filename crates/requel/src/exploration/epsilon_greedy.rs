//! [`EpsilonGreedy`], which takes a random action now and then.

use super::streams::ExplorationStreams;
use super::{Choice, Explorer};
use crate::Schedule;
use crate::state::{State, StateError};
use crate::td::argmax_allowed;

/// The name, in a state, of a function given by the program.
const FUNCTION: &str = "exploration/epsilon_function";

/// ε-greedy exploration for several environments, each with its own random stream.
#[derive(Clone, Debug)]
pub struct EpsilonGreedy {
    epsilon: Schedule,
    /// Before this env step, ε is 1.
    random_until: u64,
    streams: ExplorationStreams,
}

impl EpsilonGreedy {
    /// Exploration in `num_envs` environments with an ε that depends on the env steps. Acting panics if ε is not from 0 to 1, which only a
    /// function of your own can cause.
    pub fn new(epsilon: Schedule, seed: u64, num_envs: usize) -> Self {
        EpsilonGreedy { epsilon, random_until: 0, streams: ExplorationStreams::new(seed, num_envs) }
    }

    /// The same, but it acts at random before this env step, whatever its schedule says.
    #[must_use]
    pub fn at_random_until(self, env_steps: u64) -> Self {
        EpsilonGreedy { random_until: env_steps, ..self }
    }

    /// ε after `env_steps` env steps.
    pub fn epsilon(&self, env_steps: u64) -> f64 {
        if env_steps < self.random_until { 1.0 } else { self.epsilon.at(env_steps) }
    }

    /// With probability ε, a random action for environment `slot` among those that `mask` allows; otherwise `None`: act greedily.
    ///
    /// Whether to explore takes one draw, the action another one only if needed. `None` if the mask allows nothing.
    ///
    /// # Panics
    /// If there is no such environment or no action, ε is not from 0 to 1, or the mask does not have one flag per action.
    #[inline]
    pub fn explore(&mut self, slot: usize, epsilon: f64, actions: usize, mask: Option<&[bool]>) -> Option<usize> {
        assert!((0.0..=1.0).contains(&epsilon), "epsilon is {epsilon}, not from 0 to 1");
        assert!(actions > 0, "there is no action to take");
        assert!(
            mask.is_none_or(|mask| mask.len() == actions),
            "a mask has one flag per action, of which there are {actions}"
        );
        let rng = self.streams.of(slot);
        if f64::from(rng.uniform()) >= epsilon {
            return None;
        }
        match mask {
            None => Some(rng.below(actions as u32) as usize),
            Some(mask) => {
                let allowed = mask.iter().filter(|m| **m).count();
                let nth = rng.below(allowed.max(1) as u32) as usize;
                mask.iter().enumerate().filter(|(_, allowed)| **allowed).nth(nth).map(|(action, _)| action)
            }
        }
    }
}

impl Explorer for EpsilonGreedy {
    fn without_values(&mut self, choice: &Choice<'_>) -> Option<usize> {
        let epsilon = self.epsilon(choice.env_steps);
        self.explore(choice.slot, epsilon, choice.actions, choice.mask)
    }

    fn choose(&mut self, choice: &Choice<'_>, values: &[f32]) -> usize {
        argmax_allowed(values, choice.mask)
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        report("epsilon", self.epsilon(env_steps));
    }

    fn save(&self, state: &mut State<'_>) {
        self.streams.save(state);
        state.put_name(FUNCTION, self.epsilon.name());
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.check_name(FUNCTION, self.epsilon.name())?;
        self.streams.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(epsilon: f64) -> EpsilonGreedy {
        EpsilonGreedy::new(Schedule::Constant(epsilon), 0, 2)
    }

    #[test]
    fn zero_never_and_one_always_explores() {
        assert!((0..1000).all(|_| constant(0.0).explore(0, 0.0, 2, None).is_none()));
        let mut always = constant(1.0);
        assert!((0..1000).all(|_| always.explore(0, 1.0, 2, None).is_some()));
    }

    #[test]
    fn explores_at_the_rate_of_epsilon() {
        let mut exploration = constant(0.1);
        let explored = (0..100_000).filter(|_| exploration.explore(1, 0.1, 4, None).is_some()).count();
        // Four standard deviations of a binomial around 10 000.
        assert!((explored as f64 - 10_000.0).abs() < 4.0 * (100_000.0f64 * 0.1 * 0.9).sqrt(), "{explored}");
    }

    #[test]
    fn epsilon_follows_its_schedule() {
        let exploration = EpsilonGreedy::new(Schedule::Linear { start: 1.0, end: 0.5, env_steps: 100 }, 0, 1);
        assert_eq!([0, 50, 100, 1000].map(|env_steps| exploration.epsilon(env_steps)), [1.0, 0.75, 0.5, 0.5]);
        let later = exploration.at_random_until(51);
        assert_eq!([50, 51, 75].map(|env_steps| later.epsilon(env_steps)), [1.0, 0.745, 0.625]);
    }

    #[test]
    fn obeys_the_mask() {
        let mut exploration = constant(1.0);
        let mask = [false, true, false, true, true];
        let mut seen = [0; 5];
        for _ in 0..3000 {
            seen[exploration.explore(0, 1.0, 5, Some(&mask)).expect("epsilon is 1")] += 1;
        }
        assert_eq!((seen[0], seen[2]), (0, 0));
        assert!(seen[1] > 800 && seen[3] > 800 && seen[4] > 800, "{seen:?}");
    }

    #[test]
    fn draws_that_cannot_be_are_refused() {
        let refused = |slot, epsilon, actions, mask: Option<&[bool]>| {
            std::panic::catch_unwind(|| constant(0.5).explore(slot, epsilon, actions, mask)).is_err()
        };
        assert!(!refused(1, 0.5, 2, Some(&[true, false])));
        assert!(refused(2, 0.5, 2, None) && refused(0, f64::NAN, 2, None) && refused(0, 1.5, 2, None));
        assert!(refused(0, 0.5, 0, None) && refused(0, 0.5, 2, Some(&[true])));
    }

    #[test]
    fn environments_draw_their_own() {
        let mut exploration = constant(1.0);
        let draws = |e: &mut EpsilonGreedy, slot| (0..32).map(|_| e.explore(slot, 1.0, 100, None)).collect::<Vec<_>>();
        assert_ne!(draws(&mut exploration, 0), draws(&mut exploration, 1));
    }
}
