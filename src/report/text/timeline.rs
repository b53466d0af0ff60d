//! Everything that happened, in the order in which it did.
//!
//! The lines are `tell`'s; here they are cut to the width and painted.

use super::Page;
use super::words::{count, wrap};
use crate::report::tell::timeline::{Entry, Mark, timeline};
use std::fmt::Write as _;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let found = timeline(&page.tale);
    let all = || found.first.iter().chain(&found.last);
    if found.first.is_empty() {
        return;
    }
    page.heading(out, &format!("TIMELINE ({})", page.tale.clock.name));
    let subjects = all().map(|e| e.subject.chars().count()).max().unwrap_or(0);
    let mut day = String::new();
    for (i, e) in all().enumerate() {
        if i == found.first.len() {
            let _ = writeln!(
                out,
                "... {} more lines; --format json has everything",
                count(found.left_out as u64)
            );
        }
        let date = page.tale.clock.date(e.at);
        if date != day {
            let _ = writeln!(out, "{}", page.look.paint(super::Style::Faint, &date));
            day = date;
        }
        line(page, out, e, subjects);
    }
    if page.tale.report.unmentioned > 0 {
        let _ = writeln!(
            out,
            "... and {} notices that were not kept",
            count(page.tale.report.unmentioned)
        );
    }
}

fn line(page: &Page<'_>, out: &mut String, e: &Entry, subjects: usize) {
    let indent = 12 + 3 + subjects + 2;
    let lines = wrap(&e.text, page.look.width.saturating_sub(indent).max(20), 0);
    let sign = sign(page, e.mark);
    let front = format!("{} {sign} {:subjects$}", page.tale.clock.exact(e.at), e.subject);
    for (i, text) in lines.iter().enumerate() {
        let text = e.tone.map_or_else(|| text.clone(), |tone| page.look.paint(tone, text));
        let _ = if i == 0 {
            writeln!(out, "{front}  {text}")
        } else {
            writeln!(out, "{:indent$}{text}", "")
        };
    }
}

const fn sign(page: &Page<'_>, mark: Mark) -> char {
    match mark {
        Mark::None => ' ',
        Mark::Down if page.look.unicode => '▼',
        Mark::Down => 'v',
        Mark::Up if page.look.unicode => '▲',
        Mark::Up => '^',
        Mark::Decision => 'D',
        Mark::Split => '!',
    }
}
