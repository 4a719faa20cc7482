//! [`Persistent`], your own exploration.

use requel::state::{State, StateError};
use requel::td::argmax_allowed;
use requel::{Choice, Config, EpsilonGreedy, Explorer};

/// Steps that a random action is kept up.
const STEPS: u32 = 4;

/// ε-greedy exploration that keeps a random action up for some steps: what takes several steps to be felt, such as opening the
/// vents, is hardly ever tried by single random actions (Dabney, Ostrovski & Barreto 2021, on temporally extended ε-greedy).
#[derive(Debug)]
pub struct Persistent {
    epsilon_greedy: EpsilonGreedy,
    /// By environment: the action that is kept up, and for how many steps more.
    kept: Vec<(usize, u32)>,
}

impl Persistent {
    /// With the ε of a config.
    pub fn new(config: &Config) -> Self {
        let (seed, num_envs) = (config.train.seed, config.train.num_envs);
        Persistent {
            epsilon_greedy: EpsilonGreedy::new(config.exploration.schedule(), seed, num_envs),
            kept: vec![(0, 0); num_envs],
        }
    }
}

impl Explorer for Persistent {
    fn without_values(&mut self, choice: &Choice<'_>) -> Option<usize> {
        let (action, steps) = self.kept[choice.slot];
        if steps > 0 && choice.mask.is_none_or(|mask| mask[action]) {
            self.kept[choice.slot].1 -= 1;
            return Some(action);
        }
        let chosen = self.epsilon_greedy.without_values(choice)?;
        self.kept[choice.slot] = (chosen, STEPS - 1);
        Some(chosen)
    }

    fn choose(&mut self, choice: &Choice<'_>, values: &[f32]) -> usize {
        argmax_allowed(values, choice.mask)
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.epsilon_greedy.statistics(env_steps, report);
    }

    fn save(&self, state: &mut State<'_>) {
        self.epsilon_greedy.save(state);
        state.put("agent/kept_actions", &self.kept);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.epsilon_greedy.restore(state)?;
        let kept: Vec<(usize, u32)> = state.read("agent/kept_actions")?;
        if kept.len() != self.kept.len() {
            return Err(StateError::new("agent/kept_actions", "is from another number of environments"));
        }
        self.kept = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_action_is_kept_up_unless_it_is_not_allowed() {
        let mut config = Config::default();
        (config.exploration.start, config.exploration.end) = (1.0, 1.0);
        let mut explorer = Persistent::new(&config);
        let mut choose =
            |mask| explorer.without_values(&Choice { slot: 0, env_steps: 0, actions: 5, mask }).expect("epsilon is 1");
        for _ in 0..50 {
            let first = choose(None);
            assert!((1..STEPS).all(|_| choose(None) == first));
        }
        let first = choose(None);
        let mask: [bool; 5] = std::array::from_fn(|action| action != first);
        assert_ne!(choose(Some(&mask)), first);
    }
}
