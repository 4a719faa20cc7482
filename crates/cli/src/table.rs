//! Text in columns.

use std::io::{self, Write};

use crate::ascii::as_shown;
use crate::columns::{left, right, width};
use crate::style::{BOLD, paint};

/// Rows of cells under a heading; columns are as wide as they need to be.
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Per column, whether its cells are numbers, which are right-aligned.
    numeric: Vec<bool>,
}

const GAP: &str = "   ";

impl Table {
    /// A table with these columns; those whose name starts with `>` contain numbers.
    pub fn new(columns: &[&str]) -> Self {
        let numeric = columns.iter().map(|c| c.starts_with('>')).collect();
        let heading = columns.iter().map(|c| c.trim_start_matches('>').to_string()).collect();
        Table { heading, rows: Vec::new(), numeric }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| as_shown(&cell.into()).into_owned()).collect());
    }

    /// Writes the table.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let widest = |column: usize| {
            let cells = self.rows.iter().chain([&self.heading]).filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(widest).collect();
        let line = |cells: &[String]| {
            let padded = cells
                .iter()
                .zip(&widths)
                .zip(&self.numeric)
                .map(|((cell, &width), &numeric)| if numeric { right(cell, width) } else { left(cell, width) });
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_string()
        };
        writeln!(out, "{}", paint(BOLD, line(&self.heading)))?;
        self.rows.iter().try_for_each(|row| writeln!(out, "{}", line(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", ">steps"]);
        table.row(["a", "5"]);
        table.row(["longer", "500"]);
        let mut out = anstream::StripStream::new(Vec::new());
        table.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out.into_inner()).unwrap(), "name     steps\na            5\nlonger     500\n");
    }
}
