//! What happened, in one sentence.
//!
//! The worst comes first: a node that went down, then CARP that came apart, then doubts, then that all is well.

use super::stays::{self, Stay};
use super::words::{counted, duration};
use super::{Page, Style};
use crate::event::{Health, NodeId};
use std::time::Duration;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let stays = stays::stays(page.report);
    let (style, text) = if let Some(worst) = worst(page, &stays) {
        (Style::Bad, down(page, worst, &stays))
    } else if let Some(text) = unsynchronised(page) {
        (Style::Warn, text)
    } else if page.engine.node_ids().next().is_none() {
        (
            Style::Warn,
            "No pfsync was heard, so nothing can be said about any firewall".into(),
        )
    } else {
        fine(page, &stays)
    };
    let mut page_of_one = String::new();
    page.paragraph(&mut page_of_one, &format!("{text}."), 0);
    for line in page_of_one.lines() {
        out.push_str(&page.look.paint(style, line));
        out.push('\n');
    }
}

/// `fw1 (172.16.0.1)`.
fn who(page: &Page<'_>, node: NodeId) -> String {
    let address = page.engine.address(node);
    page.engine
        .name(node)
        .map_or_else(|| address.to_string(), |name| format!("{name} ({address})"))
}

/// The longest `down`; on critical paths, if there is any.
fn worst<'a, 'b>(page: &Page<'_>, stays: &'a [Stay<'b>]) -> Option<&'a Stay<'b>> {
    let end = stays::end(page.report);
    let length = |s: &&Stay<'_>| s.until.unwrap_or(end).since(s.verdict.at);
    let critical = |s: &&Stay<'_>| s.is_down() && page.engine.is_critical(s.verdict.path);
    let first_longest = |found: Vec<&'a Stay<'b>>| found.into_iter().rev().max_by_key(length);
    first_longest(stays.iter().filter(critical).collect())
        .or_else(|| first_longest(stays.iter().filter(|s| s.is_down()).collect()))
}

fn down(page: &Page<'_>, worst: &Stay<'_>, stays: &[Stay<'_>]) -> String {
    let v = worst.verdict;
    let mut text = format!("{} went DOWN", who(page, v.node));
    if page.engine.path_count() > 1 {
        text += &format!(" on {}", page.engine.path_name(v.path));
    }
    text += &format!(" at {} {}", page.clock.hundredth(v.at), page.clock.name);
    if let Some(since) = v.evidence.since_end_to_end {
        text += &format!(
            ", {} after its last proven round trip",
            duration(Duration::from_secs_f64(since.max(0.0)))
        );
    }
    text += &format!(": {}", v.sentence());
    text += &match (worst.length(), worst.next) {
        (Some(length), Some(Health::Up)) => format!("; it was up again after {}", duration(length)),
        (Some(length), Some(next)) => format!("; after {} it was {}", duration(length), next.as_str()),
        _ => "; it was still down when the capture ended".into(),
    };
    let times = stays.iter().filter(|s| s.is_down()).count();
    if times > 1 {
        text += &format!(" (the longest of {times} times, see the timeline)");
    }
    text
}

fn unsynchronised(page: &Page<'_>) -> Option<String> {
    let end = stays::end(page.report);
    let longest = page
        .report
        .unsynchronised
        .iter()
        .max_by_key(|(from, to)| to.unwrap_or(end).since(*from))?;
    let (from, to) = longest;
    let for_how_long = match to {
        Some(to) => format!("for {}", duration(to.since(*from))),
        None => "and still was when the capture ended".into(),
    };
    let at = page.clock.hundredth(*from);
    Some(format!(
        "No firewall went down, but from {at} {} CARP was unsynchronised {for_how_long}: different nodes were master",
        page.clock.name
    ))
}

fn fine(page: &Page<'_>, stays: &[Stay<'_>]) -> (Style, String) {
    let proven = |n: NodeId| {
        let paths = page
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
    let mut carried: Vec<_> = page
        .engine
        .node_ids()
        .map(|n| (proven(n), n))
        .filter(|((n, _), _)| *n > 0)
        .collect();
    if carried.is_empty() {
        let text = "No firewall was found down, but no round trip was proven either: too little passed to say more";
        return (Style::Warn, text.into());
    }
    carried.sort_by_key(|((n, _), _)| std::cmp::Reverse(*n));
    let carried: Vec<String> = carried
        .into_iter()
        .map(|((n, last), node)| {
            let last = last
                .map(|t| format!(", the last at {}", page.clock.second(t)))
                .unwrap_or_default();
            format!("{} ({}{last})", who(page, node), counted(n, "proven round trip"))
        })
        .collect();
    let mut text = format!(
        "No firewall went down: traffic passed end to end through {}",
        carried.join(" and ")
    );
    let doubts = stays.iter().filter(|s| s.verdict.to == Health::Suspect);
    match doubts.clone().count() as u64 {
        0 => {}
        n => {
            let longest = doubts.filter_map(Stay::length).max().unwrap_or_default();
            text += &format!("; {}, {} at the longest", counted(n, "doubt"), duration(longest));
        }
    }
    (Style::Good, text)
}
