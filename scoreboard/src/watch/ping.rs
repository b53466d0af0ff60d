//! Pings from the firewalls themselves, as ifstated(8) and home-made scripts send them.
//!
//! A node that reaches one of its targets no more is down and demotes itself; when it reaches all again, it takes that back.
//! This runs on every node, as the files that people copy do, but only a node on duty is said to be down: what else a
//! backup reaches concerns nobody yet.
//!
//! `ifstated` is the sample of /etc/examples/ifstated.conf: `ping -q -c 1 -w 1` every 10 s, one failure demotes, one
//! success takes it back. The scripts ping every second and want three failures in a row of the same target. What only
//! the node itself could notice ends with the node: a crashed one says nothing. Each kind is there with a look outside
//! alone, as most have it, and with one inside too, as those have it who read the manual to its end.

use super::{Act, Said, Watch};
use crate::pair::Pair;
use crate::scene::{Duty, Scene, Sound};
use pf_sim::Time;
use pf_sim::heard::{Heard, Target};
use pf_sim::site::Node;
use std::time::Duration;

/// What one node knows.
#[derive(Clone, Debug, Default)]
struct Beside {
    looks: Vec<Look>,
    failing: bool,
    last: Time,
}

/// What it knows of one target.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    failures: u32,
    /// The next ping that this one would have sent comes not before.
    due: Time,
}

/// See the module.
#[derive(Debug)]
pub struct Pings {
    name: &'static str,
    targets: &'static [Target],
    every: Duration,
    fall: u32,
    beside: Vec<Beside>,
    said: Said,
}

impl Pings {
    /// `ifstated` as it is shipped, with the router as the host that must answer.
    #[must_use]
    pub fn ifstated(pair: &Pair) -> Self {
        Self::every_ten("ifstated, ping 10 s", &[Target::Gateway], pair)
    }

    /// The same with a second test, as its manual joins them with `&&`.
    #[must_use]
    pub fn ifstated_both(pair: &Pair) -> Self {
        Self::every_ten("ifstated, router && inside", &[Target::Gateway, Target::Inside], pair)
    }

    fn every_ten(name: &'static str, targets: &'static [Target], pair: &Pair) -> Self {
        let every = Duration::from_secs(10);
        let mut pings = Self::new(name, targets, every, 1, pair);
        for (node, beside) in pings.beside.iter_mut().enumerate() {
            let due = phase(pair.seed, node, every);
            beside.looks.iter_mut().for_each(|look| look.due = due);
        }
        pings
    }

    /// A script that pings the router.
    #[must_use]
    pub fn script_gateway(pair: &Pair) -> Self {
        Self::new("ping router 3 x 1 s", &[Target::Gateway], Duration::ZERO, 3, pair)
    }

    /// A script that pings a host far away.
    #[must_use]
    pub fn script_internet(pair: &Pair) -> Self {
        Self::new("ping far host 3 x 1 s", &[Target::Internet], Duration::ZERO, 3, pair)
    }

    /// A script that pings a host far away and the clients' switch.
    #[must_use]
    pub fn script_both(pair: &Pair) -> Self {
        let targets = &[Target::Internet, Target::Inside];
        Self::new("ping far && inside 3 x 1 s", targets, Duration::ZERO, 3, pair)
    }

    fn new(name: &'static str, targets: &'static [Target], every: Duration, fall: u32, pair: &Pair) -> Self {
        let beside = Beside {
            looks: vec![Look::default(); targets.len()],
            ..Beside::default()
        };
        Self {
            name,
            targets,
            every,
            fall,
            beside: vec![beside; pair.nodes()],
            said: Said::default(),
        }
    }

    fn answer(&mut self, at: Time, node: Node, target: usize, ok: bool, pair: &Pair) {
        let fall = self.fall;
        let Some(b) = self.beside.get_mut(node) else { return };
        if pair.is_away(node, at) || b.looks[target].due > at {
            return;
        }
        if pair.began_anew(node, b.last, at) {
            // Its memory is gone, and the demotion in its kernel too.
            b.failing = false;
            b.looks.iter_mut().for_each(|look| look.failures = 0);
        }
        b.last = at;
        let look = &mut b.looks[target];
        while look.due <= at && !self.every.is_zero() {
            look.due += self.every;
        }
        look.failures = if ok { 0 } else { look.failures + 1 };
        let failing = b.looks.iter().any(|look| look.failures >= fall);
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
            Sound::Ping(node, target, ok) => {
                let Some(index) = self.targets.iter().position(|t| *t == target) else {
                    return;
                };
                self.answer(at, node, index, ok, scene.pair());
            }
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
