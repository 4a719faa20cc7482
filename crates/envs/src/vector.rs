//! [`VectorEnv`], several environments stepped together into one contiguous batch.

use std::cell::{OnceCell, RefCell};

use crate::divide::{Rows, SLOTS_WORTH_A_THREAD, divide};
use crate::options::DISCRETIZE;
use crate::{Action, BatchEnv, Env, EnvError, StateError, StateReader, StateWriter, Step, option_specs};

/// `N` environments of one kind, the slots, stepped together; a slot that ends is reset in the same step.
///
/// Batches of observations are row-major, one slot after the other, each [`VectorEnv::observation_len`] long.
///
/// Environments that have a [`BatchEnv`] are stepped at once, others one after the other; what comes of it is the same.
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
    slots: Slots,
    observation_len: usize,
    actions: usize,
    threads: usize,
    /// By slot, what an environment that the last step ended allowed before it was reset; empty for the others.
    last_masks: Vec<Vec<bool>>,
}

impl VectorEnv {
    /// A vector of `envs`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if there are none, if their spaces differ, if their actions are not discrete, or if an observation
    /// has no numbers.
    pub fn new(envs: Vec<Box<dyn Env>>) -> Result<Self, EnvError> {
        let Some(first) = envs.first() else {
            return Err(EnvError::Other("a vector of environments needs at least one".into()));
        };
        let Some(actions) = first.action_space().discrete_n() else {
            return Err(continuous_actions(&first.spec().id));
        };
        if first.observation_space().is_empty() {
            return Err(EnvError::Other(format!("{}: an observation has no numbers", first.spec().id)));
        }
        let alike = |env: &dyn Env| {
            env.action_space() == first.action_space() && env.observation_space() == first.observation_space()
        };
        if let Some(slot) = envs.iter().position(|env| !alike(env.as_ref())) {
            let (id, first) = (&envs[slot].spec().id, &first.spec().id);
            return Err(EnvError::Other(format!("slot {slot} ({id}) has other spaces than slot 0 ({first})")));
        }
        let (observation_len, last_masks) = (first.observation_len(), vec![vec![]; envs.len()]);
        Ok(Self { observation_len, actions, threads: 1, slots: Slots::of(envs, 1), last_masks })
    }

    /// The same environments, stepped by up to `threads` threads of rayon's pool (at least 1) from now on. Neighbouring slots
    /// stay together, and nothing that comes of a step depends on how many threads there are. Environments that are stepped as
    /// a batch are quick: a thread gets no fewer than 256 of them.
    #[cfg(feature = "threads")]
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.clamp(1, self.len());
        if let Slots::Batch(batch) = &mut self.slots {
            let envs = batch.take_envs();
            self.slots = Slots::of(envs, self.threads);
        }
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

    /// The environments, slot by slot, as they are now.
    ///
    /// Environments that are stepped as a batch are brought up to date at the first look after a step, all of them, which costs
    /// more than the step: look when there is something to draw, not at every step.
    pub fn envs(&self) -> &[Box<dyn Env>] {
        self.slots.envs()
    }

    /// Which actions a slot allows; see [`Env::action_mask`].
    pub fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.slots.action_mask(slot)
    }

    /// Which actions a slot allowed at the observation that the last step led to: for a slot that ended its true last
    /// one, not the first of the episode that follows.
    pub fn next_action_mask(&self, slot: usize) -> Option<&[bool]> {
        let last = self.last_masks.get(slot)?;
        if last.is_empty() { self.action_mask(slot) } else { Some(last) }
    }

    /// Starts an episode in each slot. Slot `i` is seeded with `seed + i`, as Gymnasium's vector environments are.
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
    /// `steps` and `next_observations` get what each action led to, for a slot that ended its true last observation.
    /// `observations` gets what to act on next: the same, or for a slot that ended the first observation of a new
    /// episode, with the slot's generator going on.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`], [`EnvError::ObservationLength`] and slices of another length than the number of
    /// slots are found before any environment is stepped. [`EnvError::ResetNeeded`] before the first reset.
    pub fn step(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        next_observations: &mut [f32],
        observations: &mut [f32],
    ) -> Result<(), EnvError> {
        self.check_batch(next_observations)?;
        self.check_batch(observations)?;
        let slots = self.len();
        if actions.len() != slots || steps.len() != slots {
            let found = format!("{} actions and room for {} steps", actions.len(), steps.len());
            return Err(EnvError::Other(format!("{found} given for {slots} slots")));
        }
        for action in actions {
            Action::Discrete(*action).discrete(self.actions)?;
        }
        let width = self.observation_len;
        self.slots.step(actions, steps, next_observations, self.threads)?;
        observations.copy_from_slice(next_observations);
        self.last_masks.iter_mut().for_each(Vec::clear);
        for (slot, _) in steps.iter().enumerate().filter(|(_, step)| step.ended()) {
            self.last_masks[slot].extend_from_slice(self.slots.action_mask(slot).unwrap_or_default());
            self.slots.reset(slot, None, &mut observations[slot * width..(slot + 1) * width])?;
        }
        Ok(())
    }

    /// Ends the episode of one slot as if it had never been and starts another, with the slot's generator going on.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if `observation` is not one slot's; what the environment's reset says; and
    /// [`EnvError::Other`] for a slot that there is not.
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
    pub fn save(&self) -> Vec<u8> {
        let mut writer = StateWriter::new();
        writer.index(self.len());
        for slot in 0..self.len() {
            writer.bytes(&self.slots.save(slot));
        }
        writer.into_bytes()
    }

    /// Takes over a state that [`VectorEnv::save`] wrote, of a vector with as many slots.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state; all slots are then unchanged.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let states = self.split(state).map_err(|e| {
            let id = format!("a vector of {}", self.envs()[0].spec().id);
            EnvError::InvalidState { id, reason: e.0 }
        })?;
        let before: Vec<Vec<u8>> = (0..self.len()).map(|slot| self.slots.save(slot)).collect();
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

    fn check_batch(&self, batch: &[f32]) -> Result<(), EnvError> {
        let expected = self.len() * self.observation_len;
        if batch.len() == expected {
            return Ok(());
        }
        Err(EnvError::ObservationLength { expected, found: batch.len() })
    }
}

/// The refusal of an environment, with what to do about it.
fn continuous_actions(id: &str) -> EnvError {
    let has_option = option_specs(id).is_ok_and(|options| options.iter().any(|option| option.name == DISCRETIZE));
    let advice = match has_option {
        true => format!("set its option `{DISCRETIZE}` to the number of values wanted, such as 5"),
        false => "put `wrappers::Discretize` around each environment".into(),
    };
    EnvError::Other(format!("{id} has continuous actions, a vector of environments needs discrete ones: {advice}"))
}

/// The environments of a vector, in the form in which they are stepped.
enum Slots {
    Single(Vec<Box<dyn Env>>),
    Batch(Batch),
}

/// Environments as a batch, and the same as single environments for whoever wants to look at them.
struct Batch {
    /// Batches of neighbouring slots, each of `part_len` slots, the last of no more.
    parts: Vec<Box<dyn BatchEnv>>,
    part_len: usize,
    count: usize,
    /// The single environments, up to date.
    seen: OnceCell<Vec<Box<dyn Env>>>,
    /// The single environments when the batch has gone on since.
    outdated: RefCell<Vec<Box<dyn Env>>>,
}

impl Slots {
    /// The slots in their best form, in up to `parts` parts.
    fn of(envs: Vec<Box<dyn Env>>, parts: usize) -> Self {
        let count = envs.len();
        let parts = parts.min(count / SLOTS_WORTH_A_THREAD).max(1);
        let part_len = count.div_ceil(parts);
        // Environments of two kinds may fall into two parts and are yet no batch.
        let parts = joined(&envs).and_then(|whole| match parts {
            1 => Some(vec![whole]),
            _ => envs.chunks(part_len).map(joined).collect(),
        });
        match parts {
            Some(parts) => {
                Slots::Batch(Batch { parts, part_len, count, seen: OnceCell::from(envs), outdated: RefCell::default() })
            }
            None => Slots::Single(envs),
        }
    }

    fn len(&self) -> usize {
        match self {
            Slots::Single(envs) => envs.len(),
            Slots::Batch(batch) => batch.count,
        }
    }

    fn envs(&self) -> &[Box<dyn Env>] {
        match self {
            Slots::Single(envs) => envs,
            Slots::Batch(batch) => batch.envs(),
        }
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        match self {
            Slots::Single(envs) => envs.get(slot)?.action_mask(),
            Slots::Batch(batch) if slot < batch.count => {
                let (part, slot) = batch.part(slot);
                part.action_mask(slot)
            }
            Slots::Batch(_) => None,
        }
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        match self {
            Slots::Single(envs) => envs[slot].reset(seed, observation),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part_mut(slot);
                part.reset(slot, seed, observation)
            }
        }
    }

    /// Where several slots fail, the error is that of the first of them.
    fn step(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        observations: &mut [f32],
        threads: usize,
    ) -> Result<(), EnvError> {
        let width = observations.len() / self.len();
        let envs = match self {
            Slots::Single(envs) => envs,
            Slots::Batch(batch) => {
                let slots = Rows { actions, steps, observations, width, unit: batch.part_len };
                return divide(batch.parts_mut(), slots, usize::MAX, &|part, actions, steps, observations| {
                    part.step(actions, steps, observations)
                });
            }
        };
        let slots = Rows { actions, steps, observations, width, unit: 1 };
        divide(envs, slots, threads, &|env, actions, steps, observation| {
            steps[0] = env.step(Action::Discrete(actions[0]), observation)?;
            Ok(())
        })
    }

    fn save(&self, slot: usize) -> Vec<u8> {
        match self {
            Slots::Single(envs) => envs[slot].save(),
            Slots::Batch(batch) => batch.save(slot),
        }
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        match self {
            Slots::Single(envs) => envs[slot].restore(state),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part_mut(slot);
                part.restore(slot, state)
            }
        }
    }
}

impl Batch {
    fn envs(&self) -> &[Box<dyn Env>] {
        self.seen.get_or_init(|| {
            let mut envs = self.outdated.take();
            for (slot, env) in envs.iter_mut().enumerate() {
                let restored = env.restore(&self.save(slot));
                debug_assert_eq!(restored, Ok(()), "a batch saves what its environments restore");
            }
            envs
        })
    }

    fn save(&self, slot: usize) -> Vec<u8> {
        let (part, slot) = self.part(slot);
        part.save(slot)
    }

    /// The batch that a slot is in, and which of its slots it is.
    fn part(&self, slot: usize) -> (&dyn BatchEnv, usize) {
        (self.parts[slot / self.part_len].as_ref(), slot % self.part_len)
    }

    /// As [`Batch::part`], which may go on.
    fn part_mut(&mut self, slot: usize) -> (&mut dyn BatchEnv, usize) {
        let part_len = self.part_len;
        (self.parts_mut()[slot / part_len].as_mut(), slot % part_len)
    }

    /// The single environments, up to date, without the batch.
    #[cfg(feature = "threads")]
    fn take_envs(&mut self) -> Vec<Box<dyn Env>> {
        self.envs();
        self.seen.take().unwrap_or_default()
    }

    /// The batches, which may go on.
    fn parts_mut(&mut self) -> &mut [Box<dyn BatchEnv>] {
        if let Some(envs) = self.seen.take() {
            *self.outdated.get_mut() = envs;
        }
        &mut self.parts
    }
}

/// The environments as one batch, if they have one and are all of a kind.
fn joined(envs: &[Box<dyn Env>]) -> Option<Box<dyn BatchEnv>> {
    let (first, rest) = envs.split_first()?;
    let mut batch = first.batch()?;
    rest.iter().all(|env| env.batch().is_some_and(|other| batch.join(other))).then_some(batch)
}
