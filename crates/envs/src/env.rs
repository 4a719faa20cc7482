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

/// What one step led to, beside the observation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The reward of the transition.
    pub reward: f64,
    /// The environment reached a terminal state: there is no future to bootstrap from.
    pub terminated: bool,
    /// The episode was cut off from outside (a time limit): the future goes on, unobserved.
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
/// - `reset(Some(seed))` makes all that follows a function of the seed and the actions; `reset(None)` goes on with the
///   generator as it is. An environment that was never seeded behaves as if seeded with 0.
/// - The action is checked before anything changes.
/// - `restore(save())`, on another instance of the same environment and options too, continues with the same bits; or the
///   environment refuses both, always, with [`EnvError::CannotSave`].
///
/// `conformance::check` runs any environment through all of it.
pub trait Env: Send {
    /// What is known of this environment without running it.
    fn spec(&self) -> &EnvSpec;

    /// The space of observations.
    fn observation_space(&self) -> &Space;

    /// The space of actions.
    fn action_space(&self) -> &Space;

    /// Starts an episode and writes its first observation.
    ///
    /// # Errors
    /// [`EnvError::ObservationLength`] if the slice has another length than [`Env::observation_len`].
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// Takes an action and writes the observation that follows, which after the end of an episode is its true last one.
    ///
    /// # Errors
    /// [`EnvError::ResetNeeded`], [`EnvError::InvalidAction`], [`EnvError::ObservationLength`].
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError>;

    /// The complete state: what [`Env::restore`] needs to continue with the same bits.
    ///
    /// An environment that has no such thing (a robot, a simulator that cannot be copied) leaves both methods out. A training in
    /// it can still be resumed, but starts new episodes then, and its results say so.
    ///
    /// # Errors
    /// [`EnvError::CannotSave`] if the environment never can; anything else is a failure, which stops whoever asked.
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Err(EnvError::CannotSave { id: self.spec().id.clone() })
    }

    /// Takes over a state that [`Env::save`] wrote.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state, and [`EnvError::CannotSave`] if there are none; the
    /// environment is then unchanged.
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        _ = state;
        Err(EnvError::CannotSave { id: self.spec().id.clone() })
    }

    /// The environment as it is now, drawn; `None` where there is nothing to see.
    fn scene(&self) -> Option<Scene> {
        None
    }

    /// Which discrete actions are allowed in the present state, one flag per action; `None` means all are.
    fn action_mask(&self) -> Option<&[bool]> {
        None
    }

    /// Writes what there is to report of the last step: a number for each of the [`EnvSpec::metrics`], in their order. They are NaN
    /// before, and what stays so was not reported. Asked after each step where the spec has metrics.
    fn metrics(&self, numbers: &mut [f64]) {
        _ = numbers;
    }

    /// This environment, as it is now, as a batch of one slot to which others can be joined; `None` if there is no faster way
    /// than to step environments of this kind one after the other.
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

/// Looks whether what an environment says of itself can be: [`EnvSpec::check`] of its spec, [`Space::check`] of its spaces.
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

/// Refuses an observation slice of another length than `expected`.
pub(crate) fn check_observation(expected: usize, observation: &[f32]) -> Result<(), EnvError> {
    match observation.len() {
        found if found == expected => Ok(()),
        found => Err(EnvError::ObservationLength { expected, found }),
    }
}
