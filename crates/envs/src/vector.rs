//! [`VectorEnv`], several environments stepped together into one contiguous batch.

use crate::options::DISCRETIZE;
use crate::slots::Slots;
use crate::{
    Action, BatchEnv, Env, EnvError, EnvSpec, Scene, Space, StateError, StateReader, StateWriter, Step, option_specs,
};

/// `N` environments of one kind, the slots, stepped together; a slot whose episode ends is reset in the same step.
///
/// Batches of observations are row-major, one slot after the other, each [`VectorEnv::observation_len`] long.
///
/// Environments that have a [`BatchEnv`] are stepped at once, others one after the other; the results are the same.
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
    pub(crate) slots: Slots,
    /// The spec of the first slot.
    spec: EnvSpec,
    observation_space: Space,
    action_space: Space,
    observation_len: usize,
    actions: usize,
    threads: usize,
    /// Slots × metrics of the last step.
    metrics: Vec<f64>,
    /// By slot, the mask before the reset of an environment whose episode the last step ended; empty for the others.
    pub(crate) last_masks: Vec<Vec<bool>>,
}

impl VectorEnv {
    /// A vector of `envs`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if there are none, if their spaces differ, if their actions are not discrete, or if an observation
    /// has no numbers.
    pub fn new(envs: Vec<Box<dyn Env>>) -> Result<Self, EnvError> {
        let Some(first) = envs.first() else { return Err(no_environments()) };
        let alike = |env: &dyn Env| {
            env.action_space() == first.action_space() && env.observation_space() == first.observation_space()
        };
        if let Some(slot) = envs.iter().position(|env| !alike(env.as_ref())) {
            let (id, first) = (&envs[slot].spec().id, &first.spec().id);
            return Err(EnvError::Other(format!(
                "the spaces of slot {slot} ({id}) differ from those of slot 0 \
                                                ({first})"
            )));
        }
        let spaces = (first.observation_space().clone(), first.action_space().clone());
        let spec = first.spec().clone();
        Self::of(Slots::of(envs), spec, spaces)
    }

    /// A vector of the slots of `batch`, environments like `like`, which provides what the batch does not know: its spec and its spaces.
    ///
    /// # Errors
    /// [`EnvError::Other`] if the batch has no slots, if actions are not discrete, or if an observation has no numbers.
    pub fn from_batch(like: &dyn Env, batch: Box<dyn BatchEnv>) -> Result<Self, EnvError> {
        if batch.slots() == 0 {
            return Err(no_environments());
        }
        let spaces = (like.observation_space().clone(), like.action_space().clone());
        Self::of(Slots::whole(batch), like.spec().clone(), spaces)
    }

    fn of(slots: Slots, spec: EnvSpec, (observation_space, action_space): (Space, Space)) -> Result<Self, EnvError> {
        let Some(actions) = action_space.discrete_n() else { return Err(continuous_actions(&spec.id)) };
        let observation_len = observation_space.len();
        if observation_len == 0 {
            return Err(EnvError::Other(format!("{}: observations contain no numbers", spec.id)));
        }
        Ok(Self {
            metrics: vec![f64::NAN; slots.len() * spec.metrics.len()],
            last_masks: vec![vec![]; slots.len()],
            slots,
            spec,
            observation_space,
            action_space,
            observation_len,
            actions,
            threads: 1,
        })
    }

    /// The same environments, stepped by up to `threads` threads of rayon's pool (at least 1) from now on. Neighbouring slots stay
    /// together, and no result of a step depends on the number of threads. Environments stepped as a batch are fast: a thread gets at least
    /// 256 of them.
    #[cfg(feature = "threads")]
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.clamp(1, self.len());
    }

    /// How many slots there are; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many numbers one slot's observation has.
    pub fn observation_len(&self) -> usize {
        self.observation_len
    }

    /// The specification of the first slot's environment.
    pub fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    /// The space of one slot's observations.
    pub fn observation_space(&self) -> &Space {
        &self.observation_space
    }

    /// The space of one slot's actions, which is discrete.
    pub fn action_space(&self) -> &Space {
        &self.action_space
    }

    /// A slot's environment in its current state, drawn; `None` if there is no such slot, or nothing to see.
    pub fn scene(&self, slot: usize) -> Option<Scene> {
        (slot < self.len()).then(|| self.slots.scene(slot))?
    }

    /// Which actions a slot allows; see [`Env::action_mask`].
    pub fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.slots.action_mask(slot)
    }

    /// Which actions a slot allowed at the observation after the last step: for a slot whose episode ended, its true last one, not the
    /// first of the next episode.
    pub fn next_action_mask(&self, slot: usize) -> Option<&[bool]> {
        let last = self.last_masks.get(slot)?;
        if last.is_empty() { self.action_mask(slot) } else { Some(last) }
    }

    /// Starts an episode in each slot. Slot `i` is seeded with `seed + i`, like Gymnasium's vector environments.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if `observations` is not a batch of one observation per slot.
    pub fn reset(&mut self, seed: u64, observations: &mut [f32]) -> Result<(), EnvError> {
        self.check_batch(observations)?;
        for (slot, observation) in observations.chunks_exact_mut(self.observation_len.max(1)).enumerate() {
            self.slots.reset(slot, Some(seed.wrapping_add(slot as u64)), observation)?;
        }
        Ok(())
    }

    /// Takes one action in each slot.
    ///
    /// `steps` and `next_observations` receive the result of each action, for a slot whose episode ended its true last observation.
    /// `observations` receives what to act on next: the same, or for a slot whose episode ended the first observation of a new one, with
    /// the slot's generator continuing.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`], [`EnvError::ObservationLength`] and slices whose length differs from the number of slots are detected
    /// before any environment is stepped. [`EnvError::ResetNeeded`] before the first reset.
    pub fn step(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        next_observations: &mut [f32],
        observations: &mut [f32],
    ) -> Result<(), EnvError> {
        self.check_batch(observations)?;
        let width = self.observation_len;
        self.step_alone(actions, steps, next_observations)?;
        observations.copy_from_slice(next_observations);
        for (slot, _) in steps.iter().enumerate().filter(|(_, step)| step.ended()) {
            self.last_masks[slot].extend_from_slice(self.slots.action_mask(slot).unwrap_or_default());
            self.slots.reset(slot, None, &mut observations[slot * width..(slot + 1) * width])?;
        }
        Ok(())
    }

    /// The step without the resets.
    pub(crate) fn step_alone(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        next_observations: &mut [f32],
    ) -> Result<(), EnvError> {
        self.check_batch(next_observations)?;
        let slots = self.len();
        if actions.len() != slots || steps.len() != slots {
            let found = format!("{} actions given, with room for {} steps", actions.len(), steps.len());
            return Err(EnvError::Other(format!("{found} given for {slots} slots")));
        }
        for action in actions {
            Action::Discrete(*action).discrete(self.actions)?;
        }
        self.slots.step(actions, steps, next_observations, self.threads)?;
        self.read_metrics();
        self.last_masks.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// The metrics of a slot's last step, a number for each of the [`EnvSpec::metrics`]; NaN if it reported none. Also for a step that
    /// ended its episode.
    pub fn metrics(&self, slot: usize) -> &[f64] {
        let count = self.spec.metrics.len();
        self.metrics.get(slot * count..(slot + 1) * count).unwrap_or_default()
    }

    /// Whether the last step of a slot only started its episode: see [`BatchEnv::began`].
    pub fn began(&self, slot: usize) -> bool {
        slot < self.len() && self.slots.began(slot)
    }

    fn read_metrics(&mut self) {
        self.metrics.fill(f64::NAN);
        let count = self.spec.metrics.len().max(1);
        for (slot, numbers) in self.metrics.chunks_exact_mut(count).enumerate() {
            self.slots.metrics(slot, numbers);
        }
    }

    /// Discards the episode of one slot and starts another, with the slot's generator continuing.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if `observation` does not have the length for one slot; the error of the environment's reset; and
    /// [`EnvError::Other`] for a slot that does not exist.
    pub fn reset_slot(&mut self, slot: usize, observation: &mut [f32]) -> Result<(), EnvError> {
        let (expected, found) = (self.observation_len, observation.len());
        if found != expected {
            return Err(EnvError::ObservationLength { expected, found });
        }
        if slot >= self.len() {
            return Err(EnvError::Other(format!("slot {slot} of {} does not exist", self.len())));
        }
        self.last_masks[slot].clear();
        self.slots.reset(slot, None, observation)
    }

    /// The complete state of all slots.
    ///
    /// # Errors
    /// The error of the first slot whose environment does not save its state, such as [`EnvError::CannotSave`].
    pub fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        writer.index(self.len());
        for slot in 0..self.len() {
            writer.bytes(&self.slots.save(slot)?);
        }
        Ok(writer.into_bytes())
    }

    /// Restores a state that [`VectorEnv::save`] wrote, for a vector with the same number of slots.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state, [`EnvError::CannotSave`] if the environments have none; all slots are
    /// then unchanged.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let states = self.split(state).map_err(|e| {
            let id = format!("a vector of {}", self.spec.id);
            EnvError::InvalidState { id, reason: e.0 }
        })?;
        let before: Vec<Vec<u8>> = (0..self.len()).map(|slot| self.slots.save(slot)).collect::<Result<_, _>>()?;
        for (slot, state) in states.into_iter().enumerate() {
            if let Err(error) = self.slots.restore(slot, state) {
                for (slot, state) in before.iter().enumerate().take(slot) {
                    self.slots.restore(slot, state)?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn split<'a>(&self, state: &'a [u8]) -> Result<Vec<&'a [u8]>, StateError> {
        let mut reader = StateReader::new(state);
        let slots = reader.u64()?;
        if slots != self.len() as u64 {
            return Err(StateError(format!("it has {slots} slots, expected {}", self.len())));
        }
        let states = (0..slots).map(|_| reader.bytes()).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(states)
    }

    pub(crate) fn check_batch(&self, batch: &[f32]) -> Result<(), EnvError> {
        let expected = self.len() * self.observation_len;
        if batch.len() == expected {
            return Ok(());
        }
        Err(EnvError::ObservationLength { expected, found: batch.len() })
    }
}

fn no_environments() -> EnvError {
    EnvError::Other("a vector of environments needs at least one".into())
}

/// The error for an environment that cannot be used, with what to do about it.
fn continuous_actions(id: &str) -> EnvError {
    let has_option = option_specs(id).is_ok_and(|options| options.iter().any(|option| option.name == DISCRETIZE));
    let advice = match has_option {
        true => format!("set its option `{DISCRETIZE}` to the number of values you want, such as 5"),
        false => "put `wrappers::Discretize` around each environment".into(),
    };
    EnvError::Other(format!("{id} has continuous actions, but a vector of environments needs discrete ones: {advice}"))
}
