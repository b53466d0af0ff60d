//! What makes an analysis void, or ends it early: no pfsync of those that it is about, files that are not whole, and captures that
//! tell everything twice.
//!
//! Put into words here, beside what the engine found wrong with what it heard: only with the last file it is sure that nothing
//! comes any more.

use super::Report;
use super::tell::stays::stays;
use super::tell::words::duration;
use crate::absence::{Wanted, why};
use crate::capture::file::FileInfo;
use crate::engine::Engine;
use crate::engine::quality::{Found, Problem};
use crate::event::{Cause, Health, NodeId};
use std::time::Duration;

/// Adds it.
pub(super) fn add(report: &mut Report, engine: &Engine) {
    let truncated = truncated(&report.files);
    // What is missing may be in what was not read.
    let no_pfsync = no_pfsync(engine).filter(|_| !truncated.as_ref().is_some_and(|t| t.fatal));
    let all = [no_pfsync, truncated, repeated(report, engine)];
    all.into_iter().flatten().for_each(|found| report.quality.add(found));
}

fn found(kind: Problem, count: u64, detail: String) -> Found {
    Found {
        kind,
        count,
        share: None,
        first: None,
        last: None,
        detail,
        fatal: false,
        node: None,
    }
}

fn no_pfsync(engine: &Engine) -> Option<Found> {
    let frames = |n: &crate::event::NodeId| engine.counters().nodes.get(n.index()).map_or(0, |c| c.frames);
    let mut nodes = engine.node_ids().filter(|n| !engine.is_unnamed(*n));
    if nodes.any(|n| frames(&n) > 0) {
        return None;
    }
    let whose = if engine.settings().nodes.is_empty() {
        "no pfsync"
    } else {
        "no pfsync of a configured node"
    };
    let detail = match why(engine, Wanted::Pfsync(None), None) {
        Some(why) => format!("{whose} counts: {}", why.clause()),
        None => format!(
            "{whose} was heard: capture on the physical sync interface, with a filter that lets IP protocol 240 pass"
        ),
    };
    Some(Found {
        fatal: true,
        ..found(Problem::NoPfsync, 0, detail)
    })
}

fn truncated(files: &[FileInfo]) -> Option<Found> {
    let faults: Vec<&str> = files.iter().filter_map(|f| f.fault.as_deref()).collect();
    let detail = format!("{}: what came after that is not in what was judged", faults.join("; "));
    (!faults.is_empty()).then(|| Found {
        fatal: files.iter().any(|f| f.unordered),
        ..found(Problem::Truncated, faults.len() as u64, detail)
    })
}

/// Who could not be judged for most of the time because of that cannot be judged.
fn repeated(report: &Report, engine: &Engine) -> Option<Found> {
    let (from, end) = report.span?;
    let stays = stays(report);
    let again = |(node, path): &(NodeId, usize)| {
        let its = stays
            .iter()
            .filter(|s| (s.verdict.node, s.verdict.path) == (*node, *path));
        let again = its.filter(|s| s.verdict.to == Health::Unknown && s.verdict.cause == Cause::Repeated);
        again
            .map(|s| s.until.unwrap_or(end).since(s.verdict.at))
            .sum::<Duration>()
    };
    let paths = engine
        .node_ids()
        .flat_map(|n| (0..engine.path_count()).map(move |p| (n, p)));
    let (length, (node, _)) = paths.map(|key| (again(&key), key)).max_by_key(|(length, _)| *length)?;
    let fatal = length.saturating_mul(2) > end.since(from);
    let name = engine.label(node);
    let detail = format!(
        "what {name} says was told before, for {}: a capture is given twice with different clocks (then give one of the two), or is \
         played again (then give each once)",
        duration(length)
    );
    (length > Duration::ZERO).then(|| Found {
        fatal,
        node: Some(name).filter(|_| fatal),
        ..found(Problem::Repeated, 1, detail)
    })
}
