//! [`Simulation`], an environment made from only its rules: [`Dynamics`] defines what happens, `Simulation` keeps the contract.

use crate::batch::SimulationBatch;
use crate::{
    Action, BatchEnv, Env, EnvError, EnvSpec, GymRng, Scene, Space, StateError, StateReader, StateWriter, Step,
    check_observation,
};

/// The rules of an environment: its state, how it starts, how it changes, and its observations.
///
/// An implementation need not handle seeds, invalid actions, steps after the end, lengths of slices or the format of saved states:
/// [`Simulation`] does. The methods are only called in the order of an episode.
pub trait Dynamics: Clone + Send + 'static {
    /// Sets the state to the start of an episode.
    fn reset(&mut self, rng: &mut GymRng);

    /// Changes the state by one action, which is in the action space.
    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step;

    /// Changes each of `envs` by its own of `actions`, which are discrete; all slices have the same length.
    ///
    /// Rules that can be computed for several environments at once may do so here. The result must equal that of [`Dynamics::step`] for
    /// each, bit for bit.
    fn step_all(envs: &mut [Self], actions: &[usize], rngs: &mut [GymRng], steps: &mut [Step]) {
        for (((env, action), rng), step) in envs.iter_mut().zip(actions).zip(rngs).zip(steps) {
            *step = env.step(Action::Discrete(*action), rng);
        }
    }

    /// Writes the observation of the state; the slice has the length of the observation space.
    fn observe(&self, observation: &mut [f32]);

    /// Appends the state.
    fn save(&self, writer: &mut StateWriter);

    /// Reads a state that [`Dynamics::save`] wrote; after an error this value is discarded.
    ///
    /// # Errors
    /// [`StateError`] if the bytes end early or are not such a state.
    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError>;

    /// Whether an episode can continue from the state: false if each step that leads to such a state ends the episode, or if no episode can
    /// reach it. A saved state that claims an episode in progress there is refused.
    fn can_go_on(&self) -> bool {
        true
    }

    /// The state, drawn; `None` if there is nothing to see.
    fn scene(&self) -> Option<Scene> {
        None
    }

    /// Writes the metrics of the last step; see [`Env::metrics`].
    fn metrics(&self, numbers: &mut [f64]) {
        _ = numbers;
    }

    /// Which actions the state allows; see [`Env::action_mask`].
    fn action_mask(&self) -> Option<&[bool]> {
        None
    }
}

/// An environment made from its rules.
///
/// ```
/// use requel_envs::{classic::CartPole, Action, Env};
///
/// let mut env = CartPole::default().into_env();
/// let mut observation = [0.0; 4];
/// env.reset(Some(1), &mut observation)?;
/// assert!(env.step(Action::Discrete(2), &mut observation).is_err(), "CartPole has the actions 0 and 1");
/// assert_eq!(env.step(Action::Discrete(1), &mut observation)?.reward, 1.0);
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simulation<D> {
    pub(crate) spec: EnvSpec,
    pub(crate) observation_space: Space,
    action_space: Space,
    pub(crate) dynamics: D,
    pub(crate) rng: GymRng,
    /// Between a reset and the end of its episode.
    pub(crate) running: bool,
}

impl<D: Dynamics> Simulation<D> {
    /// An environment with the rules `dynamics`, never seeded and not yet reset.
    pub fn new(spec: EnvSpec, observation_space: Space, action_space: Space, dynamics: D) -> Self {
        Self { spec, observation_space, action_space, dynamics, rng: GymRng::default(), running: false }
    }

    /// The rules with their current state.
    pub fn dynamics(&self) -> &D {
        &self.dynamics
    }

    /// The same, for setting an arbitrary state between a reset and a step.
    pub fn dynamics_mut(&mut self) -> &mut D {
        &mut self.dynamics
    }

    fn check_action(&self, action: Action<'_>) -> Result<(), EnvError> {
        let fits = match (&self.action_space, action) {
            (Space::Discrete { n }, action) => return action.discrete(*n).map(|_| ()),
            (space @ Space::Box { .. }, Action::Continuous(values)) => space.contains(values),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(EnvError::InvalidAction { action: format!("{action:?}"), expected: format!("{:?}", self.action_space) })
    }
}

impl<D: Dynamics> Env for Simulation<D> {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observation_space
    }

    fn action_space(&self) -> &Space {
        &self.action_space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check_observation(self.observation_len(), observation)?;
        if let Some(seed) = seed {
            self.rng = GymRng::from_seed(seed);
        }
        self.dynamics.reset(&mut self.rng);
        self.dynamics.observe(observation);
        self.running = true;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if !self.running {
            return Err(EnvError::ResetNeeded { id: self.spec.id.clone() });
        }
        check_observation(self.observation_len(), observation)?;
        self.check_action(action)?;
        let step = self.dynamics.step(action, &mut self.rng);
        self.dynamics.observe(observation);
        self.running = !step.ended();
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Ok(write_state(&self.rng, self.running, &self.dynamics))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let parsed = read_state(&self.dynamics, state);
        (self.rng, self.running, self.dynamics) =
            parsed.map_err(|e| EnvError::InvalidState { id: self.spec.id.clone(), reason: e.0 })?;
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        self.dynamics.scene()
    }

    fn action_mask(&self) -> Option<&[bool]> {
        self.dynamics.action_mask()
    }

    fn metrics(&self, numbers: &mut [f64]) {
        self.dynamics.metrics(numbers);
    }

    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        Some(Box::new(SimulationBatch::of(self)))
    }
}

/// The bytes of an environment's state: its generator, whether an episode is in progress, and the state of its rules.
pub(crate) fn write_state<D: Dynamics>(rng: &GymRng, running: bool, dynamics: &D) -> Vec<u8> {
    let mut writer = StateWriter::new();
    rng.save(&mut writer);
    writer.bool(running);
    dynamics.save(&mut writer);
    writer.into_bytes()
}

/// Reads what [`write_state`] wrote, for rules with the options of `like`.
pub(crate) fn read_state<D: Dynamics>(like: &D, state: &[u8]) -> Result<(GymRng, bool, D), StateError> {
    let mut reader = StateReader::new(state);
    let rng = GymRng::restore(&mut reader)?;
    let running = reader.bool()?;
    let mut dynamics = like.clone();
    dynamics.restore(&mut reader)?;
    reader.finish()?;
    if running && !dynamics.can_go_on() {
        return Err(StateError("an episode continues where none can".into()));
    }
    Ok((rng, running, dynamics))
}
