//! [`Mark`], what a picture is made of, in points from its upper left corner.

use requel_envs::Color;

use crate::show::font::Align;

/// A point: rightwards and downwards.
pub type At = (f32, f32);

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width and height.
    pub size: (f32, f32),
    /// What is drawn, the first one first.
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

/// Whether a line is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// It is.
    Solid,
    /// It is dashed.
    Dashed,
    /// It is dotted.
    Dotted,
}

impl Dash {
    /// Lengths of strokes and gaps; empty where there are none.
    pub fn lengths(self) -> &'static [f32] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[7.0, 4.0],
            Dash::Dotted => &[2.0, 4.0],
        }
    }
}
