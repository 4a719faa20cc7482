//! [`Panel`], labelled lines in a frame.

use std::io::{self, Write};

use crate::style::{BOLD, MUTED, paint};

/// Labelled lines under a title; in a frame where a person looks at a terminal.
pub struct Panel {
    title: String,
    lines: Vec<(&'static str, String)>,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// No frame, for pipes and logs.
    None,
    /// Lines made of `-` and `|`.
    Ascii,
    /// Lines made of box-drawing characters.
    Box,
}

impl Panel {
    /// A panel without lines.
    pub fn new(title: impl Into<String>) -> Self {
        Panel { title: title.into(), lines: Vec::new() }
    }

    /// Adds a line. `text` may be styled.
    pub fn line(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.lines.push((label, text.into()));
        self
    }

    /// Writes the panel.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: &mut impl Write, frame: Frame) -> io::Result<()> {
        let labels = self.lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        let inner = self.lines.iter().map(|(_, text)| labels + 2 + visible(text)).max().unwrap_or(0);
        let inner = inner.max(visible(&self.title) + 2);
        let [left_top, right_top, left_bottom, right_bottom, across, down] = match frame {
            Frame::None => {
                writeln!(out, "{}", paint(BOLD, &self.title))?;
                for (label, text) in &self.lines {
                    writeln!(out, "  {label:<labels$}  {text}")?;
                }
                return Ok(());
            }
            Frame::Ascii => ["+", "+", "+", "+", "-", "|"],
            Frame::Box => ["╭", "╮", "╰", "╯", "─", "│"],
        };
        let rule = |n: usize| across.repeat(n);
        let edge = |text: &str| paint(MUTED, text);
        let rest = inner + 1 - (visible(&self.title) + 2);
        let title = paint(BOLD, &self.title);
        writeln!(
            out,
            "{} {title} {}",
            edge(&format!("{left_top}{across}")),
            edge(&format!("{}{right_top}", rule(rest)))
        )?;
        for (label, text) in &self.lines {
            let space = " ".repeat(inner - (labels + 2 + visible(text)));
            let label = paint(MUTED, format_args!("{label:<labels$}"));
            writeln!(out, "{} {label}  {text}{space} {}", edge(down), edge(down))?;
        }
        writeln!(out, "{}", edge(&format!("{left_bottom}{}{right_bottom}", rule(inner + 2))))
    }
}

/// How many characters are seen: without the escape sequences of styles.
fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::GOOD;

    #[test]
    fn frames_close_around_styled_text() {
        let panel = Panel::new("done").line("best", paint(GOOD, "500 ± 0")).line("directory", "runs/x");
        let mut out = anstream::StripStream::new(Vec::new());
        panel.write(&mut out, Frame::Box).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_long_title_widens_the_frame() {
        let mut out = anstream::StripStream::new(Vec::new());
        Panel::new("a long title").line("x", "y").write(&mut out, Frame::Ascii).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert!(text.lines().all(|line| line.len() == text.lines().next().unwrap().len()), "{text}");
    }
}
