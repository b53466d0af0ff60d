//! Every node pings its gateway, the Internet, the clients' switch and its peers once a second, over its own ports and past CARP.

use super::World;
use super::packets::side;
use super::queue::Event;
use crate::Time;
use crate::heard::{Heard, Target};
use crate::packet::{Body, Packet};
use crate::site::{INSIDE, INTERNET, Net, Node, UPSTREAM, address};
use std::net::IpAddr;
use std::time::Duration;

/// Between two pings, and the patience for an answer.
const SECOND: Duration = Duration::from_secs(1);
/// Octets behind the ICMP header, as ping(8) sends them.
const LENGTH: u16 = 56;

/// When a node begins: not all at once.
pub(super) fn phase(node: Node, nodes: usize) -> Time {
    let nodes = u32::try_from(nodes).unwrap_or(1);
    SECOND * (2 * u32::try_from(node).unwrap_or(0) + 1) / (2 * nodes)
}

impl World {
    /// A node's second came round.
    pub(super) fn probe(&mut self, node: Node) {
        self.queue.put(self.now + SECOND, Event::Probe(node));
        if !self.nodes[node].runs(self.now) {
            return;
        }
        self.ping(node, Target::Gateway);
        self.ping(node, Target::Internet);
        self.ping(node, Target::Inside);
        for peer in (0..self.nodes.len()).filter(|p| *p != node) {
            self.ping(node, Target::Peer(peer, Net::Lan));
            self.ping(node, Target::Peer(peer, Net::Wan));
        }
    }

    /// What will become of a ping is decided now: the way there and back takes less than anything here changes in.
    fn ping(&mut self, node: Node, target: Target) {
        let ok = self.reaches(node, target);
        let after = match target {
            _ if !ok => SECOND,
            Target::Gateway => Duration::from_micros(400),
            Target::Internet => Duration::from_millis(12),
            Target::Inside | Target::Peer(..) => Duration::from_micros(300),
        };
        self.queue.put(self.now + after, Event::Answer(node, target, ok));
    }

    fn reaches(&mut self, node: Node, target: Target) -> bool {
        let (net, dst) = match target {
            Target::Gateway => (Net::Wan, UPSTREAM),
            Target::Internet => (Net::Wan, INTERNET),
            Target::Inside => (Net::Lan, INSIDE),
            Target::Peer(peer, net) => (net, address(net, peer)),
        };
        let request = echo(address(net, node), dst, true);
        let reply = echo(dst, address(net, node), false);
        if !self.pf(node, net, true, request) || !self.switches.from(node, net) {
            return false;
        }
        let answered = match target {
            Target::Gateway => true,
            Target::Internet => self.upstream[0].pass() && self.upstream[1].pass(),
            Target::Inside => !self.inside_dead,
            Target::Peer(peer, net) => {
                self.switches.to(peer, net)
                    && self.nodes[peer].runs(self.now)
                    && self.pf(peer, net, false, request)
                    && self.pf(peer, net, true, reply)
                    && self.switches.from(peer, net)
            }
        };
        answered && self.switches.to(node, net) && self.pf(node, net, false, reply)
    }

    /// Whether a node's own rules let a ping out or in; asked only where they keep state on it.
    fn pf(&mut self, node: Node, net: Net, out: bool, packet: Packet) -> bool {
        if !self.setup.ping_states {
            return true;
        }
        let firewall = &mut self.nodes[node].firewall;
        let passed = if out {
            firewall.output(self.now, side(net), packet)
        } else {
            firewall.input(self.now, side(net), packet)
        };
        self.settle(node);
        passed.is_some()
    }

    /// The answer is there, or the patience over; a node that does not run tells nobody.
    pub(super) fn answer(&mut self, node: Node, target: Target, ok: bool) {
        if self.nodes[node].runs(self.now) {
            let ping = Heard::Ping {
                at: self.now,
                node,
                target,
                ok,
            };
            self.ears.iter_mut().for_each(|e| e.news(ping.clone()));
        }
    }
}

fn echo(src: IpAddr, dst: IpAddr, request: bool) -> Packet {
    Packet {
        src,
        dst,
        body: Body::Echo {
            request,
            id: 1,
            len: LENGTH,
        },
    }
}
