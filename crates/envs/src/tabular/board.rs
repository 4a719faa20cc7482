//! [`Board`], the geometry and drawing that all grid environments share.

use crate::{Color, Point, Scene, Shape, View};

pub(super) const INK: Color = Color(38, 50, 72);
pub(super) const PAPER: Color = Color(250, 250, 246);
pub(super) const AGENT: Color = Color(0, 114, 178);
pub(super) const GOAL: Color = Color(0, 158, 115);

/// A grid of cells, numbered row by row from the upper left, each one environment unit wide and high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Board {
    pub rows: usize,
    pub columns: usize,
}

impl Board {
    pub fn cells(self) -> usize {
        self.rows * self.columns
    }

    pub fn row(self, cell: usize) -> usize {
        cell / self.columns
    }

    pub fn column(self, cell: usize) -> usize {
        cell % self.columns
    }

    /// The cell next to `cell`; itself at the edge.
    pub fn neighbour(self, cell: usize, direction: Direction) -> usize {
        let (row, column) = (self.row(cell), self.column(cell));
        let inside = match direction {
            Direction::Left => column > 0,
            Direction::Down => row + 1 < self.rows,
            Direction::Right => column + 1 < self.columns,
            Direction::Up => row > 0,
        };
        match (inside, direction) {
            (false, _) => cell,
            (true, Direction::Left) => cell - 1,
            (true, Direction::Down) => cell + self.columns,
            (true, Direction::Right) => cell + 1,
            (true, Direction::Up) => cell - self.columns,
        }
    }

    /// The middle of a cell.
    pub fn center(self, cell: usize) -> Point {
        (self.column(cell) as f32 + 0.5, self.rows as f32 - 0.5 - self.row(cell) as f32)
    }

    /// A cell as a filled square with a gap around it.
    pub fn tile(self, cell: usize, color: Color) -> Shape {
        const HALF: f32 = 0.47;
        let (x, y) = self.center(cell);
        Shape::Rectangle { min: (x - HALF, y - HALF), max: (x + HALF, y + HALF), color }
    }

    /// A letter in the middle of a cell.
    pub fn letter(self, cell: usize, letter: impl Into<String>) -> Shape {
        Shape::Text { center: self.center(cell), height: 0.4, text: letter.into(), color: INK }
    }

    /// A flag that stands in a cell.
    pub fn flag(self, cell: usize) -> [Shape; 2] {
        let (x, y) = self.center(cell);
        let cloth = vec![(x - 0.15, y + 0.35), (x - 0.15, y + 0.05), (x + 0.25, y + 0.2)];
        [
            Shape::Line { from: (x - 0.15, y - 0.35), to: (x - 0.15, y + 0.35), width: 0.06, color: INK },
            Shape::Polygon { points: cloth, color: Color(213, 94, 0) },
        ]
    }

    /// A figure that stands in a cell: head and body.
    pub fn figure(self, cell: usize, color: Color) -> [Shape; 2] {
        let (x, y) = self.center(cell);
        let body = vec![(x - 0.22, y - 0.32), (x + 0.22, y - 0.32), (x + 0.08, y + 0.14), (x - 0.08, y + 0.14)];
        [Shape::Polygon { points: body, color }, Shape::Circle { center: (x, y + 0.19), radius: 0.14, color }]
    }

    /// All of the board and nothing else.
    pub fn scene(self, shapes: Vec<Shape>) -> Scene {
        Scene {
            view: View { left: 0.0, right: self.columns as f32, bottom: 0.0, top: self.rows as f32 },
            background: PAPER,
            shapes,
        }
    }
}

/// The cells that can be reached from a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Left,
    Down,
    Right,
    Up,
}
