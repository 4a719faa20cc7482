//! Frames as an animated GIF: one palette for all, and for each frame only what changed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use requel_envs::Color;
use tiny_skia::Pixmap;

use super::frame::{BarScale, Frame};
use super::moments::moments;
use super::palette::distance;
use super::picture::picture;

/// How an animation is shown.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Frames per second. A GIF counts hundredths of a second, and viewers slow down animations faster than 50 frames per second, so frames
    /// are left out above that; the speed stays right.
    pub frames_per_second: f32,
    /// How long the last frame stays before the animation starts again, hundredths of a second.
    pub hold: u16,
}

/// The shortest delay that viewers respect, hundredths of a second.
const LEAST_DELAY: u32 = 2;
/// How many frames the palette is computed from.
const PALETTE_SAMPLES: usize = 24;
/// One of the 256 entries means "as before".
const MOST_COLORS: usize = 255;
const TRANSPARENT: u8 = 255;

/// Writes the frames, `width` pixels wide, as a GIF that repeats forever.
///
/// # Errors
/// What the writer returns, and `InvalidInput` if a picture's side exceeds the 65535 pixels a GIF can have.
pub fn write(frames: &[Frame], width: u32, timing: Timing, out: impl Write) -> std::io::Result<()> {
    let scale = BarScale::of(frames);
    let Some(first) = frames.first() else { return Ok(()) };
    let first = picture(first, &scale, width);
    let side =
        |pixels: u32| u16::try_from(pixels).map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidInput, e));
    let (width_px, height_px) = (side(first.width())?, side(first.height())?);

    let step = frames.len().div_ceil(PALETTE_SAMPLES);
    let samples = frames.iter().step_by(step).map(|f| picture(f, &scale, width));
    let mut palette = Palette::of(samples);
    let mut encoder = gif::Encoder::new(out, width_px, height_px, &palette.bytes()).map_err(into_io)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(into_io)?;

    let mut shown: Vec<u8> = Vec::new();
    let mut pending: Option<(gif::Frame<'static>, u32)> = None;
    let mut end = 0;
    for (index, start) in moments(frames.len(), timing.frames_per_second, (100, LEAST_DELAY)) {
        end = start;
        let now = palette.indices(&picture(&frames[index], &scale, width));
        let Some(patch) = difference(&shown, &now, (width_px, height_px)) else { continue };
        if let Some((mut before, shown_at)) = pending.replace((patch, start)) {
            before.delay = (start - shown_at).clamp(LEAST_DELAY, u32::from(u16::MAX)) as u16;
            encoder.write_frame(&before).map_err(into_io)?;
        }
        shown = now;
    }
    if let Some((mut before, shown_at)) = pending {
        before.delay = (end - shown_at + u32::from(timing.hold)).clamp(LEAST_DELAY, u32::from(u16::MAX)) as u16;
        encoder.write_frame(&before).map_err(into_io)?;
    }
    encoder.into_inner().map_err(into_io)?.flush()
}

/// The smallest rectangle in which the pictures differ, with unchanged pixels in it transparent; the whole picture if there was none
/// before, `None` if they are equal.
fn difference(before: &[u8], now: &[u8], (width, height): (u16, u16)) -> Option<gif::Frame<'static>> {
    let mut patch = gif::Frame { width, height, dispose: gif::DisposalMethod::Keep, ..gif::Frame::default() };
    if before.is_empty() {
        patch.buffer = Cow::Owned(now.to_vec());
        return Some(patch);
    }
    let stride = usize::from(width);
    let (mut left, mut right, mut top, mut bottom) = (stride, 0, usize::from(height), 0);
    for (y, (old, new)) in before.chunks_exact(stride).zip(now.chunks_exact(stride)).enumerate() {
        if let Some(first) = (0..stride).find(|&x| old[x] != new[x]) {
            let last = (first..stride).rev().find(|&x| old[x] != new[x]).unwrap_or(first);
            (left, right, top, bottom) = (left.min(first), right.max(last + 1), top.min(y), y + 1);
        }
    }
    if left >= right {
        return None;
    }
    let mut buffer = Vec::with_capacity((right - left) * (bottom - top));
    for y in top..bottom {
        let row = y * stride + left..y * stride + right;
        let changed = |(&old, &new): (&u8, &u8)| if old == new { TRANSPARENT } else { new };
        buffer.extend(before[row.clone()].iter().zip(&now[row]).map(changed));
    }
    // All of these fit: they are at most the picture's own sides.
    (patch.left, patch.top) = (left as u16, top as u16);
    (patch.width, patch.height) = ((right - left) as u16, (bottom - top) as u16);
    patch.transparent = Some(TRANSPARENT);
    patch.buffer = Cow::Owned(buffer);
    Some(patch)
}

struct Palette {
    colors: Vec<Color>,
    /// Colours whose nearest entry has been computed.
    known: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// The colours that occur, if they are few; otherwise frequent ones that differ enough from each other.
    fn of(pictures: impl Iterator<Item = Pixmap>) -> Self {
        let mut counts: HashMap<[u8; 3], u32> = HashMap::new();
        for picture in pictures {
            for p in picture.data().chunks_exact(4) {
                *counts.entry([p[0], p[1], p[2]]).or_default() += 1;
            }
        }
        let mut by_count: Vec<_> = counts.into_iter().collect();
        by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut colors: Vec<Color> = Vec::new();
        for least_distance in [1500, 500, 150, 40, 1] {
            for &([r, g, b], _) in &by_count {
                let color = Color(r, g, b);
                if colors.len() < MOST_COLORS && colors.iter().all(|&c| distance(c, color) >= least_distance) {
                    colors.push(color);
                }
            }
        }
        Palette { colors, known: HashMap::new() }
    }

    /// The table as the file has it: 256 entries, the last one unused.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.colors.iter().flat_map(|c| [c.0, c.1, c.2]).collect();
        bytes.resize(3 * 256, 0);
        bytes
    }

    fn indices(&mut self, picture: &Pixmap) -> Vec<u8> {
        let mut indices = Vec::with_capacity(picture.data().len() / 4);
        for p in picture.data().chunks_exact(4) {
            let key = [p[0], p[1], p[2]];
            let index = match self.known.get(&key) {
                Some(&index) => index,
                None => {
                    let color = Color(p[0], p[1], p[2]);
                    let nearest = (0..self.colors.len()).min_by_key(|&i| distance(self.colors[i], color)).unwrap_or(0);
                    self.known.insert(key, nearest as u8);
                    nearest as u8
                }
            };
            indices.push(index);
        }
        indices
    }
}

fn into_io(error: gif::EncodingError) -> std::io::Error {
    match error {
        gif::EncodingError::Io(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::sample;

    fn decode(bytes: &[u8]) -> Vec<(Vec<u8>, u16)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
        let (mut canvas, mut frames) = (vec![0; width * height * 4], Vec::new());
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            for y in 0..usize::from(frame.height) {
                for x in 0..usize::from(frame.width) {
                    let from = 4 * (y * usize::from(frame.width) + x);
                    let to = 4 * ((y + usize::from(frame.top)) * width + x + usize::from(frame.left));
                    if frame.buffer[from + 3] != 0 {
                        canvas[to..to + 4].copy_from_slice(&frame.buffer[from..from + 4]);
                    }
                }
            }
            frames.push((canvas.clone(), frame.delay));
        }
        frames
    }

    #[test]
    fn decoded_frames_are_the_pictures() {
        let frames: Vec<Frame> = (0..10).map(sample::frame).collect();
        let mut bytes = Vec::new();
        write(&frames, 300, Timing { frames_per_second: 50.0, hold: 100 }, &mut bytes).unwrap();
        let decoded = decode(&bytes);
        assert_eq!(decoded.len(), 10);
        let delays: Vec<u16> = decoded.iter().map(|f| f.1).collect();
        assert_eq!(delays, [2, 2, 2, 2, 2, 2, 2, 2, 2, 100]);

        let scale = BarScale::of(&frames);
        for (frame, (canvas, _)) in frames.iter().zip(&decoded) {
            let exact = picture(frame, &scale, 300);
            let worst = exact.data().iter().zip(canvas).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 24, "a channel is off by {worst}");
        }
    }

    #[test]
    fn equal_frames_are_stored_once_and_last_as_long() {
        let frames: Vec<Frame> = (0..25).map(|_| sample::frame(3)).collect();
        let mut bytes = Vec::new();
        write(&frames, 120, Timing { frames_per_second: 10.0, hold: 50 }, &mut bytes).unwrap();
        let delays: Vec<u16> = decode(&bytes).iter().map(|f| f.1).collect();
        assert_eq!(delays, [240 + 50]);
    }

    #[test]
    fn faster_environments_lose_frames_but_keep_their_speed() {
        let frames: Vec<Frame> = (0..101).map(sample::frame).collect();
        let mut bytes = Vec::new();
        write(&frames, 120, Timing { frames_per_second: 100.0, hold: 30 }, &mut bytes).unwrap();
        let delays: Vec<u16> = decode(&bytes).iter().map(|f| f.1).collect();
        assert_eq!(delays.len(), 51);
        assert_eq!(delays.iter().map(|&d| u32::from(d)).sum::<u32>(), 100 + 30);
    }
}
