//! What happened, in one sentence.
//!
//! Called by the pages. The worst comes first: a node that went down, then CARP that came apart, then doubts, then that all is well.

use super::masters;
use super::stays::{self, Stay};
use super::words::{counted, duration};
use super::{Tale, Tone};
use crate::event::{Health, NodeId};
use std::time::Duration;

/// A sentence without its full stop: what happened, and the numbers behind it with what joins them.
pub(in crate::report) struct Headline {
    pub(in crate::report) tone: Tone,
    pub(in crate::report) what: String,
    pub(in crate::report) numbers: String,
}

impl Headline {
    /// Without numbers.
    fn plain(tone: Tone, what: String) -> Self {
        let numbers = String::new();
        Self { tone, what, numbers }
    }
}

/// The sentence.
pub(in crate::report) fn headline(tale: &Tale<'_>) -> Headline {
    let stays = stays::stays(tale.report);
    if let Some(worst) = worst(tale, &stays) {
        return down(tale, worst, &stays);
    }
    if let Some(why) = tale.report.quality.why_not() {
        return Headline {
            tone: Tone::Warn,
            what: "Nothing can be judged".into(),
            numbers: format!(": {}", why.detail),
        };
    }
    let apart: Vec<String> = unsynchronised(tale).into_iter().chain(masters::clauses(tale)).collect();
    if !apart.is_empty() {
        return Headline::plain(Tone::Warn, format!("No firewall went down, but {}", apart.join("; ")));
    }
    if tale.engine.node_ids().next().is_none() {
        let text = "No pfsync was heard, so nothing can be said about any firewall";
        return Headline::plain(Tone::Warn, text.into());
    }
    fine(tale, &stays)
}

/// `fw1 (172.16.0.1)`.
fn who(tale: &Tale<'_>, node: NodeId) -> String {
    let address = tale.engine.address(node);
    tale.engine
        .name(node)
        .map_or_else(|| address.to_string(), |name| format!("{name} ({address})"))
}

/// The longest `down`; on critical paths, if there is any.
fn worst<'a, 'b>(tale: &Tale<'_>, stays: &'a [Stay<'b>]) -> Option<&'a Stay<'b>> {
    let end = stays::end(tale.report);
    let length = |s: &&Stay<'_>| s.until.unwrap_or(end).since(s.verdict.at);
    let critical = |s: &&Stay<'_>| s.is_down() && tale.engine.is_critical(s.verdict.path);
    let first_longest = |found: Vec<&'a Stay<'b>>| found.into_iter().rev().max_by_key(length);
    first_longest(stays.iter().filter(critical).collect())
        .or_else(|| first_longest(stays.iter().filter(|s| s.is_down()).collect()))
}

fn down(tale: &Tale<'_>, worst: &Stay<'_>, stays: &[Stay<'_>]) -> Headline {
    let v = worst.verdict;
    let mut what = format!("{} went DOWN", who(tale, v.node));
    if tale.engine.path_count() > 1 {
        what += &format!(" on {}", tale.engine.path_name(v.path));
    }
    what += &format!(" at {} {}", tale.clock.hundredth(v.at), tale.clock.name);
    let mut numbers = String::new();
    if let Some(since) = v.evidence.since_end_to_end {
        numbers += &format!(
            ", {} after its last proven round trip",
            duration(Duration::from_secs_f64(since.max(0.0)))
        );
    }
    numbers += &format!(": {}", v.sentence());
    numbers += &match (worst.length(), worst.next) {
        (Some(length), Some(Health::Up)) => format!("; it was up again after {}", duration(length)),
        (Some(length), Some(next)) => format!("; after {} it was {}", duration(length), next.as_str()),
        _ => "; it was still down when the capture ended".into(),
    };
    let times = stays.iter().filter(|s| s.is_down()).count();
    if times > 1 {
        numbers += &format!(" (the longest of {times} times, see the timeline)");
    }
    let tone = Tone::Bad;
    Headline { tone, what, numbers }
}

fn unsynchronised(tale: &Tale<'_>) -> Option<String> {
    let end = stays::end(tale.report);
    let longest = tale
        .report
        .unsynchronised
        .iter()
        .max_by_key(|(from, to)| to.unwrap_or(end).since(*from))?;
    let (from, to) = longest;
    let for_how_long = match to {
        Some(to) => format!("for {}", duration(to.since(*from))),
        None => "and still was when the capture ended".into(),
    };
    let at = tale.clock.hundredth(*from);
    Some(format!(
        "from {at} {} CARP was unsynchronised {for_how_long}: different nodes were master",
        tale.clock.name
    ))
}

fn fine(tale: &Tale<'_>, stays: &[Stay<'_>]) -> Headline {
    let proven = |n: NodeId| {
        let paths = tale
            .engine
            .counters()
            .nodes
            .get(n.index())
            .map_or(&[][..], |c| c.paths.as_slice());
        (
            paths.iter().map(|p| p.end_to_end).sum::<u64>(),
            paths.iter().filter_map(|p| p.last_end_to_end).max(),
        )
    };
    let mut carried: Vec<_> = tale
        .engine
        .node_ids()
        .map(|n| (proven(n), n))
        .filter(|((n, _), _)| *n > 0)
        .collect();
    if carried.is_empty() {
        let text = "No firewall was found down, but no round trip was proven either: too little passed to say more";
        return Headline::plain(Tone::Warn, text.into());
    }
    carried.sort_by_key(|((n, _), _)| std::cmp::Reverse(*n));
    let carried: Vec<String> = carried
        .into_iter()
        .map(|((n, last), node)| {
            let last = last
                .map(|t| format!(", the last at {}", tale.clock.second(t)))
                .unwrap_or_default();
            format!("{} ({}{last})", who(tale, node), counted(n, "proven round trip"))
        })
        .collect();
    let mut numbers = format!(": traffic passed end to end through {}", carried.join(" and "));
    let doubts = stays.iter().filter(|s| s.verdict.to == Health::Suspect);
    match doubts.clone().count() as u64 {
        0 => {}
        n => {
            let longest = doubts.filter_map(Stay::length).max().unwrap_or_default();
            numbers += &format!("; {}, {} at the longest", counted(n, "doubt"), duration(longest));
        }
    }
    let (tone, what) = (Tone::Good, "No firewall went down".into());
    Headline { tone, what, numbers }
}
