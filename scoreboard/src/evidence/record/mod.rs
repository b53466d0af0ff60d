//! Records lives: runs the world frame by frame and sorts what the tracker told by connection.
//!
//! The recording site has so many hosts that two of them hardly ever meet twice: then all that is told of a pair of
//! hosts is one connection with its retries. Each run is made six times from the same dice, once well, once for each trouble
//! and once with clients that fall quiet, and the runs are the same until that begins: so it is known of each connection
//! under way what it would have told, from where on it tells something else, and what was told as it was because it waited
//! for a flush.

mod draft;
mod run;
mod told;

use super::life::Library;
use draft::Draft;
use pf_sim::firewall::System;
use pf_sim::traffic::{Canary, Load, Mix};
use run::Recorder;
use std::time::Duration;

/// Hosts on each side of the recording site.
const HOSTS: usize = 50_000;

/// How much is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Runs, each of other dice.
    pub runs: u64,
    /// Until the trouble begins.
    pub cut: Duration,
    /// From then on.
    pub rest: Duration,
}

impl Plan {
    /// Enough for this load: some thousand openings, and some hundred connections under way when a trouble begins. What
    /// lasts longer than a recording goes on from its middle.
    #[must_use]
    pub fn of(load: &Load) -> Self {
        let plan = |runs, cut, rest| Self {
            runs,
            cut: Duration::from_secs(cut),
            rest: Duration::from_secs(rest),
        };
        match load.flows_per_second {
            r if r > 100.0 => plan(1, 60, 60),
            r if r > 30.0 => plan(2, 80, 80),
            r if r > 10.0 => plan(4, 120, 120),
            r if r > 4.0 => plan(6, 200, 200),
            r if r > 1.0 => plan(16, 300, 300),
            r if r > 0.4 => plan(24, 600, 500),
            _ => plan(60, 1_500, 900),
        }
    }

    /// A small part of it, for tests.
    #[must_use]
    pub fn short(self) -> Self {
        Self {
            runs: self.runs.min(2),
            ..self
        }
    }
}

/// Records a site of this load on this system.
#[must_use]
pub fn library(load: &Load, mix: &Mix, canaries: &[Canary], system: System, plan: Plan, seed: u64) -> Library {
    let mut draft = Draft::default();
    let recorder = Recorder {
        load: Load {
            clients: HOSTS,
            servers: HOSTS,
            daily: false,
            ..*load
        },
        mix,
        canaries,
        system,
        plan,
    };
    for run in 0..plan.runs {
        recorder.run(&mut draft, seed.wrapping_mul(1_000).wrapping_add(run));
    }
    draft.library(load.flows_per_second, plan, seed)
}
