//! Whose pfsync is heard and whose is not. A backup without traffic of its own says little, so silence alone is no fault.

mod faults;

use super::ear::{Ear, Sender};
use super::finding::{Finding, ok, problem, warning};
use super::list;
use super::listen::{Heard, Why};
use crate::absence::Wanted;
use crate::config::{Config, Node};
use crate::event::NodeId;
use std::net::IpAddr;
use std::time::Duration;

const NAME: &str = "pfsync";

/// See the module.
pub(super) fn check(config: &Config, heard: &Heard) -> Vec<Finding> {
    let why = |wanted| heard.why(wanted);
    look(config, heard.length, &heard.ear, &why)
}

/// A sender with its name.
type Named<'e> = (String, &'e Sender);

/// The same of what was heard alone.
pub(super) fn look(config: &Config, length: Duration, ear: &Ear, why: Why<'_>) -> Vec<Finding> {
    let nodes = &config.nodes;
    let named: Vec<Named<'_>> = senders(ear).map(|(a, s)| (name(nodes, *a), s)).collect();
    if named.is_empty() {
        return vec![nothing(&config.sync.interfaces, length, ear, why)];
    }
    let mut all = who(nodes, ear, length, why);
    all.extend(faults::look(&named, ear));
    all
}

/// Those of whom anything was taken.
fn senders(ear: &Ear) -> impl Iterator<Item = (&IpAddr, &Sender)> {
    ear.senders.iter().filter(|(_, s)| s.frames > s.refused)
}

fn name(nodes: &[Node], address: IpAddr) -> String {
    let node = nodes.iter().find(|n| n.addresses.contains(&address));
    node.map_or_else(|| address.to_string(), |n| n.name.clone())
}

fn nothing(interfaces: &[String], length: Duration, ear: &Ear, why: Why<'_>) -> Finding {
    let (on, seconds) = (list(interfaces), length.as_secs());
    if ear.tapped > 0 {
        return problem(
            NAME,
            format!("{on} shows only what this node sends itself: name the physical interface of the sync network"),
        );
    }
    if let Some(why) = why(Wanted::Pfsync(None)) {
        return problem(NAME, format!("no pfsync on {on} in {seconds} s: {why}"));
    }
    problem(
        NAME,
        format!(
            "no pfsync on {on} in {seconds} s: is it the PHYSICAL sync interface, does `ifconfig pfsync0` name it as syncdev \
             and is up, does pf pass proto pfsync there, and does any traffic pass the firewalls?"
        ),
    )
}

/// Who is heard and who is not.
fn who(nodes: &[Node], ear: &Ear, length: Duration, why: Why<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    let known = |a: &&IpAddr| nodes.iter().any(|n| n.addresses.contains(a));
    let strangers = senders(ear)
        .map(|(a, _)| a)
        .filter(|a| !known(a))
        .map(ToString::to_string);
    let strangers: Vec<String> = strangers.collect();
    let mut heard = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let senders = node.addresses.iter().filter_map(|a| ear.senders.get(a));
        let frames: u64 = senders.map(|s| s.frames - s.refused).sum();
        if frames > 0 {
            let noun = if frames == 1 { "frame" } else { "frames" };
            heard.push(format!("{} ({frames} {noun})", node.name));
            continue;
        }
        let (name, seconds) = (&node.name, length.as_secs());
        let id = u16::try_from(i).map(NodeId).ok();
        if let Some(why) = why(Wanted::Pfsync(id)).filter(|_| id.is_some()) {
            all.push(problem(NAME, format!("no pfsync of {name} counts: {why}")));
            continue;
        }
        // Sole owners alone: a shared address is nobody's.
        let others = || nodes.iter().filter(|o| o.name != *name);
        let own = |a: &IpAddr| node.local.contains(a) && !others().any(|o| o.local.contains(a));
        all.push(if ear.advertisers.keys().any(|(_, source, _)| own(source)) {
            problem(
                NAME,
                format!(
                    "{name} is master of CARP and sent no pfsync in {seconds} s: is pfsync0 up on it, with this network as \
                     syncdev, and does its pf pass proto pfsync out? (If no traffic passes it, that is why.)"
                ),
            )
        } else {
            warning(
                NAME,
                format!(
                    "{name} sent no pfsync in {seconds} s: a backup without traffic of its own is quiet, so open a connection \
                     on it (ssh) and look again; if it stays so, see pfsync0, its syncdev and pf on it"
                ),
            )
        });
    }
    if !strangers.is_empty() && !nodes.is_empty() {
        all.push(warning(
            NAME,
            format!(
                "{} sends pfsync and is in no [[node]]: add its address, or find out who that is",
                list(&strangers)
            ),
        ));
    }
    if nodes.is_empty() {
        heard = strangers;
    }
    if !heard.is_empty() {
        all.push(ok(NAME, format!("heard: {}", list(&heard))));
    }
    all
}
