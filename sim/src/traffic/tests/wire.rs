//! What the world is to the hosts, without firewalls.

use crate::Time;
use crate::dice::{self, Dice};
use crate::packet::{Body, Packet, Segment};
use crate::site;
use crate::traffic::{Canary, Kind, Load, Mix, Traffic};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;
use std::time::Duration;

/// Decides what is lost.
pub(super) type Lose = Box<dyn FnMut(Time, &Packet, &mut Dice) -> bool>;

/// All hosts, joined by a wire.
pub(super) struct Wire {
    pub(super) traffic: Traffic,
    pub(super) now: Time,
    /// All that was sent, lost or not; only if wanted.
    pub(super) log: Vec<(Time, Packet)>,
    pub(super) logging: bool,
    pub(super) lose: Lose,
    pub(super) sent: u64,
    /// What hosts sent of what they could not: windows and acknowledgements.
    pub(super) faults: Vec<String>,
    dice: Dice,
    flying: BinaryHeap<Reverse<(Time, u64)>>,
    cargo: BTreeMap<u64, Packet>,
    seen: BTreeMap<(IpAddr, u16, IpAddr, u16), Seen>,
    out: Vec<Packet>,
}

/// What one side of a connection showed.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// The highest number sent.
    end: u32,
    /// The highest number that it lets the other send, known from what it sent.
    limit: u32,
    shift: Option<u8>,
}

pub(super) const SEC: Duration = Duration::from_secs(1);

/// A load of nothing.
pub(super) const NOTHING: Load = Load {
    flows_per_second: 0.0,
    clients: 10,
    servers: 10,
    daily: false,
    distance: 1.0,
};

impl Wire {
    pub(super) fn new(load: &Load, mix: &Mix, canaries: &[Canary], seed: u64) -> Self {
        Self {
            traffic: Traffic::new(load, mix, canaries, seed),
            now: Time::ZERO,
            log: Vec::new(),
            logging: true,
            lose: Box::new(|_, _, _| false),
            sent: 0,
            faults: Vec::new(),
            dice: dice::stream(seed, "wire"),
            flying: BinaryHeap::new(),
            cargo: BTreeMap::new(),
            seen: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// One flow of this kind at a time, by a rate so low that they seldom meet.
    pub(super) fn of(kind: Kind, flows_per_second: f64, seed: u64) -> Self {
        let load = Load {
            flows_per_second,
            clients: 10,
            servers: 10,
            daily: false,
            distance: 1.0,
        };
        Self::new(&load, &Mix::of(&[(kind, 1.0)]), &[], seed)
    }

    pub(super) fn until(&mut self, end: Time) {
        loop {
            let timer = self.traffic.next_deadline().unwrap_or(Time::MAX);
            let arrival = self.flying.peek().map_or(Time::MAX, |f| f.0.0);
            if timer.min(arrival) >= end {
                self.now = end;
                return;
            }
            let mut out = std::mem::take(&mut self.out);
            if arrival <= timer {
                self.now = self.now.max(arrival);
                let Reverse((_, n)) = self.flying.pop().unwrap();
                let packet = self.cargo.remove(&n).unwrap();
                self.traffic.receive(self.now, packet, &mut out);
            } else {
                assert!(timer >= self.now, "a deadline in the past");
                self.now = timer;
                self.traffic.advance(self.now, &mut out);
                assert!(
                    self.traffic.next_deadline().is_none_or(|at| at > self.now),
                    "no progress at {timer:?}"
                );
            }
            for packet in out.drain(..) {
                self.carry(packet);
            }
            self.out = out;
        }
    }

    fn carry(&mut self, packet: Packet) {
        self.sent += 1;
        if self.logging {
            self.log.push((self.now, packet));
        }
        if let Body::Tcp(segment) = &packet.body {
            self.check(&packet, segment);
        }
        if (self.lose)(self.now, &packet, &mut self.dice) {
            return;
        }
        let server = if site::inside(packet.src) {
            packet.dst
        } else {
            packet.src
        };
        self.flying
            .push(Reverse((self.now + self.traffic.delay(server), self.sent)));
        self.cargo.insert(self.sent, packet);
    }

    /// A real receiver, and pf between, would not take what breaks these rules.
    fn check(&mut self, packet: &Packet, s: &Segment) {
        use crate::packet::flags::{ACK, RST, SYN};
        let after = |a: u32, b: u32| a != b && a.wrapping_sub(b) < 1 << 31;
        let (own, other) = (
            (packet.src, s.ports[0], packet.dst, s.ports[1]),
            (packet.dst, s.ports[1], packet.src, s.ports[0]),
        );
        if s.has(RST) {
            return;
        }
        let end = s.seq.wrapping_add(s.space());
        if s.has(SYN) {
            let shift = s.wscale;
            self.seen.insert(own, Seen { end, limit: 0, shift });
            if s.has(ACK) && shift.is_some() && self.seen.get(&other).is_some_and(|o| o.shift.is_none()) {
                self.faults.push(format!("shift without offer {packet:?}"));
            }
        }
        let theirs = self.seen.get(&other).copied();
        let scaled = theirs.is_some_and(|o| o.shift.is_some());
        let Some(seen) = self.seen.get_mut(&own) else {
            // A reply of RST only; anything else needs a handshake before.
            self.faults.push(format!("without handshake {packet:?}"));
            return;
        };
        if s.has(ACK) {
            let shift = if s.has(SYN) || !scaled {
                0
            } else {
                seen.shift.unwrap_or(0)
            };
            let window = u32::from(s.window) << shift;
            if window > 1 << 20 {
                self.faults.push(format!("a window that nobody has {packet:?}"));
            }
            let limit = s.ack.wrapping_add(window);
            if seen.limit == 0 || after(limit, seen.limit) {
                seen.limit = limit;
            }
        }
        if after(end, seen.end) {
            seen.end = end;
        }
        if let Some(theirs) = theirs {
            if s.has(ACK) && after(s.ack, theirs.end) {
                self.faults
                    .push(format!("{:?}: acknowledges what was not sent {packet:?}", self.now));
            }
            if s.len > 0 && theirs.limit != 0 && after(end, theirs.limit.wrapping_add(1)) {
                self.faults
                    .push(format!("{:?}: beyond the window {packet:?}", self.now));
            }
        }
    }

    /// Nothing is left of anything.
    pub(super) fn is_clean(&self) -> bool {
        self.traffic.flows() == 0 && self.traffic.hosts.slab.indexed() == 0
    }

    /// Logged attempts towards addresses where nobody is.
    pub(super) fn hopeless(&self) -> u32 {
        let good: std::collections::BTreeSet<_> = (0..10).map(site::server).collect();
        let bad = self
            .segments()
            .filter(|(_, p, s)| s.flags == crate::packet::flags::SYN && !good.contains(&p.dst));
        let bad: std::collections::BTreeSet<_> = bad.map(|(_, p, s)| (p.src, p.dst, s.ports)).collect();
        u32::try_from(bad.len()).unwrap()
    }

    /// Logged TCP segments.
    pub(super) fn segments(&self) -> impl Iterator<Item = (Time, Packet, Segment)> {
        self.log.iter().filter_map(|&(at, p)| match p.body {
            Body::Tcp(s) => Some((at, p, s)),
            _ => None,
        })
    }
}
