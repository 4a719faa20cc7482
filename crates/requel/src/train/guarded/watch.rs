//! [`Watch`], the checks of everything that one environment returns.

use requel_envs::{DType, Env, EnvError, Space, check_description};

/// A NaN bit pattern that marks unwritten values; no environment produces it on purpose.
const UNWRITTEN: u32 = 0x7fc0_dead;

/// One environment's specification and what has been observed since, for comparison with what it returns.
#[derive(Clone)]
pub(super) struct Watch {
    id: String,
    /// The bounds of each number if observations are stored as bytes.
    bytes: Option<(Vec<f32>, Vec<f32>)>,
    /// The number of actions, if the action space is discrete.
    actions: Option<usize>,
    /// Whether seeding needs no further check.
    seed_checked: bool,
    /// Whether it had a mask at its first observation.
    masked: Option<bool>,
    /// Its latest mask: returned instead of calling the environment, which could panic.
    mask: Vec<bool>,
    has_mask: bool,
    /// Its latest metrics, returned in the same way.
    metrics: Vec<f64>,
}

impl Watch {
    /// For `env`, with a valid specification.
    ///
    /// # Errors
    /// The invalid part of the specification.
    pub(super) fn of(env: &dyn Env) -> Result<Self, EnvError> {
        let (id, actions) = (env.spec().id.clone(), env.action_space().discrete_n());
        check_description(env)?;
        let bytes = match env.observation_space() {
            Space::Box { dtype: DType::U8 | DType::Bool, low, high, .. } => Some((low.clone(), high.clone())),
            _ => None,
        };
        let metrics = vec![f64::NAN; env.spec().metrics.len()];
        let seed_checked = !env.spec().heeds_seeds;
        Ok(Watch { id, bytes, actions, seed_checked, masked: None, mask: Vec::new(), has_mask: false, metrics })
    }

    /// The environment's own id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Resets with `reset`, the first time with a seed twice: both results must be the same.
    pub(super) fn reset(
        &mut self,
        seed: Option<u64>,
        observation: &mut [f32],
        mut reset: impl FnMut(&mut [f32]) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        let seed = seed.filter(|_| !self.seed_checked);
        let mut again = vec![0.0; if seed.is_some() { observation.len() } else { 0 }];
        if seed.is_some() {
            reset(&mut again)?;
        }
        Self::clear(observation);
        reset(observation)?;
        self.check_observation(observation)?;
        if let Some(seed) = seed {
            let same = observation.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits());
            if !same {
                return Err(self.breach(format!("two resets with the seed {seed} give different observations")));
            }
            self.seed_checked = true;
        }
        Ok(())
    }

    /// Fills the buffer with marks, so that unwritten values are noticed.
    pub(super) fn clear(observations: &mut [f32]) {
        observations.fill(f32::from_bits(UNWRITTEN));
    }

    /// Any problem with an observation that was written after [`Watch::clear`].
    pub(super) fn check_observation(&self, observation: &[f32]) -> Result<(), EnvError> {
        if let Some(at) = observation.iter().position(|value| value.to_bits() == UNWRITTEN) {
            return Err(self.breach(format!("number {at} of {} of an observation was not written", observation.len())));
        }
        // A fraction or a larger number would be changed in the replay buffer. Numbers that are not finite are found elsewhere.
        let Some((low, high)) = &self.bytes else { return Ok(()) };
        let fits = |value: f32, low: f32, high: f32| {
            !value.is_finite() || (low <= value && value <= high && value.fract() == 0.0)
        };
        match observation.iter().zip(low.iter().zip(high)).position(|(value, (low, high))| !fits(*value, *low, *high)) {
            None => Ok(()),
            Some(at) => Err(self.breach(format!(
                "number {at} of an observation of bytes is {}, not a whole number from {} to {}",
                observation[at], low[at], high[at]
            ))),
        }
    }

    /// Room for the metrics of a step.
    pub(super) fn metrics_to_write(&mut self) -> &mut [f64] {
        self.metrics.fill(f64::NAN);
        &mut self.metrics
    }

    /// The latest metrics.
    pub(super) fn metrics(&self) -> &[f64] {
        &self.metrics
    }

    /// Stores the current mask.
    pub(super) fn take_mask(&mut self, mask: Option<&[bool]>) {
        self.has_mask = mask.is_some();
        self.mask.clear();
        self.mask.extend_from_slice(mask.unwrap_or_default());
    }

    /// The latest mask.
    pub(super) fn mask(&self) -> Option<&[bool]> {
        self.has_mask.then_some(&self.mask)
    }

    /// Any problem with the latest mask, after a step that `ended` an episode or did not.
    pub(super) fn check_mask(&mut self, ended: bool) -> Result<(), EnvError> {
        let masked = *self.masked.get_or_insert(self.has_mask);
        match (self.mask(), self.actions) {
            (Some(_), _) if !masked => Err(self.breach(
                "it has an action mask now although it had none at \
                                                        first"
                    .into(),
            )),
            (None, _) if masked => Err(self.breach(
                "its action mask has disappeared; a mask that allows every action \
                                                    must still be given"
                    .into(),
            )),
            (Some(mask), Some(actions)) if mask.len() != actions => {
                Err(self.breach(format!("its action mask has {} flags for {actions} actions", mask.len())))
            }
            (Some(mask), _) if !ended && !mask.contains(&true) => {
                Err(self.breach("its action mask allows no action although the episode has not ended".into()))
            }
            _ => Ok(()),
        }
    }

    /// The error for a breach of the contract.
    pub(super) fn breach(&self, what: String) -> EnvError {
        breach(&self.id, what)
    }
}

fn breach(id: &str, what: String) -> EnvError {
    EnvError::Contract { id: id.into(), breach: what }
}
