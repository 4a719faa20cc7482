//! [`ChannelStack`], recent images as additional channels.

use super::FrameStack;
use super::forward::forward;
use crate::{Action, Env, EnvError, EnvSpec, Space, Step, check_observation};

/// Stacks the last `n` images, oldest first, into one with `n` times the channels: [height, width, channels] becomes [height, width, `n` ·
/// channels], and [height, width] becomes [height, width, `n`]. That is what a convolution reads.
///
/// It equals [`FrameStack`] except for the order of the numbers.
#[derive(Clone, Debug)]
pub struct ChannelStack<E> {
    env: FrameStack<E>,
    spec: EnvSpec,
    space: Space,
    /// The observation in the order of [`FrameStack`].
    stacked: Vec<f32>,
    n: usize,
    /// Adjacent numbers of one image.
    channels: usize,
}

impl<E: Env> ChannelStack<E> {
    /// `env` with its last `n` images stacked.
    ///
    /// # Errors
    /// As [`FrameStack::new`], and if the observations of `env` are not images: boxes with two or three axes.
    pub fn new(env: E, n: usize) -> Result<Self, EnvError> {
        let (shape, channels) = match env.observation_space() {
            Space::Box { shape, .. } if shape.len() == 2 => ([shape[0], shape[1]], 1),
            Space::Box { shape, .. } if shape.len() == 3 => ([shape[0], shape[1]], shape[2]),
            _ => return Err(EnvError::Other(format!("{}: only images have channels to stack", env.spec().id))),
        };
        let env = FrameStack::new(env, n)?;
        let shape = [shape[0], shape[1], n * channels];
        let mut space = env.observation_space().clone();
        if let Space::Box { low, high, shape: stacked, .. } = &mut space {
            *stacked = shape.to_vec();
            for bound in [low, high] {
                let mut interleaved = vec![0.0; bound.len()];
                interleave(bound, n, channels, &mut interleaved);
                *bound = interleaved;
            }
        }
        // A pixel has no name.
        let spec = EnvSpec { observation_names: Vec::new(), ..env.spec().clone() };
        Ok(Self { spec, stacked: vec![0.0; env.observation_len()], env, space, n, channels })
    }
}

/// Interleaves `n` consecutive frames pixel by pixel, with `channels` numbers each.
fn interleave(frames: &[f32], n: usize, channels: usize, interleaved: &mut [f32]) {
    for (at, frame) in frames.chunks_exact((frames.len() / n).max(1)).enumerate() {
        let pixels = interleaved.chunks_exact_mut(n * channels);
        for (pixel, values) in pixels.zip(frame.chunks_exact(channels)) {
            pixel[at * channels..][..channels].copy_from_slice(values);
        }
    }
}

impl<E: Env> Env for ChannelStack<E> {
    forward!(action_space, scene, action_mask, save, restore, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check_observation(self.stacked.len(), observation)?;
        self.env.reset(seed, &mut self.stacked)?;
        interleave(&self.stacked, self.n, self.channels, observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        check_observation(self.stacked.len(), observation)?;
        let step = self.env.step(action, &mut self.stacked)?;
        interleave(&self.stacked, self.n, self.channels, observation);
        Ok(step)
    }
}
