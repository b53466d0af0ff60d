//! Whether `self`, `address` and `local` of the configuration are what this host has.
//!
//! A flow that ends on a firewall proves nothing, so an address that is missing in `local` turns this host's own traffic
//! into evidence; and a CARP source is known by the list in which alone it stands.

use super::finding::{Finding, ok, problem, warning};
use super::host::Interface;
use super::list;
use crate::config::{Config, Node, Preset};
use std::collections::BTreeSet;
use std::net::IpAddr;

const NAME: &str = "addresses";

/// See the module.
pub(super) fn check(config: &Config, interfaces: &[Interface]) -> Vec<Finding> {
    let here: BTreeSet<IpAddr> = interfaces.iter().flat_map(|i| i.addresses.iter().copied()).collect();
    let mut all: Vec<Finding> = shared_by_nobody(config).into_iter().collect();
    let owner = config
        .nodes
        .iter()
        .find(|n| n.addresses.iter().any(|a| here.contains(a)));
    match (config.self_node(), owner) {
        (None, Some(node)) => all.push(warning(
            NAME,
            format!(
                "this host has the sync address of {0}, and no node has `self = true`: set it for {0}",
                node.name
            ),
        )),
        (Some(me), Some(node)) if me.name != node.name && !me.addresses.iter().any(|a| here.contains(a)) => {
            all.push(problem(
                NAME,
                format!(
                    "this host has the sync address of {}, and `self = true` stands at {}: set it at the other",
                    node.name, me.name
                ),
            ));
        }
        (Some(me), None) => all.push(problem(
            NAME,
            format!(
                "this host does not have {}, from which {} is to send pfsync: correct `address`, or move `self = true`",
                shown(&me.addresses),
                me.name
            ),
        )),
        (Some(me), Some(_)) => all.extend(own(config, me, &here, interfaces)),
        (None, None) => {}
    }
    if all.is_empty() && !config.nodes.is_empty() {
        all.push(ok(NAME, "the addresses of this host are those of the configuration"));
    }
    all
}

/// Those of the node that pfwatch runs beside.
fn own(config: &Config, me: &Node, here: &BTreeSet<IpAddr>, interfaces: &[Interface]) -> Vec<Finding> {
    let is_shared = |a: &IpAddr| config.nodes.iter().any(|n| n.name != me.name && n.local.contains(a));
    let (shared, alone): (Vec<IpAddr>, Vec<IpAddr>) = me
        .local
        .iter()
        .copied()
        .filter(|a| !here.contains(a))
        .partition(is_shared);
    let mut all = Vec::new();
    let sync = &config.sync.interfaces;
    let elsewhere = interfaces
        .iter()
        .find(|i| !sync.contains(&i.name) && me.addresses.iter().any(|a| i.addresses.contains(a)));
    if let Some(i) = elsewhere.filter(|_| !sync.iter().any(|name| name == "any")) {
        all.push(warning(
            NAME,
            format!(
                "the sync address of {} is on {}, and pfsync is listened to on {}: correct `interface` in [sync]",
                me.name,
                i.name,
                list(sync)
            ),
        ));
    }
    if !alone.is_empty() {
        all.push(problem(
            NAME,
            format!(
                "{} in `local` of {} is not on this host, so its CARP there is taken for somebody else's: correct the list",
                shown(&alone),
                me.name
            ),
        ));
    }
    // ucarp gives a shared address to the master alone.
    if !shared.is_empty() && config.actions.preset != Some(Preset::Ucarp) {
        all.push(warning(
            NAME,
            format!(
                "this host has no shared address {}: is CARP configured for it?",
                shown(&shared)
            ),
        ));
    }
    let listed = |a: &IpAddr| me.local.contains(a) || config.nodes.iter().any(|n| n.addresses.contains(a));
    let missing: Vec<String> = interfaces
        .iter()
        .flat_map(|i| i.addresses.iter().map(move |a| (a, &i.name)))
        .filter(|(a, _)| !a.is_loopback() && !is_link_local(a) && !listed(a))
        .map(|(a, name)| format!("{a} ({name})"))
        .collect();
    if !missing.is_empty() {
        all.push(warning(
            NAME,
            format!(
                "`local` of {} does not have {}: what ends there would count as if it had passed through; add them",
                me.name,
                list(&missing)
            ),
        ));
    }
    all
}

/// CARP without a shared address in the lists.
fn shared_by_nobody(config: &Config) -> Option<Finding> {
    let shared = config.nodes.iter().enumerate().any(|(i, node)| {
        let others = || config.nodes.iter().skip(i + 1);
        node.local.iter().any(|a| others().any(|o| o.local.contains(a)))
    });
    (!shared && config.nodes.len() > 1 && !config.segments.is_empty()).then(|| {
        warning(
            NAME,
            "no address stands in `local` of several nodes: add the shared (CARP) addresses to each, or what ends on them \
             counts as evidence and no password can be held against them",
        )
    })
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_link_local(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    }
}

fn shown(addresses: &[IpAddr]) -> String {
    list(&addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
}
