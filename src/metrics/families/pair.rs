//! What is known of the firewalls: health, evidence, states, CARP.

use super::{flag, number};
use crate::event::Cause;
use crate::metrics::sheet::Sheet;
use crate::status::{Master, Node, Path, Status};
use std::collections::BTreeMap;

/// The label of all senders of pfsync together that are not configured.
const UNKNOWN: &str = "unknown";
/// The label of every CARP master that is no node: its address is on the page and in `/status`.
const FOREIGN: &str = "foreign";
/// Words of the contract.
const HEALTH: [&str; 5] = ["unknown", "up", "idle", "suspect", "down"];

pub(super) fn fill(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    health(status, sheet)?;
    evidence(status, sheet)?;
    flows(status, sheet)?;
    nodes(status, sheet)?;
    carp(status, sheet)
}

fn paths(status: &Status) -> impl Iterator<Item = (&Node, &Path)> {
    status.firewalls().flat_map(|n| n.paths.iter().map(move |p| (n, p)))
}

fn health(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let health = sheet.gauge(
        "pfwatch_health",
        "Health of a node on a path: 1 for what it is, 0 for the others.",
        &["node", "path", "health"],
    )?;
    let suspicion = sheet.gauge(
        "pfwatch_suspicion",
        "-log10 of the probability of what was seen if traffic flowed through the node; see pfwatch_suspicion_threshold.",
        &["node", "path"],
    )?;
    let threshold = sheet.gauge(
        "pfwatch_suspicion_threshold",
        "What suspicion must reach for down: what `risk` asks for, less beside a witness, twice as much where each node sees \
         half of the traffic; of what is down, what it took. With more a node stays suspect while something holds the \
         verdict back, which the page names.",
        &["node", "path"],
    )?;
    let critical = sheet.gauge(
        "pfwatch_path_critical",
        "1 if the node is down where it is down on this path, 0 if that is only said.",
        &["node", "path"],
    )?;
    let lost = sheet.gauge(
        "pfwatch_sync_lost",
        "1 while the pfsync of a node that was heard before is missing and its CARP advertisements go on.",
        &["node"],
    )?;
    let transitions = sheet.counter(
        "pfwatch_transitions_total",
        "Changes of a node's health on a path, by what it became.",
        &["node", "path", "to"],
    )?;
    for (n, p) in paths(status) {
        for word in HEALTH {
            let is = health.with_label_values(&[n.label(), &p.path, word]);
            is.set(flag(p.health == word));
            transitions.with_label_values(&[n.label(), &p.path, word]);
        }
        suspicion.with_label_values(&[n.label(), &p.path]).set(p.suspicion);
        threshold.with_label_values(&[n.label(), &p.path]).set(p.threshold);
        critical.with_label_values(&[n.label(), &p.path]).set(flag(p.critical));
    }
    for n in status.firewalls() {
        // The word of the detector, which knows what silence to expect: a backup without traffic says nothing for long.
        let is = n.paths.iter().any(|p| p.cause == Cause::SyncLost.as_str());
        lost.with_label_values(&[n.label()]).set(flag(is));
    }
    let all = !status.configured();
    for t in status.transitions.iter().filter(|t| all || t.name.is_some()) {
        let label = t.name.as_deref().unwrap_or(&t.node);
        for (to, count) in &t.to {
            transitions.with_label_values(&[label, &t.path, to]).inc_by(*count);
        }
    }
    Ok(())
}

fn evidence(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let evidence = sheet.counter(
        "pfwatch_evidence_total",
        "pfsync messages by what they prove. attempt: a packet passed and moved nothing; forward, reverse: data moved towards \
         the responder or back; end-to-end: a round trip; sender-alive: only that the sender lives, on no path (empty label).",
        &["node", "path", "kind"],
    )?;
    let last = sheet.gauge(
        "pfwatch_last_end_to_end_timestamp_seconds",
        "When a round trip through the node was last proven, in Unix seconds.",
        &["node", "path"],
    )?;
    for (n, p) in paths(status) {
        let kinds = [
            ("attempt", p.attempt),
            ("forward", p.forward),
            ("reverse", p.reverse),
            ("end-to-end", p.end_to_end),
        ];
        for (kind, count) in kinds {
            evidence.with_label_values(&[n.label(), &p.path, kind]).inc_by(count);
        }
        if let Some(at) = p.last_end_to_end {
            last.with_label_values(&[n.label(), &p.path]).set(at);
        }
    }
    for n in status.firewalls() {
        let alive = evidence.with_label_values(&[n.label(), "", "sender-alive"]);
        alive.inc_by(n.sender_alive);
    }
    Ok(())
}

fn flows(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let flows = sheet.gauge(
        "pfwatch_flows",
        "pf states last announced by the node: all that are known, and TCP asked for and not answered (half-open); those on no \
         watched path or ending on a firewall have no path (empty label).",
        &["node", "path", "state"],
    )?;
    let opened = sheet.counter(
        "pfwatch_flows_opened_total",
        "Inserts of states heard from the node.",
        &["node"],
    )?;
    let closed = sheet.counter(
        "pfwatch_flows_closed_total",
        "Deletes heard from the node of states that were known.",
        &["node"],
    )?;
    for n in status.firewalls() {
        let watched = n.paths.iter().map(|p| (p.path.as_str(), p.flows));
        for (path, held) in watched.chain([("", n.elsewhere)]) {
            for (state, count) in [("known", held.known), ("half-open", held.half_open)] {
                flows.with_label_values(&[n.label(), path, state]).set(number(count));
            }
        }
        opened.with_label_values(&[n.label()]).inc_by(n.flows.opened);
        closed.with_label_values(&[n.label()]).inc_by(n.flows.closed);
    }
    Ok(())
}

fn nodes(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let info = sheet.gauge(
        "pfwatch_node_info",
        "1 for each node, with its address, and whether pfwatch runs beside it.",
        &["node", "address", "self"],
    )?;
    let frames = sheet.counter(
        "pfwatch_node_frames_total",
        "pfsync frames heard from the node; where nodes are configured, all other senders together are the node unknown.",
        &["node"],
    )?;
    let messages = sheet.counter(
        "pfwatch_messages_total",
        "pfsync messages heard from the node, by action as the kernel calls it; where nodes are configured, all other senders \
         together are the node unknown.",
        &["node", "action"],
    )?;
    let version = sheet.gauge(
        "pfwatch_pfsync_version",
        "1 for the pfsync version that the node spoke last, 0 for others heard of it since the start.",
        &["node", "version"],
    )?;
    let bulk = sheet.gauge(
        "pfwatch_bulk_update_in_progress",
        "1 while a bulk update of the node goes on whose end was not heard, for an hour at most.",
        &["node"],
    )?;
    let sync = sheet.gauge(
        "pfwatch_config_sync_last_timestamp_seconds",
        "When the node's configuration was last seen going to another node, in Unix seconds.",
        &["node"],
    )?;
    let witness = sheet.gauge(
        "pfwatch_witness",
        "What speaks for the node (1), against it (-1) or says nothing (0) beside its traffic. carp: its advertisements; \
         split: whether it lost a segment to the other node; canary: connections that never fail otherwise; address: probes \
         of its own address; probe: probes that it runs itself.",
        &["node", "kind"],
    )?;
    for n in status.firewalls() {
        let me = if n.me { "true" } else { "false" };
        info.with_label_values(&[n.label(), &n.address, me]).set(1.0);
        frames.with_label_values(&[n.label()]).inc_by(n.frames);
        for (action, count) in &n.messages {
            messages.with_label_values(&[n.label(), action]).inc_by(*count);
        }
        for v in &n.versions {
            let spoken = version.with_label_values(&[n.label(), &v.to_string()]);
            spoken.set(flag(n.version == Some(*v)));
        }
        bulk.with_label_values(&[n.label()]).set(flag(n.bulk_since.is_some()));
        if let Some(at) = n.last_config_sync {
            sync.with_label_values(&[n.label()]).set(at);
        }
        for (kind, word) in &n.witnesses {
            witness.with_label_values(&[n.label(), kind]).set(f64::from(*word));
        }
    }
    if status.configured() {
        frames.with_label_values(&[UNKNOWN]);
    }
    for n in status.unknown() {
        frames.with_label_values(&[UNKNOWN]).inc_by(n.frames);
        for (action, count) in &n.messages {
            messages.with_label_values(&[UNKNOWN, action]).inc_by(*count);
        }
    }
    Ok(())
}

fn carp(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let master = sheet.gauge(
        "pfwatch_carp_master",
        "1 for the node that is CARP master of the virtual host on the segment, 0 for the others; a master that is no node \
         of ours is the node foreign.",
        &["segment", "vhid", "node"],
    )?;
    let unsynchronised = sheet.gauge(
        "pfwatch_carp_unsynchronised",
        "1 while different nodes are CARP master of what had one common master.",
        &[],
    )?;
    let split = status.unsynchronised.last().is_some_and(|s| s.to.is_none());
    unsynchronised.with_label_values::<&str>(&[]).set(flag(split));
    let two = sheet.gauge(
        "pfwatch_carp_two_masters",
        "1 while several nodes advertise the virtual host at the same time, each at its own pace (split brain).",
        &["segment", "vhid"],
    )?;
    let none = sheet.gauge(
        "pfwatch_carp_no_master",
        "1 while nobody advertises the virtual host, of which a node of ours was master.",
        &["segment", "vhid"],
    )?;
    let labels: BTreeMap<&str, &str> = status.firewalls().map(|n| (n.address.as_str(), n.label())).collect();
    for segment in &status.segments {
        for vhid in &segment.vhids {
            let of = |m: &Master| {
                let label = m.node.as_deref().and_then(|n| labels.get(n).copied());
                label.unwrap_or(FOREIGN)
            };
            let is = vhid.master().map(of);
            let place = [segment.name.as_str(), &vhid.vhid.to_string()];
            two.with_label_values(&place).set(flag(vhid.contest().is_some()));
            none.with_label_values(&place).set(flag(vhid.vacancy().is_some()));
            let row = |label: &str| master.with_label_values(&[segment.name.as_str(), &vhid.vhid.to_string(), label]);
            // Configured ones always; of those that were only heard, who has been master of this one.
            let always = labels.values().copied().filter(|_| status.configured());
            for label in always.chain(vhid.masters.iter().map(of)).chain([FOREIGN]) {
                row(label).set(flag(is == Some(label)));
            }
        }
    }
    Ok(())
}
