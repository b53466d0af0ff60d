//! Tables without lines, whose last column is a word that matters.
//!
//! Used by the pages. What stands in them is the caller's business.

use super::{Look, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::fmt::Write as _;

/// An empty one, as wide as the page.
pub(super) fn plain(look: &Look) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(look.width).unwrap_or(u16::MAX));
    table
}

/// These columns are numbers.
pub(super) fn right(table: &mut Table, columns: &[usize]) {
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if columns.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// As it is.
pub(super) fn print(table: &Table, out: &mut String) {
    for line in table.to_string().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The last column is a health; the table itself must not know of colours, because it counts columns.
pub(super) fn print_health(look: &Look, table: &Table, out: &mut String) {
    for (i, line) in table.to_string().lines().enumerate() {
        let line = line.trim_end();
        let style = match line.rsplit(' ').next() {
            _ if i == 0 => Some(Style::Faint),
            Some("down") => Some(Style::Bad),
            Some("suspect") => Some(Style::Warn),
            _ => None,
        };
        let painted = match (style, line.rfind(' ')) {
            (Some(Style::Faint), _) => look.paint(Style::Faint, line),
            (Some(style), Some(at)) => {
                let (front, word) = line.split_at(at + 1);
                format!("{front}{}", look.paint(style, word))
            }
            _ => line.to_owned(),
        };
        let _ = writeln!(out, "{painted}");
    }
}
