//! Hosts on both sides of the firewall and what they do, packet by packet.
//!
//! ```text
//!   arrivals --> hosts: a slab of connections (tcp, script) and exchanges (datagram) --> packets
//!   canaries --^    ^-- timers, packets that came            attack ------------------^
//! ```
//!
//! Called by the world, which carries the packets. Hosts really retransmit, give up and try again: what a watchdog hears
//! of an outage is made by them. Never knows what a firewall is.

pub mod arrivals;
mod attack;
mod datagram;
mod draw;
mod experience;
mod hosts;
mod mix;
mod people;
mod script;
mod slab;
mod tcp;

#[cfg(test)]
mod tests;

pub use experience::{Experience, Second};
pub use mix::{Kind, Load, Mix};

use crate::Time;
use crate::fault::Fault;
use crate::packet::Packet;
use arrivals::{Arrivals, resolver};
use attack::{Attack, Shape};
use draw::{NEVER, Ns, ns, time};
use hosts::{Hosts, Opening};
use people::People;
use std::net::IpAddr;
use std::time::Duration;

/// How a canary probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A handshake, closed at once.
    Tcp,
    /// One echo request.
    Icmp,
}

/// A host inside that opens something new at a steady pace. Its server answers, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Who; need not be one of the clients.
    pub client: IpAddr,
    /// Whom.
    pub server: IpAddr,
    /// How often.
    pub every: Duration,
    /// How.
    pub kind: Probe,
}

#[derive(Debug)]
struct Perch {
    opening: Opening,
    every: Ns,
    next: Ns,
    probes: u64,
}

/// All hosts.
#[derive(Debug)]
pub struct Traffic {
    hosts: Hosts,
    arrivals: Arrivals,
    next_arrival: Ns,
    canaries: Vec<Perch>,
    attacks: [Attack; 3],
    distance: f64,
}

impl Traffic {
    /// The hosts of a site, about to begin.
    #[must_use]
    pub fn new(load: &Load, mix: &Mix, canaries: &[Canary], seed: u64) -> Self {
        let arrivals = Arrivals::new(load, mix, seed);
        let people = People::new(load, mix, canaries, seed);
        let perches = canaries
            .iter()
            .zip(1_u64..)
            .filter_map(|(canary, n)| perch(canary, draw::mix(seed, n)));
        Self {
            distance: if load.distance.is_finite() {
                load.distance.clamp(0.0, 100.0)
            } else {
                1.0
            },
            next_arrival: arrivals.next_at(),
            arrivals,
            hosts: Hosts::new(people),
            canaries: perches.collect(),
            attacks: [Shape::Flood, Shape::Spoofed, Shape::Scan].map(|shape| Attack::new(shape, seed)),
        }
    }

    /// When [`Self::advance`] must be called at the latest. May be too early, never too late.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let canaries = self.canaries.iter().map(|c| c.next);
        let attacks = self.attacks.iter().map(Attack::deadline);
        let at = canaries
            .chain(attacks)
            .fold(self.next_arrival.min(self.hosts.deadline()), Ns::min);
        Some(at).filter(|&at| at != NEVER).map(time)
    }

    /// Timers: what hosts send now is appended.
    pub fn advance(&mut self, now: Time, out: &mut Vec<Packet>) {
        let now = ns(now);
        self.hosts.advance(now, out);
        while self.next_arrival <= now
            && let Some(arrival) = self.arrivals.next()
        {
            self.next_arrival = self.arrivals.next_at();
            let index = |n: usize| u32::try_from(n).unwrap_or(0);
            let client = people::client(index(arrival.client));
            if self.hosts.people.quiet(client) || !self.hosts.people.present(client) {
                continue;
            }
            let other = resolver(self.arrivals.servers(), index(arrival.client), true);
            let opening = Opening {
                client,
                server: people::server(index(arrival.server)),
                other: people::server(other),
                kind: arrival.kind,
                seed: arrival.seed,
                canary: false,
            };
            self.hosts.open(now, &opening, out);
        }
        for perch in &mut self.canaries {
            while perch.next <= now {
                let opening = Opening {
                    seed: draw::mix(perch.opening.seed, perch.probes),
                    ..perch.opening
                };
                self.hosts.open(now, &opening, out);
                perch.probes += 1;
                perch.next = perch.next.saturating_add(perch.every);
            }
        }
        for attack in &mut self.attacks {
            attack.advance(now, &self.hosts.people, out);
        }
    }

    /// A packet reached the host that has its destination address; what it sends at once is appended.
    pub fn receive(&mut self, now: Time, packet: Packet, out: &mut Vec<Packet>) {
        self.hosts.receive(ns(now), &packet, out);
    }

    /// Hosts die, fall silent, vanish, or begin to attack. What is not about hosts changes nothing here.
    pub fn change(&mut self, now: Time, fault: &Fault) {
        let people = &mut self.hosts.people;
        match *fault {
            Fault::ServersDead(share) => people.set_dead_share(share),
            Fault::ProxyHangs(hangs) => people.set_proxy_hangs(hangs),
            Fault::BusiestDead(n) => people.set_dead_busiest(n),
            Fault::Quiet(share) => people.set_quiet(share),
            Fault::ClientsGone(share) => {
                people.set_gone(share);
                self.hosts.forget_absent();
            }
            Fault::Flood(pace) => self.attacks[0].pace(ns(now), pace),
            Fault::SpoofedFlood(pace) => self.attacks[1].pace(ns(now), pace),
            Fault::Scan(pace) => self.attacks[2].pace(ns(now), pace),
            Fault::Load(factor) => {
                self.arrivals.scale(now, factor);
                self.next_arrival = self.arrivals.next_at();
            }
            _ => {}
        }
    }

    /// One-way delay of the path beyond the outside segment; fixed for each server.
    #[must_use]
    pub fn delay(&self, server: IpAddr) -> Duration {
        let usual = people::v4(server).map_or(Duration::from_millis(10), |address| time(people::delay(address)));
        usual.mul_f64(self.distance)
    }

    /// What users feel.
    #[must_use]
    pub fn experience(&self) -> &Experience {
        &self.hosts.experience
    }

    /// Flows that hosts have in memory; a connection is one at each end.
    #[must_use]
    pub fn flows(&self) -> usize {
        self.hosts.flows()
    }
}

/// None for a canary that cannot be: without an IPv4 address, or without pause.
fn perch(canary: &Canary, seed: u64) -> Option<Perch> {
    let kind = match canary.kind {
        Probe::Tcp => Kind::Probe,
        Probe::Icmp => Kind::Ping,
    };
    let (client, server) = (people::v4(canary.client)?, people::v4(canary.server)?);
    let every = Some(ns(canary.every)).filter(|&every| every > 0)?;
    let opening = Opening {
        client,
        server,
        other: server,
        kind,
        seed,
        canary: true,
    };
    Some(Perch {
        opening,
        every,
        next: seed % every,
        probes: 0,
    })
}
