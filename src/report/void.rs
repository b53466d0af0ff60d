//! What makes an analysis void, or ends it early: no pfsync of those that it is about, and files that are not whole.
//!
//! Put into words here, beside what the engine found wrong with what it heard: only with the last file it is sure that nothing
//! comes any more.

use crate::absence::{Wanted, why};
use crate::capture::file::FileInfo;
use crate::engine::Engine;
use crate::engine::quality::{Found, Problem, Quality};

/// Adds it.
pub(super) fn add(files: &[FileInfo], engine: &Engine, quality: &mut Quality) {
    let truncated = truncated(files);
    // What is missing may be in what was not read.
    let no_pfsync = no_pfsync(engine).filter(|_| !truncated.as_ref().is_some_and(|t| t.fatal));
    let all = [no_pfsync, truncated];
    all.into_iter().flatten().for_each(|found| quality.add(found));
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
