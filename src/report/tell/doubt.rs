//! When nobody was down and yet nothing could be said: nodes that could not be judged, and our own blindness.
//!
//! Called by the headline, so that it does not pass over them.

use super::Tale;
use super::masters::came_back;
use super::stays::{self, Stay};
use super::words::duration;
use crate::capture::Net;
use crate::capture::file::Ended;
use crate::engine::Engine;
use crate::engine::quality::Problem;
use crate::event::{Health, NodeId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Less than this in all is not worth a word.
const WORTH: Duration = Duration::from_secs(3);
/// A doubt that ends sooner is what doubts are for.
const LONG: Duration = Duration::from_secs(5);

/// One clause for each node and for ourselves, the longest time first.
pub(in crate::report) fn doubts(tale: &Tale<'_>) -> Vec<String> {
    let stays = stays::stays(tale.report);
    let mut all: Vec<(Duration, String)> = tale
        .nodes()
        .flat_map(|n| [unjudged(tale, &stays, n), suspected(tale, &stays, n)])
        .chain([blind(tale), refused(tale), reflected(tale)])
        .flatten()
        .chain(segments_missing(tale))
        .chain(
            tale.report
                .times
                .ended
                .iter()
                .map(|e| (e.until.since(e.at), ends(tale.engine, e))),
        )
        .collect();
    all.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    all.into_iter().map(|(_, text)| text).collect()
}

/// Of which segments no file told for a time.
fn segments_missing(tale: &Tale<'_>) -> Vec<(Duration, String)> {
    let mut missing: BTreeMap<Net, Duration> = BTreeMap::new();
    for gap in &tale.report.times.unrecorded {
        if let Some(net @ Net::Segment(_)) = gap.net {
            *missing.entry(net).or_default() += gap.to.since(gap.from);
        }
    }
    let said = |(net, length)| {
        let text = format!(
            "nothing of {} was captured for {}",
            tale.engine.net_name(net),
            duration(length)
        );
        (length, text)
    };
    missing.into_iter().map(said).collect()
}

/// A node that hears itself.
fn reflected(tale: &Tale<'_>) -> Option<(Duration, String)> {
    let (who, networks) = came_back(tale)?;
    let text = format!("{who}'s own advertisements came back to it on {networks}");
    Some((Duration::ZERO, text))
}

/// CARP that showed no more than that its sender lives: who is master is what was so before.
fn refused(tale: &Tale<'_>) -> Option<(Duration, String)> {
    let (node, ..) = tale.engine.counters().refused?;
    let mut problems = tale.report.quality.problems.iter();
    let found = problems.find(|p| p.kind == Problem::Refused)?;
    let length = found.last?.since(found.first?);
    let text = format!(
        "CARP of {} came for {} and did not count (see CAPTURE)",
        tale.engine.label(node),
        duration(length)
    );
    (length >= WORTH).then_some((length, text))
}

/// Whether a node could not be judged for most of the time.
pub(in crate::report) fn mostly_unjudged(tale: &Tale<'_>) -> bool {
    let span = tale.report.span.map_or(Duration::ZERO, |(from, to)| to.since(from));
    let stays = stays::stays(tale.report);
    let mut unjudged = tale.nodes().filter_map(|n| unjudged(tale, &stays, n));
    unjudged.any(|(length, _)| length > span / 2)
}

/// On the path on which it was so for longest: how long in all, and why at the longest.
fn longest<'a>(tale: &Tale<'_>, stays: &'a [Stay<'a>], node: NodeId, to: Health) -> Option<(Duration, &'a Stay<'a>)> {
    let end = stays::end(tale.report);
    let length = |s: &Stay<'_>| s.until.unwrap_or(end).since(s.verdict.at);
    let on_path = |path: usize| {
        let these = || {
            let mine = move |s: &&Stay<'_>| (s.verdict.node, s.verdict.path, s.verdict.to) == (node, path, to);
            stays.iter().filter(mine)
        };
        Some((these().map(length).sum(), these().max_by_key(|s| length(s))?))
    };
    let paths = (0..tale.engine.path_count()).filter(|p| tale.engine.is_critical(*p));
    paths.filter_map(on_path).max_by_key(|(sum, _)| *sum)
}

fn unjudged(tale: &Tale<'_>, stays: &[Stay<'_>], node: NodeId) -> Option<(Duration, String)> {
    let (sum, at_most) = longest(tale, stays, node, Health::Unknown).filter(|(sum, _)| *sum >= WORTH)?;
    let (name, why) = (tale.engine.label(node), at_most.verdict.grounds());
    Some((sum, format!("{name} could not be judged for {} ({why})", duration(sum))))
}

fn suspected(tale: &Tale<'_>, stays: &[Stay<'_>], node: NodeId) -> Option<(Duration, String)> {
    let (sum, at_most) = longest(tale, stays, node, Health::Suspect)?;
    let end = stays::end(tale.report);
    let length = at_most.until.unwrap_or(end).since(at_most.verdict.at);
    let (name, why) = (tale.engine.label(node), at_most.verdict.sentence());
    (length >= LONG).then(|| (sum, format!("{name} was in doubt for {} ({why})", duration(length))))
}

fn blind(tale: &Tale<'_>) -> Option<(Duration, String)> {
    let gaps = &tale.report.gaps;
    let sum: Duration = gaps.iter().map(|(_, length, _)| *length).sum();
    let (.., cause) = gaps.iter().max_by_key(|(_, length, _)| *length)?;
    (sum >= WORTH).then(|| {
        (
            sum,
            format!("we did not hear for {} ({})", duration(sum), cause.reason()),
        )
    })
}

/// That captures of some nets end before others.
pub(in crate::report) fn ends(engine: &Engine, ended: &Ended) -> String {
    let (captures, several) = engine.captures_of(&ended.nets);
    let (ends, length) = (
        if several { "end" } else { "ends" },
        duration(ended.until.since(ended.at)),
    );
    format!("{captures} {ends} {length} before the others")
}
