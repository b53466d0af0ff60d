//! How close each node came to a false alarm, day by day, and how far from one the day stayed.
//!
//! Called by the pages. What led to `down` is not here but in the timeline. Many days are shortened to those that came
//! closest.

use super::Tale;
use super::words::duration;
use crate::event::Near;
use crate::report::margins::{Spot, day};
use std::time::Duration;

/// Nobody reads more lines than this.
const MOST: usize = 40;
/// In parts of what `down` needs: worth a colour.
const TIGHT: f64 = 0.75;

/// A node on a path on a day.
pub(in crate::report) struct Line {
    /// It came rather close.
    pub(in crate::report) tight: bool,
    pub(in crate::report) text: String,
}

/// By day, and how many were left out.
pub(in crate::report) fn close(tale: &Tale<'_>) -> (Vec<Line>, u64) {
    let mut all: Vec<(&Spot, &Near)> = tale.report.margins.iter().collect();
    let left_out = all.len().saturating_sub(MOST) as u64 + tale.report.margins.left_out;
    all.sort_by(|a, b| b.1.share().total_cmp(&a.1.share()));
    all.truncate(MOST);
    all.sort_by_key(|(spot, _)| **spot);
    let line = |(spot, near): &(&Spot, &Near)| Line {
        tight: near.share() >= TIGHT,
        text: sentence(tale, spot, near),
    };
    (all.iter().map(line).collect(), left_out)
}

fn sentence(tale: &Tale<'_>, spot: &Spot, near: &Near) -> String {
    let e = &near.evidence;
    let who = match tale.engine.path_count() {
        1 => tale.engine.label(spot.node),
        _ => format!("{}, {}", tale.engine.label(spot.node), tale.engine.path_name(spot.path)),
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
        tale.clock.second(near.at),
        near.sentence()
    )
}
