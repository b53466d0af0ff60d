//! What is wrong with the capture itself, and what to do about it.
//!
//! Called by the pages. The sentences are the engine's.

use super::Tale;

/// One sentence each, without a full stop; nothing where nothing is wrong.
pub(in crate::report) fn lines(tale: &Tale<'_>) -> Vec<String> {
    let first = |at: Option<crate::time::Timestamp>| at.map(|t| format!(" (first at {})", tale.clock.second(t)));
    let problems = tale.report.quality.problems.iter();
    problems
        .map(|p| format!("{}{}", p.detail, first(p.first).unwrap_or_default()))
        .collect()
}
