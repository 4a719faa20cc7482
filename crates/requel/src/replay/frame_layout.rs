//! [`FrameLayout`]: where the frames of a stacked observation are.

use requel_envs::{DType, Space};

use super::mask::MaskLayout;
use crate::transition::{Element, is_byte, write_bytes};

/// The positions in an observation of each frame of its stack, oldest first. Frames contain whole numbers from 0 to 255, stored as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    stack: usize,
    pixels: usize,
    /// Numbers of one frame that are adjacent.
    channels: usize,
    masks: MaskLayout,
}

impl FrameLayout {
    /// For `stack` frames of `frame_len` numbers one after the other, the shape [stack, …], as
    /// [`FrameStack`](requel_envs::wrappers::FrameStack) produces.
    pub fn stack_first(stack: usize, frame_len: usize) -> Self {
        FrameLayout { stack, pixels: 1, channels: frame_len, masks: MaskLayout::default() }
    }

    /// For `stack` frames of `pixels` × `channels` numbers, side by side along the last axis, the shape [height, width, stack · channels].
    pub fn stack_last(stack: usize, pixels: usize, channels: usize) -> Self {
        FrameLayout { stack, pixels, channels, masks: MaskLayout::default() }
    }

    /// For observations in a space that has `stack` frames along its first axis, if that has this length, or along its last axis, if that
    /// is divisible by it. `None` if neither is the case, or the numbers are not bytes.
    ///
    /// A layout that does not match how the environment stacks frames costs memory, but does not change what is drawn.
    pub fn for_space(space: &Space, stack: usize) -> Option<Self> {
        let Space::Box { shape, dtype: DType::U8 | DType::Bool, .. } = space else { return None };
        let (first, last) = (*shape.first()?, *shape.last()?);
        if stack == 0 || space.is_empty() {
            None
        } else if first == stack {
            Some(Self::stack_first(stack, space.len() / stack))
        } else {
            last.is_multiple_of(stack).then(|| Self::stack_last(stack, space.len() / last, last / stack))
        }
    }

    /// The same with the masks of both observations, for this many actions. Without it, masks are discarded.
    #[must_use]
    pub fn with_mask(mut self, actions: usize) -> Self {
        self.masks = MaskLayout::new(actions);
        self
    }

    /// Frames per observation.
    pub fn stack(&self) -> usize {
        self.stack
    }

    /// Numbers per frame.
    pub fn frame_len(&self) -> usize {
        self.pixels * self.channels
    }

    /// The number of stretches in a frame, and how many adjacent numbers each has.
    pub(crate) fn pixels_and_channels(&self) -> (usize, usize) {
        (self.pixels, self.channels)
    }

    /// Numbers per observation.
    pub fn observation_len(&self) -> usize {
        self.stack * self.frame_len()
    }

    /// Numbers per observation, if the count does not overflow.
    pub(super) fn checked_len(&self) -> Option<usize> {
        self.stack.checked_mul(self.pixels)?.checked_mul(self.channels)
    }

    /// 32-bit words that the bytes of a frame take.
    pub(super) fn frame_words(&self) -> usize {
        self.frame_len().div_ceil(4)
    }

    pub(super) fn masks(&self) -> MaskLayout {
        self.masks
    }

    /// Writes the frames of an observation one after the other.
    pub(super) fn split(&self, observation: &[f32], frames: &mut [u32]) {
        let width = self.stack * self.channels;
        for (at, frame) in frames.chunks_exact_mut(self.frame_words()).enumerate() {
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(frame);
            let bytes = &mut bytes[..self.pixels * self.channels];
            if self.channels == 1 {
                for (byte, value) in bytes.iter_mut().zip(observation[at..].iter().step_by(width)) {
                    debug_assert!(is_byte(*value), "{value} is no byte");
                    *byte = *value as u8;
                }
                continue;
            }
            let pixels = observation.chunks_exact(width).map(|pixel| &pixel[at * self.channels..][..self.channels]);
            for (bytes, values) in bytes.chunks_exact_mut(self.channels).zip(pixels) {
                write_bytes(bytes, values);
            }
        }
    }

    /// Writes the frame at one position of the stack into an observation.
    pub(super) fn join<T: Element>(&self, frame: &[u32], at: usize, observation: &mut [T]) {
        let width = self.stack * self.channels;
        let bytes: &[u8] = bytemuck::cast_slice(frame);
        let bytes = &bytes[..self.pixels * self.channels];
        if self.channels == 1 {
            for (value, byte) in observation[at..].iter_mut().step_by(width).zip(bytes) {
                *value = T::from_byte(*byte);
            }
            return;
        }
        let pixels = observation.chunks_exact_mut(width);
        for (pixel, bytes) in pixels.zip(bytes.chunks_exact(self.channels)) {
            T::copy_bytes(&mut pixel[at * self.channels..][..self.channels], bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two frames of two pixels with three channels each.
    const FRAMES: [[u8; 6]; 2] = [[1, 2, 3, 4, 5, 255], [11, 12, 13, 14, 15, 0]];

    fn split_and_joined(layout: FrameLayout, observation: &[f32]) -> Vec<Vec<u8>> {
        let words = layout.frame_words();
        let mut frames = vec![0; layout.stack() * words];
        layout.split(observation, &mut frames);
        let mut again = vec![-1.0; observation.len()];
        for (at, frame) in frames.chunks_exact(words).enumerate() {
            layout.join(frame, at, &mut again);
        }
        assert_eq!(again, observation);
        let bytes = |frame: &[u32]| bytemuck::cast_slice::<u32, u8>(frame)[..layout.frame_len()].to_vec();
        frames.chunks_exact(words).map(bytes).collect()
    }

    #[test]
    fn frames_are_found_where_they_lie() {
        let first: Vec<f32> = FRAMES.iter().flatten().map(|byte| f32::from(*byte)).collect();
        assert_eq!(split_and_joined(FrameLayout::stack_first(2, 6), &first), FRAMES);
        let last = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 4.0, 5.0, 255.0, 14.0, 15.0, 0.0];
        assert_eq!(split_and_joined(FrameLayout::stack_last(2, 2, 3), &last), FRAMES);
        let grey = [7.0, 70.0, 8.0, 80.0, 9.0, 90.0];
        assert_eq!(split_and_joined(FrameLayout::stack_last(2, 3, 1), &grey), [[7, 8, 9], [70, 80, 90]]);
    }

    #[test]
    fn a_space_says_where() {
        let space = |shape: &[usize], dtype| {
            let len = shape.iter().product();
            Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: shape.to_vec(), dtype }
        };
        let layout = |shape: &[usize]| FrameLayout::for_space(&space(shape, DType::U8), 4);
        assert_eq!(layout(&[4, 8, 9]), Some(FrameLayout::stack_first(4, 72)));
        assert_eq!(layout(&[8, 9, 4]), Some(FrameLayout::stack_last(4, 72, 1)));
        assert_eq!(layout(&[8, 9, 12]), Some(FrameLayout::stack_last(4, 72, 3)));
        assert_eq!(layout(&[8, 9, 3]), None);
        assert_eq!(FrameLayout::for_space(&space(&[4, 8], DType::F32), 4), None);
        assert_eq!(FrameLayout::for_space(&space(&[4, 8], DType::U8), 0), None);
        assert_eq!(FrameLayout::for_space(&Space::Discrete { n: 4 }, 4), None);
    }
}
