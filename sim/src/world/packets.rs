//! The way of users' packets: host, switch, pf of the node that has the shared MAC, port, host.

use super::World;
use super::queue::{Event, deadline, nanos};
use crate::Time;
use crate::firewall::Side;
use crate::packet::Packet;
use crate::site::{self, INTERNET, Net, Node, UPSTREAM, inside, shared};
use rand::RngExt;
use std::net::IpAddr;
use std::time::Duration;

/// Packets of a path do not overtake each other: when the last one of each arrives.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// To and from the clients.
    lan: [u64; 2],
    /// By server, to and from.
    wan: Vec<[u64; 2]>,
}

/// Shortest time on the lan, nanoseconds, and how much more it may be.
const LAN: (u64, u64) = (100_000, 200_000);
/// Between pf and a process on the same node.
const LOCAL: Duration = Duration::from_micros(20);
/// Mean extra delay on the way beyond the outside segment, one in so many of the delay itself.
const JITTER: u32 = 50;

/// The segment of a side.
pub(super) fn net(side: Side) -> Net {
    match side {
        Side::Inside => Net::Lan,
        Side::Outside => Net::Wan,
    }
}

/// The side of a segment.
pub(super) fn side(net: Net) -> Side {
    match net {
        Net::Lan => Side::Inside,
        Net::Wan | Net::Sync => Side::Outside,
    }
}

impl World {
    /// Hosts send; the vector is kept for the next time.
    pub(super) fn send_all(&mut self, mut sent: Vec<Packet>) {
        for packet in sent.drain(..) {
            if let Some(node) = site::proxied(packet.src) {
                self.queue.put(self.now + LOCAL, Event::Proxy(node, packet));
            } else if inside(packet.src) {
                let at = self.lan_arrival(0);
                self.queue.put(at, Event::Forward(Net::Lan, packet));
            } else if self.upstream[1].pass() {
                let at = self.wan_arrival(packet.src, 1);
                self.queue.put(at, Event::Forward(Net::Wan, packet));
            }
        }
        self.sent = sent;
        self.traffic_wake = deadline(self.traffic.next_deadline());
    }

    /// A packet got to a host.
    pub(super) fn host(&mut self, packet: Packet) {
        let mut sent = std::mem::take(&mut self.sent);
        self.traffic.receive(self.now, packet, &mut sent);
        self.send_all(sent);
    }

    /// A packet is at the switch, addressed to the shared MAC of the sender's gateway.
    pub(super) fn forward(&mut self, from: Net, packet: Packet) {
        let Some(vhid) = self.gateway(from, &packet) else {
            return;
        };
        let Some(node) = self.switches.holder(from, vhid) else {
            return;
        };
        if !self.switches.to(node, from) {
            return;
        }
        let machine = &mut self.nodes[node];
        // Who is no longer master does not listen to the shared MAC.
        if !machine.runs(self.now) || !machine.master(from, vhid) {
            return;
        }
        let passed = machine.firewall.input(self.now, side(from), packet);
        let proxy = self.setup.proxy.map(|proxy| proxy.address(node));
        if let Some(packet) = passed.filter(|p| Some(p.dst) == proxy) {
            let dst = site::proxy(node);
            self.queue.put(self.now + LOCAL, Event::Host(Packet { dst, ..packet }));
            return self.settle_packet(node);
        }
        let to = if passed.is_some_and(|p| inside(p.dst)) {
            Net::Lan
        } else {
            Net::Wan
        };
        // What would leave where it came from is for the node itself, or for nobody.
        if let Some(packet) = passed
            && to != from
            && !machine.wedged
            && let Some(packet) = machine.firewall.output(self.now, side(to), packet)
        {
            self.transmit(node, to, packet);
        }
        self.settle_packet(node);
    }

    /// The proxy of a node answers a client.
    pub(super) fn answer_by_proxy(&mut self, node: Node, packet: Packet) {
        let Some(proxy) = self.setup.proxy.filter(|_| self.nodes[node].runs(self.now)) else {
            return;
        };
        let src = proxy.address(node);
        let firewall = &mut self.nodes[node].firewall;
        if let Some(packet) = firewall.output(self.now, Side::Inside, Packet { src, ..packet }) {
            self.transmit(node, Net::Lan, packet);
        }
        self.settle_packet(node);
    }

    /// A node sends a host's packet on.
    pub(super) fn transmit(&mut self, node: Node, to: Net, packet: Packet) {
        if !self.switches.from(node, to) {
            return;
        }
        if to == Net::Lan {
            let at = self.lan_arrival(1);
            self.queue.put(at, Event::Host(packet));
        } else if self.upstream[0].pass() {
            let at = self.wan_arrival(packet.dst, 0);
            self.queue.put(at, Event::Host(packet));
        }
    }

    /// The vhid that the sender's route leads to.
    fn gateway(&self, from: Net, packet: &Packet) -> Option<u8> {
        let vhids = self.setup.vhids;
        match from {
            Net::Lan => Some(spread(packet.src, vhids)),
            // The upstream router has a route to the clients, split as their gateways are, and the shared addresses.
            Net::Wan if inside(packet.dst) => Some(spread(packet.dst, vhids)),
            Net::Wan => (1..=vhids).find(|v| shared(Net::Wan, *v) == packet.dst),
            Net::Sync => None,
        }
    }

    fn lan_arrival(&mut self, way: usize) -> Time {
        let at = nanos(self.now) + LAN.0 + self.dice.random_range(0..LAN.1);
        in_order(&mut self.order.lan[way], at)
    }

    fn wan_arrival(&mut self, server: IpAddr, way: usize) -> Time {
        let delay = self.traffic.delay(server);
        // Not the system's logarithm: the last digit of that differs from machine to machine.
        let jitter = (delay / JITTER).mul_f64(-libm::log(self.dice.random::<f64>().max(1e-9)));
        let at = nanos(self.now + delay + jitter);
        let place = place(server);
        if place >= self.order.wan.len() {
            self.order.wan.resize(place + 1, [0; 2]);
        }
        in_order(&mut self.order.wan[place][way], at)
    }
}

fn in_order(last: &mut u64, at: u64) -> Time {
    // Two packets cannot be on a wire at once; a microsecond is 1500 octets at 12 Gbit/s.
    *last = at.max(*last + 1_000);
    Duration::from_nanos(*last)
}

/// A small number for a server; strangers share one.
fn place(server: IpAddr) -> usize {
    match server {
        IpAddr::V4(a) if server != UPSTREAM && server != INTERNET => {
            let [first, _, c, d] = a.octets();
            if first == 100 {
                usize::from(c) << 8 | usize::from(d)
            } else {
                0
            }
        }
        _ => 0,
    }
}

/// Clients are spread over the vhids of a segment.
fn spread(client: IpAddr, vhids: u8) -> u8 {
    match client {
        IpAddr::V4(a) => a.octets()[3] % vhids.max(1) + 1,
        IpAddr::V6(a) => a.octets()[15] % vhids.max(1) + 1,
    }
}
