//! A [`Picture`] in pixels.

use requel_envs::Color;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};

use super::mark::{At, Mark, Picture};
use crate::show::font;

/// Draws the picture with `scale` pixels per point.
pub fn png(picture: &Picture, scale: f32) -> Pixmap {
    let pixels = |points: f32| ((points * scale).round() as u32).clamp(1, 20_000);
    let mut canvas = Pixmap::new(pixels(picture.size.0), pixels(picture.size.1)).expect("a picture of a sensible size");
    picture.marks.iter().for_each(|mark| draw(&mut canvas, mark, scale));
    canvas
}

fn draw(canvas: &mut Pixmap, mark: &Mark, scale: f32) {
    let to = Transform::from_scale(scale, scale);
    match mark {
        Mark::Block { at, size, color, opacity } => {
            if let Some(rect) = Rect::from_xywh(at.0, at.1, size.0, size.1) {
                canvas.fill_rect(rect, &paint(*color, *opacity), to, None);
            }
        }
        Mark::Line { through, width, color, dash } => {
            if let Some(path) = path(through).finish() {
                let dash = StrokeDash::new(dash.lengths().to_vec(), 0.0);
                let cap = if dash.is_some() { LineCap::Butt } else { LineCap::Round };
                let stroke =
                    Stroke { width: *width, line_cap: cap, line_join: LineJoin::Round, dash, ..Stroke::default() };
                canvas.stroke_path(&path, &paint(*color, 1.0), &stroke, to, None);
            }
        }
        Mark::Area { within, color, opacity } => {
            let mut outline = path(within);
            outline.close();
            if let Some(path) = outline.finish() {
                canvas.fill_path(&path, &paint(*color, *opacity), FillRule::Winding, to, None);
            }
        }
        Mark::Dot { center, radius, color, opacity } => {
            if let Some(path) = PathBuilder::from_circle(center.0, center.1, *radius) {
                canvas.fill_path(&path, &paint(*color, *opacity), FillRule::Winding, to, None);
            }
        }
        Mark::Text { at, cap, align, color, text } => {
            if let Some(path) = font::outline(text, *cap, *at, *align) {
                canvas.fill_path(&path, &paint(*color, 1.0), FillRule::Winding, to, None);
            }
        }
    }
}

fn path(points: &[At]) -> PathBuilder {
    let mut path = PathBuilder::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path
}

fn paint(color: Color, opacity: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(color.0, color.1, color.2, (255.0 * opacity).round() as u8);
    paint.anti_alias = true;
    paint
}
