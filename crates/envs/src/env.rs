//! [`Env`], the contract between an environment and whatever acts in it.

use crate::{BatchEnv, EnvError, EnvSpec, Scene, Space};

/// What an agent does in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action<'a> {
    /// The index of one of the actions of a [`Space::Discrete`].
    Discrete(usize),
    /// One number per element of a [`Space::Box`].
    Continuous(&'a [f32]),
}

impl Action<'_> {
    /// The index of this action in a space of `n` actions.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`] if it is not discrete or not below `n`.
    pub fn discrete(self, n: usize) -> Result<usize, EnvError> {
        match self {
            Action::Discrete(index) if index < n => Ok(index),
            _ => Err(EnvError::InvalidAction {
                action: format!("{self:?}"),
                expected: format!("Discrete({n}): 0 to {}", n.saturating_sub(1)),
            }),
        }
    }
}

impl From<usize> for Action<'_> {
    fn from(index: usize) -> Self {
        Action::Discrete(index)
    }
}

/// The result of one step, except the observation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The reward of the transition.
    pub reward: f64,
    /// The environment reached a terminal state: there is no future to bootstrap from.
    pub terminated: bool,
    /// The episode was cut off from outside (a time limit): it has a future, which is not observed.
    pub truncated: bool,
}

impl Step {
    /// Whether the episode is over, for either reason.
    pub fn ended(&self) -> bool {
        self.terminated || self.truncated
    }
}

/// An environment: a Markov decision process that is reset, then stepped until an episode ends.
///
/// Observations are written as `f32` into a slice of [`Env::observation_len`] values, row-major for images;
/// a discrete observation is its index as one number.
///
/// # Contract
/// - `reset` comes first, and again after a step that `terminated` or `truncated`; a `step` in between is refused with
///   [`EnvError::ResetNeeded`].
/// - `reset(Some(seed))` makes everything that follows a function of the seed and the actions; `reset(None)` continues with the generator
///   as it is. An environment that was never seeded behaves as if seeded with 0.
/// - The action is checked before anything changes.
/// - `restore(save())`, also on another instance of the same environment with the same options, continues with the same bits; or the
///   environment always refuses both, with [`EnvError::CannotSave`].
///
/// `conformance::check` tests all of this on any environment.
pub trait Env: Send {
    /// The specification of this environment, known without running it.
    fn spec(&self) -> &EnvSpec;

    /// The space of observations.
    fn observation_space(&self) -> &Space;

    /// The space of actions.
    fn action_space(&self) -> &Space;

    /// Starts an episode and writes its first observation.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if the length of the slice is not [`Env::observation_len`].
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// Takes an action and writes the observation that follows: at the end of an episode, its true last one.
    ///
    /// # Errors
    /// [`EnvError::ResetNeeded`], [`EnvError::InvalidAction`], [`EnvError::ObservationLength`].
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError>;

    /// The complete state: what [`Env::restore`] needs to continue with the same bits.
    ///
    /// An environment without such a state (a robot, a simulator that cannot be copied) does not implement either method. Training in it
    /// can still be resumed, but then starts new episodes, and its results say so.
    ///
    /// # Errors
    /// [`EnvError::CannotSave`] if the environment never can; any other error is a failure, which stops the caller.
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Err(EnvError::CannotSave { id: self.spec().id.clone() })
    }

    /// Restores a state that [`Env::save`] wrote.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state, and [`EnvError::CannotSave`] if the environment has none; the
    /// environment is then unchanged.
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        _ = state;
        Err(EnvError::CannotSave { id: self.spec().id.clone() })
    }

    /// The environment in its current state, drawn; `None` if there is nothing to see.
    fn scene(&self) -> Option<Scene> {
        None
    }

    /// Which discrete actions are allowed in the current state, one flag per action; `None` means all are.
    fn action_mask(&self) -> Option<&[bool]> {
        None
    }

    /// Writes the metrics of the last step: a number for each of the [`EnvSpec::metrics`], in their order. They are NaN before the call,
    /// and those that stay NaN were not reported. Called after each step if the spec has metrics.
    fn metrics(&self, numbers: &mut [f64]) {
        _ = numbers;
    }

    /// This environment in its current state, as a batch of one slot to which others can be joined; `None` if environments of this kind
    /// cannot be stepped faster than one after the other.
    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        None
    }

    /// How many numbers an observation has.
    fn observation_len(&self) -> usize {
        self.observation_space().len()
    }
}

impl<E: Env + ?Sized> Env for Box<E> {
    fn spec(&self) -> &EnvSpec {
        (**self).spec()
    }
    fn observation_space(&self) -> &Space {
        (**self).observation_space()
    }
    fn action_space(&self) -> &Space {
        (**self).action_space()
    }
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        (**self).reset(seed, observation)
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        (**self).step(action, observation)
    }
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        (**self).save()
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        (**self).restore(state)
    }
    fn scene(&self) -> Option<Scene> {
        (**self).scene()
    }
    fn action_mask(&self) -> Option<&[bool]> {
        (**self).action_mask()
    }
    fn metrics(&self, numbers: &mut [f64]) {
        (**self).metrics(numbers);
    }
    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        (**self).batch()
    }
}

/// Checks that an environment's description is valid: [`EnvSpec::check`] for its spec, [`Space::check`] for its spaces.
///
/// # Errors
/// [`EnvError::Contract`] with what is wrong.
pub fn check_description(env: &dyn Env) -> Result<(), EnvError> {
    env.spec().check()?;
    for (name, space) in [("observation", env.observation_space()), ("action", env.action_space())] {
        let breach = |reason| format!("its {name} space {reason}");
        space.check().map_err(|reason| EnvError::Contract { id: env.spec().id.clone(), breach: breach(reason) })?;
    }
    Ok(())
}

/// Refuses an observation slice whose length is not `expected`.
pub(crate) fn check_observation(expected: usize, observation: &[f32]) -> Result<(), EnvError> {
    match observation.len() {
        found if found == expected => Ok(()),
        found => Err(EnvError::ObservationLength { expected, found }),
    }
}
