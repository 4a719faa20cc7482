//! A frame as a picture: the scene, with a caption strip below it that shows the policy's values as bars.

use tiny_skia::{Pixmap, PixmapPaint, Transform};

use super::font::{self, Align};
use super::frame::{BarScale, Decision, Frame};
use super::palette::Theme;
use super::raster;

/// Up to this many actions have their own row, with name and value; more are drawn as columns.
const MOST_ROWS: usize = 6;

/// The height of the columns, in rows.
const COLUMNS_ROWS: usize = 4;

/// The maximum height of the scene, as a fraction of the picture's width; a taller environment is centred.
const TALLEST: f32 = 0.75;

/// The frame, `width` pixels wide and as high as needed, the same for all frames of an episode as long as all of them have a decision or
/// none does.
pub fn picture(frame: &Frame, scale: &BarScale, width: u32) -> Pixmap {
    let tallest = (width as f32 * TALLEST).round() as u32;
    let natural = raster::height_of(&frame.scene.view, width);
    let (scene_width, scene_height) = if natural <= tallest {
        (width, natural)
    } else {
        ((u64::from(width) * u64::from(tallest) / u64::from(natural)) as u32, tallest)
    };
    let scene = raster::scene_in(&frame.scene, scene_width.max(1), scene_height);
    let theme = Theme::beside(frame.scene.background);
    // All measures of the strip are in units of a 600-pixel-wide picture.
    let unit = width as f32 / 600.0;
    let rows = match frame.caption.decision.as_ref().map_or(0, |decision| decision.q_values.len()) {
        0..=2 => 2,
        rows @ ..=MOST_ROWS => rows,
        _ => COLUMNS_ROWS,
    };
    let strip = ((26.0 + 21.0 * rows as f32) * unit).round();
    let top = scene.height() as f32;

    let mut pixels = raster::blank(width, scene.height() + strip as u32, theme.strip);
    let left = (width - scene.width()) / 2;
    pixels.draw_pixmap(left as i32, 0, scene.as_ref(), &PixmapPaint::default(), Transform::identity(), None);

    raster::fill_rectangle(&mut pixels, (0.0, top, width as f32, unit.round().max(1.0)), theme.track);

    let middle = top + strip / 2.0;
    raster::write(
        &mut pixels,
        &frame.caption.env,
        12.5 * unit,
        (20.0 * unit, middle - 4.5 * unit),
        (Align::Left, theme.ink),
    );
    let numbers = frame.caption.numbers();
    raster::write(&mut pixels, &numbers, 8.5 * unit, (20.0 * unit, middle + 15.5 * unit), (Align::Left, theme.muted));
    if let Some(decision) = &frame.caption.decision {
        let area =
            Area { left: 310.0 * unit, right: 580.0 * unit, top: top + 13.0 * unit, bottom: top + strip - 13.0 * unit };
        if decision.q_values.len() <= MOST_ROWS {
            value_rows(&mut pixels, decision, scale, (&area, unit, &theme));
        } else {
            value_columns(&mut pixels, decision, scale, (&area, unit, &theme));
        }
    }
    pixels
}

struct Area {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

fn value_rows(pixels: &mut Pixmap, decision: &Decision, scale: &BarScale, (area, unit, theme): (&Area, f32, &Theme)) {
    let row = (area.bottom - area.top) / decision.q_values.len() as f32;
    let (bar, numbers) = (9.0 * unit, 58.0 * unit);
    let cap = 8.5 * unit;
    let names: Vec<String> = (0..decision.q_values.len()).map(|action| decision.name(action)).collect();
    let widest = names.iter().map(|name| font::width(name, cap)).fold(0.0, f32::max);
    let label = widest + 11.0 * unit;
    let (left, full) = (area.left + label, area.right - area.left - label - numbers);
    for (action, name) in names.iter().enumerate() {
        let middle = area.top + row * (action as f32 + 0.5);
        let taken = action == decision.action;
        let (ink, fill) = if taken { (theme.ink, theme.accent) } else { (theme.muted, theme.bar) };
        let baseline = middle + 4.25 * unit;
        raster::write(pixels, name, cap, (area.left, baseline), (Align::Left, ink));
        raster::fill_pill(pixels, (left, middle - bar / 2.0, full, bar), theme.track);
        raster::fill_pill(pixels, (left, middle - bar / 2.0, full * scale.fraction(decision, action), bar), fill);
        let number = decision.figure(action);
        raster::write(pixels, &number, 8.5 * unit, (area.right, baseline), (Align::Right, ink));
    }
}

fn value_columns(
    pixels: &mut Pixmap,
    decision: &Decision,
    scale: &BarScale,
    (area, unit, theme): (&Area, f32, &Theme),
) {
    let count = decision.q_values.len() as f32;
    let step = ((area.right - area.left) / count).min(28.0 * unit);
    let left = area.right - step * count;
    let label = 6.0 * unit;
    let floor = area.bottom - label - 5.0 * unit;
    for action in 0..decision.q_values.len() {
        let taken = action == decision.action;
        let (ink, fill) = if taken { (theme.ink, theme.accent) } else { (theme.muted, theme.bar) };
        let height = (floor - area.top) * scale.fraction(decision, action);
        let (x, wide) = (left + step * action as f32, step * 0.66);
        raster::fill_rectangle(pixels, (x, area.top, wide, floor - area.top), theme.track);
        raster::fill_rectangle(pixels, (x, floor - height, wide, height), fill);
        if step >= 12.0 * unit {
            raster::write(pixels, &action.to_string(), label, (x + wide / 2.0, area.bottom), (Align::Center, ink));
        }
    }
}
