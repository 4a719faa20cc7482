//! [`VectorEnv`], several worlds stepped together into one contiguous batch.

use crate::{Action, Env, EnvError, StateError, StateReader, StateWriter, Step};

/// `N` worlds of one kind, the slots, stepped together; a slot that ends is reset in the same step.
///
/// Batches of observations are row-major, one slot after the other, each [`VectorEnv::observation_len`] long.
///
/// ```
/// use requel_envs::{Step, VectorEnv, make};
///
/// let mut env = VectorEnv::new((0..3).map(|_| make("CartPole-v1")).collect::<Result<_, _>>()?)?;
/// let mut observations = vec![0.0; 3 * env.observation_len()];
/// let mut next_observations = observations.clone();
/// let mut steps = vec![Step::default(); 3];
///
/// env.reset(7, &mut observations)?;
/// env.step(&[0, 1, 1], &mut steps, &mut next_observations, &mut observations)?;
/// assert_eq!(observations, next_observations, "no episode ends with its first step");
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
pub struct VectorEnv {
    envs: Vec<Box<dyn Env>>,
    observation_len: usize,
    actions: usize,
}

impl VectorEnv {
    /// A vector of `envs`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if there are none, if their spaces differ, or if their actions are not discrete.
    pub fn new(envs: Vec<Box<dyn Env>>) -> Result<Self, EnvError> {
        let Some(first) = envs.first() else {
            return Err(EnvError::Other("a vector of worlds needs at least one".into()));
        };
        let Some(actions) = first.action_space().discrete_n() else {
            let id = &first.spec().id;
            return Err(EnvError::Other(format!("{id}: a vector of worlds needs discrete actions; discretise them")));
        };
        let alike = |env: &dyn Env| {
            env.action_space() == first.action_space() && env.observation_space() == first.observation_space()
        };
        if let Some(slot) = envs.iter().position(|env| !alike(env.as_ref())) {
            let (id, first) = (&envs[slot].spec().id, &first.spec().id);
            return Err(EnvError::Other(format!("slot {slot} ({id}) has other spaces than slot 0 ({first})")));
        }
        Ok(Self { observation_len: first.observation_len(), actions, envs })
    }

    /// How many slots there are; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.envs.len()
    }

    /// How many numbers one slot's observation has.
    pub fn observation_len(&self) -> usize {
        self.observation_len
    }

    /// The worlds, slot by slot.
    pub fn envs(&self) -> &[Box<dyn Env>] {
        &self.envs
    }

    /// Which actions a slot allows; see [`Env::action_mask`].
    pub fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.envs.get(slot)?.action_mask()
    }

    /// Starts an episode in each slot. Slot `i` is seeded with `seed + i`, as Gymnasium's vector worlds are.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if `observations` is not a batch of one observation per slot.
    pub fn reset(&mut self, seed: u64, observations: &mut [f32]) -> Result<(), EnvError> {
        self.check_batch(observations)?;
        for (slot, observation) in observations.chunks_exact_mut(self.observation_len.max(1)).enumerate() {
            self.envs[slot].reset(Some(seed.wrapping_add(slot as u64)), observation)?;
        }
        Ok(())
    }

    /// Takes one action in each slot.
    ///
    /// `steps` and `next_observations` get what each action led to, for a slot that ended its true last observation.
    /// `observations` gets what to act on next: the same, or for a slot that ended the first observation of a new
    /// episode, with the slot's generator going on.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`], [`EnvError::ObservationLength`] and slices of another length than the number of
    /// slots are found before any world is stepped. [`EnvError::ResetNeeded`] before the first reset.
    pub fn step(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        next_observations: &mut [f32],
        observations: &mut [f32],
    ) -> Result<(), EnvError> {
        self.check_batch(next_observations)?;
        self.check_batch(observations)?;
        let slots = self.envs.len();
        if actions.len() != slots || steps.len() != slots {
            let found = format!("{} actions and room for {} steps", actions.len(), steps.len());
            return Err(EnvError::Other(format!("{found} given for {slots} slots")));
        }
        for action in actions {
            Action::Discrete(*action).discrete(self.actions)?;
        }
        let width = self.observation_len;
        for (slot, env) in self.envs.iter_mut().enumerate() {
            let row = slot * width..(slot + 1) * width;
            let next = &mut next_observations[row.clone()];
            steps[slot] = env.step(Action::Discrete(actions[slot]), next)?;
            if steps[slot].ended() {
                env.reset(None, &mut observations[row])?;
            } else {
                observations[row].copy_from_slice(next);
            }
        }
        Ok(())
    }

    /// The complete state of all slots.
    pub fn save(&self) -> Vec<u8> {
        let mut writer = StateWriter::new();
        writer.index(self.envs.len());
        for env in &self.envs {
            writer.bytes(&env.save());
        }
        writer.into_bytes()
    }

    /// Takes over a state that [`VectorEnv::save`] wrote, of a vector with as many slots.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state; all slots are then unchanged.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let id = self.envs[0].spec().id.clone();
        let invalid = |e: StateError| EnvError::InvalidState { id: format!("a vector of {id}"), reason: e.0 };
        let states = self.split(state).map_err(invalid)?;
        let before: Vec<Vec<u8>> = self.envs.iter().map(|env| env.save()).collect();
        for (slot, state) in states.into_iter().enumerate() {
            if let Err(error) = self.envs[slot].restore(state) {
                for (env, state) in self.envs.iter_mut().zip(&before).take(slot) {
                    env.restore(state)?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn split<'a>(&self, state: &'a [u8]) -> Result<Vec<&'a [u8]>, StateError> {
        let mut reader = StateReader::new(state);
        let slots = reader.u64()?;
        if slots != self.envs.len() as u64 {
            return Err(StateError(format!("it has {slots} slots, expected {}", self.envs.len())));
        }
        let states = (0..slots).map(|_| reader.bytes()).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(states)
    }

    fn check_batch(&self, batch: &[f32]) -> Result<(), EnvError> {
        let expected = self.envs.len() * self.observation_len;
        if batch.len() == expected {
            return Ok(());
        }
        Err(EnvError::ObservationLength { expected, found: batch.len() })
    }
}
