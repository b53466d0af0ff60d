//! What belongs together, held against each other: names that must exist, addresses that must not stand twice.
//!
//! Called by `Config::parse` once every value by itself is right. Reports, changes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use super::context::Context;
use super::model::{Config, FenceKind, Preset, Probe};
use super::schema::{list, nearest};
use super::value::covers;

/// What a probe about the own node calls it.
pub(super) const SELF: &str = "self";

/// All cross checks.
pub(super) fn check(config: &Config, cx: &mut Context) {
    sync(config, cx);
    nodes(config, cx);
    segments(config, cx);
    zones_and_paths(config, cx);
    canaries(config, cx);
    detect(config, cx);
    probes(config, cx);
    actions(config, cx);
    hooks(config, cx);
    fence(config, cx);
    web(config, cx);
}

/// Reports every value that stands a second time; `key` gives the place of the i-th.
fn twice<T: std::hash::Hash + Eq>(
    cx: &mut Context,
    values: impl Iterator<Item = T>,
    key: impl Fn(usize) -> String,
    message: impl Fn(&T) -> String,
) {
    let mut seen = HashMap::new();
    for (i, value) in values.enumerate() {
        match seen.entry(value) {
            Entry::Occupied(entry) => cx.error_at(&key(i), message(entry.key())),
            Entry::Vacant(entry) => {
                entry.insert(());
            }
        }
    }
}

fn sync(config: &Config, cx: &mut Context) {
    let interfaces = &config.sync.interfaces;
    twice(
        cx,
        interfaces.iter(),
        |i| format!("sync.interface[{i}]"),
        |name| format!("`{name}` stands twice in the list"),
    );
    if !interfaces.is_empty() && interfaces.iter().all(|name| name.starts_with("pfsync")) {
        let message = "pfsync0 shows only what this node sends itself; name the physical interface of the sync link";
        cx.error_at("sync.interface", message);
    }
    if interfaces.len() > 1 && interfaces.iter().any(|name| name == "any") {
        cx.error_at(
            "sync.interface",
            "`any` is every interface already; name it alone or name the others",
        );
    }
}

fn nodes(config: &Config, cx: &mut Context) {
    let nodes = &config.nodes;
    twice(
        cx,
        nodes.iter().map(|n| &n.name),
        |i| format!("node[{i}].name"),
        |name| format!("there are two nodes `{name}`"),
    );
    let mut owner: HashMap<IpAddr, &str> = HashMap::new();
    let mut selves = nodes.iter().filter(|n| n.is_self);
    let first_self = selves.next().map(|n| n.name.as_str()).unwrap_or_default();
    for (i, node) in nodes.iter().enumerate() {
        if node.name == SELF {
            cx.error_at(
                &format!("node[{i}].name"),
                "`self` means the own node in a probe; choose another name",
            );
        }
        if node.is_self && node.name != first_self {
            let message = format!("`{first_self}` is self already; pfwatch runs beside one node only");
            cx.error_at(&format!("node[{i}].self"), message);
        }
        for (j, address) in node.addresses.iter().enumerate() {
            let key = format!("node[{i}].address[{j}]");
            if address.is_multicast() || address.is_unspecified() {
                cx.error_at(&key, format!("{address} is no address that a node sends from"));
            }
            if let Some(other) = owner.insert(*address, &node.name) {
                let message = match other == node.name {
                    true => format!("{address} stands twice in the list"),
                    false => {
                        format!("{address} is the address of `{other}` already; each node has its own on the sync link")
                    }
                };
                cx.error_at(&key, message);
            }
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let key = |j| format!("node[{i}].local[{j}]");
        twice(cx, node.local.iter(), key, |address| {
            format!("{address} stands twice in the list")
        });
    }
}

fn segments(config: &Config, cx: &mut Context) {
    let segments = &config.segments;
    let key = |i| format!("segment[{i}].name");
    twice(cx, segments.iter().map(|s| &s.name), key, |name| {
        format!("there are two segments `{name}`")
    });
    let mut first: HashMap<(&str, &[u16]), &str> = HashMap::new();
    for (i, segment) in segments.iter().enumerate() {
        let name = segment.name.as_str();
        // `--segment NAME=FILE` on the command line is cut at the first equals sign.
        if name.contains('=') {
            cx.error_at(&key(i), format!("`{name}` holds an equals sign; choose another name"));
        }
        let Some(interface) = segment.interface.as_deref() else {
            continue;
        };
        let place = format!("segment[{i}].interface");
        if interface == "any" {
            cx.error_at(&place, "`any` cannot tell the segments apart; name one interface");
        } else if let Some(other) = first.insert((interface, &segment.vlan), name) {
            cx.error_at(
                &place,
                format!(
                    "`{interface}` is the interface of segment `{other}` already; two of one trunk need a `vlan` each"
                ),
            );
        }
    }
}

fn zones_and_paths(config: &Config, cx: &mut Context) {
    let mut owner = HashMap::new();
    for zone in &config.zones {
        for (j, prefix) in zone.prefixes.iter().enumerate() {
            if let Some(other) = owner.insert((prefix.addr, prefix.len), &zone.name) {
                let message = format!(
                    "{}/{} is in zone `{other}` already; it can be in one only",
                    prefix.addr, prefix.len
                );
                cx.error_at(&format!("zones.{}[{j}]", zone.name), message);
            }
        }
    }
    let names: Vec<&str> = config.zones.iter().map(|z| z.name.as_str()).collect();
    for (i, path) in config.paths.iter().enumerate() {
        for (key, zone) in [("from", &path.from), ("to", &path.to)] {
            if !names.contains(&zone.as_str()) {
                let known = known("zone", zone, &names, "add it to [zones]");
                cx.error_at(&format!("path[{i}].{key}"), known);
            }
        }
    }
    let pairs = config.paths.iter().map(|p| (&p.from, &p.to));
    twice(
        cx,
        pairs,
        |i| format!("path[{i}].from"),
        |(from, to)| format!("there are two paths {from} -> {to}"),
    );
}

/// A name that does not exist, and what was probably meant.
fn known(what: &str, name: &str, names: &[&str], otherwise: &str) -> String {
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => otherwise.to_owned(),
        None => format!("there is {}", list(names)),
    };
    format!("there is no {what} `{name}`; {hint}")
}

fn canaries(config: &Config, cx: &mut Context) {
    for (i, canary) in config.canaries.iter().enumerate() {
        let key = |name: &str| format!("canary[{i}].{name}");
        let ends = [("from", canary.from), ("to", canary.to)];
        if canary.from.is_ipv4() != canary.to.is_ipv4() {
            cx.error_at(
                &key("to"),
                format!("{} and {} are not of one family", canary.from, canary.to),
            );
            continue;
        }
        if canary.from == canary.to {
            cx.error_at(
                &key("to"),
                "is the address that it comes from; a canary goes from one host to another",
            );
            continue;
        }
        let wrong_icmp = if canary.from.is_ipv4() {
            (58, "icmp")
        } else {
            (1, "icmp6")
        };
        if canary.proto == wrong_icmp.0 {
            cx.error_at(
                &key("proto"),
                format!(
                    "does not belong to the family of {}; write \"{}\"",
                    canary.from, wrong_icmp.1
                ),
            );
        }
        for (name, address) in ends {
            if address.is_multicast() || address.is_unspecified() {
                cx.error_at(&key(name), format!("{address} is no address of a host"));
            }
            let firewall = config
                .nodes
                .iter()
                .find(|n| n.local.contains(&address) || n.addresses.contains(&address));
            if let Some(node) = firewall {
                let message = format!(
                    "{address} is an address of `{}`; a flow that ends on a firewall proves nothing",
                    node.name
                );
                cx.error_at(&key(name), message);
            }
        }
        canary_path(config, cx, i);
    }
}

/// A canary that no path watches would never sing.
fn canary_path(config: &Config, cx: &mut Context, i: usize) {
    let Some(canary) = config.canaries.get(i) else { return };
    if config.paths.is_empty() {
        return;
    }
    let zones = [canary.from, canary.to].map(|address| zone_of(config, address));
    match zones {
        [Some(from), Some(to)] if config.paths.iter().any(|p| p.from == from && p.to == to) => {}
        [Some(from), Some(to)] => {
            cx.error_at(
                &format!("canary[{i}]"),
                format!("goes from zone `{from}` to zone `{to}`, and no [[path]] does"),
            );
        }
        [None, _] => cx.error_at(&format!("canary[{i}].from"), format!("{} is in no zone", canary.from)),
        [_, None] => cx.error_at(&format!("canary[{i}].to"), format!("{} is in no zone", canary.to)),
    }
}

/// The zone of the longest prefix around an address.
fn zone_of(config: &Config, address: IpAddr) -> Option<&str> {
    let prefixes = config
        .zones
        .iter()
        .flat_map(|z| z.prefixes.iter().map(move |p| (p, z.name.as_str())));
    prefixes
        .filter(|(p, _)| covers(**p, address))
        .max_by_key(|(p, _)| p.len)
        .map(|(_, name)| name)
}

fn detect(config: &Config, cx: &mut Context) {
    let detect = &config.detect;
    if detect.min > detect.max {
        let key = if cx.knows("detect.min") {
            "detect.min"
        } else {
            "detect.max"
        };
        let (min, max) = (super::format_duration(detect.min), super::format_duration(detect.max));
        cx.error_at(
            key,
            format!("min ({min}) is longer than max ({max}): all evidence would be forgotten before it counts"),
        );
    }
}

/// The probe is about the node that pfwatch runs beside.
fn is_self_probe(probe: &Probe) -> bool {
    probe.about == SELF
}

fn probes(config: &Config, cx: &mut Context) {
    let probes = &config.probes;
    twice(
        cx,
        probes.iter().map(|p| &p.name),
        |i| format!("probe[{i}].name"),
        |name| format!("there are two probes `{name}`"),
    );
    let names: Vec<&str> = config.nodes.iter().map(|n| n.name.as_str()).collect();
    for (i, probe) in probes.iter().enumerate() {
        if is_self_probe(probe) {
            continue;
        }
        let key = format!("probe[{i}].about");
        match config.nodes.iter().find(|n| n.name == probe.about) {
            None => {
                let hint = known(
                    "node",
                    &probe.about,
                    &names,
                    r#"write "self", or describe it in a [[node]]"#,
                );
                cx.error_at(&key, hint);
            }
            // An own address answers always: taken for a witness, it would vouch for a dead firewall.
            Some(node) if node.is_self => {
                let message = format!(
                    "`{}` is self here; write \"self\" if the probe goes as far as the traffic does, or the name of the other node",
                    node.name
                );
                cx.error_at(&key, message);
            }
            Some(node) => {
                // A pulled sync cable would look like a node that nothing reaches.
                let words = probe.command.words();
                let sync = words
                    .filter_map(|w| w.parse().ok())
                    .find(|a| node.addresses.contains(a));
                if let Some(address) = sync {
                    let message = format!(
                        "{address} is where `{}` sends pfsync from, and nothing else may pass there; ask an address of its own \
                         on a segment",
                        node.name
                    );
                    cx.error_at(&format!("probe[{i}].command"), message);
                }
            }
        }
    }
}

fn actions(config: &Config, cx: &mut Context) {
    let actions = &config.actions;
    if actions.preset == Some(Preset::Openbsd) && actions.demotion > 128 {
        let message = format!(
            "{} is more than ifconfig of OpenBSD adds at once; write 128 or less",
            actions.demotion
        );
        cx.error_at("actions.demotion", message);
    }
    if !actions.ledger.is_absolute() {
        let message =
            "has to begin with a slash: after a restart it must be the same file, wherever pfwatch is started";
        cx.error_at("actions.ledger", message);
    }
}

fn hooks(config: &Config, cx: &mut Context) {
    // A preset alone is no mistake: it can promote without a self probe, and its demote is then never decided. A hook
    // for it was written by somebody who expects it to run.
    if !config.hooks.demote.is_empty() && !config.probes.iter().any(is_self_probe) {
        let message = "nothing can ever decide to demote without a [[probe]] that is about \"self\"; add one that goes as \
                       far as the traffic does, or remove this key";
        cx.error_at("hooks.demote", message);
    }
}

fn fence(config: &Config, cx: &mut Context) {
    let Some(fence) = &config.fence else { return };
    let names: Vec<&str> = config.nodes.iter().map(|n| n.name.as_str()).collect();
    match config.nodes.iter().find(|n| n.name == fence.node) {
        None => cx.error_at(
            "fence.node",
            known("node", &fence.node, &names, "describe it in a [[node]]"),
        ),
        Some(node) if node.is_self => {
            cx.error_at("fence.node", format!("`{}` is self; name the other node", node.name));
        }
        Some(_) => {}
    }
    let given = [
        ("command", fence.command.is_some()),
        ("options-file", fence.options_file.is_some()),
        ("mac", fence.mac.is_some()),
        ("interface", fence.interface.is_some()),
        ("device", fence.device.is_some()),
    ];
    let (kind, needs, may): (_, &[&str], &[&str]) = match fence.kind {
        FenceKind::Wol => ("wol", &["mac", "interface"], &[]),
        FenceKind::SerialBreak => ("serial-break", &["device"], &[]),
        FenceKind::Agent => ("agent", &["command"], &["options-file"]),
        FenceKind::Command => ("command", &["command"], &[]),
    };
    for (key, is_given) in given {
        if needs.contains(&key) && !is_given {
            cx.error_at("fence.kind", format!("`{kind}` needs `{key}`"));
        } else if is_given && !needs.contains(&key) && !may.contains(&key) {
            cx.error_at(
                &format!("fence.{key}"),
                format!("means nothing to kind `{kind}`; remove it"),
            );
        }
    }
}

fn web(config: &Config, cx: &mut Context) {
    twice(
        cx,
        config.web.listen.iter(),
        |i| format!("web.listen[{i}]"),
        |address| format!("{address} stands twice in the list"),
    );
}
