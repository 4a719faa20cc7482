//! [`Discretize`], which replaces continuous actions by a few discrete ones.

use super::forward::forward;
use crate::{Action, Env, EnvError, Space, Step};

/// Gives an environment with bounded continuous actions a [`Space::Discrete`] of evenly spaced ones, bounds included.
///
/// With several numbers per action, the discrete actions are all combinations, with the last number changing fastest.
///
/// ```
/// use requel_envs::{Action, Env, Space, make, wrappers::Discretize};
///
/// // Torques of −2, −1, 0, 1 and 2 N m.
/// let mut env = Discretize::new(make("Pendulum-v1")?, 5)?;
/// assert_eq!(env.action_space(), &Space::Discrete { n: 5 });
/// assert_eq!(env.values(3), Some(&[1.0][..]));
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Discretize<E> {
    env: E,
    space: Space,
    /// Row-major, one row per discrete action.
    table: Vec<f32>,
    width: usize,
}

impl<E: Env> Discretize<E> {
    /// `env` with `steps` values per number of an action.
    ///
    /// # Errors
    /// [`EnvError::Other`] if its actions are not continuous and bounded on both sides, if `steps` is below 2, or if there
    /// would be more than 65 536 actions.
    pub fn new(env: E, steps: usize) -> Result<Self, EnvError> {
        const MOST: usize = 65_536;
        let refused = |reason: &str| Err(EnvError::Other(format!("{} cannot be discretised: {reason}", env.spec().id)));
        let Space::Box { low, high, .. } = env.action_space() else {
            return refused("its actions are already discrete");
        };
        if low.is_empty() || low.len() != high.len() {
            return refused("its actions have no numbers, or not two bounds for each");
        }
        if low.iter().chain(high).any(|bound| !bound.is_finite()) {
            return refused("its actions are unbounded");
        }
        if steps < 2 {
            return refused("give at least 2 values per number");
        }
        let width = low.len();
        let actions = u32::try_from(width).ok().and_then(|width| steps.checked_pow(width));
        let Some(actions) = actions.filter(|actions| *actions <= MOST) else {
            return refused("there would be more than 65536 actions");
        };
        let mut table = Vec::with_capacity(actions * width);
        for action in 0..actions {
            for (place, (low, high)) in low.iter().zip(high).enumerate() {
                let digit = action / steps.pow((width - 1 - place) as u32) % steps;
                let (low, high) = (f64::from(*low), f64::from(*high));
                table.push((low + (high - low) * (digit as f64 / (steps - 1) as f64)) as f32);
            }
        }
        Ok(Self { env, space: Space::Discrete { n: actions }, table, width })
    }

    /// The continuous action for a discrete one; `None` beyond the last.
    pub fn values(&self, action: usize) -> Option<&[f32]> {
        self.table.chunks_exact(self.width.max(1)).nth(action)
    }
}

impl<E: Env> Env for Discretize<E> {
    forward!(spec, observation_space, reset, save, restore, scene, metrics);

    fn action_space(&self) -> &Space {
        &self.space
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let index = action.discrete(self.table.len() / self.width)?;
        let row = index * self.width..(index + 1) * self.width;
        self.env.step(Action::Continuous(&self.table[row]), observation)
    }
}
