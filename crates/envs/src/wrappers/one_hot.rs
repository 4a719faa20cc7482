//! [`OneHot`], discrete observations as a network wants them.

use super::forward::forward;
use crate::{Action, DType, Env, EnvError, Space, Step, check_observation};

/// Shows a [`Space::Discrete`] or [`Space::MultiDiscrete`] observation as numbers that are 1 at the observed value and
/// 0 elsewhere, entry after entry, as Gymnasium's `flatten` does. Other observations pass unchanged.
///
/// A number that is none of the space's is [`EnvError::Contract`]; NaN or infinity in the place of one is shown in the place of
/// all of its entry, so that whoever looks for them finds them.
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
    space: Space,
    /// How many values each entry of the inner observation has; empty if it passes unchanged.
    sizes: Vec<usize>,
    inner: Vec<f32>,
}

/// Numbers that an observation may become: 2²⁴, as many as one discrete entry may have.
const MOST_INPUTS: usize = 1 << 24;

impl<E: Env> OneHot<E> {
    /// `env`, its observation one-hot if it is discrete.
    ///
    /// # Errors
    /// [`EnvError::Contract`] if its observation space is not sound, see [`Space::check`], or has more than 16 777 216 discrete
    /// values in all.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let breach = |reason: String| EnvError::Contract {
            id: env.spec().id.clone(),
            breach: format!("its observation space {reason}"),
        };
        env.observation_space().check().map_err(breach)?;
        if let Space::MultiDiscrete { n } = env.observation_space()
            && n.iter().fold(0usize, |sum, n| sum.saturating_add(*n)) > MOST_INPUTS
        {
            return Err(breach(format!("has more than {MOST_INPUTS} discrete values, one number each")));
        }
        let sizes = match env.observation_space() {
            Space::Discrete { n } => vec![*n],
            Space::MultiDiscrete { n } => n.clone(),
            Space::Box { .. } => vec![],
        };
        let flat = env.observation_space().flat_dim();
        let space = match env.observation_space() {
            space @ Space::Box { .. } => space.clone(),
            _ => Space::Box { low: vec![0.0; flat], high: vec![1.0; flat], shape: vec![flat], dtype: DType::Bool },
        };
        Ok(Self { space, inner: vec![0.0; sizes.len()], sizes, env })
    }

    fn encode(&self, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        let mut start = 0;
        for (value, size) in self.inner.iter().zip(&self.sizes) {
            if !value.is_finite() {
                observation[start..start + size].fill(*value);
            } else if *value >= 0.0 && value.fract() == 0.0 && (*value as usize) < *size {
                observation[start + *value as usize] = 1.0;
            } else {
                let (id, space) = (self.env.spec().id.clone(), self.env.observation_space());
                let breach = match self.inner[..] {
                    [value] => format!("the observation {value} is none of {space:?}"),
                    _ => format!("the observation {:?} is none of {space:?}", self.inner),
                };
                return Err(EnvError::Contract { id, breach });
            }
            start += size;
        }
        Ok(())
    }
}

impl<E: Env> Env for OneHot<E> {
    forward!(spec, action_space, save, restore, scene, action_mask);

    fn observation_space(&self) -> &Space {
        &self.space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if self.sizes.is_empty() {
            return self.env.reset(seed, observation);
        }
        check_observation(self.space.len(), observation)?;
        self.env.reset(seed, &mut self.inner)?;
        self.encode(observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.sizes.is_empty() {
            return self.env.step(action, observation);
        }
        check_observation(self.space.len(), observation)?;
        let step = self.env.step(action, &mut self.inner)?;
        self.encode(observation)?;
        Ok(step)
    }
}
