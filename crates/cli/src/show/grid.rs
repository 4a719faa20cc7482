//! A frame in character cells.

use requel_envs::{Color, Scene, Shape};
use tiny_skia::Pixmap;

use super::ability::{Ability, ColorDepth};
use super::frame::{BarScale, Caption, Decision, Frame};
use super::palette::{Theme, distance};
use super::raster;

/// One character cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Its character.
    pub character: char,
    /// The character's colour; `None` is the terminal's own.
    pub ink: Option<Color>,
    /// The colour behind; `None` is the terminal's own.
    pub paper: Option<Color>,
}

const EMPTY: Cell = Cell { character: ' ', ink: None, paper: None };

/// A rectangle of character cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    columns: usize,
    cells: Vec<Cell>,
}

/// Up to this many actions have a bar in the terminal.
const MOST_BARS: usize = 6;
/// With this many columns or more, the bars are next to the numbers; with fewer, below them.
const WIDE: usize = 56;

impl Grid {
    /// The frame in `columns` × `rows` cells; `hint` is the last line. Parts that do not fit are left out: first the bars, then the
    /// caption.
    pub fn of(
        frame: &Frame,
        scale: &BarScale,
        (columns, rows): (usize, usize),
        (ability, hint): (Ability, &str),
    ) -> Self {
        let mut grid = Grid { columns, cells: vec![EMPTY; columns * rows] };
        let bars = frame.caption.decision.as_ref().map_or(0, |d| d.q_values.len().min(MOST_BARS));
        let caption_rows = if columns >= WIDE { bars.max(2) } else { 2 + bars };
        let shown_caption = if rows >= caption_rows + 8 { caption_rows } else { 2.min(rows / 3) };
        let hint_rows = usize::from(!hint.is_empty() && rows >= 8);
        let scene_rows = rows.saturating_sub(shown_caption + 1 + hint_rows).max(1);

        let (width, height) = fit(&frame.scene, columns, scene_rows);
        let left = (columns - width) / 2;
        grid.paint_scene(&frame.scene, (left, 0), (width, height), ability);

        // The caption is below the picture, but never narrower than it needs to be readable.
        let caption_width = width.max(columns.min(72));
        let margin = (columns - caption_width) / 2;
        let below = height + 1;
        if shown_caption > 0 {
            grid.write_caption(&frame.caption, scale, (margin, below), (caption_width, shown_caption, ability));
        }
        if hint_rows > 0 {
            let muted = (ability.color != ColorDepth::Mono).then_some(Theme::terminal().muted);
            grid.write((margin + 1, rows - 1), hint, muted);
        }
        grid
    }

    /// The scene without its caption, as large as possible in `columns` × `rows` cells.
    pub fn of_scene(scene: &Scene, (columns, rows): (usize, usize), ability: Ability) -> Self {
        let (width, height) = fit(scene, columns.max(1), rows.max(1));
        let mut grid = Grid { columns: width, cells: vec![EMPTY; width * height] };
        grid.paint_scene(scene, (0, 0), (width, height), ability);
        grid
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows from top to bottom.
    pub fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.columns.max(1))
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column < self.columns { self.cells.get_mut(row * self.columns + column) } else { None }
    }

    fn write(&mut self, (column, row): (usize, usize), text: &str, ink: Option<Color>) {
        for (i, character) in text.chars().enumerate() {
            if let Some(cell) = self.cell(column + i, row) {
                *cell = Cell { character, ink, paper: cell.paper };
            }
        }
    }

    fn paint_scene(&mut self, scene: &Scene, at: (usize, usize), (width, height): (usize, usize), ability: Ability) {
        match ability {
            Ability { color: ColorDepth::Mono, unicode: true } => self.paint_braille(scene, at, (width, height)),
            Ability { color: ColorDepth::Mono, unicode: false } => self.paint_letters(scene, at, (width, height)),
            _ => self.paint_halves(scene, at, (width, height), ability),
        }
        self.overlay_text(scene, at, (width, height), ability);
    }

    /// Two pixels per cell: the upper one is the foreground of a half block, the lower one its background. Without Unicode, one pixel per
    /// cell.
    fn paint_halves(
        &mut self,
        scene: &Scene,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        ability: Ability,
    ) {
        let pixels = raster::scene_in(scene, width as u32, 2 * height as u32);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let (upper, lower) = (pixel(&pixels, column, 2 * row), pixel(&pixels, column, 2 * row + 1));
            if let Some(cell) = self.cell(left + column, top + row) {
                *cell = match ability.unicode && upper != lower {
                    true => Cell { character: '▀', ink: Some(upper), paper: Some(lower) },
                    false => Cell { character: ' ', ink: None, paper: Some(lower) },
                };
            }
        }
    }

    /// Two by four dots per cell, set where the scene differs from its background.
    fn paint_braille(&mut self, scene: &Scene, (left, top): (usize, usize), (width, height): (usize, usize)) {
        const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        const VISIBLE: u32 = 20_000;
        let pixels = raster::scene_in(scene, 2 * width as u32, 4 * height as u32);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let mut dots = 0;
            for (y, line) in DOTS.iter().enumerate() {
                for (x, dot) in line.iter().enumerate() {
                    let here = pixel(&pixels, 2 * column + x, 4 * row + y);
                    if distance(here, scene.background) > VISIBLE {
                        dots |= dot;
                    }
                }
            }
            let character = if dots == 0 { ' ' } else { char::from_u32(0x2800 + dots).unwrap_or(' ') };
            if let Some(cell) = self.cell(left + column, top + row) {
                *cell = Cell { character, ..EMPTY };
            }
        }
    }

    /// One letter per cell, heavier the more the scene differs from its background.
    fn paint_letters(&mut self, scene: &Scene, (left, top): (usize, usize), (width, height): (usize, usize)) {
        const RAMP: [char; 8] = [' ', '.', ':', '-', '=', '+', '*', '#'];
        const HEAVIEST: f32 = 120_000.0;
        let pixels = raster::scene_in(scene, width as u32, 2 * height as u32);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let halves = [2 * row, 2 * row + 1].map(|y| distance(pixel(&pixels, column, y), scene.background));
            let weight = ((halves[0] + halves[1]) as f32 / 2.0 / HEAVIEST).sqrt().min(1.0);
            let character = RAMP[(weight * (RAMP.len() - 1) as f32).round() as usize];
            if let Some(cell) = self.cell(left + column, top + row) {
                *cell = Cell { character, ..EMPTY };
            }
        }
    }

    /// Text in the scene as characters: its outlines would be unreadable at this size.
    fn overlay_text(
        &mut self,
        scene: &Scene,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        ability: Ability,
    ) {
        let view = scene.view;
        for shape in &scene.shapes {
            let Shape::Text { center, text, color, .. } = shape else { continue };
            let across = (center.0 - view.left) / (view.right - view.left);
            let down = (view.top - center.1) / (view.top - view.bottom);
            if !(0.0..=1.0).contains(&across) || !(0.0..=1.0).contains(&down) {
                continue;
            }
            let start = (across * width as f32 - text.chars().count() as f32 / 2.0).max(0.0) as usize;
            let row = ((down * height as f32) as usize).min(height - 1);
            let ink = (ability.color != ColorDepth::Mono).then_some(*color);
            for (i, character) in text.chars().enumerate().take(width.saturating_sub(start)) {
                if let Some(cell) = self.cell(left + start + i, top + row) {
                    *cell = Cell { character, ink, paper: cell.paper };
                }
            }
        }
    }

    fn write_caption(
        &mut self,
        caption: &Caption,
        scale: &BarScale,
        (left, top): (usize, usize),
        (width, rows, ability): (usize, usize, Ability),
    ) {
        let theme = Theme::terminal();
        let muted = (ability.color != ColorDepth::Mono).then_some(theme.muted);
        let line = caption.numbers();
        let line = if ability.unicode { line } else { line.replace('·', "|") };
        self.write((left + 1, top), &caption.env, None);
        self.write((left + 1, top + 1), &line, muted);
        let Some(decision) = &caption.decision else { return };
        let (column, row) = if width >= WIDE { (left + width / 2, top) } else { (left + 1, top + 2) };
        let space = (left + width).saturating_sub(column + 1);
        let names = (0..decision.q_values.len()).map(|action| decision.name(action).chars().count()).max().unwrap_or(0);
        let label = names.min(space / 3).max(2);
        for action in 0..decision.q_values.len().min((rows + top).saturating_sub(row)) {
            self.write_bar(decision, action, scale, ((column, row + action), (space, label), ability));
        }
    }

    fn write_bar(
        &mut self,
        decision: &Decision,
        action: usize,
        scale: &BarScale,
        (at, (space, label), ability): ((usize, usize), (usize, usize), Ability),
    ) {
        let theme = Theme::terminal();
        let taken = action == decision.action;
        let color = (ability.color != ColorDepth::Mono).then_some(if taken { theme.accent } else { theme.bar });
        let name: String = decision.name(action).chars().take(label).collect();
        let label = format!("{name:>label$} ");
        let number = format!("{:>9}{}", decision.figure(action), if taken { " <" } else { "  " });
        let number = if ability.unicode { number.replace('<', "◂") } else { number };
        let cells = space.saturating_sub(label.len() + number.chars().count());
        let (label_ink, number_ink) = if taken { (None, None) } else { (Some(theme.muted), Some(theme.muted)) };
        let plain = |ink: Option<Color>| ink.filter(|_| ability.color != ColorDepth::Mono);
        self.write(at, &label, plain(label_ink));
        self.write((at.0 + label.len(), at.1), &bar(scale.fraction(decision, action), cells, ability.unicode), color);
        self.write((at.0 + label.len() + cells, at.1), &number, plain(number_ink));
    }
}

/// A bar of at most `cells` characters, in eighths where there is Unicode.
fn bar(fraction: f32, cells: usize, unicode: bool) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (fraction.clamp(0.0, 1.0) * 8.0 * cells as f32).round() as usize;
    if !unicode {
        return "=".repeat((eighths + 4) / 8);
    }
    let mut bar = "█".repeat(eighths / 8);
    match eighths % 8 {
        0 => {}
        part => bar.push(EIGHTHS[part]),
    }
    bar
}

/// The largest size in cells that shows the scene with its proportions. A cell is about twice as high as wide.
fn fit(scene: &Scene, columns: usize, rows: usize) -> (usize, usize) {
    let view = scene.view;
    let aspect = (view.right - view.left) / (view.top - view.bottom).max(f32::EPSILON);
    let width = ((2 * rows) as f32 * aspect).round().clamp(1.0, columns as f32) as usize;
    let height = (width as f32 / aspect / 2.0).round().clamp(1.0, rows as f32) as usize;
    (width, height)
}

fn pixel(pixels: &Pixmap, x: usize, y: usize) -> Color {
    let p = pixels.pixel(x as u32, y as u32).expect("the picture was made for these cells");
    Color(p.red(), p.green(), p.blue())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::sample;

    fn text(ability: Ability, size: (usize, usize)) -> String {
        let frame = sample::frame(40);
        let mut scale = BarScale::new();
        scale.include(frame.caption.decision.as_ref().unwrap());
        let grid = Grid::of(&frame, &scale, size, (ability, "space pause"));
        let line = |cells: &[Cell]| cells.iter().map(|c| c.character).collect::<String>().trim_end().to_string();
        grid.rows().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn plain_letters() {
        let ability = Ability { color: ColorDepth::Mono, unicode: false };
        let text = text(ability, (80, 24));
        assert!(text.is_ascii());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn dots() {
        insta::assert_snapshot!(text(Ability { color: ColorDepth::Mono, unicode: true }, (60, 20)));
    }

    #[test]
    fn half_blocks_hold_two_pixels() {
        let (frame, scale) = (sample::frame(40), BarScale::new());
        let ability = Ability { color: ColorDepth::True, unicode: true };
        let grid = Grid::of(&frame, &scale, (80, 24), (ability, ""));
        let mixed = grid.cells.iter().filter(|c| c.character == '▀').count();
        assert!(mixed > 20, "{mixed} cells with two colours");
        assert!(grid.cells.iter().any(|c| c.paper == Some(frame.scene.background)));
    }

    #[test]
    fn no_size_is_too_small() {
        let (frame, scale) = (sample::frame(0), BarScale::new());
        for (columns, rows) in [(1, 1), (3, 2), (10, 5), (200, 3), (5, 60)] {
            let ability = Ability { color: ColorDepth::Ansi256, unicode: true };
            let grid = Grid::of(&frame, &scale, (columns, rows), (ability, "hint"));
            assert_eq!(grid.cells.len(), columns * rows);
        }
    }
}
