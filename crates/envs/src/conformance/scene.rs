//! Checks that a scene can be drawn.

use super::rule::{Fault, Rule, ensure};
use crate::{Pixels, Scene, Shape};

pub(super) fn check_scene(scene: &Scene) -> Result<(), Fault> {
    let view = scene.view;
    let finite = [view.left, view.right, view.bottom, view.top].iter().all(|v| v.is_finite());
    let sound = finite && view.left < view.right && view.bottom < view.top;
    ensure(sound, Rule::Drawable, || format!("the view is {view:?}"))?;
    ensure(!scene.shapes.is_empty(), Rule::Drawable, || "the scene has no shapes".into())?;
    for shape in &scene.shapes {
        let around = |(x, y): (f32, f32), r: f32| vec![(x - r, y - r), (x + r, y + r)];
        let (points, size) = match shape {
            Shape::Rectangle { min, max, .. } => (vec![*min, *max], (max.0 - min.0).min(max.1 - min.1)),
            Shape::Line { from, to, width, .. } => (vec![*from, *to], *width),
            Shape::Circle { center, radius, .. } => (around(*center, *radius), *radius),
            Shape::Polygon { points, .. } => (points.clone(), points.len() as f32 - 3.0),
            Shape::Text { center, height, .. } => (around(*center, *height), *height),
            Shape::Image { min, max, pixels: Pixels { width, height, rgb } } => {
                let bytes = 3 * u64::from(*width) * u64::from(*height);
                let whole = bytes > 0 && rgb.len() as u64 == bytes;
                ensure(whole, Rule::Drawable, || {
                    format!("an image of {width} × {height} pixels has {} bytes, not {bytes}", rgb.len())
                })?;
                (vec![*min, *max], (max.0 - min.0).min(max.1 - min.1))
            }
        };
        let finite = size >= 0.0 && points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        ensure(finite, Rule::Drawable, || format!("{shape:?} has a number that cannot be drawn"))?;
        let outside = points.iter().all(|point| point.0 < view.left)
            || points.iter().all(|point| point.0 > view.right)
            || points.iter().all(|point| point.1 < view.bottom)
            || points.iter().all(|point| point.1 > view.top);
        ensure(!outside, Rule::Drawable, || format!("{shape:?} is outside {view:?}"))?;
    }
    Ok(())
}
