//! How close each node came to a false alarm, day by day.
//!
//! The sentences are `tell`'s; here they become lines.

use super::{Page, Style};
use crate::report::tell::close::close;
use crate::report::tell::words::count;
use std::fmt::Write as _;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    if page.tale.report.verdicts.is_empty() {
        return;
    }
    page.heading(
        out,
        "HOW CLOSE to a false alarm (days in UTC; what went down is not counted)",
    );
    let (days, left_out) = close(&page.tale);
    if days.is_empty() {
        out.push_str("no suspicion at all\n");
        return;
    }
    for day in days {
        let mut lines = String::new();
        page.paragraph(&mut lines, &day.text, 11);
        for line in lines.lines() {
            let line = if day.tight {
                page.look.paint(Style::Warn, line)
            } else {
                line.to_owned()
            };
            let _ = writeln!(out, "{line}");
        }
    }
    if left_out > 0 {
        let days = if left_out == 1 { "day" } else { "days" };
        let _ = writeln!(out, "... {} {days} with wider margins are left out", count(left_out));
    }
}
