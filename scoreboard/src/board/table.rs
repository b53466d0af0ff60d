//! A table of words, as Markdown or for a terminal. Knows nothing of what is in it.

use std::io::{self, Write};

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With bars, for documents.
    Markdown,
    /// Columns and blanks.
    Text,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<&'static str>,
    /// So many columns at the left are names, which Markdown does not repeat in the next row where they say the same;
    /// numbers follow.
    names: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns, the first `names` of which are names.
    #[must_use]
    pub fn new(head: &[&'static str], names: usize) -> Self {
        Self {
            head: head.to_vec(),
            names,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes it.
    ///
    /// # Errors
    /// Of the writer.
    pub fn write(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let width = |column: usize| {
            let cells = self
                .rows
                .iter()
                .filter_map(|r| r.get(column))
                .map(|c| c.chars().count());
            cells.chain([self.head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let head: Vec<String> = self.head.iter().map(|&h| h.to_owned()).collect();
        self.line(out, style, &widths, &head)?;
        if style == Style::Markdown {
            let rules: Vec<&str> = (0..self.head.len())
                .map(|i| if i < self.names { "-" } else { "-:" })
                .collect();
            writeln!(out, "|{}|", rules.join("|"))?;
        }
        let mut above: &[String] = &[];
        for row in &self.rows {
            let mut cells = row.clone();
            // The last name (the watcher) stands in every row; so do all in text, for grep(1) and diff(1).
            let blank = if style == Style::Markdown {
                self.names.saturating_sub(1)
            } else {
                0
            };
            for (i, cell) in cells.iter_mut().enumerate().take(blank) {
                if above.get(..=i) == row.get(..=i) {
                    cell.clear();
                }
            }
            self.line(out, style, &widths, &cells)?;
            above = row;
        }
        Ok(())
    }

    fn line(&self, out: &mut impl Write, style: Style, widths: &[usize], cells: &[String]) -> io::Result<()> {
        match style {
            // Blanks would make a large document three times as large.
            Style::Markdown => writeln!(out, "|{}|", cells.join("|")),
            Style::Text => {
                let pad = |(i, (cell, &w)): (usize, (&String, &usize))| {
                    if i < self.names {
                        format!("{cell:<w$}")
                    } else {
                        format!("{cell:>w$}")
                    }
                };
                let cells: Vec<String> = cells.iter().zip(widths).enumerate().map(pad).collect();
                writeln!(out, "{}", cells.join("  ").trim_end())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(style: Style) -> String {
        let mut table = Table::new(&["scenario", "who", "n"], 2);
        for row in [["crash", "a", "1"], ["crash", "bc", "20"], ["quiet", "a", "-"]] {
            table.row(row.map(String::from).into());
        }
        let mut out = Vec::new();
        table.write(&mut out, style).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn as_text() {
        let wanted = "scenario  who   n\ncrash     a     1\ncrash     bc   20\nquiet     a     -\n";
        assert_eq!(shown(Style::Text), wanted);
    }

    #[test]
    fn as_markdown() {
        let wanted = "|scenario|who|n|\n|-|-|-:|\n|crash|a|1|\n||bc|20|\n|quiet|a|-|\n";
        assert_eq!(shown(Style::Markdown), wanted);
    }
}
