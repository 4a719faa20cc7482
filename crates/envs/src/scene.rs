//! [`Scene`], an environment drawn as shapes in its own units or as a frame of pixels, which terminal, GIF and web renderers share.

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

/// A point in environment units; y grows upwards.
pub type Point = (f32, f32);

/// The part of the environment that a picture shows, in environment units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Smallest x, at the left edge.
    pub left: f32,
    /// Largest x, at the right edge.
    pub right: f32,
    /// Smallest y, at the lower edge.
    pub bottom: f32,
    /// Largest y, at the upper edge.
    pub top: f32,
}

/// One shape in environment units. Later shapes cover earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// An axis-parallel rectangle, filled.
    Rectangle {
        /// Lower left corner.
        min: Point,
        /// Upper right corner.
        max: Point,
        /// Fill.
        color: Color,
    },
    /// A line with round ends.
    Line {
        /// One end.
        from: Point,
        /// The other end.
        to: Point,
        /// Thickness, environment units.
        width: f32,
        /// Stroke.
        color: Color,
    },
    /// A disc.
    Circle {
        /// Centre.
        center: Point,
        /// Radius, environment units.
        radius: f32,
        /// Fill.
        color: Color,
    },
    /// A filled polygon.
    Polygon {
        /// Corners in order.
        points: Vec<Point>,
        /// Fill.
        color: Color,
    },
    /// Text, centred at a point.
    Text {
        /// Centre.
        center: Point,
        /// Height of a capital letter, environment units.
        height: f32,
        /// The text, one line.
        text: String,
        /// Fill.
        color: Color,
    },
    /// Pixels, stretched over an axis-parallel rectangle.
    Image {
        /// Lower left corner.
        min: Point,
        /// Upper right corner.
        max: Point,
        /// The pixels.
        pixels: Pixels,
    },
}

/// A picture of coloured pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue of each pixel, row by row from the top; three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// The colour of a pixel, counted from the upper left; black if there is none.
    pub fn color(&self, column: u32, row: u32) -> Color {
        let at = 3 * (row as usize * self.width as usize + column as usize);
        match self.rgb.get(at..at + 3) {
            Some(&[red, green, blue]) if column < self.width => Color(red, green, blue),
            _ => Color(0, 0, 0),
        }
    }
}

/// An environment at one moment, as shapes. An environment that renders itself uses [`Scene::of_pixels`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The part of the environment to show; it does not change during an episode.
    pub view: View,
    /// The background.
    pub background: Color,
    /// The shapes, from back to front.
    pub shapes: Vec<Shape>,
}

impl Scene {
    /// A frame that the environment has rendered itself.
    ///
    /// ```
    /// use requel_envs::{Pixels, Scene};
    ///
    /// let scene = Scene::of_pixels(Pixels { width: 160, height: 210, rgb: vec![0; 3 * 160 * 210] });
    /// assert_eq!((scene.view.right, scene.view.top), (160.0, 210.0));
    /// ```
    pub fn of_pixels(pixels: Pixels) -> Self {
        let (right, top) = (pixels.width as f32, pixels.height as f32);
        Scene {
            view: View { left: 0.0, right, bottom: 0.0, top },
            background: Color(0, 0, 0),
            shapes: vec![Shape::Image { min: (0.0, 0.0), max: (right, top), pixels }],
        }
    }

    /// Numbers as text, one per line and at most 24 of them: for an environment that has nothing else to show.
    pub fn of_numbers(numbers: &[f64]) -> Self {
        const MOST_LINES: usize = 24;
        let lines = numbers.len().clamp(1, MOST_LINES) as f32;
        let line = |(index, number): (usize, &f64)| Shape::Text {
            center: (4.0, lines - 0.5 - index as f32),
            height: 0.5,
            text: format!("{number:.4}"),
            color: Color(38, 50, 72),
        };
        Scene {
            view: View { left: 0.0, right: 8.0, bottom: 0.0, top: lines },
            background: Color(255, 255, 255),
            shapes: numbers.iter().take(MOST_LINES).enumerate().map(line).collect(),
        }
    }
}
