//! What a run is made of: nodes, their load, what goes wrong when, and from where it is watched.

use crate::Time;
use crate::fault::Fault;
use crate::firewall::{Redirect, System};
use crate::site::{self, Net, Node};
use crate::traffic::{Canary, Load, Mix};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A node of the cluster.
#[derive(Clone, Copy, Debug)]
pub struct NodeSetup {
    /// What it runs.
    pub system: System,
    /// CARP: 1/256 seconds on top of advbase. Where vhids are spread over the nodes, the nodes' values are turned round by
    /// one node from vhid to vhid.
    pub advskew: u8,
    /// `set hostid`; without it each boot makes up a new one.
    pub hostid: Option<u32>,
}

/// Where the nodes' rules redirect the clients' connections to port 80: a proxy that runs on each of them, answers
/// everything itself and opens nothing outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// 127.0.0.1.
    Loopback,
    /// The node's own address inside.
    Own,
}

impl Proxy {
    /// The address that the proxy of a node listens on.
    #[must_use]
    pub fn address(self, node: Node) -> IpAddr {
        match self {
            Self::Loopback => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Own => site::address(Net::Lan, node),
        }
    }

    /// The rule of a node.
    #[must_use]
    pub fn redirect(self, node: Node) -> Redirect {
        Redirect {
            port: 80,
            to: (self.address(node), 3128),
        }
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Of all dice.
    pub seed: u64,
    /// At least one.
    pub nodes: Vec<NodeSetup>,
    /// How much the hosts do.
    pub load: Load,
    /// What they do.
    pub mix: Mix,
    /// Connections that are there to be watched.
    pub canaries: Vec<Canary>,
    /// A third of the clients goes out with a shared address.
    pub nat: bool,
    /// The clients' connections to port 80 end on the nodes.
    pub proxy: Option<Proxy>,
    /// pfsync holds first packets back until the peer knows the state.
    pub defer: bool,
    /// `syncpeer`: each node of a pair sends to the other rather than to the group. More than two use the group.
    pub unicast: bool,
    /// Shared addresses per segment; more than one shares the load: the first prefers node 0, the second node 1.
    pub vhids: u8,
    /// Forward path by node 0, replies by node 1: the outside segment prefers the next node.
    pub asymmetric: bool,
    /// CARP: seconds between advertisements.
    pub advbase: u8,
    /// CARP: a better node takes back.
    pub preempt: bool,
    /// CARP: `pass`; may be empty.
    pub password: String,
    /// The rules keep state on CARP itself, and so pfsync announces that: noise as real sites have it.
    pub carp_states: bool,
    /// The rules keep state on the nodes' own pings.
    pub ping_states: bool,
    /// Every node pings its gateway, the Internet and its peers once a second.
    pub pings: bool,
    /// All nodes boot at time 0: they ask each other for states, and CARP's first elections are still to come.
    pub cold: bool,
    /// Watchers hear every frame once more after this long: mirror ports of both directions, `any` over a bond.
    pub twice: Option<Duration>,
    /// On which node the watcher sits; none = mirror ports of the switches.
    pub vantage: Option<Node>,
    /// When it ends.
    pub length: Duration,
    /// What goes wrong, in any order.
    pub faults: Vec<(Time, Fault)>,
    /// Unix nanoseconds of time 0.
    pub epoch: i64,
}

impl Setup {
    /// An ordinary pair, advskew 10 and 100, watched from a mirror port for ten minutes; nothing goes wrong.
    #[must_use]
    pub fn pair(system: System, load: Load, seed: u64) -> Self {
        let node = |advskew| NodeSetup {
            system,
            advskew,
            hostid: None,
        };
        Self {
            seed,
            nodes: vec![node(10), node(100)],
            load,
            mix: Mix::standard(),
            canaries: Vec::new(),
            nat: true,
            proxy: None,
            defer: false,
            unicast: false,
            vhids: 1,
            asymmetric: false,
            advbase: 1,
            preempt: true,
            password: String::new(),
            carp_states: false,
            ping_states: false,
            pings: true,
            cold: false,
            twice: None,
            vantage: None,
            length: Duration::from_secs(600),
            faults: Vec::new(),
            epoch: 1_790_000_000_000_000_000,
        }
    }

    /// The same with this happening then.
    #[must_use]
    pub fn with(mut self, at: Time, fault: Fault) -> Self {
        self.faults.push((at, fault));
        self
    }

    /// The same for this long.
    #[must_use]
    pub fn lasting(mut self, length: Duration) -> Self {
        self.length = length;
        self
    }
}
