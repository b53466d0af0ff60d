//! What to do about what was looked for and is not there: pfsync of a node, CARP of a segment.
//!
//! Called by the advice. Asks why before it says anything; only where nothing explains it, it asks the reader.

use super::Tale;
use crate::absence::{Wanted, Why, why};
use crate::capture::Net;
use crate::engine::aside::Reason;
use crate::event::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Nodes whose pfsync is not there, or a single one whose is.
pub(super) fn pfsync(tale: &Tale<'_>, list: &mut Vec<String>) {
    let engine = tale.engine;
    let frames = |n: &NodeId| engine.counters().nodes.get(n.index()).map_or(0, |c| c.frames);
    let (heard, silent): (Vec<NodeId>, Vec<NodeId>) = tale.nodes().partition(|n| frames(n) > 0);
    let mut unexplained = Vec::new();
    for node in silent.iter().copied() {
        let name = engine.label(node);
        match why(engine, Wanted::Pfsync(Some(node)), None) {
            Some(why @ Why::Aside { .. }) => list.push(format!("no pfsync of {name} counts: {}", why.clause())),
            Some(why) => list.push(format!("no pfsync of {name} was heard: {}", why.clause())),
            None => unexplained.push(name),
        }
    }
    if !unexplained.is_empty() {
        list.push(format!(
            "no pfsync came from {}: a backup without traffic of its own is quiet; if there should be some, is the address \
             right, and was the capture made where all nodes are heard?",
            unexplained.join(", ")
        ));
    }
    if let (true, [only]) = (silent.is_empty(), heard.as_slice()) {
        let name = engine.label(*only);
        list.push(match why(engine, Wanted::Pfsync(None), None) {
            Some(why) => format!("only pfsync of {name} counts: {}", why.clause()),
            None => format!(
                "only {name} was heard: if there is another node that sends pfsync, capture on the physical sync interface, \
                 where all of them are heard"
            ),
        });
    }
}

/// CARP of nodes that came on the sync net, and that no segment has: in a capture of everything it stands beside pfsync.
fn untaken(tale: &Tale<'_>, list: &mut Vec<String>) {
    let engine = tale.engine;
    let counted = |a: &IpAddr| tale.report.masters.values().flatten().any(|m| m.address == *a);
    let aside = engine.counters().aside.iter().map(|(key, _)| key);
    let from: BTreeSet<IpAddr> = aside
        .filter(|k| k.reason == Reason::OnSync && engine.owner(k.from).is_some() && !counted(&k.from))
        .map(|k| k.from)
        .collect();
    // Where nobody is heard at all, that was said.
    if !from.is_empty() && !tale.report.masters.is_empty() {
        let from: Vec<String> = from.iter().map(ToString::to_string).collect();
        list.push(format!(
            "CARP of {} came beside pfsync, where it does not count: give what it came in as a segment, too (--segment \
             NAME=FILE, or FILE@INTERFACE of a pcapng)",
            from.join(" and ")
        ));
    }
}

/// Segments without CARP, or without CARP of a node.
pub(super) fn carp(tale: &Tale<'_>, configured: bool, list: &mut Vec<String>) {
    let (engine, report) = (tale.engine, tale.report);
    let mut captured = BTreeMap::<usize, u64>::new();
    for file in report.files.iter().filter(|f| !report.times.timeless.contains(&f.path)) {
        if let Net::Segment(i) = file.net {
            *captured.entry(i).or_default() += file.frames;
        }
    }
    let heard = |segment: usize| {
        report
            .masters
            .keys()
            .any(|(n, _)| engine.segment_of(*n) == Some(segment))
    };
    if report.masters.is_empty() && captured.is_empty() {
        list.push(match why(engine, Wanted::Carp(None, None), None) {
            Some(why @ (Why::Aside { .. } | Why::Others(..))) => format!("no CARP counts: {}", why.clause()),
            _ => "add captures of the CARP segments (--segment lan=FILE): without CARP a silent node cannot be told from a \
                  dead one, and nothing is decided"
                .into(),
        });
    }
    for (&segment, frames) in captured.iter().filter(|(s, _)| !heard(**s)) {
        let name = engine.segment_name(segment);
        list.push(match why(engine, Wanted::Carp(None, Some(segment)), None) {
            Some(why @ (Why::Aside { .. } | Why::Unreadable(_))) => format!("no CARP on {name} counts: {}", why.clause()),
            _ if *frames == 0 => format!("the capture of {name} is empty: was anything recorded there?"),
            _ => format!(
                "no CARP in the capture of {name}: is any node master there, was it made on that network itself, and does \
                 its filter let IP protocol 112 pass?"
            ),
        });
    }
    untaken(tale, list);
    let owned = |m: &crate::report::Mastership| engine.owner(m.address).is_some();
    if configured && !report.masters.is_empty() && !report.masters.values().flatten().any(owned) {
        let clause = why(engine, Wanted::Carp(None, None), None).map(|why| format!(": {}", why.clause()));
        list.push(format!(
            "no CARP advertisement comes from a node of the configuration{}",
            clause.unwrap_or_default()
        ));
    }
}
