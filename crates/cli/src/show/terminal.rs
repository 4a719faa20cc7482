//! Grids on a real terminal: the alternate screen, redrawn where it changed.

use std::io::{self, Write};

use crossterm::style::{Color as Ink, Print, ResetColor, SetBackgroundColor, SetForegroundColor};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{cursor, execute, queue};
use requel_envs::Color;

use super::ability::ColorDepth;
use super::grid::Grid;
use super::palette::ansi256;

/// The alternate screen of the terminal, with an unbuffered keyboard; everything is restored when this is dropped.
pub struct Screen<W: Write> {
    out: W,
    depth: ColorDepth,
    shown: Option<Grid>,
}

impl<W: Write> Screen<W> {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// The error of the terminal, which is then restored.
    pub fn open(mut out: W, depth: ColorDepth) -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        if let Err(error) = execute!(out, terminal::EnterAlternateScreen, cursor::Hide) {
            let _ = terminal::disable_raw_mode();
            return Err(error);
        }
        Ok(Screen { out, depth, shown: None })
    }

    /// How many columns and rows there are.
    pub fn size(&self) -> (usize, usize) {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (usize::from(columns).max(1), usize::from(rows).max(1))
    }

    /// Shows the grid; only cells that differ from what is shown are written.
    ///
    /// # Errors
    /// What the terminal returns.
    pub fn show(&mut self, grid: Grid) -> io::Result<()> {
        queue!(self.out, BeginSynchronizedUpdate)?;
        write_changes(&mut self.out, self.shown.as_ref(), &grid, self.depth)?;
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()?;
        self.shown = Some(grid);
        Ok(())
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // Nothing useful can be done if the terminal is gone.
        let _ = execute!(self.out, ResetColor, cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// Writes the cells of `now` that differ from `before`; all of them if there was none or its size was different.
fn write_changes(out: &mut impl Write, before: Option<&Grid>, now: &Grid, depth: ColorDepth) -> io::Result<()> {
    let before = before.filter(|b| b.columns() == now.columns() && b.rows().count() == now.rows().count());
    if before.is_none() {
        queue!(out, ResetColor, Clear(ClearType::All))?;
    }
    let mut style = (None, None);
    queue!(out, ResetColor)?;
    let mut old_rows = before.map(Grid::rows);
    for (y, row) in now.rows().enumerate() {
        let old = old_rows.as_mut().and_then(Iterator::next);
        let mut pen = None;
        for (x, cell) in row.iter().enumerate() {
            if old.is_some_and(|old| old[x] == *cell) {
                continue;
            }
            if pen != Some(x) {
                // A terminal has at most 65535 columns and rows.
                queue!(out, cursor::MoveTo(x as u16, y as u16))?;
            }
            pen = Some(x + 1);
            if style != (cell.ink, cell.paper) {
                queue!(out, SetForegroundColor(ink(cell.ink, depth)), SetBackgroundColor(ink(cell.paper, depth)))?;
                style = (cell.ink, cell.paper);
            }
            queue!(out, Print(cell.character))?;
        }
    }
    queue!(out, ResetColor)
}

/// The grid line by line, for a terminal that is used further. Without colours it is plain text.
pub fn text(grid: &Grid, depth: ColorDepth) -> String {
    let mut bytes = Vec::new();
    for row in grid.rows() {
        let mut style = (None, None);
        for cell in row {
            if style != (cell.ink, cell.paper) && depth != ColorDepth::Mono {
                let colors = (SetForegroundColor(ink(cell.ink, depth)), SetBackgroundColor(ink(cell.paper, depth)));
                queue!(bytes, colors.0, colors.1).expect("memory takes it");
                style = (cell.ink, cell.paper);
            }
            queue!(bytes, Print(cell.character)).expect("memory takes it");
        }
        if depth != ColorDepth::Mono {
            queue!(bytes, ResetColor).expect("memory takes it");
        }
        bytes.push(b'\n');
    }
    String::from_utf8(bytes).expect("escape sequences and characters are UTF-8")
}

fn ink(color: Option<Color>, depth: ColorDepth) -> Ink {
    match (color, depth) {
        (None, _) | (_, ColorDepth::Mono) => Ink::Reset,
        (Some(Color(r, g, b)), ColorDepth::True) => Ink::Rgb { r, g, b },
        (Some(color), ColorDepth::Ansi256) => Ink::AnsiValue(ansi256(color)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{Ability, BarScale, sample};

    fn grid(step: u32) -> Grid {
        let ability = Ability { color: ColorDepth::True, unicode: true };
        Grid::of(&sample::frame(step), &BarScale::new(), (80, 24), (ability, ""))
    }

    #[test]
    fn an_equal_grid_writes_no_cell() {
        let mut bytes = Vec::new();
        write_changes(&mut bytes, Some(&grid(5)), &grid(5), ColorDepth::True).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap().matches(|c: char| !c.is_ascii()).count(), 0);
    }

    #[test]
    fn a_step_writes_much_less_than_the_screen() {
        let (mut all, mut changes) = (Vec::new(), Vec::new());
        write_changes(&mut all, None, &grid(5), ColorDepth::True).unwrap();
        write_changes(&mut changes, Some(&grid(5)), &grid(6), ColorDepth::True).unwrap();
        assert!(changes.len() * 2 < all.len(), "{} of {} bytes", changes.len(), all.len());
    }
}
