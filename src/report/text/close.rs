//! How close each node came to a false alarm, day by day, and how far from one the day stayed.
//!
//! What led to `down` is not here but in the timeline. Many days are shortened to those that came closest.

use super::words::{count, duration};
use super::{Page, Style};
use crate::event::Near;
use crate::report::margins::{Spot, day};
use std::fmt::Write as _;
use std::time::Duration;

/// Nobody reads more lines than this.
const MOST: usize = 40;
/// In parts of what `down` needs: worth a colour.
const TIGHT: f64 = 0.75;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    if page.report.verdicts.is_empty() {
        return;
    }
    page.heading(
        out,
        "HOW CLOSE to a false alarm (days in UTC; what went down is not counted)",
    );
    let mut all: Vec<(&Spot, &Near)> = page.report.margins.iter().collect();
    if all.is_empty() {
        out.push_str("no suspicion at all\n");
        return;
    }
    let left_out = all.len().saturating_sub(MOST) as u64 + page.report.margins.left_out;
    all.sort_by(|a, b| b.1.share().total_cmp(&a.1.share()));
    all.truncate(MOST);
    all.sort_by_key(|(spot, _)| **spot);
    for (spot, near) in all {
        let mut lines = String::new();
        page.paragraph(&mut lines, &line(page, spot, near), 11);
        for line in lines.lines() {
            let tight = near.share() >= TIGHT;
            let line = if tight {
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

fn line(page: &Page<'_>, spot: &Spot, near: &Near) -> String {
    let e = &near.evidence;
    let who = match page.engine.path_count() {
        1 => page.engine.label(spot.node),
        _ => format!("{}, {}", page.engine.label(spot.node), page.engine.path_name(spot.path)),
    };
    let held = if near.share() >= 1.0 {
        format!(
            ", but it was too young ({} of evidence)",
            duration(Duration::from_secs_f64(e.seconds.max(0.0)))
        )
    } else {
        String::new()
    };
    format!(
        "{} {who}: {:.1} of {:.1} at {}{held}, {}",
        day(near),
        e.suspicion,
        e.threshold,
        page.clock.second(near.at),
        near.sentence()
    )
}
