//! Below the firewalls: CARP, ourselves, what happened last.
//!
//! Called by the view.

use super::super::tell::Tone;
use super::super::tell::words::{count, duration, wrap};
use super::super::text::status::Said;
use super::{Page, fit};
use crate::status::{Master, Node, Status, Vhid};
use ratatui::text::{Line, Span};
use std::time::Duration;

/// Lines of CARP; a hostile segment may hold hundreds.
const MOST: usize = 6;

/// Pieces one after the other, as many in a line as fit.
fn flow(page: &Page<'_>, lines: &mut Vec<Line<'static>>, pieces: Vec<(Option<Tone>, String)>) {
    let mut line: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let begin = lines.len();
    for (tone, text) in pieces {
        let text = fit(&text, page.width);
        let length = text.chars().count();
        if used > 0 && used + 3 + length > page.width {
            lines.push(Line::from(std::mem::take(&mut line)));
            used = 0;
        }
        if used > 0 {
            line.push(Span::raw("   "));
            used += 3;
        }
        used += length;
        line.push(page.span(tone, text));
    }
    if !line.is_empty() {
        lines.push(Line::from(line));
    }
    if lines.len() - begin > MOST {
        lines.truncate(begin + MOST - 1);
        lines.push(Line::from(
            page.span(Some(Tone::Faint), "... `pfwatch status` has all of it"),
        ));
    }
}

/// Who is master of what.
pub(super) fn carp(page: &Page<'_>, lines: &mut Vec<Line<'static>>, status: &Status) {
    if status.segments.is_empty() {
        return;
    }
    let lost = status.lost();
    match (status.split(), status.missing()) {
        (None, _) => match status.contested().or_else(|| status.vacant()) {
            Some(wrong) => page.heading(lines, &fit(&format!("CARP: {}", wrong.text), page.width)),
            None => page.heading(lines, "CARP"),
        },
        (Some(_), None) => page.heading(lines, "CARP IS UNSYNCHRONISED"),
        (Some(_), Some(who)) => {
            let held = status.firewalls();
            let held: Vec<&str> = held
                .filter(|n| n.paths.iter().any(|p| p.held_back.is_some()))
                .map(Node::label)
                .collect();
            let so = match held.as_slice() {
                [] => String::new(),
                [one] => format!(", so {one} is held back"),
                all => format!(", so {} are held back", all.join(" and ")),
            };
            let text = format!("CARP IS UNSYNCHRONISED: {who}{so}");
            page.heading(lines, &fit(&text, page.width));
        }
    }
    let mut pieces = Vec::new();
    for segment in &status.segments {
        if segment.vhids.is_empty() {
            pieces.push((Some(Tone::Warn), format!("{}: {}", segment.name, segment.silence())));
        }
        let torn = |vhid: &Vhid| lost.iter().any(|l| l.segment == segment.name && l.vhid == vhid.vhid);
        for (vhids, vhid) in segment.alike(torn) {
            let place = format!("{} {vhids}", segment.name);
            pieces.push(match vhid.master() {
                _ if let Some(two) = vhid.contest() => {
                    (Some(Tone::Bad), format!("{place}: {}", two.names.join(" AND ")))
                }
                None => (Some(Tone::Bad), format!("{place}: NOBODY")),
                Some(m) => {
                    let tone = if m.name.is_none() {
                        Some(Tone::Warn)
                    } else {
                        torn(vhid).then_some(Tone::Bad)
                    };
                    (tone, format!("{place}: {}", master(m)))
                }
            });
        }
    }
    flow(page, lines, pieces);
}

fn master(m: &Master) -> String {
    m.name.clone().unwrap_or_else(|| format!("{} (foreign)", m.address))
}

/// Where we listen, what the probes say, what is to be taken back, how often we were deaf.
pub(super) fn ourselves(page: &Page<'_>, lines: &mut Vec<Line<'static>>, status: &Status) {
    let mut pieces = Vec::new();
    for i in &status.interfaces {
        let name = format!("{} ({})", i.interface, i.net);
        pieces.push(match (i.up, i.dropped) {
            (false, _) => (Some(Tone::Bad), format!("{name} DOWN OR GONE")),
            (true, 0) => (None, format!("{name} {} frames", count(i.frames))),
            (true, n) => (
                Some(Tone::Warn),
                format!("{name} {} frames, {} dropped", count(i.frames), count(n)),
            ),
        });
    }
    for p in &status.probes {
        let tone = match p.state.as_str() {
            "down" => Some(Tone::Bad),
            "up" => None,
            _ => Some(Tone::Faint),
        };
        pieces.push((tone, format!("probe {} {}", p.name, p.state)));
    }
    if !status.ledger.is_empty() {
        let n = status.ledger.len() as u64;
        pieces.push((
            Some(Tone::Warn),
            format!("{} to be taken back (`pfwatch undo`)", count(n)),
        ));
    }
    for g in &status.gaps {
        let length = duration(Duration::try_from_secs_f64(g.seconds).unwrap_or_default());
        pieces.push((Some(Tone::Warn), format!("deaf for {length} in all ({})", g.cause)));
    }
    let wrong = status.frames.errors.values().sum::<u64>() + status.frames.bad_checksum + status.frames.bad_hmac;
    if wrong > 0 {
        pieces.push((Some(Tone::Warn), format!("{} damaged or refused", count(wrong))));
    }
    if pieces.is_empty() {
        return;
    }
    page.heading(lines, "HEARD");
    flow(page, lines, pieces);
}

/// What happened last, newest first, in so many lines with the heading.
pub(super) fn events(page: &Page<'_>, lines: &mut Vec<Line<'static>>, said: &Said, room: usize) {
    if said.events.is_empty() || room < 3 {
        return;
    }
    page.heading(lines, "LAST EVENTS");
    let mut left = room - 2;
    for (time, tone, text) in &said.events {
        let indent = time.chars().count() + 2;
        let parts = wrap(text, page.width.saturating_sub(indent).max(20), 0);
        // A sentence that would be cut off in the middle is left for `pfwatch status`.
        if parts.len() > left {
            break;
        }
        left -= parts.len();
        for (i, part) in parts.into_iter().enumerate() {
            let front = if i == 0 {
                format!("{time}  ")
            } else {
                " ".repeat(indent)
            };
            lines.push(Line::from(vec![
                page.span(Some(Tone::Faint), front),
                page.span(*tone, part),
            ]));
        }
    }
}
