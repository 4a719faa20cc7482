//! [`lines`], what a dashboard leaves on the terminal when it is closed.

use anstyle::{Ansi256Color, Color as Ink, RgbColor, Style};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Color;

use super::charts::Charts;

const ROWS: u16 = 12;
/// From this many columns on, two plots are shown side by side.
const WIDE: u16 = 100;
/// The maximum width, for readability.
const WIDEST: u16 = 150;

/// The returns and, if there is room, the values, as lines of coloured text; empty if there is no curve yet.
pub fn lines(charts: Charts<'_>, columns: u16) -> Vec<String> {
    if charts.chronicle.returns.points().is_empty() {
        return Vec::new();
    }
    let columns = columns.min(WIDEST);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, ROWS));
    let Ok(_) = terminal.draw(|frame| {
        let plots = charts.plots();
        let count = if columns >= WIDE { 2 } else { 1 };
        let areas = Layout::horizontal(vec![Constraint::Fill(1); count]).split(frame.area());
        plots.iter().zip(areas.iter()).for_each(|(plot, area)| plot.draw(frame, *area, charts.inks()));
    });
    text(terminal.backend().buffer())
}

/// The contents of the buffer, without spaces at the ends of lines.
fn text(buffer: &Buffer) -> Vec<String> {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    rows.map(|row| {
        let (mut line, mut color) = (String::new(), Color::Reset);
        for cell in row {
            if cell.fg != color {
                line.push_str(&change(color, cell.fg));
                color = cell.fg;
            }
            line.push_str(cell.symbol());
        }
        line.push_str(&change(color, Color::Reset));
        line.trim_end().to_owned()
    })
    .collect()
}

fn change(from: Color, to: Color) -> String {
    let style = |color| {
        Style::new().fg_color(match color {
            Color::Rgb(r, g, b) => Some(Ink::Rgb(RgbColor(r, g, b))),
            Color::Indexed(index) => Some(Ink::Ansi256(Ansi256Color(index))),
            _ => None,
        })
    };
    format!("{:#}{}", style(from), style(to))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::dashboard::chronicle::Chronicle;
    use crate::dashboard::link::Inbox;
    use crate::show::{Ability, ColorDepth};
    use requel::train::Budget;

    #[test]
    fn curves_stay_and_where_there_are_none_nothing_does() {
        let mut chronicle = Chronicle::new(Budget::EnvSteps(2000), (0, 0));
        let ability = Ability { color: ColorDepth::Ansi256, unicode: true };
        assert!(lines(Charts { chronicle: &chronicle, ability }, 80).is_empty());
        let inbox = Inbox { episodes: (1..90).map(|i| (20 * i, i as f64)).collect(), ..Inbox::default() };
        chronicle.note(&inbox, 1800, Instant::now());
        for (columns, plots) in [(80, 1), (120, 2), (400, 2)] {
            let lines = lines(Charts { chronicle: &chronicle, ability }, columns);
            let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
            assert_eq!((lines.len(), plain.matches('╭').count()), (usize::from(ROWS), plots), "{plain}");
            assert!(plain.contains("return") && plain.contains("1,780"), "{plain}");
            assert!(plain.lines().all(|line| line.chars().count() <= usize::from(columns.min(WIDEST))), "{plain}");
        }
    }
}
