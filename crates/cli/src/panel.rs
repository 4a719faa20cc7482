//! [`Panel`], labelled lines in a frame.

use std::io::{self, Write};

use crate::ascii::in_ascii;
use crate::columns::{self, folded, width};
use crate::style::{BOLD, MUTED, paint};

/// Labelled lines under a title; in a frame if stdout is a terminal.
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

    /// Writes the panel, no wider than the terminal where there is one.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: &mut impl Write, frame: Frame) -> io::Result<()> {
        self.write_within(out, frame, columns::of_stdout().unwrap_or(usize::MAX))
    }

    fn write_within(&self, out: &mut impl Write, frame: Frame, columns: usize) -> io::Result<()> {
        let labels = self.lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
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
        // ASCII replacements may be wider than the characters they replace.
        let said = |text: &str| if frame == Frame::Ascii { in_ascii(text) } else { text.to_owned() };
        let lines: Vec<(&'static str, String)> = self.lines.iter().map(|(label, text)| (*label, said(text))).collect();
        // The frame takes four columns, and the label with its gap as many as it needs.
        let room = columns.saturating_sub(labels + 2 + 4).max(LEAST_ROOM);
        let lines: Vec<(&str, String)> = lines.iter().flat_map(|line| fitted(line, room)).collect();
        let inner = lines.iter().map(|(_, text)| labels + 2 + width(text)).max().unwrap_or(0);
        let title = fitted(&("", said(&self.title)), columns.saturating_sub(6).max(LEAST_ROOM)).swap_remove(0).1;
        let inner = inner.max(width(&title) + 2);
        let rule = |n: usize| across.repeat(n);
        let edge = |text: &str| paint(MUTED, text);
        let rest = inner + 1 - (width(&title) + 2);
        writeln!(
            out,
            "{} {} {}",
            edge(&format!("{left_top}{across}")),
            paint(BOLD, &title),
            edge(&format!("{}{right_top}", rule(rest)))
        )?;
        for (label, text) in &lines {
            let space = " ".repeat(inner - (labels + 2 + width(text)));
            let label = paint(MUTED, format_args!("{label:<labels$}"));
            writeln!(out, "{} {label}  {text}{space} {}", edge(down), edge(down))?;
        }
        writeln!(out, "{}", edge(&format!("{left_bottom}{}{right_bottom}", rule(inner + 2))))
    }
}

/// Text is never wrapped to less than this, however narrow the terminal is.
const LEAST_ROOM: usize = 12;

/// A line in parts that fit into the given number of columns. Parts that have to be wrapped lose their styles.
fn fitted((label, text): &(&'static str, String), room: usize) -> Vec<(&'static str, String)> {
    if width(text) <= room {
        return vec![(*label, text.clone())];
    }
    let plain = anstream::adapter::strip_str(text).to_string();
    let parts = folded(&plain, room).into_iter().filter(|part| !part.is_empty()).enumerate();
    parts.map(|(at, part)| (if at == 0 { *label } else { "" }, part)).collect()
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

    #[test]
    fn a_frame_closes_around_wide_characters_and_on_narrow_terminals() {
        let panel = Panel::new("CartPole-v1 trained, but not solved (475 needed)")
            .line("best policy", paint(GOOD, "154.35 ± 13.38 over 100 fresh episodes, greedy"))
            .line("run", "runs/ünïcödé 日本語の名前/seed-1");
        for columns in [24, 40, 64, 65, 80, usize::MAX] {
            for frame in [Frame::Box, Frame::Ascii] {
                let mut out = anstream::StripStream::new(Vec::new());
                panel.write_within(&mut out, frame, columns).unwrap();
                let text = String::from_utf8(out.into_inner()).unwrap();
                let widths: Vec<usize> = text.lines().map(width).collect();
                assert!(widths.iter().all(|w| *w == widths[0] && *w <= columns.max(29)), "{columns}\n{text}");
                let score = if frame == Frame::Ascii { "154.35 +-" } else { "154.35 ±" };
                assert!(text.contains(score) && text.is_ascii() == (frame == Frame::Ascii), "{text}");
            }
        }
    }
}
