//! [`AutoresetEnv`], a vector of environments with three ways of continuing after the end of an episode.

use crate::{EnvError, StateError, StateReader, StateWriter, Step, VectorEnv};

/// When a slot whose episode has ended starts the next one: the modes of Gymnasium's vector environments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Autoreset {
    /// In the step after the end, which ignores the slot's action and gives no reward.
    #[default]
    NextStep,
    /// In the step that ends it: the observation is the first of the next episode, and the true last one is available separately.
    SameStep,
    /// On request, with [`AutoresetEnv::reset_slots`]; until then no slot can be stepped.
    Disabled,
}

/// A [`VectorEnv`] that behaves like Gymnasium's vector environments, for code written for those. Training uses the [`VectorEnv`] directly.
///
/// ```
/// use requel_envs::{Autoreset, AutoresetEnv, Step, VectorEnv, make};
///
/// let envs = VectorEnv::new(vec![make("CartPole-v1")?])?;
/// let mut env = AutoresetEnv::new(envs, Autoreset::NextStep);
/// let (mut observations, mut steps) = ([0.0; 4], [Step::default()]);
/// env.reset(&[Some(1)], &mut observations)?;
/// while !steps[0].ended() {
///     env.step(&[1], &mut steps, &mut observations)?;
/// }
/// assert!(observations[2].abs() > 0.2, "the pole has fallen");
/// env.step(&[1], &mut steps, &mut observations)?;
/// assert!(observations[2].abs() < 0.05 && steps[0] == Step::default(), "it stands again");
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
pub struct AutoresetEnv {
    env: VectorEnv,
    mode: Autoreset,
    /// By slot, whether the last step ended its episode.
    ended: Vec<bool>,
    /// By slot, whether the last step only started an episode.
    began: Vec<bool>,
    /// Slots × observation length: the true next observations, in the mode [`Autoreset::SameStep`].
    last: Vec<f32>,
    /// The actions of slots in a step in which some only start an episode.
    actions: Vec<usize>,
}

impl AutoresetEnv {
    /// The environments of `env` with this mode.
    pub fn new(env: VectorEnv, mode: Autoreset) -> Self {
        let slots = env.len();
        let last = vec![0.0; slots * env.observation_len()];
        AutoresetEnv { env, mode, ended: vec![false; slots], began: vec![false; slots], last, actions: vec![0; slots] }
    }

    /// The environments, for inspection.
    pub fn env(&self) -> &VectorEnv {
        &self.env
    }

    /// Starts an episode in each slot, with its seed or, if there is none, with its generator continuing.
    ///
    /// # Errors
    /// [`EnvError::Other`] if there is not one seed for each slot; otherwise as [`VectorEnv::reset`].
    pub fn reset(&mut self, seeds: &[Option<u64>], observations: &mut [f32]) -> Result<(), EnvError> {
        self.reset_slots(&vec![true; self.env.len()], seeds, observations)
    }

    /// The same in the slots that are `chosen`. The observations of the others do not change.
    ///
    /// # Errors
    /// As [`AutoresetEnv::reset`].
    pub fn reset_slots(
        &mut self,
        chosen: &[bool],
        seeds: &[Option<u64>],
        observations: &mut [f32],
    ) -> Result<(), EnvError> {
        self.env.check_batch(observations)?;
        let slots = self.env.len();
        if chosen.len() != slots || seeds.len() != slots {
            let found = format!("{} choices and {} seeds", chosen.len(), seeds.len());
            return Err(EnvError::Other(format!("{found} given for {slots} slots")));
        }
        let width = self.env.observation_len();
        for (slot, observation) in observations.chunks_exact_mut(width).enumerate().filter(|(slot, _)| chosen[*slot]) {
            self.env.last_masks[slot].clear();
            self.env.slots.reset(slot, seeds[slot], observation)?;
            (self.ended[slot], self.began[slot]) = (false, true);
        }
        Ok(())
    }

    /// Takes one action in each slot, and writes what to act on next; if an episode ended and the mode is not [`Autoreset::SameStep`], that
    /// is its true last observation.
    ///
    /// # Errors
    /// As [`VectorEnv::step`]; [`EnvError::ResetNeeded`] also if the mode is [`Autoreset::Disabled`] and an episode that ended was
    /// not reset; [`EnvError::CannotSave`] if it is [`Autoreset::NextStep`] and the environments do not save their state.
    pub fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        self.env.check_batch(observations)?;
        match self.mode {
            Autoreset::NextStep if self.ended.contains(&true) => self.step_or_begin(actions, steps, observations)?,
            Autoreset::NextStep | Autoreset::Disabled => {
                self.env.step_alone(actions, steps, observations)?;
                self.began.fill(false);
            }
            Autoreset::SameStep => {
                self.env.step(actions, steps, &mut self.last, observations)?;
                self.began.fill(false);
            }
        }
        for (ended, step) in self.ended.iter_mut().zip(steps) {
            *ended = step.ended();
        }
        Ok(())
    }

    /// A step in which slots whose episode has ended only start a new one.
    ///
    /// All slots are stepped at once, so these are stepped too, and restored to where they began.
    fn step_or_begin(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        observations: &mut [f32],
    ) -> Result<(), EnvError> {
        if actions.len() != self.env.len() {
            return self.env.step_alone(actions, steps, observations);
        }
        let width = self.env.observation_len();
        self.actions.copy_from_slice(actions);
        let mut begun = Vec::new();
        for slot in (0..self.env.len()).filter(|slot| self.ended[*slot]) {
            let observation = &mut observations[slot * width..][..width];
            self.env.slots.reset(slot, None, observation)?;
            begun.push((slot, self.env.slots.save(slot)?, observation.to_vec()));
            self.actions[slot] = 0;
        }
        self.env.step_alone(&self.actions, steps, observations)?;
        self.began.fill(false);
        for (slot, state, observation) in begun {
            self.env.slots.restore(slot, &state)?;
            observations[slot * width..][..width].copy_from_slice(&observation);
            steps[slot] = Step::default();
            self.began[slot] = true;
        }
        Ok(())
    }

    /// The true last observation of a slot whose episode the last step ended, in the mode [`Autoreset::SameStep`].
    pub fn final_observation(&self, slot: usize) -> &[f32] {
        let width = self.env.observation_len();
        self.last.get(slot * width..(slot + 1) * width).unwrap_or_default()
    }

    /// The complete state of all slots. It does not include the true last observations and metrics of the last step.
    ///
    /// # Errors
    /// As [`VectorEnv::save`].
    pub fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        self.ended.iter().for_each(|ended| writer.bool(*ended));
        writer.bytes(&self.env.save()?);
        Ok(writer.into_bytes())
    }

    /// Restores a state that [`AutoresetEnv::save`] wrote, of a vector with the same number of slots and the same mode.
    ///
    /// # Errors
    /// As [`VectorEnv::restore`]; nothing has changed then.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let mut reader = StateReader::new(state);
        let parts = || -> Result<_, StateError> {
            let ended: Vec<bool> = self.ended.iter().map(|_| reader.bool()).collect::<Result<_, _>>()?;
            let slots = reader.bytes()?;
            reader.finish()?;
            Ok((ended, slots))
        };
        let id = format!("a vector of {}", self.env.spec().id);
        let (ended, slots) = parts().map_err(|error| EnvError::InvalidState { id, reason: error.0 })?;
        self.env.restore(slots)?;
        self.ended = ended;
        self.began.fill(true);
        Ok(())
    }

    /// What a slot's environment reported for the last step, see [`VectorEnv::metrics`]; empty if the slot was only reset.
    pub fn metrics(&self, slot: usize) -> &[f64] {
        if self.began.get(slot).is_none_or(|began| *began) { &[] } else { self.env.metrics(slot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Env, GymRng, make, specs};

    /// One environment after the other, the way the modes are explained: the obvious twin.
    struct OneByOne {
        envs: Vec<Box<dyn Env>>,
        ended: Vec<bool>,
        mode: Autoreset,
    }

    impl OneByOne {
        fn step(&mut self, actions: &[usize], steps: &mut [Step], rows: &mut [Vec<f32>]) {
            for (slot, env) in self.envs.iter_mut().enumerate() {
                if self.mode == Autoreset::NextStep && self.ended[slot] {
                    env.reset(None, &mut rows[slot]).unwrap();
                    steps[slot] = Step::default();
                } else {
                    steps[slot] = env.step(Action::Discrete(actions[slot]), &mut rows[slot]).unwrap();
                    if self.mode == Autoreset::SameStep && steps[slot].ended() {
                        env.reset(None, &mut rows[slot]).unwrap();
                    }
                }
                self.ended[slot] = steps[slot].ended();
            }
        }
    }

    fn vector(id: &str, slots: usize, mode: Autoreset) -> AutoresetEnv {
        let envs = (0..slots).map(|_| make(id)).collect::<Result<_, _>>().unwrap();
        AutoresetEnv::new(VectorEnv::new(envs).unwrap(), mode)
    }

    #[test]
    fn every_mode_is_that_of_environments_one_by_one() {
        const SLOTS: usize = 5;
        for spec in specs() {
            let Some(actions) = make(&spec.id).unwrap().action_space().discrete_n() else { continue };
            for mode in [Autoreset::NextStep, Autoreset::SameStep, Autoreset::Disabled] {
                let mut env = vector(&spec.id, SLOTS, mode);
                let width = env.env().observation_len();
                let (mut observations, mut steps) = (vec![0.0; SLOTS * width], [Step::default(); SLOTS]);
                let seeds: Vec<Option<u64>> = (0..SLOTS as u64).map(|slot| Some(40 + slot)).collect();
                env.reset(&seeds, &mut observations).unwrap();
                let envs = (0..SLOTS).map(|_| make(&spec.id).unwrap()).collect();
                let mut twin = OneByOne { envs, ended: vec![false; SLOTS], mode };
                let (mut rows, mut twin_steps) = (vec![vec![0.0; width]; SLOTS], [Step::default(); SLOTS]);
                for (slot, env) in twin.envs.iter_mut().enumerate() {
                    env.reset(seeds[slot], &mut rows[slot]).unwrap();
                }
                let mut rng = GymRng::from_seed(9);
                for _ in 0..400 {
                    assert_eq!(observations, rows.concat(), "{} {mode:?}", spec.id);
                    let chosen: Vec<usize> = (0..SLOTS).map(|_| rng.below(actions)).collect();
                    if mode == Autoreset::Disabled && twin.ended.contains(&true) {
                        assert!(matches!(
                            env.step(&chosen, &mut steps, &mut observations.clone()),
                            Err(EnvError::ResetNeeded { .. })
                        ));
                        env.reset_slots(&twin.ended, &[None; SLOTS], &mut observations).unwrap();
                        for slot in (0..SLOTS).filter(|slot| twin.ended[*slot]) {
                            twin.envs[slot].reset(None, &mut rows[slot]).unwrap();
                        }
                        assert_eq!(observations, rows.concat(), "{} {mode:?}", spec.id);
                    }
                    env.step(&chosen, &mut steps, &mut observations).unwrap();
                    twin.step(&chosen, &mut twin_steps, &mut rows);
                    assert_eq!(steps, twin_steps, "{} {mode:?}", spec.id);
                }
            }
        }
    }

    #[test]
    fn a_state_goes_on_with_the_same_bits() {
        for mode in [Autoreset::NextStep, Autoreset::SameStep] {
            let mut env = vector("CartPole-v1", 3, mode);
            let (mut observations, mut steps) = ([0.0; 12], [Step::default(); 3]);
            env.reset(&[Some(1), Some(2), Some(3)], &mut observations).unwrap();
            // Until one has ended and waits for its next episode.
            while !steps.iter().any(Step::ended) {
                env.step(&[1, 0, 1], &mut steps, &mut observations).unwrap();
            }
            let mut other = vector("CartPole-v1", 3, mode);
            other.restore(&env.save().unwrap()).unwrap();
            let (mut twin, mut twin_steps) = (observations, [Step::default(); 3]);
            for _ in 0..60 {
                env.step(&[1, 0, 1], &mut steps, &mut observations).unwrap();
                other.step(&[1, 0, 1], &mut twin_steps, &mut twin).unwrap();
                assert_eq!((observations, steps), (twin, twin_steps), "{mode:?}");
            }
            let state = env.save().unwrap();
            for len in 0..state.len() {
                assert!(other.restore(&state[..len]).is_err(), "{len} bytes");
            }
            assert!(vector("CartPole-v1", 2, mode).restore(&state).is_err());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_nothing_moves() {
        let mut env = vector("CartPole-v1", 2, Autoreset::NextStep);
        let (mut observations, mut steps) = ([0.0; 8], [Step::default(); 2]);
        assert!(env.step(&[0, 0], &mut steps, &mut observations).is_err(), "never reset");
        assert!(env.reset(&[None], &mut observations).is_err());
        assert!(env.reset(&[None; 2], &mut [0.0; 4]).is_err());
        env.reset(&[Some(3), Some(4)], &mut observations).unwrap();
        while !steps[0].ended() {
            env.step(&[1, 0], &mut steps, &mut observations).unwrap();
        }
        let before = observations;
        for actions in [&[0, 2][..], &[0][..]] {
            let mut scratch = observations;
            assert!(env.step(actions, &mut steps, &mut scratch).is_err());
        }
        assert!(env.metrics(2).is_empty() && env.final_observation(2).is_empty());
        // The slot that ended pays no heed to its action, the other one's is checked.
        env.step(&[7, 0], &mut [Step::default(); 2], &mut observations).unwrap();
        assert_ne!(observations, before);
    }
}
