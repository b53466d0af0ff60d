//! Verdicts as stays: from when until when a node had a health.
//!
//! Used by headline, timeline and plots, which tell of times rather than of changes.

use crate::event::{Health, NodeId, Verdict};
use crate::report::Report;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// A suspicion that grew into `down` within this time is a part of it.
const PRELUDE: Duration = Duration::from_secs(5);

/// One health of one node on one path, for a while.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Stay<'a> {
    /// How it began.
    pub(in crate::report) verdict: &'a Verdict,
    /// The health before, leaving out what lasted no time.
    pub(in crate::report) from: Health,
    /// When it ended; none: it had not when the input ended.
    pub(in crate::report) until: Option<Timestamp>,
    /// What came then.
    pub(in crate::report) next: Option<Health>,
}

impl Stay<'_> {
    /// How long, if it ended.
    pub(in crate::report) fn length(&self) -> Option<Duration> {
        Some(self.until?.since(self.verdict.at))
    }

    pub(in crate::report) fn is_down(&self) -> bool {
        self.verdict.to == Health::Down
    }

    /// A suspicion that led to `down` at once.
    pub(in crate::report) fn is_prelude(&self) -> bool {
        self.verdict.to == Health::Suspect
            && self.next == Some(Health::Down)
            && self.length().is_some_and(|l| l <= PRELUDE)
    }
}

/// All stays that lasted, in the order in which they began.
pub(in crate::report) fn stays(report: &Report) -> Vec<Stay<'_>> {
    let key = |v: &Verdict| (v.node, v.path);
    let mut last = BTreeMap::<(NodeId, usize), usize>::new();
    let mut all: Vec<Stay<'_>> = Vec::new();
    for verdict in &report.verdicts {
        let before = last.get(&key(verdict)).and_then(|i| all.get_mut(*i));
        if let Some(before) = before.filter(|b| b.verdict.at == verdict.at) {
            // It lasted no time.
            before.verdict = verdict;
            continue;
        }
        last.insert(key(verdict), all.len());
        all.push(Stay {
            verdict,
            from: verdict.from,
            until: None,
            next: None,
        });
    }
    all.retain(|s| s.from != s.verdict.to);
    let mut then = BTreeMap::new();
    for s in all.iter_mut().rev() {
        let next = then.insert(key(s.verdict), (s.verdict.at, s.verdict.to));
        (s.until, s.next) = next.unzip();
    }
    all
}

/// The time of the last input.
pub(in crate::report) fn end(report: &Report) -> Timestamp {
    report.span.map_or(Timestamp::MIN, |(_, last)| last)
}
