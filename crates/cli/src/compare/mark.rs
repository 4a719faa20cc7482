//! [`Mark`], the elements of a picture, in points from its upper left corner.

use requel_envs::Color;

use crate::show::font::Align;

/// A point: right and down.
pub type At = (f32, f32);

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width and height.
    pub size: (f32, f32),
    /// The elements, in drawing order.
    pub marks: Vec<Mark>,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Block { at: At, size: (f32, f32), color: Color, opacity: f32 },
    /// A line through points.
    Line { through: Vec<At>, width: f32, color: Color, dash: Dash },
    /// A filled area within points.
    Area { within: Vec<At>, color: Color, opacity: f32 },
    /// A filled circle.
    Dot { center: At, radius: f32, color: Color, opacity: f32 },
    /// Text with its baseline at `at` and capitals of a height.
    Text { at: At, cap: f32, align: Align, color: Color, text: String },
}

/// The dash of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Solid.
    Solid,
    /// Dashed.
    Dashed,
    /// Dotted.
    Dotted,
}

impl Dash {
    /// Lengths of strokes and gaps; empty for a solid line.
    pub fn lengths(self) -> &'static [f32] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[7.0, 4.0],
            Dash::Dotted => &[2.0, 4.0],
        }
    }
}

#[cfg(test)]
impl Picture {
    /// Checks that everything lies within the edges of the picture.
    pub fn assert_inside(&self) {
        use crate::show::font;

        let inside = |(x, y): At| (0.0..=self.size.0).contains(&x) && (0.0..=self.size.1).contains(&y);
        for mark in &self.marks {
            let points = match mark {
                Mark::Block { at, size, .. } => vec![*at, (at.0 + size.0, at.1 + size.1)],
                Mark::Line { through: points, .. } | Mark::Area { within: points, .. } => points.clone(),
                Mark::Dot { center, .. } => vec![*center],
                Mark::Text { at, cap, align, text, .. } => {
                    let width = font::width(text, *cap);
                    let left = match align {
                        Align::Left => at.0,
                        Align::Center => at.0 - width / 2.0,
                        Align::Right => at.0 - width,
                    };
                    vec![(left, at.1), (left + width, at.1)]
                }
            };
            assert!(points.into_iter().all(inside), "{mark:?}");
        }
    }
}
