//! Text as outlines, from an embedded subset of JetBrains Mono (Latin, Greek, a few signs; SIL Open Font License).

use std::sync::LazyLock;

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, OutlineBuilder};

static FACE: LazyLock<Face<'static>> = LazyLock::new(|| {
    const BYTES: &[u8] = include_bytes!("../../assets/font/JetBrainsMono-Medium-subset.ttf");
    Face::parse(BYTES, 0).expect("the embedded font is whole")
});

/// Where a text is placed relative to its anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Align {
    /// The anchor is at its left end.
    Left,
    /// The anchor is in its middle.
    Center,
    /// The anchor is at its right end.
    Right,
}

/// How wide `text` is, in pixels, with capitals `cap_height` pixels high.
pub fn width(text: &str, cap_height: f32) -> f32 {
    let units: f32 = text.chars().map(advance).sum();
    units * scale(cap_height)
}

/// The outlines of `text`, y downwards, its baseline at `y`; `None` if there is nothing to fill.
pub fn outline(text: &str, cap_height: f32, (x, y): (f32, f32), align: Align) -> Option<Path> {
    let left = match align {
        Align::Left => x,
        Align::Center => x - width(text, cap_height) / 2.0,
        Align::Right => x - width(text, cap_height),
    };
    let mut pen = Pen { path: PathBuilder::new(), x: left, y, scale: scale(cap_height) };
    for c in text.chars() {
        if let Some(glyph) = FACE.glyph_index(c).or_else(|| FACE.glyph_index('?')) {
            FACE.outline_glyph(glyph, &mut pen);
        }
        pen.x += advance(c) * pen.scale;
    }
    pen.path.finish()
}

fn scale(cap_height: f32) -> f32 {
    // 730 of 1000 units is the face's own value, should its table ever lack it.
    cap_height / f32::from(FACE.capital_height().unwrap_or(730))
}

fn advance(c: char) -> f32 {
    let glyph = FACE.glyph_index(c).or_else(|| FACE.glyph_index('?'));
    f32::from(glyph.and_then(|g| FACE.glyph_hor_advance(g)).unwrap_or(600))
}

struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_the_program_draws_is_in_the_font() {
        for c in (' '..='~').chain("·−–—…→←±×°εγθπ".chars()) {
            assert!(FACE.glyph_index(c).is_some(), "{c:?}");
        }
    }

    #[test]
    fn capitals_have_the_height_asked_for() {
        let bounds = outline("H", 20.0, (0.0, 50.0), Align::Left).unwrap().bounds();
        assert!((bounds.height() - 20.0).abs() < 0.1, "{bounds:?}");
        assert!((bounds.bottom() - 50.0).abs() < 0.1, "{bounds:?}");
    }

    #[test]
    fn alignment_moves_the_anchor() {
        let left = outline("abc", 10.0, (100.0, 0.0), Align::Left).unwrap().bounds();
        let right = outline("abc", 10.0, (100.0, 0.0), Align::Right).unwrap().bounds();
        assert!((left.left() - right.left() - width("abc", 10.0)).abs() < 0.01);
    }
}
