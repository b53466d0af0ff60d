//! The segments' switches: each node's ports, and behind which of them a shared MAC was seen last.

use crate::dice::stream;
use crate::fault::{Loss, Way};
use crate::link::Link;
use crate::site::{Net, Node};
use std::time::Duration;

/// The segments in the order of [`index`].
pub(super) const NETS: [Net; 3] = [Net::Lan, Net::Wan, Net::Sync];

/// Place of a segment in tables.
pub(super) const fn index(net: Net) -> usize {
    match net {
        Net::Lan => 0,
        Net::Wan => 1,
        Net::Sync => 2,
    }
}

/// Both directions of a port.
#[derive(Clone, Debug)]
struct Port {
    /// To the node.
    to: Link,
    /// From the node.
    from: Link,
}

/// All three switches.
#[derive(Clone, Debug)]
pub(super) struct Switches {
    ports: Vec<[Port; 3]>,
    /// By segment and vhid.
    holders: [Vec<Option<Node>>; 2],
    /// Sends frames back to where they came from too.
    reflects: [bool; 3],
    /// What it takes for a frame on top of the usual.
    slow: [Duration; 3],
}

impl Switches {
    pub(super) fn new(nodes: usize, vhids: usize, seed: u64) -> Self {
        let port = |node: usize, net: Net| {
            let dice = |way| stream(seed, &format!("port {node} {} {way}", net.name()));
            Port {
                to: Link::new(dice("in")),
                from: Link::new(dice("out")),
            }
        };
        Self {
            ports: (0..nodes).map(|n| NETS.map(|net| port(n, net))).collect(),
            holders: [vec![None; vhids], vec![None; vhids]],
            reflects: [false; 3],
            slow: [Duration::ZERO; 3],
        }
    }

    /// A port loses frames from now on.
    pub(super) fn set(&mut self, node: Node, net: Net, way: Way, loss: Loss) {
        if let Some(port) = self.port(node, net) {
            if way != Way::Out {
                port.to.set(loss);
            }
            if way != Way::In {
                port.from.set(loss);
            }
        }
    }

    /// Whether a frame from a node gets to the switch.
    pub(super) fn from(&mut self, node: Node, net: Net) -> bool {
        self.port(node, net).is_some_and(|p| p.from.pass())
    }

    /// Whether a frame from the switch gets to a node.
    pub(super) fn to(&mut self, node: Node, net: Net) -> bool {
        self.port(node, net).is_some_and(|p| p.to.pass())
    }

    /// Whether a switch sends frames back to where they came from.
    pub(super) fn reflects(&self, net: Net) -> bool {
        self.reflects.get(index(net)) == Some(&true)
    }

    /// From now on it does, or does not.
    pub(super) fn reflect(&mut self, net: Net, reflects: bool) {
        if let Some(switch) = self.reflects.get_mut(index(net)) {
            *switch = reflects;
        }
    }

    /// What a switch takes for a frame on top of the usual.
    pub(super) fn delay(&self, net: Net) -> Duration {
        self.slow.get(index(net)).copied().unwrap_or_default()
    }

    /// From now on it takes so long.
    pub(super) fn slow(&mut self, net: Net, delay: Duration) {
        if let Some(slow) = self.slow.get_mut(index(net)) {
            *slow = delay;
        }
    }

    /// An advertisement came from a node: the shared MAC is there now.
    pub(super) fn learn(&mut self, node: Node, net: Net, vhid: u8) {
        let table = self.holders.get_mut(index(net));
        if let Some(holder) = table.and_then(|t| t.get_mut(usize::from(vhid).wrapping_sub(1))) {
            *holder = Some(node);
        }
    }

    /// Where the shared MAC of a vhid was seen last.
    pub(super) fn holder(&self, net: Net, vhid: u8) -> Option<Node> {
        let table = self.holders.get(index(net))?;
        *table.get(usize::from(vhid).wrapping_sub(1))?
    }

    fn port(&mut self, node: Node, net: Net) -> Option<&mut Port> {
        self.ports.get_mut(node)?.get_mut(index(net))
    }
}
