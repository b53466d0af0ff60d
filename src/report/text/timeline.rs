//! Everything that happened, in the order in which it did: health, decisions, notices, CARP.
//!
//! Leaves out what says nothing: states that lasted no time, a suspicion that the next line confirms, masterships of a
//! moment while nodes start.

use super::stays::{self, Stay};
use super::words::{count, duration, wrap};
use super::{Page, Style};
use crate::event::{Action, Cause, Health, NodeId, Verdict};
use crate::report::Mastership;
use crate::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// More lines than this are nobody's reading; the beginning and the end are shown.
const MOST: usize = 400;
/// Virtual hosts that move within this time move together.
const TOGETHER: Duration = Duration::from_secs(1);
/// A mastership shorter than this, followed by another, is an election.
const ELECTION: Duration = Duration::from_millis(500);

/// One line.
struct Entry {
    at: Timestamp,
    sign: char,
    style: Option<Style>,
    subject: String,
    text: String,
}

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let mut entries: Vec<Entry> = Vec::new();
    health(page, &mut entries);
    decisions(page, &mut entries);
    carp(page, &mut entries);
    if entries.is_empty() {
        return;
    }
    entries.sort_by_key(|e| e.at);
    page.heading(out, &format!("TIMELINE ({})", page.clock.name));
    let subjects = entries.iter().map(|e| e.subject.chars().count()).max().unwrap_or(0);
    let left_out = entries.len().saturating_sub(MOST);
    let hidden = if left_out > 0 {
        MOST / 2..MOST / 2 + left_out
    } else {
        0..0
    };
    let mut day = String::new();
    for (i, e) in entries.iter().enumerate() {
        if hidden.contains(&i) {
            if i == hidden.start {
                let _ = writeln!(
                    out,
                    "... {} more lines; --format json has everything",
                    count(left_out as u64)
                );
            }
            continue;
        }
        let date = page.clock.date(e.at);
        if date != day {
            let _ = writeln!(out, "{}", page.look.paint(Style::Faint, &date));
            day = date;
        }
        line(page, out, e, subjects);
    }
    if page.report.unmentioned > 0 {
        let _ = writeln!(
            out,
            "... and {} notices that were not kept",
            count(page.report.unmentioned)
        );
    }
}

fn line(page: &Page<'_>, out: &mut String, e: &Entry, subjects: usize) {
    let indent = 12 + 3 + subjects + 2;
    let lines = wrap(&e.text, page.look.width.saturating_sub(indent).max(20), 0);
    let front = format!("{} {} {:subjects$}", page.clock.exact(e.at), e.sign, e.subject);
    for (i, text) in lines.iter().enumerate() {
        let text = e
            .style
            .map_or_else(|| text.clone(), |style| page.look.paint(style, text));
        let _ = if i == 0 {
            writeln!(out, "{front}  {text}")
        } else {
            writeln!(out, "{:indent$}{text}", "")
        };
    }
}

/// ` for 1 min 30 s`, or that it had not ended.
fn lasting(page: &Page<'_>, from: Timestamp, until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("for {}", duration(until.since(from))),
        None => format!("until the end ({})", duration(stays::end(page.report).since(from))),
    }
}

fn health(page: &Page<'_>, entries: &mut Vec<Entry>) {
    let all = stays::stays(page.report);
    let recovered = |s: &Stay<'_>| {
        // The end of a doubt is told by how long it lasted.
        s.from == Health::Suspect && s.verdict.to != Health::Down
    };
    let (down, up) = if page.look.unicode { ('▼', '▲') } else { ('v', '^') };
    for (i, s) in all.iter().enumerate() {
        let v = s.verdict;
        let doubted = || {
            let mut before = all.iter().take(i).rev();
            before
                .find(|b| (b.verdict.node, b.verdict.path) == (v.node, v.path))
                .map(|b| b.from)
        };
        if s.is_prelude() || (recovered(s) && doubted() == Some(v.to)) {
            continue;
        }
        let reason = v.sentence();
        let (sign, style, text) = match v.to {
            Health::Down => {
                let text = format!("DOWN {}, {}{reason}", lasting(page, v.at, s.until), latency(v));
                (down, Some(Style::Bad), text)
            }
            Health::Suspect => (' ', None, format!("suspect {}: {reason}", lasting(page, v.at, s.until))),
            to => {
                let sign = if s.from == Health::Down { up } else { ' ' };
                let style = if s.from == Health::Down {
                    Some(Style::Good)
                } else {
                    None
                };
                let again = if s.from == Health::Down && to == Health::Up {
                    " again"
                } else {
                    ""
                };
                let reason = if again.is_empty() {
                    reason
                } else {
                    reason.replacen(" again", "", 1)
                };
                let reason = if v.cause == Cause::Quiet && s.from == Health::Unknown {
                    "".into()
                } else {
                    format!(": {reason}")
                };
                (sign, style, format!("{}{again}{reason}", to.as_str()))
            }
        };
        entries.push(Entry {
            at: v.at,
            sign,
            style,
            subject: subject(page, v.node, v.path),
            text,
        });
    }
}

/// How long it took to say so: `known 1.1 s after its evidence began and 1.3 s after its last proven round trip: `.
fn latency(v: &Verdict) -> String {
    let said = |s: Option<f64>, after: &str| {
        let s = s?.max(0.0);
        Some(format!("{} after {after}", duration(Duration::from_secs_f64(s))))
    };
    let parts: Vec<String> = [
        said(v.since_evidence(), "its evidence began"),
        said(v.evidence.since_end_to_end, "its last proven round trip"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "known at once: ".into();
    }
    format!("known {}: ", parts.join(" and "))
}

fn subject(page: &Page<'_>, node: NodeId, path: usize) -> String {
    match page.engine.path_count() {
        1 => page.engine.label(node),
        _ => format!("{}, {}", page.engine.label(node), page.engine.path_name(path)),
    }
}

fn decisions(page: &Page<'_>, entries: &mut Vec<Entry>) {
    let me = page
        .engine
        .node_ids()
        .find(|n| page.engine.is_self(*n))
        .map(|n| page.engine.label(n))
        .unwrap_or_default();
    for d in &page.report.decisions {
        let what = match d.action {
            Action::Promote => format!("promote {me}"),
            Action::Demote => format!("demote {me}"),
            Action::Restore => format!("restore {me}"),
            Action::Fence => format!("fence {}", page.engine.label(d.node)),
        };
        let (sign, style, subject) = ('D', Some(Style::Strong), "pfwatch".into());
        entries.push(Entry {
            at: d.at,
            sign,
            style,
            subject,
            text: format!("would {what}: {}", d.reason),
        });
    }
    for n in &page.report.notices {
        let subject = "pfwatch".into();
        entries.push(Entry {
            at: n.at,
            sign: ' ',
            style: None,
            subject,
            text: n.text.clone(),
        });
    }
}

fn carp(page: &Page<'_>, entries: &mut Vec<Entry>) {
    for (from, to) in &page.report.unsynchronised {
        entries.push(Entry {
            at: *from,
            sign: '!',
            style: Some(Style::Warn),
            subject: "CARP".into(),
            text: format!(
                "unsynchronised {}: different nodes are master",
                lasting(page, *from, *to)
            ),
        });
    }
    let mut changes: Vec<(Timestamp, String, String)> = Vec::new();
    for ((segment, vhid), masters) in &page.report.masters {
        let place = format!("{} vhid {vhid}", page.engine.segment_name(*segment));
        for (at, what) in masterships(page, masters) {
            // The same at the same time on another segment is one piece of news.
            let same = |(other, text, _): &&mut (Timestamp, String, String)| {
                *text == what && other.since(at).max(at.since(*other)) <= TOGETHER
            };
            match changes.iter_mut().find(same) {
                Some((first, _, places)) => {
                    *first = at.min(*first);
                    *places += &format!(", {place}");
                }
                None => changes.push((at, what, place.clone())),
            }
        }
    }
    for (at, what, places) in changes {
        entries.push(Entry {
            at,
            sign: ' ',
            style: None,
            subject: "CARP".into(),
            text: format!("{what} ({places})"),
        });
    }
}

/// What one vhid went through.
fn masterships(page: &Page<'_>, masters: &[Mastership]) -> Vec<(Timestamp, String)> {
    let name = |m: &Mastership| {
        page.engine
            .owner(m.address)
            .map_or_else(|| m.address.to_string(), |node| page.engine.label(node))
    };
    let mut news = Vec::new();
    let mut before: Option<&Mastership> = None;
    for (i, m) in masters.iter().enumerate() {
        let followed = masters
            .get(i + 1)
            .is_some_and(|next| m.to.is_some_and(|to| next.from.since(to) <= ELECTION));
        if followed && m.to.is_some_and(|to| to.since(m.from) < ELECTION) {
            continue;
        }
        match before {
            Some(b) if b.address == m.address => {
                let missing = b.to.map(|to| m.from.since(to)).unwrap_or_default();
                let at = b.to.unwrap_or(m.from);
                // Named after a time of its own, so that only what missed alike is told together.
                if missing > ELECTION {
                    news.push((at, format!("{} did not advertise for a while", name(m))));
                }
            }
            Some(b) => news.push((m.from, format!("{} is master, it was {}", name(m), name(b)))),
            None => news.push((m.from, format!("{} is master", name(m)))),
        }
        before = Some(m);
    }
    if let Some((last, to)) = masters.last().and_then(|m| Some((m, m.to?))) {
        news.push((to, format!("{} does not advertise any more, nobody does", name(last))));
    }
    news
}
