//! [`FrameStack`], recent observations as part of the observation.

use super::forward::forward;
use crate::{Action, Env, EnvError, EnvSpec, Space, StateError, StateReader, StateWriter, Step, check_observation};

/// Stacks the last `n` observations, oldest first, along a new first axis of that length.
///
/// At the start of an episode, the first observation is repeated, as in Gymnasium's `FrameStackObservation` with the padding "reset".
#[derive(Clone, Debug)]
pub struct FrameStack<E> {
    env: E,
    spec: EnvSpec,
    space: Space,
    /// The latest stacked observation.
    frames: Vec<f32>,
    /// How many numbers one frame has.
    width: usize,
}

impl<E: Env> FrameStack<E> {
    /// `env` with its last `n` observations stacked.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `n` is 0, if an observation has no numbers, or if the stack would have more than 2²⁸ of them.
    pub fn new(env: E, n: usize) -> Result<Self, EnvError> {
        /// A gigabyte of them.
        const MOST_NUMBERS: usize = 1 << 28;
        let refused = |reason: String| Err(EnvError::Other(format!("{}: {reason}", env.spec().id)));
        if n == 0 {
            return refused("a stack has at least 1 frame".into());
        }
        if env.observation_space().is_empty() {
            return refused("observations without numbers cannot be stacked".into());
        }
        if env.observation_len().checked_mul(n).is_none_or(|numbers| numbers > MOST_NUMBERS) {
            return refused(format!("a stack of {n} observations would have more than {MOST_NUMBERS} numbers"));
        }
        let space = match env.observation_space() {
            Space::Discrete { n: values } => Space::MultiDiscrete { n: vec![*values; n] },
            Space::MultiDiscrete { n: values } => Space::MultiDiscrete { n: values.repeat(n) },
            Space::Box { low, high, shape, dtype } => Space::Box {
                low: low.repeat(n),
                high: high.repeat(n),
                shape: [&[n], &shape[..]].concat(),
                dtype: *dtype,
            },
        };
        let width = env.observation_len();
        let mut spec = env.spec().clone();
        let ago = |steps: usize| match steps {
            0 => String::new(),
            1 => ", 1 step ago".into(),
            steps => format!(", {steps} steps ago"),
        };
        let names = |steps: usize| spec.observation_names.iter().map(move |name| name.clone() + &ago(steps));
        spec.observation_names = (0..n).rev().flat_map(names).collect();
        Ok(Self { env, spec, space, frames: vec![0.0; n * width], width })
    }

    fn newest(&self) -> std::ops::Range<usize> {
        self.frames.len() - self.width..self.frames.len()
    }
}

impl<E: Env> Env for FrameStack<E> {
    forward!(action_space, scene, action_mask, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check_observation(self.frames.len(), observation)?;
        let newest = self.newest();
        self.env.reset(seed, &mut self.frames[newest.clone()])?;
        for start in (0..newest.start).step_by(self.width) {
            self.frames.copy_within(newest.clone(), start);
        }
        observation.copy_from_slice(&self.frames);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        check_observation(self.frames.len(), observation)?;
        // The new frame is first written to the caller's slice, so that a refused step leaves the stack unchanged.
        let newest = self.newest();
        let mut frame = std::mem::take(&mut self.frames);
        let step = self.env.step(action, &mut observation[newest.clone()]);
        if step.is_ok() {
            frame.copy_within(self.width.., 0);
            frame[newest.clone()].copy_from_slice(&observation[newest]);
            observation.copy_from_slice(&frame);
        }
        self.frames = frame;
        step
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        for value in &self.frames {
            writer.f32(*value);
        }
        writer.bytes(&self.env.save()?);
        Ok(writer.into_bytes())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.env.spec().id.clone(), reason: e.0 };
        let mut reader = StateReader::new(state);
        let frames: Result<Vec<f32>, StateError> = self.frames.iter().map(|_| reader.f32()).collect();
        let frames = frames.map_err(invalid)?;
        let inner = reader.bytes().map_err(invalid)?;
        reader.finish().map_err(invalid)?;
        self.env.restore(inner)?;
        self.frames = frames;
        Ok(())
    }
}
