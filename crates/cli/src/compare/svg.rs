//! A [`Picture`] as SVG.

use std::fmt::Write;

use requel_envs::Color;

use super::mark::{Mark, Picture};
use crate::page::escape;
use crate::show::font::Align;

/// The picture as a complete file.
pub fn svg(picture: &Picture) -> String {
    let (width, height) = picture.size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"'JetBrains Mono', ui-monospace, Menlo, Consolas, monospace\">\n"
    );
    for mark in &picture.marks {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", element(mark));
    }
    out.push_str("</svg>\n");
    out
}

/// The picture as part of a page, which does not need the namespace.
pub fn inline_svg(picture: &Picture) -> String {
    svg(picture).replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

fn element(mark: &Mark) -> String {
    match mark {
        Mark::Block { at: (x, y), size: (width, height), color, opacity } => {
            let fill = fill(*color, *opacity);
            format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {fill}/>")
        }
        Mark::Line { through, width, color, dash } => {
            let lengths: Vec<String> = dash.lengths().iter().map(f32::to_string).collect();
            let dash = match lengths.is_empty() {
                true => " stroke-linecap=\"round\"".to_owned(),
                false => format!(" stroke-dasharray=\"{}\"", lengths.join(" ")),
            };
            format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}/>",
                points(through),
                hex(*color)
            )
        }
        Mark::Area { within, color, opacity } => {
            format!("<polygon points=\"{}\" {}/>", points(within), fill(*color, *opacity))
        }
        Mark::Dot { center: (x, y), radius, color, opacity } => {
            format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" {}/>", fill(*color, *opacity))
        }
        Mark::Text { at: (x, y), cap, align, color, text } => {
            let anchor = match align {
                Align::Left => "start",
                Align::Center => "middle",
                Align::Right => "end",
            };
            // Capitals have 0.73 of the size of the typeface used.
            let size = cap / 0.73;
            format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size:.1}\" text-anchor=\"{anchor}\" fill=\"{}\">{}</text>",
                hex(*color),
                escape(text)
            )
        }
    }
}

fn points(points: &[(f32, f32)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

fn fill(color: Color, opacity: f32) -> String {
    let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() };
    format!("fill=\"{}\"{opacity}", hex(color))
}

/// The colour as `#rrggbb`.
pub fn hex(Color(red, green, blue): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::figure::figure;
    use crate::compare::png::png;
    use crate::compare::sample;

    #[test]
    fn names_are_escaped_and_every_mark_is_drawn() {
        let mut comparison = sample::comparison();
        comparison.groups[0].name = "a<b & c".into();
        let picture = figure(&comparison, "x");
        let text = svg(&picture);
        assert!(text.contains("a&lt;b &amp; c") && !text.contains("a<b"));
        assert_eq!(text.lines().count(), picture.marks.len() + 2);
    }

    #[test]
    fn the_curve_of_a_group_has_its_colour_where_it_ends() {
        let comparison = sample::comparison();
        let picture = figure(&comparison, "x");
        let pixels = png(&picture, 1.0);
        let lines = picture.marks.iter().filter_map(|mark| match mark {
            Mark::Line { through, width, color, .. } if *width == 2.4 => Some((through.clone(), *color)),
            _ => None,
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 3);
        for (through, color) in lines {
            let (x, y) = through[through.len() / 2];
            let pixel = pixels.pixel(x as u32, y as u32).unwrap();
            let found = Color(pixel.red(), pixel.green(), pixel.blue());
            assert!(crate::show::palette::distance(found, color) < 2000, "{found:?} where {color:?} was drawn");
        }
    }
}
