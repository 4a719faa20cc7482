//! [`NormalizeObservation`], observations with mean 0 and variance 1.

use super::forward::forward;
use crate::{Action, DType, Env, EnvError, Space, StateError, StateReader, StateWriter, Step, check_observation};

/// Shifts and scales each number of an observation by its mean and deviation over all observations so far.
///
/// The statistics are part of the saved state. They are updated with every observation, across episodes, until
/// [`NormalizeObservation::freeze`]; a reset with a seed restarts them unless they are frozen, so that what follows is a function of the
/// seed. For evaluation, apply those of the training environment to another environment with [`NormalizeObservation::with_statistics`],
/// which freezes them.
///
/// **Source**: the running moments are those of Chan, Golub and LeVeque, *Updating Formulae and a Pairwise Algorithm for
/// Computing Sample Variances* (1979), started as in Gymnasium's wrapper of this name with a weight of 10⁻⁴.
#[derive(Clone, Debug)]
pub struct NormalizeObservation<E> {
    env: E,
    space: Space,
    statistics: ObservationStatistics,
    frozen: bool,
}

/// The moments of each number of an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservationStatistics {
    /// The number of observations they cover.
    pub count: f64,
    /// The mean of each number.
    pub mean: Vec<f64>,
    /// The variance of each number.
    pub variance: Vec<f64>,
}

impl ObservationStatistics {
    fn new(len: usize) -> Self {
        Self { count: 1e-4, mean: vec![0.0; len], variance: vec![1.0; len] }
    }

    /// The first invalid number, if any.
    fn fault(&self) -> Option<String> {
        let is_amount = |number: f64| number >= 0.0 && number.is_finite();
        if !is_amount(self.count) {
            return Some(format!("the statistics cover {} observations", self.count));
        }
        if let Some(at) = self.mean.iter().position(|mean| !mean.is_finite()) {
            return Some(format!("mean {at} of the statistics is {}", self.mean[at]));
        }
        let at = self.variance.iter().position(|variance| !is_amount(*variance))?;
        Some(format!("variance {at} of the statistics is {}, which is impossible", self.variance[at]))
    }

    fn update(&mut self, observation: &[f32]) {
        let total = self.count + 1.0;
        for (value, (mean, variance)) in observation.iter().zip(self.mean.iter_mut().zip(&mut self.variance)) {
            let delta = f64::from(*value) - *mean;
            *mean += delta / total;
            *variance = (*variance * self.count + delta * delta * self.count / total) / total;
        }
        self.count = total;
    }

    fn apply(&self, observation: &mut [f32]) {
        /// Avoids a division by 0 for numbers that never vary.
        const LEAST_VARIANCE: f64 = 1e-8;
        for (value, (mean, variance)) in observation.iter_mut().zip(self.mean.iter().zip(&self.variance)) {
            *value = ((f64::from(*value) - mean) / (variance + LEAST_VARIANCE).sqrt()) as f32;
        }
    }
}

impl<E: Env> NormalizeObservation<E> {
    /// `env` with normalised observations, without any statistics yet.
    ///
    /// # Errors
    /// [`EnvError::Other`] if the observations are discrete.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let Space::Box { low, shape, .. } = env.observation_space() else {
            return Err(EnvError::Other(format!("{}: discrete observations have no mean", env.spec().id)));
        };
        let len = low.len();
        let (low, high) = (vec![f32::NEG_INFINITY; len], vec![f32::INFINITY; len]);
        let space = Space::Box { low, high, shape: shape.clone(), dtype: DType::F32 };
        Ok(Self { env, space, statistics: ObservationStatistics::new(len), frozen: false })
    }

    /// `env` with observations normalised by `statistics`, which do not change.
    ///
    /// # Errors
    /// As [`NormalizeObservation::new`], if the statistics are for observations of another length, and [`EnvError::Other`] if they are
    /// invalid: a count or a variance that is negative, or a number that is not finite.
    pub fn with_statistics(env: E, statistics: ObservationStatistics) -> Result<Self, EnvError> {
        let mut normalized = Self::new(env)?;
        let expected = normalized.observation_len();
        for found in [statistics.mean.len(), statistics.variance.len()] {
            if found != expected {
                return Err(EnvError::ObservationLength { expected, found });
            }
        }
        if let Some(reason) = statistics.fault() {
            return Err(EnvError::Other(format!("{}: {reason}", normalized.env.spec().id)));
        }
        normalized.statistics = statistics;
        normalized.frozen = true;
        Ok(normalized)
    }

    /// The statistics so far.
    pub fn statistics(&self) -> &ObservationStatistics {
        &self.statistics
    }

    /// Freezes the statistics.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    fn normalize(&mut self, observation: &mut [f32]) {
        if !self.frozen {
            self.statistics.update(observation);
        }
        self.statistics.apply(observation);
    }

    fn parse(&self, state: &[u8]) -> Result<(bool, ObservationStatistics, Vec<u8>), StateError> {
        let mut reader = StateReader::new(state);
        let frozen = reader.bool()?;
        let mut statistics = ObservationStatistics::new(self.space.len());
        statistics.count = reader.f64_in(0.0..=f64::MAX)?;
        for mean in &mut statistics.mean {
            *mean = reader.finite_f64()?;
        }
        for variance in &mut statistics.variance {
            *variance = reader.f64_in(0.0..=f64::MAX)?;
        }
        let inner = reader.bytes()?.to_vec();
        reader.finish()?;
        Ok((frozen, statistics, inner))
    }
}

impl<E: Env> Env for NormalizeObservation<E> {
    forward!(spec, action_space, scene, action_mask, metrics);

    fn observation_space(&self) -> &Space {
        &self.space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check_observation(self.space.len(), observation)?;
        self.env.reset(seed, observation)?;
        if seed.is_some() && !self.frozen {
            self.statistics = ObservationStatistics::new(self.space.len());
        }
        self.normalize(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        self.normalize(observation);
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        writer.bool(self.frozen);
        writer.f64(self.statistics.count);
        for number in self.statistics.mean.iter().chain(&self.statistics.variance) {
            writer.f64(*number);
        }
        writer.bytes(&self.env.save()?);
        Ok(writer.into_bytes())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.env.spec().id.clone(), reason: e.0 };
        let (frozen, statistics, inner) = self.parse(state).map_err(invalid)?;
        self.env.restore(&inner)?;
        (self.frozen, self.statistics) = (frozen, statistics);
        Ok(())
    }
}
