//! What to do next.
//!
//! Called by the pages. Only what follows from this very report: an advice that is always there is not read.

use super::Tale;
use super::masters;
use super::stays::{self, Stay};
use crate::capture::Net;
use crate::event::{Cause, Health};
use crate::settings::About;
use std::time::Duration;

/// A node that was down for less is not what somebody gets up for.
const WORTH_A_LOOK: Duration = Duration::from_secs(5);

/// One sentence each, without a full stop.
pub(in crate::report) fn next(tale: &Tale<'_>) -> Vec<String> {
    let (engine, report) = (tale.engine, tale.report);
    let (settings, counters) = (engine.settings(), engine.counters());
    let mut list = Vec::new();
    culprit(tale, &mut list);
    masters(tale, &mut list);
    let configured = settings.nodes.iter().any(|n| !n.local.is_empty());
    if !configured {
        list.push(
            "give the nodes' own addresses in a configuration (-c), so that flows that end on the firewalls are left \
             out and CARP advertisements have a sender"
                .into(),
        );
    }
    let carp = counters.advertisements();
    let segments = report.files.iter().any(|f| matches!(f.net, Net::Segment(_)));
    if carp == 0 && !segments {
        list.push(
            "add captures of the CARP segments (--segment lan=FILE): without CARP a silent node cannot be told from a \
             dead one, and nothing is decided"
                .into(),
        );
    } else if carp == 0 && counters.vrrp > 0 {
        list.push(
            "there is VRRP and no CARP on the segments, and it comes from no node of the configuration: put each node's own \
             addresses there into its `local`, if they speak VRRP (FreeBSD's carpver 3)"
                .into(),
        );
    } else if carp == 0 {
        list.push(
            "no CARP in the captures of the segments: capture IP protocol 112 there, without a filter that leaves it out"
                .into(),
        );
    } else if configured {
        let owned = report
            .masters
            .values()
            .flatten()
            .any(|m| engine.owner(m.address).is_some());
        if !owned {
            list.push(
                "no CARP advertisement comes from a node of the configuration: put each node's own addresses on the \
                 segments into its `local`"
                    .into(),
            );
        }
    }
    if !engine.node_ids().any(|n| engine.is_self(n)) && engine.node_ids().next().is_some() {
        list.push("say which node pfwatch runs beside (--self ADDR) to see what it would have done there".into());
    }
    silent_nodes(tale, &mut list);
    let down = report
        .verdicts
        .iter()
        .any(|v| v.to == Health::Down && v.cause != Cause::Silence);
    if down && configured && !settings.probes.iter().any(|p| p.about == About::SelfNode) && report.decisions.is_empty()
    {
        list.push(
            "configure a probe about self that reaches as far as the traffic does: without one a firewall that fails \
             while CARP stays in sync is reported and never replaced"
                .into(),
        );
    }
    list
}

/// Where to look for the fault of a node that went down.
fn culprit(tale: &Tale<'_>, list: &mut Vec<String>) {
    let engine = tale.engine;
    let all = stays::stays(tale.report);
    let lasted = |s: &&Stay<'_>| s.is_down() && s.length().is_none_or(|l| l >= WORTH_A_LOOK);
    let carp = engine.counters().advertisements() > 0;
    let blackhole = |c: Cause| matches!(c, Cause::BlackholeForward | Cause::BlackholeReverse);
    let mut told: Vec<String> = Vec::new();
    for s in all.iter().filter(lasted) {
        let v = s.verdict;
        let name = engine.label(v.node);
        let lost = lost_segments(tale, s);
        let both = || {
            all.iter()
                .filter(lasted)
                .any(|o| o.verdict.node != v.node && overlap(tale, s, o))
        };
        let text = match v.cause {
            _ if !lost.is_empty() => format!(
                "look at {name}'s port on {}, its cable and its switch: another node became CARP master there, while \
                 {name} kept the rest and traffic went on into it",
                lost.join(", ")
            ),
            c if blackhole(c) && both() => "several nodes were down at the same time: that is how a pair looks whose \
                                            CARP is unsynchronised, each with half of every flow; see who is master where"
                .into(),
            c if blackhole(c) && tale.report.unsynchronised.is_empty() => {
                let side = if c == Cause::BlackholeForward { "servers" } else { "clients" };
                let carp = if carp { ", and CARP saw nothing of it" } else { "" };
                format!(
                    "look beyond {name} on the side of the {side}: what goes there does not come back{carp}; if other \
                     nodes fare no better, it is the upstream and not {name}"
                )
            }
            Cause::Silence => format!("{name} fell silent on all nets at once: look at its console, its power, its log"),
            _ => continue,
        };
        if !told.contains(&text) {
            told.push(text);
        }
    }
    list.append(&mut told);
}

/// Where to look when a vhid has two masters, or none.
fn masters(tale: &Tale<'_>, list: &mut Vec<String>) {
    for spell in masters::spells(tale) {
        let (names, networks) = (spell.names(tale), spell.networks(tale));
        let text = if names.is_empty() {
            format!(
                "nobody advertised {}: is anybody MASTER there (`ifconfig`), is CARP allowed (net.inet.carp.allow), and does the \
                 capture hear {networks}?",
                spell.place(tale)
            )
        } else {
            format!(
                "find out why {} do not hear each other on {networks}: a pf rule that blocks carp there, a switch that drops \
                 multicast (IGMP snooping), a VLAN that is missing on a port, different passwords",
                names.join(" and ")
            )
        };
        if !list.contains(&text) {
            list.push(text);
        }
    }
}

fn overlap(tale: &Tale<'_>, a: &Stay<'_>, b: &Stay<'_>) -> bool {
    let end = stays::end(tale.report);
    a.verdict.at <= b.until.unwrap_or(end) && b.verdict.at <= a.until.unwrap_or(end)
}

/// Segments on which somebody else became master while this node was down and kept others.
fn lost_segments(tale: &Tale<'_>, s: &Stay<'_>) -> Vec<String> {
    let (engine, report) = (tale.engine, tale.report);
    let end = stays::end(report);
    let mut splits = report.unsynchronised.iter();
    let split = splits.find(|(from, to)| *from <= s.until.unwrap_or(end) && to.unwrap_or(end) >= s.verdict.at);
    let Some((from, _)) = split else { return Vec::new() };
    let mut lost: Vec<String> = Vec::new();
    let mut kept = false;
    for ((segment, _), masters) in &report.masters {
        let master = masters
            .iter()
            .find(|m| m.from <= *from && m.to.is_none_or(|to| to > *from));
        match master.and_then(|m| engine.owner(m.address)) {
            Some(owner) if owner == s.verdict.node => kept = true,
            Some(_) => lost.push(engine.segment_name(*segment).to_owned()),
            None => {}
        }
    }
    lost.dedup();
    if kept { lost } else { Vec::new() }
}

fn silent_nodes(tale: &Tale<'_>, list: &mut Vec<String>) {
    let engine = tale.engine;
    let counted_nodes = || {
        engine
            .node_ids()
            .filter_map(|n| Some((n, engine.counters().nodes.get(n.index())?)))
    };
    let silent: Vec<String> = counted_nodes()
        .filter(|(_, c)| c.frames == 0)
        .map(|(n, _)| engine.label(n))
        .collect();
    let heard: Vec<_> = counted_nodes().filter(|(_, c)| c.frames > 0).collect();
    if !silent.is_empty() {
        list.push(format!(
            "no pfsync came from {}: is the address right, and was the capture made where both nodes are heard?",
            silent.join(", ")
        ));
    } else if let [(only, _)] = heard.as_slice() {
        list.push(format!(
            "only {} was heard: capture on the physical sync interface, where all nodes are heard; pfsync0 shows what its \
             own host sends",
            engine.label(*only)
        ));
    }
    let mut versions = heard.iter().map(|(n, c)| (c.versions, *n));
    if let Some((first, a)) = versions.next()
        && let Some((_, b)) = versions.find(|(v, _)| v & first == 0)
    {
        list.push(format!(
            "{} and {} speak different versions of pfsync and do not understand each other: run the same release on both",
            engine.label(a),
            engine.label(b)
        ));
    }
}
