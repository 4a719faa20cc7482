//! Shapes to pixels, anti-aliased.

use requel_envs::{Color, Pixels, Point, Scene, Shape, View};
use tiny_skia::{FillRule, LineCap, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke, Transform};

use super::font::{self, Align};

/// Text with capitals lower than this many pixels is not painted: it would be unreadable.
const LEAST_CAP_HEIGHT: f32 = 4.0;

/// The height in pixels of a view that is `width` pixels wide.
pub fn height_of(view: &View, width: u32) -> u32 {
    let (w, h) = ((view.right - view.left).max(f32::EPSILON), (view.top - view.bottom).max(f32::EPSILON));
    ((width as f32 * h / w).round() as u32).max(1)
}

/// The scene stretched to `width` × `height` pixels.
pub fn scene_in(scene: &Scene, width: u32, height: u32) -> Pixmap {
    let mut pixels = blank(width, height, scene.background);
    let to_pixels = Projection::new(&scene.view, &pixels);
    for shape in &scene.shapes {
        paint_shape(&mut pixels, &to_pixels, shape);
    }
    pixels
}

/// A picture of one colour, at least one pixel in size.
pub fn blank(width: u32, height: u32, color: Color) -> Pixmap {
    let mut pixels =
        Pixmap::new(width.max(1), height.max(1)).expect("a picture's size is checked where it is asked for");
    pixels.fill(tiny_skia::Color::from_rgba8(color.0, color.1, color.2, 255));
    pixels
}

/// Fills a rectangle given in pixels: left, top, width, height.
pub fn fill_rectangle(pixels: &mut Pixmap, (x, y, width, height): (f32, f32, f32, f32), color: Color) {
    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
        pixels.fill_rect(rect, &paint(color), Transform::identity(), None);
    }
}

/// Fills a rectangle with round ends, given in pixels: left, top, width, height.
pub fn fill_pill(pixels: &mut Pixmap, (x, y, width, height): (f32, f32, f32, f32), color: Color) {
    let radius = height / 2.0;
    let mut path = PathBuilder::new();
    path.move_to(x + radius, y + radius);
    path.line_to(x + width.max(height) - radius, y + radius);
    stroke(pixels, path.finish(), height, color);
}

/// Writes text with its baseline at `at`, in pixels.
pub fn write(pixels: &mut Pixmap, text: &str, cap_height: f32, at: (f32, f32), (align, color): (Align, Color)) {
    fill(pixels, font::outline(text, cap_height, at, align), color);
}

/// From environment units, y up, to pixels, y down.
struct Projection {
    left: f32,
    top: f32,
    /// Pixels per environment unit; the same along both axes except for rounding to whole pixels.
    scale: (f32, f32),
}

impl Projection {
    fn new(view: &View, pixels: &Pixmap) -> Self {
        let x = pixels.width() as f32 / (view.right - view.left).max(f32::EPSILON);
        let y = pixels.height() as f32 / (view.top - view.bottom).max(f32::EPSILON);
        Projection { left: view.left, top: view.top, scale: (x, y) }
    }

    fn point(&self, (x, y): Point) -> (f32, f32) {
        ((x - self.left) * self.scale.0, (self.top - y) * self.scale.1)
    }

    fn length(&self, length: f32) -> f32 {
        length * self.scale.0
    }
}

fn paint_shape(pixels: &mut Pixmap, to: &Projection, shape: &Shape) {
    match shape {
        Shape::Rectangle { min, max, color } => {
            let ((left, bottom), (right, top)) = (to.point(*min), to.point(*max));
            fill_rectangle(pixels, (left, top, right - left, bottom - top), *color);
        }
        Shape::Line { from, to: end, width, color } => {
            let mut path = PathBuilder::new();
            let ((x, y), (end_x, end_y)) = (to.point(*from), to.point(*end));
            path.move_to(x, y);
            path.line_to(end_x, end_y);
            // In a small picture a thin line would fade; one pixel keeps it visible.
            stroke(pixels, path.finish(), to.length(*width).max(1.0), *color);
        }
        Shape::Circle { center, radius, color } => {
            let (x, y) = to.point(*center);
            fill(pixels, PathBuilder::from_circle(x, y, to.length(*radius).max(0.5)), *color);
        }
        Shape::Polygon { points, color } => {
            let mut path = PathBuilder::new();
            for (i, (x, y)) in points.iter().map(|p| to.point(*p)).enumerate() {
                if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
            }
            path.close();
            fill(pixels, path.finish(), *color);
        }
        Shape::Text { center, height, text, color } => {
            let cap = to.length(*height);
            if cap >= LEAST_CAP_HEIGHT {
                let (x, y) = to.point(*center);
                write(pixels, text, cap, (x, y + cap / 2.0), (Align::Center, *color));
            }
        }
        Shape::Image { min, max, pixels: image } => {
            let ((left, bottom), (right, top)) = (to.point(*min), to.point(*max));
            paint_image(pixels, (left, top, right - left, bottom - top), image);
        }
    }
}

/// Stretches an image over a rectangle given in pixels: left, top, width, height.
fn paint_image(pixels: &mut Pixmap, (x, y, width, height): (f32, f32, f32, f32), image: &Pixels) {
    let Some(mut drawn) = Pixmap::new(image.width, image.height) else { return };
    for (pixel, rgb) in drawn.data_mut().chunks_exact_mut(4).zip(image.rgb.chunks_exact(3)) {
        pixel.copy_from_slice(&[rgb[0], rgb[1], rgb[2], 255]);
    }
    let stretched = Transform::from_row(width / image.width as f32, 0.0, 0.0, height / image.height as f32, x, y);
    pixels.draw_pixmap(0, 0, drawn.as_ref(), &PixmapPaint::default(), stretched, None);
}

fn fill(pixels: &mut Pixmap, path: Option<Path>, color: Color) {
    if let Some(path) = path {
        pixels.fill_path(&path, &paint(color), FillRule::Winding, Transform::identity(), None);
    }
}

fn stroke(pixels: &mut Pixmap, path: Option<Path>, width: f32, color: Color) {
    if let Some(path) = path {
        let stroke = Stroke { width, line_cap: LineCap::Round, ..Stroke::default() };
        pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
    }
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(color.0, color.1, color.2, 255);
    paint.anti_alias = true;
    paint
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { left: 0.0, right: 4.0, bottom: 0.0, top: 2.0 };

    fn color_at(pixels: &Pixmap, x: u32, y: u32) -> Color {
        let p = pixels.pixel(x, y).unwrap();
        Color(p.red(), p.green(), p.blue())
    }

    #[test]
    fn world_y_grows_upwards() {
        let red = Color(255, 0, 0);
        let shapes = vec![Shape::Rectangle { min: (0.0, 1.0), max: (2.0, 2.0), color: red }];
        let pixels = scene_in(&Scene { view: VIEW, background: Color(0, 0, 0), shapes }, 40, 20);
        assert_eq!((pixels.width(), pixels.height()), (40, 20));
        assert_eq!(color_at(&pixels, 5, 5), red);
        assert_eq!(color_at(&pixels, 5, 15), Color(0, 0, 0));
        assert_eq!(color_at(&pixels, 25, 5), Color(0, 0, 0));
    }

    #[test]
    fn every_shape_leaves_its_colour_at_its_middle() {
        let (c, middle) = (Color(10, 200, 30), (2.0, 1.0));
        let shapes = [
            Shape::Line { from: (1.0, 1.0), to: (3.0, 1.0), width: 0.2, color: c },
            Shape::Circle { center: middle, radius: 0.3, color: c },
            Shape::Polygon { points: vec![(1.0, 0.5), (3.0, 0.5), (2.0, 1.8)], color: c },
            Shape::Text { center: middle, height: 1.0, text: "I".into(), color: c },
        ];
        for shape in shapes {
            let drawn = Scene { view: VIEW, background: Color(255, 255, 255), shapes: vec![shape.clone()] };
            assert_eq!(color_at(&scene_in(&drawn, 400, 200), 200, 100), c, "{shape:?}");
        }
    }

    #[test]
    fn a_frame_of_pixels_fills_the_view_row_by_row_from_the_top() {
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        let rgb = [red, red, red, blue].concat();
        let pixels = scene_in(&Scene::of_pixels(Pixels { width: 2, height: 2, rgb }), 40, 20);
        for (x, y, color) in [(2, 2, red), (38, 2, red), (2, 18, red), (38, 18, blue), (21, 11, blue)] {
            assert_eq!(color_at(&pixels, x, y), Color(color[0], color[1], color[2]), "{x} {y}");
        }
    }

    #[test]
    fn degenerate_shapes_are_no_trouble() {
        let c = Color(1, 2, 3);
        let shapes = vec![
            Shape::Polygon { points: vec![], color: c },
            Shape::Rectangle { min: (1.0, 1.0), max: (0.0, 0.0), color: c },
            Shape::Line { from: (f32::NAN, 0.0), to: (1.0, 1.0), width: 1.0, color: c },
            Shape::Text { center: (0.0, 0.0), height: 1.0, text: String::new(), color: c },
            Shape::Image { min: (0.0, 0.0), max: (1.0, 1.0), pixels: Pixels { width: 0, height: 3, rgb: vec![] } },
            Shape::Image { min: (1.0, 1.0), max: (0.0, 0.0), pixels: Pixels { width: 4, height: 3, rgb: vec![7] } },
        ];
        scene_in(&Scene { view: VIEW, background: c, shapes }, 30, 15);
    }
}
