//! Pings from the firewalls themselves, as ifstated(8) and home-made scripts send them.
//!
//! A node that reaches its target no more is down and demotes itself; when it reaches it again, it takes that back.
//! This runs on every node, as the files that people copy do, but only a node on duty is said to be down: what else a
//! backup reaches concerns nobody yet.
//!
//! `ifstated` is the sample of /etc/examples/ifstated.conf: `ping -q -c 1 -w 1` every 10 s, one failure demotes, one
//! success takes it back. The scripts ping every second and want three failures in a row. What only the node itself
//! could notice ends with the node: a crashed one says nothing.

use super::{Act, Said, Watch};
use crate::pair::Pair;
use crate::scene::{Duty, Scene, Sound};
use pf_sim::Time;
use pf_sim::heard::{Heard, Target};
use pf_sim::site::Node;
use std::time::Duration;

/// What one node knows.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    failures: u32,
    failing: bool,
    /// The next ping that this one would have sent comes not before.
    due: Time,
    last: Time,
}

/// See the module.
#[derive(Debug)]
pub struct Pings {
    name: &'static str,
    target: Target,
    every: Duration,
    fall: u32,
    beside: Vec<Beside>,
    said: Said,
}

impl Pings {
    /// `ifstated` as it is shipped, with the router as the host that must answer.
    #[must_use]
    pub fn ifstated(pair: &Pair) -> Self {
        let every = Duration::from_secs(10);
        let mut pings = Self::new("ifstated, ping 10 s", Target::Gateway, every, 1, pair);
        for (node, beside) in pings.beside.iter_mut().enumerate() {
            beside.due = phase(pair.seed, node, every);
        }
        pings
    }

    /// A script that pings the router.
    #[must_use]
    pub fn script_gateway(pair: &Pair) -> Self {
        Self::new("ping router 3 x 1 s", Target::Gateway, Duration::ZERO, 3, pair)
    }

    /// A script that pings a host far away.
    #[must_use]
    pub fn script_internet(pair: &Pair) -> Self {
        Self::new("ping far host 3 x 1 s", Target::Internet, Duration::ZERO, 3, pair)
    }

    fn new(name: &'static str, target: Target, every: Duration, fall: u32, pair: &Pair) -> Self {
        Self {
            name,
            target,
            every,
            fall,
            beside: vec![Beside::default(); pair.nodes()],
            said: Said::default(),
        }
    }

    fn answer(&mut self, at: Time, node: Node, ok: bool, pair: &Pair) {
        let fall = self.fall;
        let Some(b) = self.beside.get_mut(node) else { return };
        if pair.is_away(node, at) || at < b.due {
            return;
        }
        if pair.began_anew(node, b.last, at) {
            // Its memory is gone, and the demotion in its kernel too.
            (b.failures, b.failing) = (0, false);
        }
        b.last = at;
        while b.due <= at && !self.every.is_zero() {
            b.due += self.every;
        }
        b.failures = if ok { 0 } else { b.failures + 1 };
        let failing = b.failures >= fall;
        if failing != b.failing {
            b.failing = failing;
            let act = if failing { Act::Demote } else { Act::Restore };
            self.said.deed(at, node, act, None);
        }
    }
}

/// A moment within `every` that belongs to this run and node: faults come at any time between two looks.
pub(super) fn phase(seed: u64, node: Node, every: Duration) -> Duration {
    let mut x = seed ^ ((node as u64) << 32);
    // splitmix64: neighbouring seeds give unrelated phases.
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    let nanos = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(x % nanos)
}

impl Watch for Pings {
    fn name(&self) -> &str {
        self.name
    }

    fn heard(&mut self, heard: &Heard, scene: &Scene) {
        let at = heard.at();
        match scene.sound() {
            Sound::Ping(node, target, ok) if target == self.target => self.answer(at, node, ok, scene.pair()),
            // Duty may have changed.
            Sound::Advertisement(..) | Sound::Pfsync(_) => {}
            _ => return,
        }
        for (node, b) in self.beside.iter().enumerate() {
            let down = b.failing && scene.duty(node) != Duty::Off;
            self.said.output(at, node, down);
        }
    }

    fn said(&self) -> &Said {
        &self.said
    }
}
