//! [`TimeLimit`], the wrapper that truncates episodes.

use crate::wrappers::forward::forward;
use crate::{Action, Env, EnvError, EnvSpec, StateError, StateReader, StateWriter, Step};

/// Truncates an episode at its `max_episode_steps`-th step, as Gymnasium's wrapper of that name does.
///
/// A world that terminates in that very step reports both flags. The limit is part of the world's [`EnvSpec`]; the time
/// that is left is not part of its observation.
#[derive(Clone, Debug)]
pub struct TimeLimit<E> {
    env: E,
    spec: EnvSpec,
    limit: u32,
    elapsed: u32,
    /// The limit ended the episode; the world inside may not know.
    cut: bool,
}

impl<E: Env> TimeLimit<E> {
    /// `env`, cut off after `max_episode_steps` steps.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `max_episode_steps` is 0.
    pub fn new(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        let mut spec = env.spec().clone();
        if max_episode_steps == 0 {
            let reason = "an episode has at least 1 step".into();
            return Err(EnvError::InvalidOption { id: spec.id, option: "max_episode_steps".into(), reason });
        }
        spec.max_episode_steps = Some(max_episode_steps);
        Ok(Self { env, spec, limit: max_episode_steps, elapsed: 0, cut: false })
    }

    /// How many steps the present episode has had.
    pub fn elapsed_steps(&self) -> u32 {
        self.elapsed
    }
}

impl<E: Env> Env for TimeLimit<E> {
    forward!(observation_space, action_space, scene, action_mask);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.elapsed = 0;
        self.cut = false;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.cut {
            return Err(EnvError::ResetNeeded { id: self.spec.id.clone() });
        }
        let mut step = self.env.step(action, observation)?;
        self.elapsed += 1;
        self.cut = self.elapsed >= self.limit;
        step.truncated |= self.cut;
        Ok(step)
    }

    fn save(&self) -> Vec<u8> {
        let mut writer = StateWriter::new();
        writer.u32(self.elapsed);
        writer.bytes(&self.env.save());
        writer.into_bytes()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.spec.id.clone(), reason: e.0 };
        let mut reader = StateReader::new(state);
        let elapsed = reader.u32().map_err(invalid)?;
        let inner = reader.bytes().map_err(invalid)?;
        reader.finish().map_err(invalid)?;
        if elapsed > self.limit {
            let reason = format!("{elapsed} steps have passed, of at most {}", self.limit);
            return Err(EnvError::InvalidState { id: self.spec.id.clone(), reason });
        }
        self.env.restore(inner)?;
        self.elapsed = elapsed;
        self.cut = elapsed == self.limit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::CartPole;

    /// Gives `CartPole`'s world under a limit of `limit` and the steps it makes when always pushed to the right.
    fn push_right(limit: u32) -> Vec<Step> {
        let mut env = TimeLimit::new(CartPole::default().into_env(), limit).unwrap();
        let mut observation = [0.0; 4];
        env.reset(Some(7), &mut observation).unwrap();
        let mut steps: Vec<Step> = Vec::new();
        while !steps.last().is_some_and(Step::ended) {
            steps.push(env.step(Action::Discrete(1), &mut observation).unwrap());
        }
        assert_eq!(env.elapsed_steps() as usize, steps.len());
        let refused = env.step(Action::Discrete(1), &mut observation);
        assert!(matches!(refused, Err(EnvError::ResetNeeded { .. })));
        steps
    }

    #[test]
    fn flags_stay_apart() {
        let falls = push_right(1000).len() as u32;
        let last = |limit| push_right(limit).last().copied().unwrap();
        let flags = |step: Step| (step.terminated, step.truncated);
        assert_eq!(flags(last(falls + 1)), (true, false));
        assert_eq!(flags(last(falls)), (true, true));
        assert_eq!(flags(last(falls - 1)), (false, true));
        assert_eq!(flags(last(1)), (false, true));
    }

    #[test]
    fn no_episode_without_steps() {
        assert!(TimeLimit::new(CartPole::default().into_env(), 0).is_err());
    }
}
