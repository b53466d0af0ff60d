//! What to do next.
//!
//! Called by the pages. Only what follows from this very report: an advice that is always there is not read.

use super::blame::{Blame, apart, blame, is_own, overlap};
use super::masters;
use super::stays::{self, Stay};
use super::words::counted;
use super::{Tale, absent};
use crate::absence::{Wanted, why};
use crate::event::{Cause, Health, NodeId, Verdict};
use crate::settings::About;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// One sentence each, without a full stop.
pub(in crate::report) fn next(tale: &Tale<'_>) -> Vec<String> {
    let (engine, report) = (tale.engine, tale.report);
    let settings = engine.settings();
    let mut list = Vec::new();
    culprit(tale, &mut list);
    splits(tale, &mut list);
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
    for s in all.iter().filter(|s| s.is_down()) {
        let v = s.verdict;
        let name = engine.label(v.node);
        let lost = lost_segments(tale, s);
        let side = match v.cause {
            Cause::BlackholeReverse => "clients",
            _ => "servers",
        };
        let text = match blame(tale, s, &all) {
            _ if !lost.is_empty() => format!(
                "{}: another node became CARP master there, while {name} kept the rest and traffic went on into it",
                port(&name, &lost)
            ),
            Blame::Own if v.cause.is_blackhole() && apart(tale, s) => {
                let both = all
                    .iter()
                    .any(|o| o.is_down() && o.verdict.node != v.node && overlap(tale, s, o));
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
            Blame::Own if v.cause.is_blackhole() && !is_own(tale, s) => format!(
                "look at {name} and its port on the side of the {side}, and beyond it: what goes there does not come back, and \
                 for a part of that time nobody was CARP master"
            ),
            Blame::Own if v.cause.is_blackhole() => format!(
                "look at {name} itself and its port on the side of the {side}: what came in did not go out again, or an \
                 address of its own was not heard"
            ),
            Blame::Own => silence(tale, v),
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
        once(list, text);
    }
}

/// What is to be said once.
fn once(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

/// Where to look when a node lost its addresses there and no others.
fn port(name: &str, lost: &[String]) -> String {
    format!("look at {name}'s port on {}, its cable and its switch", lost.join(", "))
}

/// Where to look when CARP was unsynchronised, and no `down` has told it.
fn splits(tale: &Tale<'_>, list: &mut Vec<String>) {
    for (from, _) in &tale.report.unsynchronised {
        let all = holders(tale, *from);
        let mut told = false;
        for node in tale.nodes() {
            let lost = lost(&all, node);
            if lost.is_empty() {
                continue;
            }
            told = true;
            let name = tale.engine.label(node);
            let look = port(&name, &lost);
            if !list.iter().any(|text| text.starts_with(&look)) {
                list.push(format!(
                    "{look}, unless somebody moved the address by hand: another node became CARP master there, while {name} kept \
                     the rest"
                ));
            }
        }
        if !told {
            let masters: BTreeSet<String> = all
                .iter()
                .map(|h| format!("{} of {}", tale.engine.label(h.now), h.network))
                .collect();
            let masters = masters.into_iter().collect::<Vec<_>>().join(", ");
            once(
                list,
                format!(
                    "find out why different nodes were master ({masters}): which one should have all is for advskew and \
                     preemption to say (`ifconfig`, net.inet.carp.preempt), and what does not follow is the segment to look at"
                ),
            );
        }
    }
}

/// Where to look when a vhid has two masters, or none.
fn masters(tale: &Tale<'_>, list: &mut Vec<String>) {
    for spell in masters::spells(tale) {
        let (names, networks) = (spell.names(tale), spell.networks(tale));
        let text = if let Some((before, after)) = spell.around(tale) {
            let place = spell.place(tale);
            if before == after {
                format!(
                    "nobody advertised {place} for a while, and then {after} did again: see whether {after} stood still, or whether \
                     its port, the switch or the capture of {networks} lost frames"
                )
            } else {
                format!(
                    "nobody advertised {place} until {after} became master: a backup waits for three of its intervals \
                     (advbase + advskew / 256), so look there (`ifconfig`) if that was too long"
                )
            }
        } else if names.is_empty() {
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
        once(list, text);
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

/// Where to look for a node that went down by something else than what hosts show.
fn silence(tale: &Tale<'_>, v: &Verdict) -> String {
    let name = tale.engine.label(v.node);
    if let Some(why) = why(tale.engine, Wanted::Pfsync(Some(v.node)), Some(v.at)) {
        return format!("pfsync of {name} did not count any more: {}", why.clause());
    }
    match v.cause {
        Cause::Silence if v.evidence.carp_gone > 0 => format!(
            "{name} fell silent on the sync network and on {} at once: look at its console, its power, its log",
            counted(v.evidence.carp_gone.into(), "segment")
        ),
        Cause::Unreachable => format!(
            "{name} still advertises, but neither its pfsync nor an address of its own answers: see whether it hangs"
        ),
        Cause::CanaryMissing => {
            format!("look at the hosts of the canaries that came through {name}, and then at {name}")
        }
        _ => format!("look at {name}, its console, its power, its log: {}", v.sentence()),
    }
}

/// Who was master of a vhid, and who is.
struct Holder {
    network: String,
    before: Option<NodeId>,
    now: NodeId,
}

/// Of all vhids that nodes are master of at that time.
fn holders(tale: &Tale<'_>, at: Timestamp) -> Vec<Holder> {
    let vhids = tale.report.masters.iter().filter_map(|((segment, vhid), masters)| {
        // One that said a single word was master for no time.
        let now = masters.iter().rposition(|m| m.from <= at)?;
        masters.get(now).filter(|m| m.to.is_none_or(|to| to >= at))?;
        let owner = |i: usize| tale.engine.owner(masters.get(i)?.address);
        Some(Holder {
            network: network(tale, *segment, *vhid),
            before: now.checked_sub(1).and_then(owner),
            now: owner(now)?,
        })
    });
    vhids.collect()
}

/// Networks on which a node lost its addresses while it kept others: what another one always had is nothing that it lost.
fn lost(all: &[Holder], node: NodeId) -> Vec<String> {
    let kept = all.iter().any(|h| h.now == node);
    let lost = all.iter().filter(|h| kept && h.before == Some(node) && h.now != node);
    let mut lost: Vec<String> = lost.map(|h| h.network.clone()).collect();
    lost.dedup();
    lost
}

/// Those that a node lost while it was down.
fn lost_segments(tale: &Tale<'_>, s: &Stay<'_>) -> Vec<String> {
    let end = stays::end(tale.report);
    let mut splits = tale.report.unsynchronised.iter();
    let split = splits.find(|(from, to)| *from <= s.until.unwrap_or(end) && to.unwrap_or(end) >= s.verdict.at);
    split.map_or_else(Vec::new, |(from, _)| lost(&holders(tale, *from), s.verdict.node))
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
    let heard = tale
        .nodes()
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
