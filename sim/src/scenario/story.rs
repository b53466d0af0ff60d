//! Builds one run: the usual pair, a warm-up, then whatever the scenario tells.
//!
//! Whatever can be this or that large is drawn from the seed ([`Story::between`]), so that nobody fits a detector to it.

use super::LoadName;
use crate::Time;
use crate::dice::{self, Dice};
use crate::fault::Fault;
use crate::firewall::System;
use crate::setup::Setup;
use crate::site::{self, Node};
use crate::traffic::{Canary, Load, Mix, Probe};
use crate::truth::{Act, Grade, Outage, Right, Truth};
use pfsync_proto::Dialect;
use rand::RngExt;
use std::time::Duration;

/// A run that is being told.
pub struct Story {
    /// The world so far.
    pub setup: Setup,
    /// The truth so far.
    pub truth: Truth,
    /// When things begin to happen.
    pub start: Time,
    /// How long a trouble lasts at this load: long enough to be found where that is possible at all.
    pub lasts: Duration,
    sizes: Dice,
}

impl Story {
    /// The usual pair at this load. Systems and surroundings take turns with the seed; so does the phase between the
    /// fault and the timers of everything else.
    #[must_use]
    pub fn new(load: LoadName, seed: u64) -> Self {
        let mut dice = dice::stream(seed, "story");
        let (warm_up, lasts) = match load {
            LoadName::Busy => (60, 30),
            LoadName::Office => (90, 40),
            LoadName::Branch => (400, 60),
            LoadName::Night => (5_400, 900),
            LoadName::NightCanary => (600, 60),
        };
        let phase = Duration::from_millis(dice.random_range(0..4_000));
        let mut setup = Setup::pair(system(seed), numbers(load), seed);
        surroundings(&mut setup, load);
        if load == LoadName::NightCanary {
            setup.canaries = canaries();
        }
        Self {
            setup,
            truth: Truth::default(),
            start: Duration::from_secs(warm_up) + phase,
            lasts: Duration::from_secs(lasts),
            sizes: dice::stream(seed, "sizes"),
        }
    }

    /// How large something is in this run: the same for a seed at every load.
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        self.sizes.random_range(least..most)
    }

    /// How long.
    pub fn seconds(&mut self, least: f64, most: f64) -> Duration {
        Duration::from_secs_f64(self.between(least, most))
    }

    /// How many.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hundreds")]
    pub fn count(&mut self, least: f64, most: f64) -> u32 {
        self.between(least, most) as u32
    }

    /// The usual traffic, because another would hide this trouble or be the trouble itself.
    pub fn usual_traffic(&mut self) {
        self.setup.mix = Mix::standard();
    }

    /// The same, if there are few hosts: what happens to half of two hosts may happen to both.
    pub fn many_hosts(&mut self) {
        if self.setup.mix == Mix::few_hosts() {
            self.usual_traffic();
        }
    }

    /// When a trouble that began at `start` ends.
    #[must_use]
    pub fn healed(&self) -> Time {
        self.start + self.lasts
    }

    /// Something happens at `start`.
    pub fn begins(&mut self, fault: Fault) {
        self.at(self.start, fault);
    }

    /// Something happens when the trouble ends.
    pub fn ends(&mut self, fault: Fault) {
        self.at(self.healed(), fault);
    }

    /// Something happens.
    pub fn at(&mut self, at: Time, fault: Fault) {
        self.setup.faults.push((at, fault));
    }

    /// Traffic does not pass `node` while the trouble lasts.
    pub fn down(&mut self, node: Node, grade: Grade) {
        self.down_for(node, grade, self.start, self.healed());
    }

    /// The same for a part of it.
    pub fn down_for(&mut self, node: Node, grade: Grade, from: Time, to: Time) {
        self.truth.outages.push(Outage { node, from, to, grade });
    }

    /// `act` beside `node` is right while the trouble lasts.
    pub fn right(&mut self, node: Node, act: Act, wanted: bool) {
        self.right_for(node, act, wanted, self.start, self.healed());
    }

    /// The same for a part of it.
    pub fn right_for(&mut self, node: Node, act: Act, wanted: bool, from: Time, to: Time) {
        self.truth.actions.push(Right {
            node,
            act,
            from,
            to,
            wanted,
        });
    }

    /// The run ends a while after the trouble.
    #[must_use]
    pub(super) fn end(mut self) -> (Setup, Truth) {
        self.setup.length = self.healed() + self.lasts.min(Duration::from_secs(60));
        self.setup.faults.sort_by_key(|(at, _)| *at);
        (self.setup, self.truth)
    }
}

fn numbers(load: LoadName) -> Load {
    match load {
        LoadName::Busy => Load::BUSY,
        LoadName::Office => Load::OFFICE,
        LoadName::Branch => Load::BRANCH,
        LoadName::Night | LoadName::NightCanary => Load::NIGHT,
    }
}

/// Every system that is in use takes its turn.
fn system(seed: u64) -> System {
    match seed % 4 {
        0 | 2 => System::OpenBsd,
        1 => System::FreeBsd(Dialect::FreeBsd1400),
        _ => System::FreeBsd(if seed % 8 == 3 {
            Dialect::FreeBsd1301
        } else {
            Dialect::FreeBsd1500
        }),
    }
}

/// How the pair is set up and what its hosts do, each with a period of its own, so that in time everything meets
/// everything. Seed 1 has the plain pair.
fn surroundings(setup: &mut Setup, load: LoadName) {
    let seed = setup.seed;
    setup.defer = seed % 3 == 2;
    setup.unicast = matches!(seed % 5, 2 | 3);
    setup.carp_states = matches!(seed % 7, 3 | 5 | 6);
    match seed % 23 {
        21 => setup.mix = Mix::udp_only(),
        // Elsewhere they would be two connections, or more states than a table holds.
        22 if load == LoadName::Branch => setup.mix = Mix::keepalive_only(),
        0 if seed > 0 => setup.mix = Mix::few_hosts(),
        _ => {}
    }
}

/// Three hosts that each keep asking another target, once a second.
fn canaries() -> Vec<Canary> {
    (0..3)
        .map(|i| Canary {
            client: site::client(50_000 + i),
            server: site::server(50_000 + i),
            every: Duration::from_secs(1),
            kind: Probe::Tcp,
        })
        .collect()
}
