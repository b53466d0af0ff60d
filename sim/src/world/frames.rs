//! The way of pfsync frames and CARP advertisements: node, port, switch (and its mirror), ports of the others.

use super::World;
use super::packets::side;
use super::queue::Event;
use super::switch::index;
use crate::Time;
use crate::frame::{self, CARP_GROUP};
use crate::observer::Observer;
use crate::packet::{Body, Packet};
use crate::site::{Net, Node, address};
use pfsync_proto::Carp;
use rand::RngExt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Ethernet and IP.
const HEADERS: usize = 34;
/// On the sync net.
const SYNC: Duration = Duration::from_micros(100);
/// What a kernel takes for a frame.
const EACH: Duration = Duration::from_micros(20);
/// Frames that wait in a kernel (`net.inet.ip.intr_queue_maxlen`, `net.inet.ip.ifq.maxlen`).
const LONGEST: u32 = 256;
/// Until a frame that goes round a loop is back.
const REFLECTION: Duration = Duration::from_micros(600);
/// Octets behind the IP header of an advertisement.
const ADVERTISEMENT: u16 = 36;

impl World {
    /// A node sends a pfsync payload.
    pub(super) fn announce(&mut self, node: Node, payload: &[u8]) {
        // Round a ring of three, requests would never find whom they are for, and the kernels would shout forever.
        let peer = (self.setup.unicast && self.nodes.len() == 2).then(|| 1 - node);
        let id = self.nodes[node].next_ip_id();
        let octets = Arc::new(frame::pfsync(node, peer, id, payload));
        self.intruder.overhear(&octets);
        self.put_on(Net::Sync, node, peer, octets);
    }

    /// A node sends what its vhids want to say.
    pub(super) fn advertise(&mut self, node: Node) {
        for net in [Net::Lan, Net::Wan] {
            for vhid in 1..=self.setup.vhids {
                if let Some(ad) = self.nodes[node].vhost(net, vhid).and_then(|v| v.poll()) {
                    self.advertisement(net, node, &ad);
                }
            }
        }
    }

    fn advertisement(&mut self, net: Net, node: Node, ad: &Carp) {
        let machine = &mut self.nodes[node];
        let (tos, id) = (machine.tos, machine.next_ip_id());
        if self.setup.carp_states {
            machine.firewall.output(self.now, side(net), about(address(net, node)));
        }
        let octets = Arc::new(frame::carp(net, node, tos, id, ad));
        if self.put_on(net, node, None, octets) {
            self.switches.learn(node, net, ad.vhid);
        }
    }

    /// A frame leaves a node's port for a peer, or for all others. Whether it got to the switch.
    fn put_on(&mut self, net: Net, node: Node, peer: Option<Node>, octets: Arc<Vec<u8>>) -> bool {
        self.overheard(net, &octets, |ear| ear.on(node));
        if !self.switches.from(node, net) {
            return false;
        }
        self.distribute(net, Some(node), peer, octets);
        true
    }

    fn overheard(&mut self, net: Net, octets: &[u8], by: impl Fn(&Observer) -> bool) {
        for ear in self.ears.iter_mut().filter(|ear| by(ear)) {
            ear.frame(self.now, net, octets.to_vec());
        }
    }

    /// A frame is at the switch.
    pub(super) fn distribute(&mut self, net: Net, from: Option<Node>, peer: Option<Node>, octets: Arc<Vec<u8>>) {
        self.overheard(net, &octets, Observer::mirrors);
        if let Some(node) = from.filter(|_| self.switches.reflects(net)) {
            let back = self.now + REFLECTION;
            self.queue.put(back, Event::Reflection(net, node, Arc::clone(&octets)));
        }
        for to in (0..self.nodes.len()).filter(|n| Some(*n) != from && peer.is_none_or(|p| p == *n)) {
            let at = if net == Net::Sync {
                self.input_queue(to)
            } else {
                Some(
                    self.now
                        + SYNC
                        + Duration::from_nanos(self.dice.random_range(0..100_000))
                        + self.switches.delay(net),
                )
            };
            if let Some(at) = at {
                self.queue.put(at, Event::Frame(net, to, Arc::clone(&octets)));
            }
        }
    }

    /// The switch sends a frame back to where it came from, as it sends it to any port.
    pub(super) fn reflect(&mut self, net: Net, node: Node, octets: &Arc<Vec<u8>>) {
        self.overheard(net, octets, Observer::mirrors);
        self.frame(net, node, octets);
    }

    /// When a node's kernel gets to the next sync frame; never, where its queue is full. Kernels that believe each other
    /// to be behind can answer each other for ever: what ends that is how fast they are.
    fn input_queue(&mut self, node: Node) -> Option<Time> {
        let busy = self.nodes[node].busy.max(self.now + SYNC - EACH) + EACH;
        if busy - self.now >= SYNC + EACH * LONGEST {
            return None;
        }
        self.nodes[node].busy = busy;
        Some(busy)
    }

    /// A frame is at a node's port.
    pub(super) fn frame(&mut self, net: Net, node: Node, octets: &Arc<Vec<u8>>) {
        if !self.switches.to(node, net) || !self.nodes[node].runs(self.now) {
            return;
        }
        self.overheard(net, octets, |ear| ear.on(node));
        let machine = &mut self.nodes[node];
        let Some(payload) = payload(octets) else {
            return;
        };
        let source = source(octets);
        // Kernels take nothing from a network that says it comes from them.
        let blocked = machine.deaf[index(net)] || source == address(net, node);
        if net == Net::Sync {
            machine.firewall.receive(self.now, payload);
        } else if let Ok(ad) = Carp::decode(payload)
            && !blocked
        {
            if self.setup.carp_states {
                machine.firewall.input(self.now, side(net), about(source));
            }
            if let Some(vhost) = machine.vhost(net, ad.vhid) {
                vhost.receive(self.now, &ad);
            }
        }
        self.settle(node);
    }
}

/// An advertisement as pf sees it.
fn about(src: IpAddr) -> Packet {
    Packet {
        src,
        dst: IpAddr::V4(CARP_GROUP),
        body: Body::Other {
            proto: frame::CARP,
            len: ADVERTISEMENT,
        },
    }
}

fn source(octets: &[u8]) -> IpAddr {
    let src = octets.get(26..30).and_then(|o| <[u8; 4]>::try_from(o).ok());
    IpAddr::from(src.unwrap_or_default())
}

/// What stands behind the IP header; the padding of short frames does not.
fn payload(octets: &[u8]) -> Option<&[u8]> {
    let total = u16::from_be_bytes([*octets.get(16)?, *octets.get(17)?]);
    octets.get(HEADERS..14 + usize::from(total))
}
