//! Whether CARP is heard on each segment, from whom, and whether it could move.

use super::ear::{Advertiser, Ear};
use super::finding::{Finding, ok, problem, warning};
use super::list;
use super::listen::{Heard, Why};
use crate::absence::Wanted;
use crate::config::{Config, Node};
use crate::detect::carp::Protocol;
use crate::event::place::{places, ranges};
use crate::event::{Event, NoticeKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

const NAME: &str = "carp";
/// FreeBSD announces a demotion as this advskew.
const DEMOTED: u8 = 240;

/// See the module.
pub(super) fn check(config: &Config, heard: &Heard) -> Vec<Finding> {
    let why = |wanted| heard.why(wanted);
    let mut all = look(config, heard.length, &heard.ear, &why);
    let split = heard.events.iter().rev().find_map(|e| match e {
        Event::Unsynchronised { since, .. } => Some(since.is_some()),
        _ => None,
    });
    if split == Some(true) {
        all.push(problem(
            NAME,
            "unsynchronised: different nodes are master, so one of them is cut off on a segment; look at ports and switches \
             of the segment that moved",
        ));
    } else {
        all.extend(torn(config, &heard.ear));
    }
    all.extend(masters(heard));
    all.extend(reflections(heard));
    let counters = heard.engine.counters();
    if counters.bad_checksum > 0 {
        let text = format!(
            "{} advertisements had a wrong checksum: look at the cables and ports of the segments",
            counters.bad_checksum
        );
        all.push(warning(NAME, text));
    }
    if counters.carp_on_sync > 0 {
        all.push(warning(
            NAME,
            "CARP is advertised on the sync network, where it does not count: remove that vhid, or describe the network as a \
             [[segment]]",
        ));
    }
    all.extend(passwords(config, heard));
    all
}

/// Two nodes of which each is master on a segment on which the other is not: it may have been so before we listened.
fn torn(config: &Config, ear: &Ear) -> Option<Finding> {
    let mut on: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (segment, source, _) in ear.advertisers.keys() {
        let node = owner(&config.nodes, *source);
        on.entry(*segment).or_default().extend(node.map(|n| n.name.as_str()));
    }
    let pairs = on.iter().flat_map(|a| on.iter().map(move |b| (a, b)));
    let (a, b, one, other) = pairs.into_iter().find_map(|((a, here), (b, there))| {
        let one = here.difference(there).next()?;
        let other = there.difference(here).next()?;
        Some((a, b, one, other))
    })?;
    let name = |i: &usize| config.segments.get(*i).map_or("a segment", |s| s.name.as_str());
    let text = format!(
        "unsynchronised: {one} is master on {} and {other} on {}, so one of them is cut off on a segment; look at its ports and \
         switches",
        name(a),
        name(b)
    );
    Some(problem(NAME, text))
}

/// Virtual hosts with two masters at the end, or none.
fn masters(heard: &Heard) -> Vec<Finding> {
    let engine = &heard.engine;
    let mut last: BTreeMap<(usize, u8), (bool, String)> = BTreeMap::new();
    for event in &heard.events {
        match event {
            Event::TwoMasters {
                segment,
                vhid,
                until,
                who,
                ..
            } => {
                let names: Vec<String> = who.iter().map(|a| engine.caller(a)).collect();
                last.insert((*segment, *vhid), (until.is_none(), names.join(" and ")));
            }
            Event::NoMaster {
                segment, vhid, until, ..
            } => {
                last.insert((*segment, *vhid), (until.is_none(), String::new()));
            }
            _ => {}
        }
    }
    let mut said: BTreeMap<String, Vec<(&str, u8)>> = BTreeMap::new();
    for ((segment, vhid), (_, names)) in last.into_iter().filter(|(_, (lasts, _))| *lasts) {
        said.entry(names)
            .or_default()
            .push((engine.segment_name(segment), vhid));
    }
    let tell = |(names, all): (String, Vec<(&str, u8)>)| {
        let place = places(all);
        let text = if names.is_empty() {
            format!("no master of {place}: nobody advertises it any more")
        } else {
            format!(
                "two masters of {place}: {names} advertise it at the same time (split brain); find out why they do not hear each \
                 other: a pf rule that blocks carp, a switch that drops multicast, different passwords"
            )
        };
        problem(NAME, text)
    };
    said.into_iter().map(tell).collect()
}

/// Advertisements that came back to their sender.
fn reflections(heard: &Heard) -> Vec<Finding> {
    let told = |e: &Event| match e {
        Event::Notice(n) if n.kind == NoticeKind::Reflection => Some(warning(NAME, n.text.clone())),
        _ => None,
    };
    heard.events.iter().filter_map(told).collect()
}

fn passwords(config: &Config, heard: &Heard) -> Option<Finding> {
    const NAME: &str = "passwords";
    let wrong = heard.engine.counters().bad_hmac;
    let told = heard.events.iter().find_map(|e| match e {
        Event::Notice(n) if n.kind == NoticeKind::Unverified => Some(n.text.clone()),
        _ => None,
    });
    if wrong > 0 {
        let text = told.unwrap_or_else(|| format!("{wrong} advertisements do not verify"));
        return Some(problem(
            NAME,
            format!(
                "{text}; compare `password-file` with `pass` of the carp interfaces, and `local` with their addresses"
            ),
        ));
    }
    if let Some(text) = told {
        return Some(warning(NAME, text));
    }
    let any = config.password_files().next().is_some() && !heard.ear.advertisers.is_empty();
    any.then(|| ok(NAME, "every advertisement verifies"))
}

/// The node in whose lists alone an address stands.
fn owner(nodes: &[Node], source: IpAddr) -> Option<&Node> {
    let mut owners = nodes
        .iter()
        .filter(|n| n.local.contains(&source) || n.addresses.contains(&source));
    owners.next().filter(|_| owners.next().is_none())
}

/// The same of what was heard alone.
pub(super) fn look(config: &Config, length: Duration, ear: &Ear, why: Why<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    for (i, segment) in config.segments.iter().enumerate() {
        let Some(interface) = &segment.interface else { continue };
        let name = &segment.name;
        // VRRP of strangers is other routers' business.
        let ours = |source: &IpAddr, a: &Advertiser| {
            a.ad.protocol == Protocol::Carp || owner(&config.nodes, *source).is_some()
        };
        let here = ear
            .advertisers
            .iter()
            .filter(|((s, source, _), a)| *s == i && ours(source, a));
        let here: Vec<(IpAddr, &Advertiser)> = here.map(|((_, source, _), a)| (*source, a)).collect();
        if here.is_empty() {
            all.push(if ear.vrrp.contains_key(&i) {
                let text = format!(
                    "on {name} there is VRRP and no CARP, and none that counts comes from a node: put each node's own address there \
                     into its `local`, if they speak VRRP (FreeBSD's carpver 3)"
                );
                problem(NAME, text)
            } else if let Some(why) = why(Wanted::Carp(None, Some(i))) {
                problem(NAME, format!("no CARP on {name} ({interface}) counts: {why}"))
            } else {
                problem(
                    NAME,
                    format!(
                        "no CARP on {name} ({interface}) in {} s: is any node master there, does the switch pass multicast, \
                         and pf proto carp?",
                        length.as_secs()
                    ),
                )
            });
            continue;
        }
        all.extend(on_segment(&config.nodes, name, &here));
    }
    all
}

/// Vhids of which the same is to be said, and how many advertisements of them were heard.
type Alike<K> = BTreeMap<K, (Vec<u8>, u64)>;

fn on_segment(nodes: &[Node], segment: &str, here: &[(IpAddr, &Advertiser)]) -> Vec<Finding> {
    let (mut strangers, mut masters) = (Alike::<IpAddr>::new(), Alike::<&str>::new());
    let mut standing = Alike::<(&str, u8, String, bool)>::new();
    for (source, Advertiser { count, ad }) in here {
        let note = |(vhids, heard): &mut (Vec<u8>, u64)| {
            vhids.push(ad.vhid);
            *heard += count;
        };
        match owner(nodes, *source) {
            Some(node) => {
                note(masters.entry(&node.name).or_default());
                let demoted = ad.demote > 0 || ad.advskew >= DEMOTED;
                if demoted || ad.advskew == 0 {
                    let how = (node.name.as_str(), ad.demote, ad.standing(), demoted);
                    note(standing.entry(how).or_default());
                }
            }
            None if !nodes.is_empty() => note(strangers.entry(*source).or_default()),
            None => {}
        }
    }
    let stranger = |(source, (vhids, _)): (IpAddr, (Vec<u8>, u64))| {
        warning(
            NAME,
            format!(
                "{source} is master of vhid {} on {segment} and stands in `local` of no node alone, so it is no witness: add it \
                 to the list of its node, or give those firewalls another vhid and password",
                ranges(vhids)
            ),
        )
    };
    let mut all: Vec<Finding> = strangers.into_iter().map(stranger).collect();
    for ((node, demote, how, demoted), (vhids, _)) in standing {
        let vhids = ranges(vhids);
        all.push(warning(
            NAME,
            if demoted {
                format!("{node} is master of vhid {vhids} on {segment} although it is demoted (demotion {demote}, {how}): find out why")
            } else {
                let less = if how.starts_with("advskew") { "advskew >= 1" } else { "a lower priority" };
                format!(
                    "{node} advertises vhid {vhids} on {segment} with {how}, so a promotion of the other node cannot win: give the \
                     primary {less}"
                )
            },
        ));
    }
    if !masters.is_empty() {
        let master = |(node, (vhids, heard)): (&str, (Vec<u8>, u64))| {
            format!("{node} is master of vhid {} ({heard} heard)", ranges(vhids))
        };
        let masters: Vec<String> = masters.into_iter().map(master).collect();
        all.push(ok(NAME, format!("on {segment} {}", list(&masters))));
    }
    all
}
