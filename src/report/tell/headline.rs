//! What happened, in one sentence.
//!
//! Called by the pages. The worst comes first: a node that went down, then CARP that came apart, then doubts, then that all is well.

use super::blame::{Blame, blame};
use super::doubt::{doubts, mostly_unjudged};
use super::masters;
use super::stays::{self, Stay};
use super::words::{counted, duration, of_times};
use super::{Tale, Tone};
use crate::absence::{Wanted, why};
use crate::event::{Cause, Health, NodeId, Verdict};
use std::time::Duration;

/// Where somebody could not be judged for most of the time.
const UNKNOWN: &str = "Whether a firewall went down is not known";

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
    if let Some(worst) = worst(tale, &stays, true) {
        return down(tale, worst, &stays);
    }
    if let Some(why) = tale.report.quality.why_not() {
        let whose = why.node.as_ref().map(|name| format!("{name} cannot be judged"));
        return Headline {
            tone: Tone::Warn,
            what: whose.unwrap_or_else(|| "Nothing can be judged".into()),
            numbers: format!(": {}", why.detail),
        };
    }
    let apart: Vec<String> = unsynchronised(tale).into_iter().chain(masters::clauses(tale)).collect();
    if !apart.is_empty() {
        let (tone, apart) = (Tone::Warn, apart.join("; "));
        let what = match doubts(tale).as_slice() {
            [] => format!("No firewall went down, but {apart}"),
            some if mostly_unjudged(tale) => format!("{UNKNOWN}: {}; besides, {apart}", some.join(" and ")),
            some => format!(
                "No firewall was found down, but {apart}; besides, {}",
                some.join(" and ")
            ),
        };
        return Headline::plain(tone, what);
    }
    if let Some(worst) = worst(tale, &stays, false) {
        return aside(tale, worst, &stays);
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

/// The longest `down` on a critical path, or on one that is not.
fn worst<'a, 'b>(tale: &Tale<'_>, stays: &'a [Stay<'b>], critical: bool) -> Option<&'a Stay<'b>> {
    let end = stays::end(tale.report);
    let length = |s: &&Stay<'_>| s.until.unwrap_or(end).since(s.verdict.at);
    let these = |s: &&Stay<'_>| s.is_down() && tale.engine.is_critical(s.verdict.path) == critical;
    // The first of those that are equally long.
    stays.iter().rev().filter(these).max_by_key(length)
}

/// On which path, where there are several.
fn on_path(tale: &Tale<'_>, path: usize) -> String {
    match tale.engine.path_count() {
        1 => String::new(),
        _ => format!(" on {}", tale.engine.path_name(path)),
    }
}

fn down(tale: &Tale<'_>, worst: &Stay<'_>, stays: &[Stay<'_>]) -> Headline {
    let v = worst.verdict;
    let (at, on) = (tale.clock.hundredth(v.at), on_path(tale, v.path));
    let at = format!("{at} {}", tale.clock.name);
    let blame = blame(tale, worst, stays);
    let what = match &blame {
        Blame::Own => format!("{} went DOWN{on} at {at}", who(tale, v.node)),
        beyond => {
            let through = match beyond {
                Blame::Both(nodes) => nodes.iter().map(|n| who(tale, *n)).collect::<Vec<_>>().join(" and "),
                _ => who(tale, v.node),
            };
            match v.cause {
                Cause::BlackholeReverse => {
                    format!("What came back through {through}{on} reached nobody from {at} on (DOWN)")
                }
                _ => format!("What went out through {through}{on} did not come back from {at} on (DOWN)"),
            }
        }
    };
    let mut numbers = last_trip(v);
    numbers += &format!(": {}{}", v.sentence(), beyond(tale, worst, &blame));
    numbers += &ended(worst);
    numbers += &of_times(stays.iter().filter(|s| s.is_down()).count());
    let tone = Tone::Bad;
    Headline { tone, what, numbers }
}

/// Only a path that is not critical was down.
fn aside(tale: &Tale<'_>, worst: &Stay<'_>, stays: &[Stay<'_>]) -> Headline {
    let v = worst.verdict;
    let what = format!(
        "No firewall went down, but {} was down{}, which is not critical",
        who(tale, v.node),
        on_path(tale, v.path)
    );
    let at = format!(", from {} {}", tale.clock.hundredth(v.at), tale.clock.name);
    let why = format!(": {}{}", v.sentence(), beyond(tale, worst, &blame(tale, worst, stays)));
    Headline {
        tone: Tone::Warn,
        what,
        numbers: at + &why + &ended(worst) + &besides(tale),
    }
}

/// What could not be judged, where the sentence is about something else.
fn besides(tale: &Tale<'_>) -> String {
    match doubts(tale).as_slice() {
        [] => String::new(),
        some => format!("; besides, {}", some.join(" and ")),
    }
}

fn last_trip(v: &Verdict) -> String {
    v.since_round_trip().map_or_else(String::new, |since| {
        let since = duration(Duration::from_secs_f64(since.max(0.0)));
        format!(", {since} after its last proven round trip")
    })
}

fn ended(stay: &Stay<'_>) -> String {
    match (stay.length(), stay.next) {
        (Some(length), Some(Health::Up)) => format!("; it was up again after {}", duration(length)),
        (Some(length), Some(next)) => format!("; after {} it was {}", duration(length), next.as_str()),
        _ => "; it was still down when the capture ended".into(),
    }
}

/// That what is dead may lie beyond the node, and why.
fn beyond(tale: &Tale<'_>, stay: &Stay<'_>, blame: &Blame) -> String {
    let where_to = match stay.verdict.cause {
        Cause::BlackholeReverse => "the network of those who asked",
        _ => "its upstream",
    };
    let name = tale.engine.label(stay.verdict.node);
    match blame {
        Blame::Own => String::new(),
        Blame::InSync => {
            format!("; CARP was in sync and nothing shows a fault of {name} itself, so this may be {where_to}")
        }
        Blame::Parted => format!(
            "; nothing shows a fault of {name} itself, and CARP cannot be put together with pfsync then, so this may as well be \
             {where_to}"
        ),
        Blame::Unheard(heard) => {
            let heard = match heard {
                Some(segment) => format!("CARP was heard on {} alone", tale.engine.segment_name(*segment)),
                None if why(tale.engine, Wanted::Carp(None, None), None).is_some() => "no CARP counts".into(),
                None => "no CARP was heard".into(),
            };
            format!("; nothing shows a fault of {name} itself, and {heard}, so this may as well be {where_to}")
        }
        Blame::Both(_) => "; it was the same through all of them, so look at what lies beyond them first".into(),
    }
}

fn unsynchronised(tale: &Tale<'_>) -> Option<String> {
    let end = stays::end(tale.report);
    let spans = &tale.report.unsynchronised;
    let (from, to) = spans
        .iter()
        .rev()
        .max_by_key(|(from, to)| to.unwrap_or(end).since(*from))?;
    let for_how_long = match to {
        Some(to) => format!("for {}", duration(to.since(*from))),
        None => "and still was when the capture ended".into(),
    };
    let at = tale.clock.hundredth(*from);
    Some(format!(
        "from {at} {} CARP was unsynchronised {for_how_long}{}: different nodes were master",
        tale.clock.name,
        of_times(spans.len())
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
        .nodes()
        .map(|n| (proven(n), n))
        .filter(|((n, _), _)| *n > 0)
        .collect();
    let up = |n: NodeId| stays.iter().any(|s| s.verdict.node == n && s.verdict.to == Health::Up);
    let together: Vec<String> = tale.nodes().filter(|n| up(*n)).map(|n| who(tale, n)).collect();
    if carried.is_empty() && together.len() > 1 {
        let numbers = format!(
            ": traffic passed end to end through {} together, each of which carried a part of it",
            together.join(" and ")
        );
        return all_is_well(tale, stays, numbers);
    }
    if carried.is_empty() {
        let text = "No firewall was found down, but no round trip was proven either: too little was heard to say more";
        let (what, numbers) = (text.into(), silent(tale) + &besides(tale));
        return Headline {
            tone: Tone::Warn,
            what,
            numbers,
        };
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
    let numbers = format!(": traffic passed end to end through {}", carried.join(" and "));
    all_is_well(tale, stays, numbers)
}

/// As far as it is: what could not be judged, and who was never heard, is said.
fn all_is_well(tale: &Tale<'_>, stays: &[Stay<'_>], mut numbers: String) -> Headline {
    numbers += &silent(tale);
    let doubted = doubts(tale);
    if !doubted.is_empty() {
        let doubted = doubted.join(" and ");
        let what = if mostly_unjudged(tale) {
            format!("{UNKNOWN}: {doubted}")
        } else {
            format!("No firewall was found down, but {doubted}")
        };
        let tone = Tone::Warn;
        return Headline { tone, what, numbers };
    }
    let suspected = stays.iter().filter(|s| s.verdict.to == Health::Suspect);
    match suspected.clone().count() as u64 {
        0 => {}
        n => {
            let longest = suspected.filter_map(Stay::length).max().unwrap_or_default();
            numbers += &format!("; {}, {} at the longest", counted(n, "doubt"), duration(longest));
        }
    }
    let (tone, what) = (Tone::Good, "No firewall went down".into());
    Headline { tone, what, numbers }
}

/// Of whom no pfsync counts, and why where that is known.
fn silent(tale: &Tale<'_>) -> String {
    let nodes = tale.nodes().filter(|n| frames(tale, *n) == 0);
    let said = nodes.map(|n| match why(tale.engine, Wanted::Pfsync(Some(n)), None) {
        Some(why) => format!("; no pfsync of {} counts ({})", who(tale, n), why.clause()),
        None => format!("; no pfsync of {} was heard", who(tale, n)),
    });
    said.collect()
}

fn frames(tale: &Tale<'_>, node: NodeId) -> u64 {
    let nodes = &tale.engine.counters().nodes;
    nodes.get(node.index()).map_or(0, |c| c.frames)
}
