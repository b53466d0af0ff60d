//! All hosts: which flow a packet or a timer is for, and what a host does with a packet that is for none.

use super::datagram::{self, Exchange};
use super::draw::Ns;
use super::experience::Experience;
use super::mix::{Kind, served};
use super::people::{Manner, People, inside, proxy, v4};
use super::slab::{Flow, Slab, key};
use super::tcp::{Around, Connection, Ends, Fate};
use crate::packet::{Body, Packet, Segment, flags};

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
    pub(super) slab: Slab,
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
            slab: Slab::new(),
            ports,
        }
    }

    /// When the next timer runs out, or one that was moved since.
    pub(super) fn deadline(&self) -> Ns {
        self.slab.deadline()
    }

    /// Flows in memory, both ends counted.
    pub(super) fn flows(&self) -> usize {
        self.slab.len()
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
        let Some(port) = self.port(client, server, kind.port(), kind.proto()) else {
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
        self.slab.insert(flow, key(kind.proto(), &ends));
    }

    /// Runs the timers that are due.
    pub(super) fn advance(&mut self, now: Ns, out: &mut Vec<Packet>) {
        while let Some(n) = self.slab.due(now) {
            self.timer(now, n, out);
        }
    }

    fn timer(&mut self, now: Ns, n: u32, out: &mut Vec<Packet>) {
        let (experience, people) = (&mut self.experience, &self.people);
        let fate = match self.slab.flow(n) {
            None | Some(Flow::Free) => return,
            Some(Flow::Tcp(c)) if c.deadline() > now => Fate::Lives,
            Some(Flow::Tcp(c)) if c.resting() => return self.again(now, n, out),
            Some(Flow::Tcp(c)) => c.timer(now, &mut around(people, experience, c.ends.here, out)),
            Some(Flow::Datagrams(e)) => e.timer(now, &mut around(people, experience, e.ends.here, out)),
        };
        self.slab.settle(n, fate);
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
        let (experience, people) = (&mut self.experience, &self.people);
        if let Some(n) = self.slab.find(key)
            && let Some(Flow::Tcp(c)) = self.slab.flow(n)
        {
            let fate = c.segment(now, s, &mut around(people, experience, here, out));
            return self.slab.settle(n, fate);
        }
        let around = &mut around(people, experience, here, out);
        let syn = s.has(flags::SYN) && !s.has(flags::ACK) && !s.has(flags::RST);
        if syn && !inside(here) && manner == Manner::Serves && (served(&Body::Tcp(*s)) || proxy(here)) {
            let flow = Flow::Tcp(Connection::accept(now, ends, s, around));
            self.slab.insert(flow, key);
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
        let Some(n) = self.slab.find(key(proto, &ends)) else {
            return;
        };
        let (experience, people) = (&mut self.experience, &self.people);
        if let Some(Flow::Datagrams(e)) = self.slab.flow(n) {
            let fate = e.answer(now, &mut around(people, experience, here, out));
            self.slab.settle(n, fate);
        }
    }

    /// Forgets what ran on hosts that are not there any more.
    pub(super) fn forget_absent(&mut self) {
        for n in self.slab.numbers() {
            let here = self.slab.ends(n).map(|(_, ends)| ends.here);
            if here.is_some_and(|here| inside(here) && !self.people.present(here)) {
                self.slab.settle(n, Fate::Over);
            }
        }
    }

    /// The next attempt of a connection that failed, unless its user has left.
    fn again(&mut self, now: Ns, n: u32, out: &mut Vec<Packet>) {
        let Some((_, ends)) = self.slab.ends(n) else { return };
        let port = self.port(ends.here, ends.there, ends.ports[1], 6);
        if let (Some(port), false, Some(Flow::Tcp(c))) = (port, self.people.quiet(ends.here), self.slab.flow(n)) {
            c.begin(
                now,
                port,
                &mut around(&self.people, &mut self.experience, ends.here, out),
            );
            let key = key(6, &c.ends);
            self.slab.enter(n, key);
            self.slab.settle(n, Fate::Lives);
        } else {
            self.slab.settle(n, Fate::Over);
        }
    }

    /// A source port that is free towards this server; none if a client has used them all up.
    fn port(&mut self, client: u32, server: u32, to: u16, proto: u8) -> Option<u16> {
        let n = self.people.client(client).unwrap_or(self.people.clients());
        let last = self.ports.get_mut(n)?;
        for _ in 0..64 {
            *last = last.wrapping_add(1).max(FIRST_PORT);
            let ends = Ends {
                here: client,
                there: server,
                ports: [*last, to],
            };
            if self.slab.find(key(proto, &ends)).is_none() {
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
