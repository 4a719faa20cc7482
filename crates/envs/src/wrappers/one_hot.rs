//! [`OneHot`], discrete observations in the form that a network needs.

use std::any::Any;

use super::forward::forward;
use crate::{Action, BatchEnv, DType, Env, EnvError, EnvSpec, Scene, Space, Step, check_observation};

/// Turns a [`Space::Discrete`] or [`Space::MultiDiscrete`] observation into numbers that are 1 at the observed value and 0 elsewhere, entry
/// after entry, like Gymnasium's `flatten`. Other observations pass unchanged.
///
/// A number outside the space is [`EnvError::Contract`]; NaN or infinity is written to all numbers of its entry, so that later checks find
/// it.
///
/// ```
/// use requel_envs::{Env, Space, make, wrappers::OneHot};
///
/// let env = OneHot::new(make("CartPole-v1")?)?;
/// assert_eq!(env.observation_len(), env.observation_space().flat_dim());
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OneHot<E> {
    env: E,
    spec: EnvSpec,
    space: Space,
    code: Code,
    inner: Vec<f32>,
}

impl<E: Env> OneHot<E> {
    /// `env` with its observation one-hot if it is discrete.
    ///
    /// # Errors
    /// [`EnvError::Contract`] if its observation space is invalid, see [`Space::check`], or has more than 16 777 216 discrete values in
    /// all.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let code = Code::of(&env)?;
        let flat = env.observation_space().flat_dim();
        let space = match env.observation_space() {
            space @ Space::Box { .. } => space.clone(),
            _ => Space::Box { low: vec![0.0; flat], high: vec![1.0; flat], shape: vec![flat], dtype: DType::Bool },
        };
        let mut spec = env.spec().clone();
        if !code.sizes.is_empty() {
            // Its values, each of which is now a number, may be millions.
            spec.observation_names.clear();
        }
        Ok(Self { spec, space, inner: vec![0.0; code.sizes.len()], code, env })
    }
}

impl OneHot<()> {
    /// The batch of environments like `like`, with observations one-hot if they are discrete.
    ///
    /// # Errors
    /// As [`OneHot::new`].
    pub fn batch(like: &dyn Env, batch: Box<dyn BatchEnv>) -> Result<Box<dyn BatchEnv>, EnvError> {
        Ok(Code::of(like)?.around(batch))
    }
}

impl<E: Env> Env for OneHot<E> {
    forward!(action_space, save, restore, scene, action_mask, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if self.code.sizes.is_empty() {
            return self.env.reset(seed, observation);
        }
        check_observation(self.space.len(), observation)?;
        self.env.reset(seed, &mut self.inner)?;
        self.code.write(&self.inner, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.code.sizes.is_empty() {
            return self.env.step(action, observation);
        }
        check_observation(self.space.len(), observation)?;
        let step = self.env.step(action, &mut self.inner)?;
        self.code.write(&self.inner, observation)?;
        Ok(step)
    }

    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        Some(self.code.clone().around(self.env.batch()?))
    }
}

/// Maximum numbers of an observation: 2²⁴, as many as one discrete entry may have.
const MOST_INPUTS: usize = 1 << 24;

/// From discrete values to numbers that are 0 or 1.
#[derive(Clone, Debug)]
struct Code {
    id: String,
    /// The space of the inner observation.
    space: Space,
    /// How many values each entry of the inner observation has; empty if it passes unchanged.
    sizes: Vec<usize>,
}

impl Code {
    fn of(env: &(impl Env + ?Sized)) -> Result<Self, EnvError> {
        let (id, space) = (env.spec().id.clone(), env.observation_space().clone());
        let breach =
            |reason: String| EnvError::Contract { id: id.clone(), breach: format!("its observation space {reason}") };
        space.check().map_err(breach)?;
        let sizes = match &space {
            Space::Discrete { n } => vec![*n],
            Space::MultiDiscrete { n } => n.clone(),
            Space::Box { .. } => vec![],
        };
        if sizes.iter().fold(0usize, |sum, n| sum.saturating_add(*n)) > MOST_INPUTS {
            return Err(breach(format!("has more than {MOST_INPUTS} discrete values, one number each")));
        }
        Ok(Code { id, space, sizes })
    }

    fn write(&self, inner: &[f32], observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        let mut start = 0;
        for (value, size) in inner.iter().zip(&self.sizes) {
            if !value.is_finite() {
                observation[start..start + size].fill(*value);
            } else if *value >= 0.0 && value.fract() == 0.0 && (*value as usize) < *size {
                observation[start + *value as usize] = 1.0;
            } else {
                let breach = match inner {
                    [value] => format!("the observation {value} is not in {:?}", self.space),
                    _ => format!("the observation {inner:?} is not in {:?}", self.space),
                };
                return Err(EnvError::Contract { id: self.id.clone(), breach });
            }
            start += size;
        }
        Ok(())
    }

    fn around(self, envs: Box<dyn BatchEnv>) -> Box<dyn BatchEnv> {
        if self.sizes.is_empty() {
            return envs;
        }
        let inner = vec![0.0; self.sizes.len() * envs.slots()];
        Box::new(OneHotBatch { envs, code: self, inner })
    }
}

/// Several environments at once, with discrete observations.
struct OneHotBatch {
    envs: Box<dyn BatchEnv>,
    /// The encoder of each slot.
    code: Code,
    /// Slots × entries.
    inner: Vec<f32>,
}

impl BatchEnv for OneHotBatch {
    fn slots(&self) -> usize {
        self.envs.slots()
    }

    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        let Ok(other) = (other as Box<dyn Any>).downcast::<Self>() else { return false };
        let joined = self.code.sizes == other.code.sizes && self.envs.join(other.envs);
        if joined {
            self.inner.extend(other.inner);
        }
        joined
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let entries = self.code.sizes.len();
        let inner = &mut self.inner[slot * entries..][..entries];
        self.envs.reset(slot, seed, inner)?;
        self.code.write(inner, observation)
    }

    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        self.envs.step(actions, steps, &mut self.inner)?;
        let rows = observations.chunks_exact_mut(observations.len() / actions.len());
        self.inner
            .chunks_exact(self.code.sizes.len())
            .zip(rows)
            .try_for_each(|(inner, row)| self.code.write(inner, row))
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.envs.action_mask(slot)
    }

    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        self.envs.metrics(slot, numbers);
    }

    fn began(&self, slot: usize) -> bool {
        self.envs.began(slot)
    }

    fn scene(&self, slot: usize) -> Option<Scene> {
        self.envs.scene(slot)
    }

    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        self.envs.save(slot)
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        self.envs.restore(slot, state)
    }
}
