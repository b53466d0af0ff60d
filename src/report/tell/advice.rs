//! What to do next.
//!
//! Called by the pages. Only what follows from this very report: an advice that is always there is not read.

use super::blame::{Blame, apart, blame, overlap};
use super::masters;
use super::stays::{self, Stay};
use super::words::counted;
use super::{Tale, absent};
use crate::absence::{Wanted, why};
use crate::event::{Cause, Health, Verdict};
use crate::report::Mastership;
use crate::settings::About;
use std::time::Duration;

/// A node that was down for less is not what somebody gets up for.
const WORTH_A_LOOK: Duration = Duration::from_secs(5);

/// One sentence each, without a full stop.
pub(in crate::report) fn next(tale: &Tale<'_>) -> Vec<String> {
    let (engine, report) = (tale.engine, tale.report);
    let settings = engine.settings();
    let mut list = Vec::new();
    culprit(tale, &mut list);
    masters(tale, &mut list);
    list.extend(echo(tale));
    let configured = settings.nodes.iter().any(|n| !n.local.is_empty());
    if !configured {
        list.push(
            "give the nodes' own addresses in a configuration (-c), so that flows that end on the firewalls are left \
             out and CARP advertisements have a sender"
                .into(),
        );
    }
    absent::carp(tale, configured, &mut list);
    if !engine.node_ids().any(|n| engine.is_self(n)) && engine.node_ids().next().is_some() {
        list.push("say which node pfwatch runs beside (--self ADDR) to see what it would have done there".into());
    }
    absent::pfsync(tale, &mut list);
    versions(tale, &mut list);
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
    let mut told: Vec<String> = Vec::new();
    for s in all.iter().filter(lasted) {
        let v = s.verdict;
        let name = engine.label(v.node);
        let lost = lost_segments(tale, s);
        let side = match v.cause {
            Cause::BlackholeReverse => "clients",
            _ => "servers",
        };
        let text = match blame(tale, s, &all) {
            _ if !lost.is_empty() => format!(
                "look at {name}'s port on {}, its cable and its switch: another node became CARP master there, while \
                 {name} kept the rest and traffic went on into it",
                lost.join(", ")
            ),
            Blame::Own if v.cause.is_blackhole() && apart(tale, s) => {
                let both = all
                    .iter()
                    .filter(lasted)
                    .any(|o| o.verdict.node != v.node && overlap(tale, s, o));
                let who = if both {
                    "several nodes were".into()
                } else {
                    format!("{name} was")
                };
                format!(
                    "{who} down while CARP had come apart: each node then has half of every flow; see who was master \
                     where, and look at the ports and switches of the segment that moved"
                )
            }
            Blame::Own if v.cause.is_blackhole() => format!(
                "look at {name} itself and its port on the side of the {side}: what came in did not go out again, or an \
                 address of its own was not heard"
            ),
            Blame::Own => match silence(tale, v) {
                Some(text) => text,
                None => continue,
            },
            Blame::InSync => format!(
                "look beyond {name} on the side of the {side}: what goes there does not come back, and CARP saw nothing of \
                 it; if the same does not come back through another node either, {name} is not to blame"
            ),
            Blame::Unheard(_) => format!(
                "look at {name}'s port on the side of the {side}, and beyond it: what goes there does not come back, and \
                 without CARP of both sides nothing tells the two apart"
            ),
            Blame::Parted => format!(
                "look at {name}'s port on the side of the {side}, and beyond it: what goes there does not come back, and CARP, \
                 which would tell the two apart, cannot be put together with pfsync then (see what is said of the capture)"
            ),
            Blame::Both(nodes) => format!(
                "look beyond {} on the side of the {side}: the same was dead through all of them at the same time",
                nodes.iter().map(|n| engine.label(*n)).collect::<Vec<_>>().join(" and ")
            ),
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

/// What to do where a node hears itself.
fn echo(tale: &Tale<'_>) -> Option<String> {
    let (who, networks) = masters::came_back(tale)?;
    Some(format!(
        "find out what sends {who}'s own frames back to it on {networks}: a switch that loops, or a team of ports that hears itself \
         (on VMware Net.ReversePathFwdCheckPromisc)"
    ))
}

/// Where to look for a node that fell silent.
fn silence(tale: &Tale<'_>, v: &Verdict) -> Option<String> {
    let name = tale.engine.label(v.node);
    if let Some(why) = why(tale.engine, Wanted::Pfsync(Some(v.node)), Some(v.at)) {
        return Some(format!("pfsync of {name} did not count any more: {}", why.clause()));
    }
    match v.cause {
        Cause::Silence if v.evidence.carp_gone > 0 => Some(format!(
            "{name} fell silent on the sync network and on {} at once: look at its console, its power, its log",
            counted(v.evidence.carp_gone.into(), "segment")
        )),
        Cause::Unreachable => Some(format!(
            "{name} still advertises, but neither its pfsync nor an address of its own answers: see whether it hangs"
        )),
        _ => None,
    }
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
    for ((segment, vhid), masters) in &report.masters {
        let at = |m: &Mastership| m.from <= *from && m.to.is_none_or(|to| to > *from);
        let Some(now) = masters.iter().position(at) else {
            continue;
        };
        let owner = |i: usize| engine.owner(masters.get(i)?.address);
        // What the other node always had is nothing that this one lost.
        match (now.checked_sub(1).and_then(owner), owner(now)) {
            (_, Some(owner)) if owner == s.verdict.node => kept = true,
            (Some(before), Some(_)) if before == s.verdict.node => lost.push(network(tale, *segment, *vhid)),
            _ => {}
        }
    }
    lost.dedup();
    if kept { lost } else { Vec::new() }
}

/// A network by its name. Where everything is in one capture it is that of nobody's cable, so the vhid has to do.
fn network(tale: &Tale<'_>, network: usize, vhid: u8) -> String {
    let name = tale.engine.segment_name(network);
    if tale.engine.segment_of(network).is_none() && name == "sync" {
        format!("the network of vhid {vhid}")
    } else {
        name.to_owned()
    }
}

/// Nodes that speak different versions.
fn versions(tale: &Tale<'_>, list: &mut Vec<String>) {
    let engine = tale.engine;
    let heard = engine
        .node_ids()
        .filter_map(|n| Some((n, engine.counters().nodes.get(n.index()).filter(|c| c.frames > 0)?)));
    let mut versions = heard.map(|(n, c)| (c.versions, n));
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
