//! All flows of all hosts: a slab of them, an index by addresses and ports, and one heap of timers.
//!
//! A timer is never taken out of the heap. Each flow knows the earliest entry that it has there; what comes up for a
//! flow that moved on is put back or dropped. The index is only ever asked, never walked, so its order cannot matter.

use super::datagram::{self, Exchange};
use super::draw::{NEVER, Ns};
use super::experience::Experience;
use super::mix::{Kind, served};
use super::people::{Manner, People, inside, v4};
use super::tcp::{Around, Connection, Ends, Fate};
use crate::packet::{Body, Packet, Segment, flags};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Debug)]
enum Flow {
    Free,
    Tcp(Connection),
    Datagrams(Exchange),
}

#[derive(Debug)]
struct Slot {
    flow: Flow,
    /// Its earliest entry in the heap.
    queued: Ns,
}

/// Something that a client begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) client: u32,
    pub(super) server: u32,
    /// Whom to ask instead, of resolvers.
    pub(super) other: u32,
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) canary: bool,
}

/// All flows.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) people: People,
    pub(super) experience: Experience,
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashMap<u128, u32, FixedState>,
    timers: BinaryHeap<Reverse<(Ns, u32)>>,
    /// The last source port of each client; the last entry is for hosts that are none.
    ports: Vec<u16>,
}

/// Where clients' ports begin, as most kernels have it.
const FIRST_PORT: u16 = 49_152;

impl Hosts {
    pub(super) fn new(people: People) -> Self {
        let ports = (0..=people.clients() as u64)
            .map(|n| super::draw::low16(super::draw::mix(5, n)))
            .collect();
        Self {
            people,
            experience: Experience::default(),
            slots: Vec::new(),
            free: Vec::new(),
            index: HashMap::with_hasher(FixedState::with_seed(0)),
            timers: BinaryHeap::new(),
            ports,
        }
    }

    /// When the next timer runs out, or one that was moved since.
    pub(super) fn deadline(&self) -> Ns {
        self.timers.peek().map_or(NEVER, |t| t.0.0)
    }

    /// Flows in memory, both ends counted.
    pub(super) fn flows(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A client begins something.
    pub(super) fn open(&mut self, now: Ns, opening: &Opening, out: &mut Vec<Packet>) {
        let Opening {
            client,
            server,
            other,
            kind,
            seed,
            canary,
        } = *opening;
        let Some(port) = self.port(client, server, kind) else {
            return;
        };
        let ends = Ends {
            here: client,
            there: server,
            ports: [port, kind.port()],
        };
        let around = &mut Around {
            out,
            experience: &mut self.experience,
            mute: false,
            quiet: false,
        };
        let flow = if kind.tcp() {
            Flow::Tcp(Connection::open(now, ends, kind, seed, canary, around))
        } else {
            Flow::Datagrams(Exchange::open(now, ends, kind, seed, other, canary, around))
        };
        self.insert(flow, key(kind.proto(), &ends));
    }

    /// Runs the timers that are due.
    pub(super) fn advance(&mut self, now: Ns, out: &mut Vec<Packet>) {
        while let Some(&Reverse((at, n))) = self.timers.peek() {
            if at > now {
                return;
            }
            self.timers.pop();
            let Some(slot) = self.slots.get_mut(n as usize) else {
                continue;
            };
            if slot.queued != at {
                continue;
            }
            slot.queued = NEVER;
            self.timer(now, n, out);
        }
    }

    fn timer(&mut self, now: Ns, n: u32, out: &mut Vec<Packet>) {
        let Some(slot) = self.slots.get_mut(n as usize) else {
            return;
        };
        let (experience, people) = (&mut self.experience, &self.people);
        let fate = match &mut slot.flow {
            Flow::Free => return,
            Flow::Tcp(c) if c.deadline() > now => Fate::Lives,
            Flow::Tcp(c) if c.resting() => return self.again(now, n, out),
            Flow::Tcp(c) => c.timer(now, &mut around(people, experience, c.ends.here, out)),
            Flow::Datagrams(e) => e.timer(now, &mut around(people, experience, e.ends.here, out)),
        };
        self.settle(n, fate);
    }

    /// A packet reached the host that has its destination address.
    pub(super) fn receive(&mut self, now: Ns, packet: &Packet, out: &mut Vec<Packet>) {
        let (Some(here), Some(there)) = (v4(packet.dst), v4(packet.src)) else {
            return;
        };
        let manner = match inside(here) {
            true if self.people.present(here) => Manner::Serves,
            true => Manner::Mute,
            false => self.people.manner(here),
        };
        if manner == Manner::Mute {
            return;
        }
        match &packet.body {
            Body::Tcp(segment) => self.segment(now, here, there, segment, manner, out),
            Body::Udp { ports: [_, port], .. } if inside(here) => self.answer(now, here, *port, 17, out),
            Body::Echo { request: false, id, .. } if inside(here) => self.answer(now, here, *id, 1, out),
            body => {
                if manner == Manner::Serves && served(body) {
                    datagram::reply(packet, out);
                }
            }
        }
    }

    fn segment(&mut self, now: Ns, here: u32, there: u32, s: &Segment, manner: Manner, out: &mut Vec<Packet>) {
        let ends = Ends {
            here,
            there,
            ports: [s.ports[1], s.ports[0]],
        };
        let key = key(6, &ends);
        let known = self.index.get(&key).copied();
        let (experience, people) = (&mut self.experience, &self.people);
        if let Some(n) = known
            && let Some(Slot { flow: Flow::Tcp(c), .. }) = self.slots.get_mut(n as usize)
        {
            let fate = c.segment(now, s, &mut around(people, experience, here, out));
            return self.settle(n, fate);
        }
        let around = &mut around(people, experience, here, out);
        let syn = s.has(flags::SYN) && !s.has(flags::ACK) && !s.has(flags::RST);
        if syn && !inside(here) && manner == Manner::Serves && served(&Body::Tcp(*s)) {
            let flow = Flow::Tcp(Connection::accept(now, ends, s, around));
            self.insert(flow, key);
        } else if !s.has(flags::RST) && (manner == Manner::Refuses || !people.stealthy(here)) {
            around.send(here, there, Body::Tcp(refusal(s)));
        }
    }

    fn answer(&mut self, now: Ns, here: u32, port: u16, proto: u8, out: &mut Vec<Packet>) {
        let ends = Ends {
            here,
            there: 0,
            ports: [port, 0],
        };
        let Some(&n) = self.index.get(&key(proto, &ends)) else {
            return;
        };
        let (experience, people) = (&mut self.experience, &self.people);
        if let Some(Slot {
            flow: Flow::Datagrams(e),
            ..
        }) = self.slots.get_mut(n as usize)
        {
            let fate = e.answer(now, &mut around(people, experience, here, out));
            self.settle(n, fate);
        }
    }

    /// Forgets what ran on hosts that are not there any more.
    pub(super) fn forget_absent(&mut self) {
        for n in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            if self
                .ends(n)
                .is_some_and(|(_, ends)| inside(ends.here) && !self.people.present(ends.here))
            {
                self.settle(n, Fate::Over);
            }
        }
    }

    /// The next attempt of a connection that failed.
    fn again(&mut self, now: Ns, n: u32, out: &mut Vec<Packet>) {
        let Some((_, ends)) = self.ends(n) else { return };
        let port = self.port(ends.here, ends.there, Kind::WebShort);
        let (Some(port), false, Some(slot)) = (port, self.people.quiet(ends.here), self.slots.get_mut(n as usize))
        else {
            return self.settle(n, Fate::Over);
        };
        if let Flow::Tcp(c) = &mut slot.flow {
            c.begin(
                now,
                port,
                &mut around(&self.people, &mut self.experience, ends.here, out),
            );
            self.index.insert(key(6, &c.ends), n);
        }
        self.settle(n, Fate::Lives);
    }

    fn insert(&mut self, flow: Flow, key: u128) {
        let slot = Slot { flow, queued: NEVER };
        let n = if let Some(n) = self.free.pop() {
            self.slots[n as usize] = slot;
            n
        } else {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        };
        self.index.insert(key, n);
        self.settle(n, Fate::Lives);
    }

    /// After each call: a flow is forgotten, or its timer set.
    fn settle(&mut self, n: u32, fate: Fate) {
        if fate != Fate::Lives
            && let Some((proto, ends)) = self.ends(n)
        {
            // A connection that rests has no place in the index, and its old one may be another's now.
            let key = key(proto, &ends);
            if self.index.get(&key) == Some(&n) {
                self.index.remove(&key);
            }
        }
        let Some(slot) = self.slots.get_mut(n as usize) else {
            return;
        };
        let at = match (&slot.flow, fate) {
            (Flow::Free, _) => return,
            (_, Fate::Over) => {
                *slot = Slot {
                    flow: Flow::Free,
                    queued: NEVER,
                };
                self.free.push(n);
                return;
            }
            (_, Fate::Retry(at)) => at,
            (Flow::Tcp(c), Fate::Lives) => c.deadline(),
            (Flow::Datagrams(e), Fate::Lives) => e.deadline(),
        };
        if at < slot.queued {
            slot.queued = at;
            self.timers.push(Reverse((at, n)));
        }
    }

    fn ends(&self, n: u32) -> Option<(u8, Ends)> {
        match &self.slots.get(n as usize)?.flow {
            Flow::Free => None,
            Flow::Tcp(c) => Some((6, c.ends)),
            Flow::Datagrams(e) if e.ends.ports[1] == 0 => Some((1, e.ends)),
            Flow::Datagrams(e) => Some((17, e.ends)),
        }
    }

    /// A source port that is free towards this server; none if a client has used them all up.
    fn port(&mut self, client: u32, server: u32, kind: Kind) -> Option<u16> {
        let n = self.people.client(client).unwrap_or(self.people.clients());
        let last = self.ports.get_mut(n)?;
        for _ in 0..64 {
            *last = last.wrapping_add(1).max(FIRST_PORT);
            let ends = Ends {
                here: client,
                there: server,
                ports: [*last, kind.port()],
            };
            if !self.index.contains_key(&key(kind.proto(), &ends)) {
                return Some(*last);
            }
        }
        None
    }
}

fn around<'a>(people: &People, experience: &'a mut Experience, here: u32, out: &'a mut Vec<Packet>) -> Around<'a> {
    let (mute, quiet) = if inside(here) {
        (false, people.quiet(here))
    } else {
        (people.manner(here) == Manner::Mute, false)
    };
    Around {
        out,
        experience,
        mute,
        quiet,
    }
}

/// Datagrams are found by the own port alone: the answer to a question may come from whom it was sent to at last.
fn key(proto: u8, ends: &Ends) -> u128 {
    let own = u128::from(ends.here) << 96 | u128::from(ends.ports[0]) << 16 | u128::from(proto);
    if proto == 6 {
        own | u128::from(ends.there) << 64 | u128::from(ends.ports[1]) << 32
    } else {
        own
    }
}

/// The RST of a host that knows nothing of a connection (RFC 9293, 3.10.7.1).
fn refusal(s: &Segment) -> Segment {
    let ports = [s.ports[1], s.ports[0]];
    if s.has(flags::ACK) {
        Segment {
            ports,
            flags: flags::RST,
            seq: s.ack,
            ..Segment::default()
        }
    } else {
        let ack = s.seq.wrapping_add(s.space());
        Segment {
            ports,
            flags: flags::RST | flags::ACK,
            ack,
            ..Segment::default()
        }
    }
}
