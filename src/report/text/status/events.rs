//! What happened last, newest first: verdicts, decisions, masterships, actions and notices in one list.
//!
//! Called once by the page.

use super::super::Style;
use super::super::words::wrap;
use super::Page;
use crate::status::headline::Tone;
use crate::status::story::story;
use std::fmt::Write as _;

const LINES: usize = 12;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let all = newest(page);
    if all.is_empty() {
        return;
    }
    page.look.heading(out, "LAST EVENTS");
    for (at, style, text) in all.iter().take(LINES) {
        let time = page.time(*at);
        let indent = time.chars().count() + 2;
        for (i, line) in wrap(text, page.look.width.saturating_sub(indent), 0).iter().enumerate() {
            let line = style.map_or_else(|| line.clone(), |s| page.look.paint(s, line));
            let _ = match i {
                0 => writeln!(out, "{time}  {line}"),
                _ => writeln!(out, "{:indent$}{line}", ""),
            };
        }
    }
}

pub(super) type Line = (f64, Option<Style>, String);

/// All of them, newest first.
pub(super) fn newest(page: &Page<'_>) -> Vec<Line> {
    let style = |tone| match tone {
        Tone::Bad => Some(Style::Bad),
        Tone::Warn => Some(Style::Warn),
        Tone::Good | Tone::Plain => None,
    };
    let lines = story(page.status).into_iter().rev();
    lines.map(|l| (l.at, style(l.tone), l.text)).collect()
}
