//! Colours: the caption's themes, and some arithmetic.

use requel_envs::Color;

/// The colours around an environment's picture.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Behind the caption.
    pub strip: Color,
    /// Main text.
    pub ink: Color,
    /// Less important text.
    pub muted: Color,
    /// The action taken.
    pub accent: Color,
    /// The bars of the other actions.
    pub bar: Color,
    /// The part of a bar that is not filled.
    pub track: Color,
}

const LIGHT: Theme = Theme {
    strip: Color(0xff, 0xff, 0xff),
    ink: Color(0x1f, 0x24, 0x37),
    muted: Color(0x7b, 0x82, 0x98),
    accent: Color(0xe4, 0x57, 0x2e),
    bar: Color(0xa9, 0xb4, 0xcc),
    track: Color(0xed, 0xef, 0xf4),
};

const DARK: Theme = Theme {
    strip: Color(0x12, 0x15, 0x1f),
    ink: Color(0xee, 0xf0, 0xf6),
    muted: Color(0x8a, 0x92, 0xa8),
    accent: Color(0xff, 0x9f, 0x5a),
    bar: Color(0x5c, 0x6b, 0x8e),
    track: Color(0x25, 0x2a, 0x3a),
};

impl Theme {
    /// The theme for an environment's background.
    pub fn beside(background: Color) -> Theme {
        if luminance(background) > 0.45 { LIGHT } else { DARK }
    }

    /// The theme for text on the terminal's own background, which is usually dark.
    pub fn terminal() -> Theme {
        Theme { muted: Color(0x8a, 0x92, 0xa8), ..DARK }
    }
}

/// Colours for curves side by side that people with any kind of colour vision can tell apart (Okabe & Ito 2008, without the yellow, which
/// is too pale on white), and a grey. With more curves, the next seven are dashed.
pub const SERIES: [Color; 7] = [
    Color(0x00, 0x72, 0xb2),
    Color(0xe6, 0x9f, 0x00),
    Color(0x00, 0x9e, 0x73),
    Color(0xd5, 0x5e, 0x00),
    Color(0xcc, 0x79, 0xa7),
    Color(0x56, 0xb4, 0xe9),
    Color(0x6b, 0x72, 0x80),
];

/// How bright a colour looks, 0 to 1 (Rec. 709 weights on the encoded values: accurate enough to tell light from dark).
pub fn luminance(Color(r, g, b): Color) -> f32 {
    (0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)) / 255.0
}

/// The squared distance of two colours, weighted roughly like the eye does.
pub fn distance(a: Color, b: Color) -> u32 {
    let d = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * d(a.0, b.0) + 4 * d(a.1, b.1) + 3 * d(a.2, b.2)
}

/// The entry of the 256-colour terminal palette nearest to a colour: its 6×6×6 cube or its grey ramp.
pub fn ansi256(color: Color) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |v: u8| (0..6).min_by_key(|&i| LEVELS[i].abs_diff(v)).unwrap_or(0);
    let (r, g, b) = (nearest(color.0), nearest(color.1), nearest(color.2));
    let cube = Color(LEVELS[r], LEVELS[g], LEVELS[b]);
    let mean = (u16::from(color.0) + u16::from(color.1) + u16::from(color.2)) / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = 8 + 10 * step;
    if distance(Color(grey, grey, grey), color) < distance(cube, color) {
        232 + step
    } else {
        (16 + 36 * r + 6 * g + b) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_colours_have_their_cube_entries() {
        assert_eq!(ansi256(Color(255, 0, 0)), 196);
        assert_eq!(ansi256(Color(0, 0, 0)), 16);
        assert_eq!(ansi256(Color(255, 255, 255)), 231);
        assert_eq!(ansi256(Color(128, 128, 128)), 244);
    }

    #[test]
    fn theme_follows_the_background() {
        assert!(luminance(Theme::beside(Color(250, 250, 250)).strip) > 0.5);
        assert!(luminance(Theme::beside(Color(10, 12, 20)).strip) < 0.5);
    }
}
