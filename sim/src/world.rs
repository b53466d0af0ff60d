//! The event loop that joins hosts, segments, firewalls and CARP on one virtual clock.
//!
//! ```text
//!   traffic -- packet --> switch (holder of the shared MAC) --> port --> pf in, pf out --> port --> traffic
//!                                                                         |
//!                                            pfsync frames, advertisements: port --> switch --> ports of the others
//!                                                                                      |
//!                                                                                      v  observer --> Heard
//! ```
//!
//! Called by whoever wants to hear what a watchdog would. Never decides what a fault means for users: see `truth`.

mod faults;
mod frames;
mod hostile;
mod node;
mod packets;
mod pings;
mod queue;
mod switch;
#[cfg(test)]
mod tests;

use crate::Time;
use crate::dice::{Dice, stream};
use crate::fault::Fault;
use crate::heard::Heard;
use crate::link::Link;
use crate::observer::Observer;
use crate::packet::Packet;
use crate::setup::Setup;
use crate::site::{Net, Node};
use crate::traffic::{Experience, Traffic};
use hostile::Intruder;
use node::Machine;
use packets::Order;
use queue::{Event, Queue, deadline, nanos};
use std::time::Duration;
use switch::Switches;

/// A running simulation.
pub struct World {
    setup: Setup,
    now: Time,
    end: u64,
    queue: Queue,
    /// By time.
    faults: Vec<(Time, Fault)>,
    next_fault: usize,
    nodes: Vec<Machine>,
    switches: Switches,
    traffic: Traffic,
    /// When the traffic wants to be called, as [`nanos`].
    traffic_wake: u64,
    /// Packets that hosts send now; kept for its memory.
    sent: Vec<Packet>,
    /// The path beyond the outside segment, both ways.
    upstream: [Link; 2],
    /// The clients' switch.
    inside_dead: bool,
    order: Order,
    dice: Dice,
    intruder: Intruder,
    /// The first sits where the setup says; see [`World::listen`] for more.
    ears: Vec<Observer>,
    events: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy)]
enum Turn {
    Fault,
    Queue,
    Node(Node),
    Traffic,
    Intruder,
    Observer,
}

impl World {
    /// Time 0: elections are over (or still to come, in a cold setup), state tables empty, hosts begin.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let seed = setup.seed;
        let mut faults = setup.faults.clone();
        faults.sort_by_key(|(at, _)| *at);
        let nodes = setup.nodes.len();
        let traffic = Traffic::new(&setup.load, &setup.mix, &setup.canaries, seed);
        let mut world = Self {
            now: Time::ZERO,
            end: nanos(setup.length),
            queue: Queue::default(),
            faults,
            next_fault: 0,
            nodes: (0..nodes).map(|n| Machine::new(&setup, n)).collect(),
            switches: Switches::new(nodes, usize::from(setup.vhids), seed),
            traffic_wake: deadline(traffic.next_deadline()),
            traffic,
            sent: Vec::new(),
            upstream: ["up", "down"].map(|way| Link::new(stream(seed, way))),
            inside_dead: false,
            order: Order::default(),
            dice: stream(seed, "world"),
            intruder: Intruder::new(seed),
            ears: vec![Observer::new(setup.vantage, seed).hearing_twice(setup.twice)],
            events: 0,
            setup,
        };
        world.begin();
        world
    }

    /// What is heard next, in order of time; none after the length of the setup.
    #[expect(
        clippy::should_implement_trait,
        reason = "one asks for experience in between, which an iterator forbids"
    )]
    pub fn next(&mut self) -> Option<Heard> {
        loop {
            if let (0, heard) = self.next_of_all()? {
                return Some(heard);
            }
        }
    }

    /// One more watcher of the same world, somewhere else; its number.
    pub fn listen(&mut self, vantage: Option<Node>) -> usize {
        self.ears
            .push(Observer::new(vantage, self.setup.seed).hearing_twice(self.setup.twice));
        self.ears.len() - 1
    }

    /// What is heard next and by which watcher.
    pub fn next_of_all(&mut self) -> Option<(usize, Heard)> {
        loop {
            for (n, ear) in self.ears.iter_mut().enumerate() {
                if let Some(heard) = ear.poll() {
                    return Some((n, heard));
                }
            }
            let (at, turn) = self.first();
            if at > self.end {
                return None;
            }
            self.now = Duration::from_nanos(at);
            self.events += 1;
            self.take(turn);
        }
    }

    /// How far it went.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// What users felt so far.
    #[must_use]
    pub fn experience(&self) -> &Experience {
        self.traffic.experience()
    }

    /// Which nodes hold themselves for the master of a vhid.
    #[must_use]
    pub fn masters(&self, net: Net, vhid: u8) -> Vec<Node> {
        let all = self.nodes.iter().enumerate();
        all.filter(|(_, m)| m.master(net, vhid)).map(|(n, _)| n).collect()
    }

    /// Entries in the state table of a node.
    #[must_use]
    pub fn states(&self, node: Node) -> usize {
        self.nodes.get(node).map_or(0, |m| m.firewall.states())
    }

    /// Turns of the event loop so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Masters as after elections without a fault, and the others listen; or all just booted.
    fn begin(&mut self) {
        for node in &mut self.nodes {
            if self.setup.cold {
                node.firewall.request_bulk(Time::ZERO);
            }
            node.vhosts().for_each(|v| v.start(Time::ZERO));
        }
        if !self.setup.cold {
            self.elect();
        }
        for node in 0..self.nodes.len() {
            self.settle(node);
            if self.setup.pings {
                self.queue.put(pings::phase(node, self.nodes.len()), Event::Probe(node));
            }
        }
    }

    fn elect(&mut self) {
        for net in [Net::Lan, Net::Wan] {
            for vhid in 1..=self.setup.vhids {
                let patience = |m: &mut Machine| m.vhost(net, vhid).and_then(|v| v.next_deadline());
                let all = self.nodes.iter_mut().enumerate();
                let first = all.map(|(n, m)| (deadline(patience(m)), n)).min();
                if let Some((_, node)) = first
                    && let Some(vhost) = self.nodes[node].vhost(net, vhid)
                {
                    vhost.claim(Time::ZERO);
                }
            }
        }
    }

    /// Who is first. A handful of comparisons, so that no timer needs a place in the heap.
    fn first(&self) -> (u64, Turn) {
        let fault = self.faults.get(self.next_fault);
        let mut first = (fault.map_or(u64::MAX, |(at, _)| nanos(*at)), Turn::Fault);
        let mut try_it = |at: u64, turn: Turn| {
            if at < first.0 {
                first = (at, turn);
            }
        };
        try_it(self.queue.next(), Turn::Queue);
        for (n, node) in self.nodes.iter().enumerate() {
            try_it(node.wake, Turn::Node(n));
        }
        try_it(self.traffic_wake, Turn::Traffic);
        try_it(deadline(self.intruder.next_deadline()), Turn::Intruder);
        let ears = self.ears.iter().map(|e| deadline(e.next_deadline())).min();
        try_it(ears.unwrap_or(u64::MAX), Turn::Observer);
        // A deadline in the past is late, not a step back.
        (first.0.max(nanos(self.now)), first.1)
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Fault => {
                if let Some((_, fault)) = self.faults.get(self.next_fault).copied() {
                    self.next_fault += 1;
                    self.fault(fault);
                }
            }
            Turn::Queue => match self.queue.take() {
                Some(Event::Forward(net, packet)) => self.forward(net, packet),
                Some(Event::Host(packet)) => self.host(packet),
                Some(Event::Frame(net, node, octets)) => self.frame(net, node, &octets),
                Some(Event::Reflection(net, node, octets)) => self.reflect(net, node, &octets),
                Some(Event::Proxy(node, packet)) => self.answer_by_proxy(node, packet),
                Some(Event::Probe(node)) => self.probe(node),
                Some(Event::Answer(node, target, ok)) => self.answer(node, target, ok),
                None => {}
            },
            Turn::Node(node) => self.timers(node),
            Turn::Traffic => {
                let mut sent = std::mem::take(&mut self.sent);
                self.traffic.advance(self.now, &mut sent);
                self.send_all(sent);
            }
            Turn::Intruder => self.intrude(),
            Turn::Observer => self.ears.iter_mut().for_each(|e| e.advance(self.now)),
        }
    }

    fn timers(&mut self, node: Node) {
        let now = self.now;
        let machine = &mut self.nodes[node];
        machine.vhosts().for_each(|v| v.advance(now));
        if machine.firewall.next_deadline().is_some_and(|t| t <= now) {
            machine.firewall.advance(now);
        }
        self.settle(node);
    }

    /// After anything was done with a node: what it wants to send, and when it wants to be called.
    fn settle(&mut self, node: Node) {
        self.nodes[node].weigh(self.now);
        self.advertise(node);
        self.fetch(node);
        self.nodes[node].plan();
    }

    /// The same after a packet, which does not touch CARP.
    fn settle_packet(&mut self, node: Node) {
        self.fetch(node);
        self.nodes[node].plan_firewall();
    }

    fn fetch(&mut self, node: Node) {
        while let Some((side, packet)) = self.nodes[node].firewall.release() {
            self.transmit(node, packets::net(side), packet);
        }
        while let Some(payload) = self.nodes[node].firewall.poll() {
            self.announce(node, &payload);
        }
    }
}
