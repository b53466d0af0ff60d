//! Everything that happened, in the order in which it did: health, decisions, notices, CARP.
//!
//! Called by the pages. Leaves out what says nothing: states that lasted no time, a suspicion that the next line confirms,
//! masterships of a moment while nodes start.

use super::masters;
use super::stays::{self, Stay};
use super::words::{duration, whole};
use super::{Tale, Tone};
use crate::event::place::places;
use crate::event::{Action, Cause, Health, NodeId, Verdict};
use crate::report::{Mastership, Span};
use crate::time::Timestamp;
use std::time::Duration;

/// More lines than this are nobody's reading; the beginning and the end are shown.
const MOST: usize = 400;
/// Virtual hosts that move within this time move together.
const TOGETHER: Duration = Duration::from_secs(1);
/// A mastership shorter than this, followed by another, is an election.
const ELECTION: Duration = Duration::from_millis(500);

/// What kind of line catches the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Mark {
    None,
    Down,
    Up,
    Decision,
    /// CARP came apart.
    Split,
}

/// One line.
pub(in crate::report) struct Entry {
    pub(in crate::report) at: Timestamp,
    pub(in crate::report) mark: Mark,
    pub(in crate::report) tone: Option<Tone>,
    pub(in crate::report) subject: String,
    pub(in crate::report) text: String,
}

/// All lines; the second list goes on where `left_out` lines were left out.
pub(in crate::report) struct Timeline {
    pub(in crate::report) first: Vec<Entry>,
    pub(in crate::report) left_out: usize,
    pub(in crate::report) last: Vec<Entry>,
}

/// In order.
pub(in crate::report) fn timeline(tale: &Tale<'_>) -> Timeline {
    let mut entries: Vec<Entry> = Vec::new();
    health(tale, &mut entries);
    decisions(tale, &mut entries);
    carp(tale, &mut entries);
    entries.sort_by_key(|e| e.at);
    let left_out = entries.len().saturating_sub(MOST);
    let mut first = entries;
    let mut last = Vec::new();
    if left_out > 0 {
        last = first.split_off(MOST / 2 + left_out);
        first.truncate(MOST / 2);
    }
    Timeline { first, left_out, last }
}

/// ` for 1 min 30 s`, or that it had not ended.
fn lasting(tale: &Tale<'_>, from: Timestamp, until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("for {}", duration(until.since(from))),
        None => format!("until the end ({})", duration(stays::end(tale.report).since(from))),
    }
}

fn health(tale: &Tale<'_>, entries: &mut Vec<Entry>) {
    let all = stays::stays(tale.report);
    let recovered = |s: &Stay<'_>| {
        // The end of a doubt is told by how long it lasted.
        s.from == Health::Suspect && s.verdict.to != Health::Down
    };
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
        let (mark, tone, text) = match v.to {
            Health::Down => {
                let text = format!("DOWN {}, {}{reason}", lasting(tale, v.at, s.until), latency(v));
                (Mark::Down, Some(Tone::Bad), text)
            }
            Health::Suspect => (
                Mark::None,
                None,
                format!("suspect {}: {reason}", lasting(tale, v.at, s.until)),
            ),
            to => {
                let mark = if s.from == Health::Down { Mark::Up } else { Mark::None };
                let tone = if s.from == Health::Down { Some(Tone::Good) } else { None };
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
                (mark, tone, format!("{}{again}{reason}", to.as_str()))
            }
        };
        entries.push(Entry {
            at: v.at,
            mark,
            tone,
            subject: subject(tale, v.node, v.path),
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
        said(v.since_round_trip(), "its last proven round trip"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "known at once: ".into();
    }
    format!("known {}: ", parts.join(" and "))
}

fn subject(tale: &Tale<'_>, node: NodeId, path: usize) -> String {
    match tale.engine.path_count() {
        1 => tale.engine.label(node),
        _ => format!("{}, {}", tale.engine.label(node), tale.engine.path_name(path)),
    }
}

fn decisions(tale: &Tale<'_>, entries: &mut Vec<Entry>) {
    let me = tale
        .engine
        .node_ids()
        .find(|n| tale.engine.is_self(*n))
        .map(|n| tale.engine.label(n))
        .unwrap_or_default();
    for d in &tale.report.decisions {
        let what = match d.action {
            Action::Promote => format!("promote {me}"),
            Action::Demote => format!("demote {me}"),
            Action::Restore => format!("restore {me}"),
            Action::Fence => format!("fence {}", tale.engine.label(d.node)),
        };
        let (mark, tone, subject) = (Mark::Decision, Some(Tone::Strong), "pfwatch".into());
        entries.push(Entry {
            at: d.at,
            mark,
            tone,
            subject,
            text: format!("would {what}: {}", d.reason),
        });
    }
    for n in &tale.report.notices {
        let subject = "pfwatch".into();
        entries.push(Entry {
            at: n.at,
            mark: Mark::None,
            tone: None,
            subject,
            text: n.text.clone(),
        });
    }
}

fn carp(tale: &Tale<'_>, entries: &mut Vec<Entry>) {
    for (from, to) in &tale.report.unsynchronised {
        entries.push(Entry {
            at: *from,
            mark: Mark::Split,
            tone: Some(Tone::Warn),
            subject: "CARP".into(),
            text: format!(
                "unsynchronised {}: different nodes are master",
                lasting(tale, *from, *to)
            ),
        });
    }
    for spell in masters::spells(tale) {
        entries.push(Entry {
            at: spell.from,
            mark: Mark::Split,
            tone: Some(Tone::Warn),
            subject: "CARP".into(),
            text: spell.what(tale, &lasting(tale, spell.from, spell.to)),
        });
    }
    let mut changes: Vec<Change<'_>> = Vec::new();
    for ((segment, vhid), masters) in &tale.report.masters {
        let place = (tale.engine.segment_name(*segment), *vhid);
        let none = tale
            .report
            .no_master
            .get(&(*segment, *vhid))
            .map_or(&[][..], Vec::as_slice);
        for (at, what) in masterships(tale, masters, none) {
            // The same at the same time on another segment is one piece of news, where the pair was not torn between the two.
            let same = |(other, text, places): &&mut Change<'_>| {
                let (first, last) = (at.min(*other), at.max(*other));
                let between = |(from, to): &Span| *from <= first && to.is_none_or(|to| to >= last);
                let torn =
                    places.iter().all(|(name, _)| *name != place.0) && tale.report.unsynchronised.iter().any(between);
                *text == what && last.since(first) <= TOGETHER && !torn
            };
            match changes.iter_mut().find(same) {
                Some((first, _, places)) => {
                    *first = at.min(*first);
                    places.push(place);
                }
                None => changes.push((at, what, vec![place])),
            }
        }
    }
    for (at, what, all) in changes {
        let places = places(all);
        entries.push(Entry {
            at,
            mark: Mark::None,
            tone: None,
            subject: "CARP".into(),
            text: format!("{what} ({places})"),
        });
    }
}

/// When a mastership changed, in words, and of which vhids of which segments.
type Change<'a> = (Timestamp, String, Vec<(&'a str, u8)>);

/// What one vhid went through; an absence that was long enough to be told as such is not told again.
fn masterships(tale: &Tale<'_>, masters: &[Mastership], none: &[Span]) -> Vec<(Timestamp, String)> {
    let name = |m: &Mastership| tale.master(m);
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
                if missing > ELECTION && !none.iter().any(|(from, _)| *from == at) {
                    let text = format!("no advertisement of {} was heard for {}", name(m), whole(missing));
                    news.push((at, text));
                }
            }
            Some(b) => news.push((m.from, format!("{} is master, it was {}", name(m), name(b)))),
            None => news.push((m.from, format!("{} is master", name(m)))),
        }
        before = Some(m);
    }
    if let Some((last, to)) = masters.last().and_then(|m| Some((m, m.to?))) {
        news.push((
            to,
            format!(
                "no advertisement of {} is heard any more, nor of anybody else",
                name(last)
            ),
        ));
    }
    news
}
