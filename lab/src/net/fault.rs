//! What can be broken, and repaired again. Nobody in the net is told: no link goes down, nobody gets an ICMP message.

use super::build::pids;
use super::plan::{self, Net, Node, Place};
use super::shell::{line, nft, within};
use crate::error::LabError;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};

/// A fault of the network or of a firewall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The switch's port of a firewall neither takes nor gives anything.
    Port(Node, Net),
    /// Of a hundred frames from and to a firewall's port so many are lost.
    Loss(Node, Net, u8),
    /// CARP goes on, packets are not forwarded any more.
    Wedge(Node),
    /// Every process stands still and nothing is forwarded or answered.
    Freeze(Node),
    /// The router forwards nothing: probes fail as well.
    Upstream,
    /// All servers are gone, and what the probes ask is not.
    Beyond,
    /// So many servers are gone.
    Servers(u8),
}

impl Fault {
    /// Breaks it.
    pub fn begin(self, place: &Place) -> Result<(), LabError> {
        match self {
            Self::Port(node, net) => dead(place, node, net, "add"),
            Self::Loss(node, net, percent) => {
                let (switch, port) = (place.namespace(net.name()), node.name());
                let rule = format!("numgen random mod 100 < {percent} drop");
                nft(&switch, &format!("add rule bridge lab loss iifname {port} {rule}"))?;
                nft(&switch, &format!("add rule bridge lab to oifname {port} {rule}"))
            }
            Self::Wedge(node) => forwarding(place, node, 0),
            Self::Freeze(node) => {
                forwarding(place, node, 0)?;
                signal(place, node, Signal::SIGSTOP);
                Net::ALL.iter().try_for_each(|net| dead(place, node, *net, "add"))
            }
            Self::Upstream => gone(place, "add", &format!("{}, {}/32", plan::SERVERS_NET, plan::TARGET)),
            Self::Beyond => gone(place, "add", plan::SERVERS_NET),
            Self::Servers(number) => gone(place, "add", &servers(number)),
        }
    }

    /// Repairs it.
    pub fn end(self, place: &Place) -> Result<(), LabError> {
        match self {
            Self::Port(node, net) => dead(place, node, net, "delete"),
            Self::Loss(_, net, _) => {
                let switch = place.namespace(net.name());
                nft(
                    &switch,
                    "flush chain bridge lab loss; flush chain bridge lab to; \
                    add rule bridge lab to oifname @dead drop",
                )
            }
            Self::Wedge(node) => forwarding(place, node, 1),
            Self::Freeze(node) => {
                Net::ALL.iter().try_for_each(|net| dead(place, node, *net, "delete"))?;
                signal(place, node, Signal::SIGCONT);
                forwarding(place, node, 1)
            }
            Self::Upstream => gone(place, "delete", &format!("{}, {}/32", plan::SERVERS_NET, plan::TARGET)),
            Self::Beyond => gone(place, "delete", plan::SERVERS_NET),
            Self::Servers(number) => gone(place, "delete", &servers(number)),
        }
    }
}

fn servers(number: u8) -> String {
    // Every third, so that popular and rare ones are among them.
    let all = (0..number).map(|n| plan::server((n * 3) % plan::SERVERS).to_string());
    all.collect::<Vec<_>>().join(", ")
}

fn dead(place: &Place, node: Node, net: Net, verb: &str) -> Result<(), LabError> {
    let switch = place.namespace(net.name());
    nft(
        &switch,
        &format!("{verb} element bridge lab dead {{ {} }}", node.name()),
    )
}

fn gone(place: &Place, verb: &str, addresses: &str) -> Result<(), LabError> {
    let router = place.namespace("router");
    nft(&router, &format!("{verb} element ip lab gone {{ {addresses} }}"))
}

fn forwarding(place: &Place, node: Node, value: u8) -> Result<(), LabError> {
    let name = place.namespace(node.name());
    within(&name, &format!("sysctl -qw net.ipv4.ip_forward={value}")).map(drop)
}

fn signal(place: &Place, node: Node, signal: Signal) {
    for pid in pids(&place.namespace(node.name())) {
        // A process that ended meanwhile needs no signal.
        let _: Result<(), Errno> = kill(pid, signal);
    }
}

/// The shared addresses that a firewall has now.
pub fn addresses(place: &Place, node: Node) -> Result<Vec<Net>, LabError> {
    let listed = line(&format!("ip -n {} -o -4 address show", place.namespace(node.name())))?;
    let has = |net: &Net| listed.contains(&format!("inet {}/32", net.shared()));
    Ok(Net::SHARED.into_iter().filter(has).collect())
}
