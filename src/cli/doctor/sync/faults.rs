//! Whether the nodes understand each other's pfsync, and whether it arrives.
//!
//! What is heard here was sent; whether it arrived shows in what the others answer: requests, acknowledgements, bulk
//! updates.

use super::super::ear::{Ear, Sender};
use super::super::finding::{Finding, ok, problem, warning};
use super::super::list;
use super::Named;
use pfsync_proto::ErrorKind;
use std::time::Duration;

/// A node asks for everything again after 2 s (OpenBSD) or 5 s (FreeBSD), if nobody answers.
const UNANSWERED: u64 = 2;
/// A bulk update takes seconds where there are a million states.
const BULK: Duration = Duration::from_secs(5);
/// Single requests are usual after a bulk update; so many in a few seconds are none of those.
const MANY: u64 = 50;
/// States that wait for an acknowledgement, before nobody acknowledging them means something.
const WAITING: u64 = 10;

/// All of it.
pub(super) fn look(named: &[Named<'_>], ear: &Ear) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(versions(named));
    all.extend(rule_sets(named));
    all.extend(one_way(named));
    all.extend(bulks(named, ear));
    all.extend(damaged(named));
    all
}

/// Each has the same version, or they do not understand each other.
fn versions(named: &[Named<'_>]) -> Option<Finding> {
    const NAME: &str = "versions";
    let spoken = |s: &Sender| {
        // The layout tells more than the octet.
        if s.dialects.is_empty() {
            s.versions.iter().map(|v| format!("version {v}")).collect::<Vec<_>>()
        } else {
            s.dialects.iter().map(|d| (*d).to_owned()).collect()
        }
    };
    let octets: Vec<_> = named
        .iter()
        .map(|(_, s)| &s.versions)
        .filter(|v| !v.is_empty())
        .collect();
    let layouts: Vec<_> = named
        .iter()
        .map(|(_, s)| &s.dialects)
        .filter(|d| !d.is_empty())
        .collect();
    let apart = octets.windows(2).any(|w| w[0] != w[1]) || layouts.windows(2).any(|w| w[0] != w[1]);
    let who = named.iter().filter(|(_, s)| !s.versions.is_empty());
    let who: Vec<String> = who
        .map(|(name, s)| format!("{name} speaks {}", list(&spoken(s))))
        .collect();
    if who.is_empty() {
        return None;
    }
    Some(if apart {
        problem(
            NAME,
            format!(
                "{}: they do not understand each other's states; bring them to one release, or set the older `version` by \
                 ifconfig pfsync0 (FreeBSD)",
                list(&who)
            ),
        )
    } else {
        ok(NAME, list(&who))
    })
}

/// The header carries the checksum of the rule set: where it differs, states arrive without their rule.
fn rule_sets(named: &[Named<'_>]) -> Option<Finding> {
    const NAME: &str = "rule-sets";
    let with: Vec<(&str, [u8; 16])> = named
        .iter()
        .filter_map(|(n, s)| Some((n.as_str(), s.rule_set?)))
        .collect();
    let [(_, first), others @ ..] = with.as_slice() else {
        return None;
    };
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = with.iter().map(|(n, _)| (*n).to_owned()).collect();
    Some(if others.iter().any(|(_, other)| other != first) {
        warning(
            NAME,
            format!(
                "the rule sets of {} differ (checksum), so after a failover states are without their rule, queue and \
                 route: load the same pf.conf on both",
                list(&names)
            ),
        )
    } else {
        ok(NAME, format!("{} have the same", list(&names)))
    })
}

/// What one sends and the other does not get.
fn one_way(named: &[Named<'_>]) -> Vec<Finding> {
    const NAME: &str = "one-way";
    let mut all = Vec::new();
    let to_one: Vec<String> = named
        .iter()
        .filter(|(_, s)| s.unicast > 0)
        .map(|(n, _)| n.clone())
        .collect();
    let to_all: Vec<String> = named
        .iter()
        .filter(|(_, s)| s.multicast > 0)
        .map(|(n, _)| n.clone())
        .collect();
    if !to_one.is_empty() && !to_all.is_empty() {
        all.push(warning(
            NAME,
            format!(
                "{} sends to one peer and {} to the group: set `syncpeer` on both nodes, or on none",
                list(&to_one),
                list(&to_all)
            ),
        ));
    }
    for (name, sender) in named {
        let others = || named.iter().filter(|(n, _)| n != name).map(|(_, s)| s);
        if sender.asks_for_all >= UNANSWERED && !others().any(|s| s.bulks > 0 || s.bulk_since.is_some()) {
            all.push(problem(
                NAME,
                format!(
                    "{name} asked {} times for all states and nobody answers: do the others hear it, and is pf on them \
                     passing proto pfsync in?",
                    sender.asks_for_all
                ),
            ));
        }
        if sender.wants_ack >= WAITING && !others().any(|s| s.acks > 0) {
            all.push(problem(
                NAME,
                format!(
                    "{name} waits for the acknowledgement of {} states (defer) and none comes: do the others hear it?",
                    sender.wants_ack
                ),
            ));
        }
        if sender.asks >= MANY {
            all.push(warning(
                NAME,
                format!(
                    "{name} asked for {} single states: it does not get or not understand what the others announce; compare \
                     the versions, and look for losses on the sync network",
                    sender.asks
                ),
            ));
        }
    }
    all
}

/// A bulk update that does not end keeps a node demoted.
fn bulks(named: &[Named<'_>], ear: &Ear) -> Vec<Finding> {
    const NAME: &str = "bulk-update";
    let mut all = Vec::new();
    for (name, sender) in named {
        let age = sender.bulk_since.map(|since| ear.now.since(since));
        if let Some(age) = age.filter(|age| *age >= BULK) {
            all.push(warning(
                NAME,
                format!(
                    "the bulk update of {name} began {} s ago and has not ended; until it does whoever asked for it is demoted. \
                     Listen longer (--seconds); if it stays so, look for losses and for an MTU that differs",
                    age.as_secs()
                ),
            ));
        }
        if sender.bulks >= 3 {
            all.push(warning(
                NAME,
                format!(
                    "{name} sent {} bulk updates while we listened: somebody starts pfsync again and again",
                    sender.bulks
                ),
            ));
        }
    }
    all
}

fn damaged(named: &[Named<'_>]) -> Vec<Finding> {
    const NAME: &str = "damaged";
    named
        .iter()
        .filter(|(_, s)| !s.damaged.is_empty())
        .map(|(name, sender)| {
            let kinds: Vec<String> = sender
                .damaged
                .iter()
                .map(|(k, n)| format!("{n} {}", k.as_str()))
                .collect();
            let newer = sender
                .damaged
                .keys()
                .all(|k| matches!(k, ErrorKind::Badver | ErrorKind::Badact));
            let routed = sender.damaged.keys().all(|k| *k == ErrorKind::Badttl);
            let what = if newer {
                "its pf may be newer than this pfwatch knows"
            } else if routed {
                "its TTL is not 255, so something routes it between the nodes, and they refuse it as well"
            } else {
                "look at the sync network's cable and ports, and for a host that forges pfsync"
            };
            warning(
                NAME,
                format!("{name} sent what cannot be read ({}): {what}", list(&kinds)),
            )
        })
        .collect()
}
