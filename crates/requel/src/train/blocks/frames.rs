//! [`Frames`]: how an observation is written where most of it was shown before.

use requel_envs::Space;

use crate::replay::FrameLayout;
use crate::transition::ElementType;

/// How numbers are written, and the positions of a stack's frames in an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frames {
    /// Whether each number is a byte.
    pub elements: ElementType,
    pub stack: usize,
    pub pixels: usize,
    pub channels: usize,
}

impl Frames {
    /// For observations in this space, which are stacks of this many frames.
    pub fn of(space: &Space, stack: usize) -> Self {
        let elements = ElementType::of(space);
        match FrameLayout::for_space(space, stack).filter(|_| stack > 1) {
            Some(layout) => {
                let (pixels, channels) = layout.pixels_and_channels();
                Frames { elements, stack, pixels, channels }
            }
            None => Frames { elements, stack: 1, pixels: 1, channels: space.len() },
        }
    }

    /// Numbers of an observation.
    pub fn observation_len(&self) -> usize {
        self.stack * self.frame_len()
    }

    /// Numbers of a frame.
    pub fn frame_len(&self) -> usize {
        self.pixels * self.channels
    }

    /// Bytes for this many numbers.
    pub fn bytes_of(&self, numbers: usize) -> usize {
        if self.elements == ElementType::U8 { numbers } else { 4 * numbers }
    }

    /// Whether `next` has the frames of `observation` except the oldest, and a new one.
    pub fn follows(&self, observation: &[f32], next: &[f32]) -> bool {
        let (width, channels) = (self.stack * self.channels, self.channels);
        let kept = width - channels;
        self.stack > 1
            && observation
                .chunks_exact(width)
                .zip(next.chunks_exact(width))
                .all(|(old, new)| old[channels..] == new[..kept])
    }

    /// Writes numbers.
    pub fn write(&self, numbers: &[f32], out: &mut Vec<u8>) {
        match self.elements {
            ElementType::U8 => out.extend(numbers.iter().map(|number| *number as u8)),
            ElementType::F32 => numbers.iter().for_each(|number| out.extend(number.to_le_bytes())),
        }
    }

    /// Writes the newest frame of an observation.
    pub fn write_newest(&self, observation: &[f32], out: &mut Vec<u8>) {
        let width = self.stack * self.channels;
        observation.chunks_exact(width).for_each(|pixel| self.write(&pixel[width - self.channels..], out));
    }

    /// Reads numbers that were written.
    pub fn read(&self, bytes: &[u8], numbers: &mut [f32]) {
        match self.elements {
            ElementType::U8 => numbers.iter_mut().zip(bytes).for_each(|(number, byte)| *number = f32::from(*byte)),
            ElementType::F32 => {
                let words = bytes.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                numbers.iter_mut().zip(words).for_each(|(number, word)| *number = word);
            }
        }
    }

    /// Reconstructs the next observation from an observation and the newest frame.
    pub fn read_newest(&self, bytes: &[u8], observation: &[f32], next: &mut [f32]) {
        let (width, channels) = (self.stack * self.channels, self.channels);
        let kept = width - channels;
        let pixels = next.chunks_exact_mut(width).zip(observation.chunks_exact(width));
        for ((new, old), bytes) in pixels.zip(bytes.chunks_exact(self.bytes_of(channels))) {
            new[..kept].copy_from_slice(&old[channels..]);
            self.read(bytes, &mut new[kept..]);
        }
    }
}
