//! Frames as an animated PNG: all colours, and for each frame only the rectangle that changed.

use std::io::Write;

use tiny_skia::Pixmap;

use super::frame::{BarScale, Frame};
use super::moments::moments;
use super::picture::picture;

/// How an animation is shown.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Frames per second. Above 50, frames are left out: browsers show faster animations ten times slower.
    pub frames_per_second: f32,
    /// How long the last frame stays before the animation starts again, milliseconds.
    pub hold: u16,
}

/// The shortest delay that browsers respect, milliseconds.
const LEAST_DELAY: u32 = 20;

/// Writes the frames, `width` pixels wide, as an animated PNG that repeats forever. Programs without support for animations show the first
/// frame.
///
/// # Errors
/// What the writer returns.
pub fn write(frames: &[Frame], width: u32, timing: Timing, out: impl Write) -> std::io::Result<()> {
    let scale = BarScale::of(frames);
    let Some(first) = frames.first() else { return Ok(()) };
    let first = picture(first, &scale, width);
    let moments = moments(frames.len(), timing.frames_per_second, (1000, LEAST_DELAY));
    let count = u32::try_from(moments.len()).map_err(std::io::Error::other)?;
    let mut encoder = png::Encoder::new(out, first.width(), first.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(count, 0).map_err(std::io::Error::other)?;
    encoder.set_blend_op(png::BlendOp::Source).map_err(std::io::Error::other)?;
    encoder.set_dispose_op(png::DisposeOp::None).map_err(std::io::Error::other)?;
    let mut writer = encoder.write_header().map_err(std::io::Error::other)?;

    let mut shown: Option<Pixmap> = None;
    for (place, &(index, start)) in moments.iter().enumerate() {
        let now = picture(&frames[index], &scale, width);
        let (left, top, wide, high) = match &shown {
            None => (0, 0, now.width(), now.height()),
            Some(before) => changed(before, &now),
        };
        let delay = match moments.get(place + 1) {
            Some((_, next)) => (next - start).clamp(LEAST_DELAY, 60_000) as u16,
            None => timing.hold.max(LEAST_DELAY as u16),
        };
        writer.set_frame_delay(delay, 1000).map_err(std::io::Error::other)?;
        if place > 0 {
            // In this order, the rectangle always lies inside the picture.
            writer.reset_frame_position().map_err(std::io::Error::other)?;
            writer.set_frame_dimension(wide, high).map_err(std::io::Error::other)?;
            writer.set_frame_position(left, top).map_err(std::io::Error::other)?;
        }
        writer.write_image_data(&part(&now, (left, top, wide, high))).map_err(std::io::Error::other)?;
        shown = Some(now);
    }
    writer.finish().map_err(std::io::Error::other)
}

/// Left, top, width and height of the smallest rectangle in which the pictures differ; one pixel if they are equal.
fn changed(before: &Pixmap, now: &Pixmap) -> (u32, u32, u32, u32) {
    let width = now.width() as usize;
    let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
    for (index, (old, new)) in before.pixels().iter().zip(now.pixels()).enumerate() {
        if old != new {
            let (x, y) = ((index % width) as u32, (index / width) as u32);
            (left, right, top, bottom) = (left.min(x), right.max(x + 1), top.min(y), y + 1);
        }
    }
    if left >= right { (0, 0, 1, 1) } else { (left, top, right - left, bottom - top) }
}

fn part(pixels: &Pixmap, (left, top, wide, high): (u32, u32, u32, u32)) -> Vec<u8> {
    let width = pixels.width() as usize;
    let row = |y: u32| {
        let start = 4 * (y as usize * width + left as usize);
        pixels.data()[start..start + 4 * wide as usize].chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]])
    };
    (top..top + high).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::sample;

    #[test]
    fn decoded_frames_are_the_pictures() {
        let mut frames: Vec<Frame> = (0..6).map(sample::frame).collect();
        frames.push(sample::frame(5));
        let mut bytes = Vec::new();
        write(&frames, 200, Timing { frames_per_second: 50.0, hold: 900 }, &mut bytes).unwrap();
        let scale = BarScale::of(&frames);

        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        assert_eq!(reader.info().animation_control().unwrap().num_frames, 7);
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        let mut canvas = vec![0; 3 * width * height];
        let mut delays = Vec::new();
        for frame in &frames {
            let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut buffer).unwrap();
            let control = *reader.info().frame_control().unwrap();
            delays.push(control.delay_num);
            let row_bytes = 3 * control.width as usize;
            for y in 0..control.height as usize {
                let to = 3 * ((y + control.y_offset as usize) * width + control.x_offset as usize);
                canvas[to..to + row_bytes].copy_from_slice(&buffer[y * row_bytes..][..row_bytes]);
            }
            let exact = picture(frame, &scale, 200);
            let rgb: Vec<u8> = exact.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            assert!(canvas == rgb, "a frame is not its picture");
        }
        assert_eq!(delays, [20, 20, 20, 20, 20, 20, 900]);
    }
    #[test]
    fn a_faster_animation_leaves_frames_out_and_keeps_its_speed() {
        let frames: Vec<Frame> = (0..41).map(sample::frame).collect();
        for (speed, kept, whole) in [(1.0, 41, 800), (2.0, 21, 400), (10.0, 5, 80)] {
            let mut bytes = Vec::new();
            write(&frames, 80, Timing { frames_per_second: 50.0 * speed, hold: 900 }, &mut bytes).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
            let count = reader.info().animation_control().unwrap().num_frames;
            let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
            let mut delay = || {
                reader.next_frame(&mut buffer).unwrap();
                u32::from(reader.info().frame_control().unwrap().delay_num)
            };
            let delays: Vec<u32> = (0..count).map(|_| delay()).collect();
            assert!(delays.iter().all(|delay| *delay >= LEAST_DELAY), "{delays:?}");
            assert_eq!((count, delays.iter().sum::<u32>()), (kept, whole + 900), "speed {speed}");
        }
    }
}
