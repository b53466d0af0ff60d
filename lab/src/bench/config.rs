//! The files of a firewall: pfwatch.toml and the one for CARP.

use crate::net::plan::{Net, Node, Place, TARGET};
use std::fmt::Write;

/// `carp.conf` of a node.
#[must_use]
pub fn carp(place: &Place, node: Node) -> String {
    let folder = place.folder();
    let mut text = format!("run = {}/{}.carp.run\n", folder.display(), node.name());
    for net in Net::SHARED {
        let [usual, promoted, demoted] = node.skews();
        let _ = writeln!(
            text,
            "{} {} {} {} {}/password {usual} {promoted} {demoted}",
            net.name(),
            net.own(node),
            net.vhid(),
            net.shared(),
            folder.display(),
        );
    }
    text
}

/// `pfwatch.toml` of a node.
#[must_use]
pub fn pfwatch(place: &Place, node: Node) -> String {
    let folder = place.folder();
    let folder = folder.display();
    let mut text = String::from("[sync]\ninterface = \"sync\"\n\n");
    for each in Node::ALL {
        let local: Vec<String> = Net::SHARED
            .iter()
            .flat_map(|n| [n.own(each), n.shared()])
            .map(|a| format!("\"{a}\""))
            .collect();
        let _ = writeln!(
            text,
            "[[node]]\nname = \"{}\"\naddress = [\"{}\"]\nself = {}\nlocal = [{}]\n",
            each.name(),
            Net::Sync.own(each),
            each == node,
            local.join(", ")
        );
    }
    for net in Net::SHARED {
        let name = net.name();
        let _ = writeln!(
            text,
            "[[segment]]\nname = \"{name}\"\ninterface = \"{name}\"\npassword-file = \"{folder}/password\"\n"
        );
    }
    text += "[zones]\nclients = [\"10.10.0.0/16\"]\nservers = [\"0.0.0.0/0\"]\n\n";
    text += "[[path]]\nfrom = \"clients\"\nto = \"servers\"\n\n";
    let mut probe = |name: &str, about: &str, from: &dyn std::fmt::Display, to: &dyn std::fmt::Display| {
        let _ = writeln!(
            text,
            "[[probe]]\nname = \"{name}\"\nabout = \"{about}\"\n\
             command = [\"ping\", \"-q\", \"-n\", \"-c\", \"1\", \"-w\", \"1\", \"-I\", \"{from}\", \"{to}\"]\n"
        );
    };
    let peer = node.peer();
    probe("beyond the router", "self", &Net::Outside.own(node), &TARGET);
    for net in Net::SHARED {
        probe(
            &format!("{} {}", peer.name(), net.name()),
            peer.name(),
            &net.own(node),
            &net.own(peer),
        );
    }
    let _ = writeln!(
        text,
        "[actions]\npreset = \"ucarp\"\nrecover = \"10s\"\nledger = \"{folder}/{}.ledger\"\n",
        node.name()
    );
    let _ = writeln!(text, "[hooks]\non-failure = \"escalate\"");
    for action in ["promote", "demote", "restore"] {
        let _ = writeln!(
            text,
            "{action} = [[\"{folder}/carp\", \"-f\", \"{folder}/{}.carp\", \"{action}\"]]",
            node.name()
        );
    }
    let _ = writeln!(
        text,
        "\n[web]\nlisten = []\n\n[control]\nsocket = \"{folder}/{}.sock\"",
        node.name()
    );
    text
}
