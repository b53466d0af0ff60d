//! Whose fault a `down` is, as far as that is seen: the node's own, or what may lie beyond it.
//!
//! Called by headline and advice. If an upstream dies, every firewall before it looks dead to its traffic; who is named then
//! is blamed wrongly.

use super::Tale;
use super::stays::{self, Stay};
use crate::event::NodeId;
use crate::report::Span;
use std::collections::BTreeSet;
use std::time::Duration;

/// What CARP or a probe shows of a fault comes this soon after what traffic shows of it; what comes later is another one.
const SAME_FAULT: Duration = Duration::from_secs(30);

/// What speaks for it that a node that was down is not to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) enum Blame {
    /// Its own fault, by CARP, probes, silence, or connections that got stuck in it.
    Own,
    /// CARP was in sync, and nothing shows that it is at fault.
    InSync,
    /// The same, but CARP was not heard on as many as two segments: on this one alone, or on none.
    Unheard(Option<usize>),
    /// The same, but what CARP told could not be put together with pfsync then.
    Parted,
    /// These were down at the same time, and nothing shows that one of them is at fault.
    Both(Vec<NodeId>),
}

/// Of this stay.
pub(in crate::report) fn blame(tale: &Tale<'_>, stay: &Stay<'_>, all: &[Stay<'_>]) -> Blame {
    let others: Vec<&Stay<'_>> = all
        .iter()
        .filter(|o| o.is_down() && o.verdict.node != stay.verdict.node && overlap(tale, stay, o))
        .collect();
    if torn(tale, stay) || is_own(tale, stay) {
        return Blame::Own;
    }
    if !others.is_empty() && !others.iter().any(|o| is_own(tale, o)) {
        let nodes: BTreeSet<NodeId> = others
            .iter()
            .map(|o| o.verdict.node)
            .chain([stay.verdict.node])
            .collect();
        return Blame::Both(nodes.into_iter().collect());
    }
    if tale.engine.carp_parted().is_some_and(|t| t <= stay.verdict.at) {
        return Blame::Parted;
    }
    let of_nodes = |(_, masters): &(&(usize, u8), &Vec<crate::report::Mastership>)| {
        masters.iter().any(|m| tale.engine.owner(m.address).is_some())
    };
    let heard: BTreeSet<usize> = tale
        .report
        .masters
        .iter()
        .filter(of_nodes)
        .map(|((s, _), _)| *s)
        .collect();
    if heard.len() > 1 {
        Blame::InSync
    } else {
        Blame::Unheard(heard.first().copied())
    }
}

/// CARP came apart meanwhile: unsynchronised, or with two masters of a vhid.
pub(in crate::report) fn apart(tale: &Tale<'_>, stay: &Stay<'_>) -> bool {
    let report = tale.report;
    let two = report.two_masters.values().flatten().map(|two| (two.from, two.to));
    meets(tale, stay, report.unsynchronised.iter().copied().chain(two))
}

/// That, or a vhid had no master.
fn torn(tale: &Tale<'_>, stay: &Stay<'_>) -> bool {
    apart(tale, stay) || meets(tale, stay, tale.report.no_master.values().flatten().copied())
}

fn meets(tale: &Tale<'_>, stay: &Stay<'_>, mut spans: impl Iterator<Item = Span>) -> bool {
    let end = stays::end(tale.report);
    let last = stay.until.unwrap_or(end).min(stay.verdict.at + SAME_FAULT);
    spans.any(|(from, to)| from <= last && to.unwrap_or(end) >= stay.verdict.at)
}

/// What speaks against it itself.
pub(in crate::report) fn is_own(tale: &Tale<'_>, stay: &Stay<'_>) -> bool {
    let v = stay.verdict;
    let w = v.evidence.witnesses;
    let end = stay.until.unwrap_or(stays::end(tale.report)).min(v.at + SAME_FAULT);
    let seen = |(node, at): &(NodeId, _)| *node == v.node && (v.at..=end).contains(at);
    !v.cause.is_blackhole() || w.split || w.segment || w.address || tale.report.at_fault.iter().any(seen)
}

/// At the same time.
pub(in crate::report) fn overlap(tale: &Tale<'_>, a: &Stay<'_>, b: &Stay<'_>) -> bool {
    let end = stays::end(tale.report);
    a.verdict.at <= b.until.unwrap_or(end) && b.verdict.at <= a.until.unwrap_or(end)
}
