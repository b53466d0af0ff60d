//! What a watcher is told before a run: the pair as its configuration would describe it, and nothing of what will
//! happen.
//!
//! Made from a setup of the simulator (or by hand in tests), read by scene and watchers.

use crate::scene::Vhost;
use pf_sim::Time;
use pf_sim::fault::Fault;
use pf_sim::setup::Setup;
use pf_sim::site::{Net, Node};
use pf_sim::traffic;
use pfwatch::settings::Canary;
use std::time::Duration;

/// A span in which a node, and everything that runs on it, is dead. What ran on it starts anew afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which node.
    pub node: Node,
    /// From.
    pub from: Time,
    /// To (exclusive).
    pub to: Time,
}

/// The firewalls under watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// CARP's `advskew` of each node, in order; its length is the number of nodes. Where the nodes share the load, these
    /// are turned round by one node from vhid to vhid.
    pub advskew: Vec<u8>,
    /// CARP's `advbase` of all.
    pub advbase: u8,
    /// Virtual hosts on each segment.
    pub vhids: u8,
    /// The outside segment prefers the next node.
    pub asymmetric: bool,
    /// Flows that a host keeps opening.
    pub canaries: Vec<Canary>,
    /// Unix nanoseconds at the start of the run.
    pub epoch: i64,
    /// How long the run is.
    pub length: Time,
    /// When a watchdog beside a node does not run because the node does not.
    pub away: Vec<Away>,
    /// When the wall clock of every watching host jumps, and by how many nanoseconds.
    pub steps: Vec<(Time, i64)>,
    /// Makes the phase of those who look only now and then differ between runs.
    pub seed: u64,
}

impl Pair {
    /// The pair of a simulation, as its operator would describe it.
    #[must_use]
    pub fn of(setup: &Setup) -> Self {
        let canary = |c: &traffic::Canary| Canary {
            from: c.client,
            to: c.server,
            proto: match c.kind {
                traffic::Probe::Tcp => 6,
                traffic::Probe::Icmp => 1,
            },
            every: c.every,
        };
        Self {
            advskew: setup.nodes.iter().map(|n| n.advskew).collect(),
            advbase: setup.advbase,
            vhids: setup.vhids,
            asymmetric: setup.asymmetric,
            canaries: setup.canaries.iter().map(canary).collect(),
            epoch: setup.epoch,
            length: setup.length,
            away: away(setup),
            steps: steps(setup),
            seed: setup.seed,
        }
    }

    /// Two nodes, the first preferred, with CARP's defaults.
    #[must_use]
    pub fn plain(length: Time) -> Self {
        Self {
            advskew: vec![0, 100],
            advbase: 1,
            vhids: 1,
            asymmetric: false,
            canaries: Vec::new(),
            epoch: 1_790_000_000_000_000_000,
            length,
            away: Vec::new(),
            steps: Vec::new(),
            seed: 1,
        }
    }

    /// How many.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.advskew.len()
    }

    /// Whose view health is taken from: the node that comes second in CARP's order, as in most pairs the only one
    /// that has anything to do when the first fails.
    #[must_use]
    pub fn backup(&self) -> Node {
        let mut order: Vec<Node> = (0..self.nodes()).collect();
        order.sort_by_key(|&n| (self.advskew[n], n));
        order.get(1).or(order.first()).copied().unwrap_or(0)
    }

    /// Whether `node` is dead at `at`.
    #[must_use]
    pub fn is_away(&self, node: Node, at: Time) -> bool {
        let holds = |a: &Away| a.node == node && a.from <= at && at < a.to;
        self.away.iter().any(holds)
    }

    /// Whether `node` began anew after `before` and up to `at`.
    #[must_use]
    pub fn began_anew(&self, node: Node, before: Time, at: Time) -> bool {
        let holds = |a: &Away| a.node == node && before < a.to && a.to <= at;
        self.away.iter().any(holds)
    }

    /// What a node adds to the interval of its advertisements, in 1/256 s.
    #[must_use]
    pub fn skew(&self, node: Node, (net, vhid): Vhost) -> u8 {
        let nodes = self.nodes().max(1);
        let spread = if self.vhids > 1 {
            usize::from(vhid.saturating_sub(1))
        } else {
            0
        };
        let turn = (spread + usize::from(self.asymmetric && net == Net::Wan)) % nodes;
        self.advskew.get((node + nodes - turn) % nodes).copied().unwrap_or(0)
    }

    /// How long a CARP backup waits for advertisements before it takes over: `3 * advbase + advskew / 256`, with the
    /// backup's own skew (`carp_setrun`). The one with the smallest skew among the others is the first to do so.
    #[must_use]
    pub fn master_timeout(&self, master: Node, vhost: Vhost) -> Duration {
        let others = (0..self.nodes()).filter(|&n| n != master);
        let skew = others.map(|n| self.skew(n, vhost)).min().unwrap_or(0);
        let parts = |n: u32| Duration::from_secs(1) * n / 256;
        match self.advbase {
            0 => parts(3 * u32::from(skew.max(1))),
            base => Duration::from_secs(3) * u32::from(base) + parts(u32::from(skew)),
        }
    }
}

/// When the clock jumps.
fn steps(setup: &Setup) -> Vec<(Time, i64)> {
    #[expect(clippy::cast_possible_truncation, reason = "steps of hours")]
    let step = |(at, fault): &(Time, Fault)| match fault {
        Fault::ClockStep(seconds) => Some((*at, (seconds * 1e9) as i64)),
        _ => None,
    };
    let mut steps: Vec<_> = setup.faults.iter().filter_map(step).collect();
    steps.sort_unstable();
    steps
}

/// When each node is dead. One that is frozen goes on afterwards; who sits on it hears that as a stall of his own.
fn away(setup: &Setup) -> Vec<Away> {
    let mut faults = setup.faults.clone();
    faults.sort_by_key(|(at, _)| *at);
    let mut away: Vec<Away> = Vec::new();
    for (from, fault) in faults {
        match fault {
            Fault::Crash(node) => away.push(Away {
                node,
                from,
                to: Time::MAX,
            }),
            Fault::Boot(node) => match away.iter_mut().find(|a| a.node == node && a.to == Time::MAX) {
                Some(crashed) => crashed.to = from,
                None => away.push(Away { node, from, to: from }),
            },
            _ => {}
        }
    }
    away
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_sim::firewall::System;
    use pf_sim::traffic::Load;

    #[test]
    fn a_node_is_away_from_crash_to_boot_and_not_while_it_is_frozen() {
        let s = Duration::from_secs;
        let setup = Setup::pair(System::OpenBsd, Load::OFFICE, 1)
            .with(s(50), Fault::Boot(0))
            .with(s(20), Fault::Crash(0))
            .with(s(30), Fault::Freeze(1, s(5)))
            .with(s(70), Fault::Crash(1))
            .with(s(80), Fault::Boot(0));
        let pair = Pair::of(&setup);
        let spans: Vec<_> = pair.away.iter().map(|a| (a.node, a.from, a.to)).collect();
        let wanted = [(0, s(20), s(50)), (1, s(70), Time::MAX), (0, s(80), s(80))];
        assert_eq!(spans, wanted);
        assert!(pair.is_away(0, s(20)) && !pair.is_away(0, s(50)));
        assert!(pair.began_anew(0, s(79), s(80)) && !pair.began_anew(0, s(50), s(79)));
        assert!(!pair.began_anew(1, s(1), s(60)));
    }

    const LAN: Vhost = (Net::Lan, 1);

    #[test]
    fn the_backup_is_the_second_in_carps_order() {
        let mut pair = Pair::plain(Duration::ZERO);
        assert_eq!(pair.backup(), 1);
        pair.advskew = vec![200, 0, 100];
        assert_eq!(pair.backup(), 2);
    }

    #[test]
    fn carp_waits_three_intervals_and_the_skew_of_who_waits() {
        let mut pair = Pair::plain(Duration::ZERO);
        assert_eq!(pair.master_timeout(0, LAN), Duration::from_nanos(3_390_625_000));
        assert_eq!(pair.master_timeout(1, LAN), Duration::from_secs(3));
        pair.advskew = vec![0, 100, 50];
        pair.advbase = 2;
        assert_eq!(pair.master_timeout(0, LAN), Duration::from_nanos(6_195_312_500));
    }

    #[test]
    fn preferences_are_turned_where_the_load_is_shared() {
        let mut pair = Pair::plain(Duration::ZERO);
        pair.vhids = 2;
        let skews = |pair: &Pair, vhost| [0, 1].map(|n| pair.skew(n, vhost));
        assert_eq!(skews(&pair, LAN), [0, 100]);
        assert_eq!(skews(&pair, (Net::Wan, 2)), [100, 0]);
        (pair.vhids, pair.asymmetric) = (1, true);
        assert_eq!(skews(&pair, LAN), [0, 100]);
        assert_eq!(skews(&pair, (Net::Wan, 1)), [100, 0]);
    }
}
