//! Who opens what to whom, and when. Knows no packets: a simulation of evidence alone draws the same arrivals.
//!
//! Openings come in small groups (a page needs several connections), the groups as a Poisson process: what a watchdog
//! sees is burstier, and silent for longer, than single openings at the same rate would be.

use super::draw::{NEVER, Ns, SEC, at_quantile, between, exponential, mix, ns, secs, time};
use super::mix::{Kind, Load, Mix};
use crate::Time;
use crate::dice::{self, Dice};
use rand::{Rng, RngExt};
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What ran before the start begins within this time.
const RAMP: f64 = 30.0;

/// Share of the openings of connections that go to an address where nobody answers or everything is refused: old
/// bookmarks, blocked advertisements, machines that were taken away.
pub(super) const BAD: f64 = 0.02;

/// Share of the busiest hour by hour of the day, midnight to midnight.
const DAY: [f64; 25] = [
    0.08, 0.06, 0.05, 0.05, 0.05, 0.07, 0.15, 0.35, 0.70, 0.92, 1.00, 0.98, 0.75, 0.85, 0.98, 0.97, 0.88, 0.65, 0.40,
    0.28, 0.24, 0.22, 0.18, 0.12, 0.08,
];

/// One opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// Index of the client, see [`crate::site::client`].
    pub client: usize,
    /// Index of the server, see [`crate::site::server`]; the busiest first. From [`Arrivals::servers`] on nobody answers.
    pub server: usize,
    /// What for.
    pub kind: Kind,
    /// All that is random in the flow's life follows from this.
    pub seed: u64,
    /// It was running before the start; it does not count as an opening.
    pub already: bool,
}

/// A later member of a group: (when, serial number, opening). The serial number decides between equal times.
type Pending = Reverse<(Ns, u64, [u32; 2], Kind, u64, bool)>;

/// The openings in the order of time; endless, unless nothing is ever opened.
#[derive(Debug)]
pub struct Arrivals {
    dice: Dice,
    kinds: Vec<Kind>,
    groups: Option<WeightedAliasIndex<f64>>,
    clients: Option<WeightedAliasIndex<f64>>,
    popular: Option<WeightedAliasIndex<f64>>,
    servers: usize,
    /// Groups a second at the busiest hour.
    rate: f64,
    factor: f64,
    daily: bool,
    next_group: Ns,
    serial: u64,
    pending: BinaryHeap<Pending>,
}

impl Arrivals {
    /// The openings of a site. The same for equal arguments.
    #[must_use]
    pub fn new(load: &Load, mix: &Mix, seed: u64) -> Self {
        let groups: Vec<f64> = mix
            .shares()
            .iter()
            .map(|&(kind, share)| share / mean(kind.together()))
            .collect();
        let flows = if load.flows_per_second.is_finite() {
            load.flows_per_second.max(0.0)
        } else {
            0.0
        };
        let servers = mix.servers(load);
        let mut this = Self {
            dice: dice::stream(seed, "traffic arrivals"),
            kinds: mix.shares().iter().map(|s| s.0).collect(),
            rate: flows * groups.iter().sum::<f64>(),
            groups: WeightedAliasIndex::new(groups).ok(),
            clients: zipf(mix.clients(load), |n| 1.0 / n.sqrt()),
            popular: zipf(servers.saturating_sub(resolvers(servers)).max(1), |n| 1.0 / n),
            servers,
            factor: 1.0,
            daily: load.daily,
            next_group: NEVER,
            serial: 0,
            pending: BinaryHeap::new(),
        };
        this.begin(mix, flows * if load.daily { curve(0) } else { 1.0 });
        this.next_group = this.draw_group(0);
        this
    }

    /// How many servers answer; addresses of higher index do not.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.servers
    }

    /// When the next one is.
    #[must_use]
    pub fn peek(&self) -> Option<Time> {
        Some(self.next_at()).filter(|&at| at != NEVER).map(time)
    }

    /// From `now` on the rate is multiplied by this, relative to what was configured. 0 stops until the next change.
    pub fn scale(&mut self, now: Time, factor: f64) {
        self.factor = if factor.is_finite() { factor.max(0.0) } else { 1.0 };
        // The wait for the next group has no memory, so it may begin again.
        self.next_group = self.draw_group(ns(now));
    }

    pub(super) fn next_at(&self) -> Ns {
        self.pending.peek().map_or(NEVER, |p| p.0.0).min(self.next_group)
    }

    /// What runs already: the long-lived kinds, as many as there are in the mean.
    fn begin(&mut self, mix: &Mix, flows: f64) {
        for &(kind, share) in mix.shares() {
            let Some(life) = kind.life() else { continue };
            let expected = flows * share * life;
            let whole = expected + self.dice.random::<f64>();
            for _ in 0..super::draw::count(whole) {
                let at = secs(between(&mut self.dice, 0.0, RAMP));
                let ends = self.ends(kind);
                self.push(at, ends, kind, true);
            }
        }
    }

    /// A Poisson process of changing rate: draw at the highest, keep by the curve.
    fn draw_group(&mut self, mut at: Ns) -> Ns {
        let rate = self.rate * self.factor;
        if rate <= 0.0 || self.groups.is_none() {
            return NEVER;
        }
        loop {
            at = at.saturating_add(secs(exponential(&mut self.dice, 1.0 / rate)));
            if !self.daily || at == NEVER || self.dice.random::<f64>() < curve(at) {
                return at;
            }
        }
    }

    fn ends(&mut self, kind: Kind) -> [u32; 2] {
        let client = sample(self.clients.as_ref(), &mut self.dice);
        [client, self.server(kind, client)]
    }

    fn server(&mut self, kind: Kind, client: u32) -> u32 {
        let servers = u32::try_from(self.servers).unwrap_or(u32::MAX);
        if kind == Kind::Dns {
            return resolver(self.servers, client, false);
        }
        if (kind.tcp() || kind == Kind::Ping) && self.dice.random::<f64>() < BAD {
            return servers + self.dice.random_range(0..u32::try_from(bad(self.servers)).unwrap_or(1));
        }
        // The resolvers stand behind the busiest server and serve names only.
        match sample(self.popular.as_ref(), &mut self.dice) {
            0 => 0,
            n => n + u32::try_from(resolvers(self.servers)).unwrap_or(0),
        }
    }

    fn arrival(&mut self, at: Ns, ends: [u32; 2], kind: Kind, already: bool) -> Pending {
        self.serial += 1;
        let seed = mix(self.dice.next_u64(), self.serial);
        Reverse((at, self.serial, ends, kind, seed, already))
    }

    fn push(&mut self, at: Ns, ends: [u32; 2], kind: Kind, already: bool) {
        let later = self.arrival(at, ends, kind, already);
        self.pending.push(later);
    }

    /// The next group begins: its first member; the others wait for their time.
    fn group(&mut self) -> Option<Pending> {
        let at = self.next_group;
        let n = sample(self.groups.as_ref(), &mut self.dice) as usize;
        self.next_group = self.draw_group(at);
        let &kind = self.kinds.get(n)?;
        let [client, first] = self.ends(kind);
        let (mut later, mut u) = (at, self.dice.random::<f64>());
        let apart = if kind == Kind::Dns { 0.0005 } else { 0.15 };
        for share in kind.together() {
            u -= share;
            if u < 0.0 {
                break;
            }
            later = later.saturating_add(secs(exponential(&mut self.dice, apart)));
            let same = self.dice.random::<f64>() < 0.6;
            let server = if same { first } else { self.server(kind, client) };
            self.push(later, [client, server], kind, false);
        }
        Some(self.arrival(at, [client, first], kind, false))
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let next = match self.pending.peek() {
            Some(p) if p.0.0 <= self.next_group => self.pending.pop(),
            _ if self.next_group == NEVER => None,
            _ => self.group(),
        };
        let Reverse((at, _, [client, server], kind, seed, already)) = next?;
        Some(Arrival {
            at: time(at),
            client: client as usize,
            server: server as usize,
            kind,
            seed,
            already,
        })
    }
}

/// How many resolvers there are besides the other servers.
fn resolvers(servers: usize) -> usize {
    servers.saturating_sub(1).min(2)
}

/// The resolver that a client asks, or the one that it asks if that does not answer.
pub(super) fn resolver(servers: usize, client: u32, other: bool) -> u32 {
    match resolvers(servers) {
        0 => 0,
        1 => 1,
        _ => 1 + u32::from((mix(53, client.into()) % 5 < 2) != other),
    }
}

/// How many addresses there are that never answer.
pub(super) fn bad(servers: usize) -> usize {
    (servers / 100).max(3)
}

/// The mean length of a group.
fn mean(together: &[f64]) -> f64 {
    together
        .iter()
        .zip(1_u32..)
        .map(|(share, n)| share * f64::from(n))
        .sum()
}

/// Popularity that falls with the rank.
fn zipf(n: usize, weight: fn(f64) -> f64) -> Option<WeightedAliasIndex<f64>> {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    WeightedAliasIndex::new((1..=n).map(|rank| weight(rank.into())).collect()).ok()
}

fn sample(table: Option<&WeightedAliasIndex<f64>>, dice: &mut Dice) -> u32 {
    table.map_or(0, |t| u32::try_from(t.sample(dice)).unwrap_or(0))
}

/// The share of the busiest hour's rate at a time of day.
fn curve(at: Ns) -> f64 {
    let second = at / SEC % 86_400;
    at_quantile(&DAY, f64::from(u32::try_from(second).unwrap_or(0)) / 86_400.0)
}

#[cfg(test)]
#[path = "tests/arrivals.rs"]
mod tests;
