//! Flows that a host keeps opening through the firewalls: known, regular demand that the operator vouches for.
//!
//! `Canaries` knows which they are, what is usual for each, and where it was heard last; what one (node, path) hears of them,
//! and what that is worth, is in `songs`. Used by `detect` and `path`. A canary counts as a host like others, too.

mod songs;
#[cfg(test)]
mod tests;

pub use songs::{Doubt, Songs, Worth};

use super::memory::{CanaryMemory, weight};
use super::rates::Rates;
use crate::event::NodeId;
use crate::settings;
use crate::track::flow::{Class, Outcome};
use crate::track::zones::{address, octets};
use crate::track::{HostKey, Observation};
use std::time::Duration;

/// Looked at, at most; the configuration is written by hand.
const MOST: usize = 64;
/// After this many failures in a row it was an outage, of whomever: nothing that is usual for this canary.
const STREAK: u32 = 5;
/// A canary is late after this many of its intervals, and what pfsync takes to say so.
const LATE: u32 = 3;
const SLACK: Duration = Duration::from_secs(2);

/// One canary.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Initiator and responder.
    hosts: (HostKey, HostKey),
    every: Duration,
    /// What is usual for it, through whichever node.
    rates: Rates,
    /// Answers so far, those of runs before this one included. Without any it was never right, and proves nothing.
    answers: u32,
    streak: u32,
    place: Option<NodeId>,
}

impl Canary {
    /// After how long without a try, or an answer, something is wrong.
    fn late(&self) -> Duration {
        self.every * LATE + SLACK
    }
}

/// A try of a canary, and what it would be worth if it failed.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// Which canary.
    pub index: usize,
    /// How usual its outcome is, in parts of how usual it would be were all dead.
    pub ratio: f64,
}

/// All canaries.
#[derive(Clone, Debug, Default)]
pub struct Canaries {
    list: Vec<Canary>,
}

impl Canaries {
    /// As configured. Two between the same hosts are one.
    #[must_use]
    pub fn new(configured: &[settings::Canary]) -> Self {
        let mut list: Vec<Canary> = Vec::new();
        for c in configured.iter().take(MOST) {
            let hosts = (octets(c.from), octets(c.to));
            if let Some(same) = list.iter_mut().find(|k| k.hosts == hosts) {
                same.every = same.every.min(c.every);
                continue;
            }
            list.push(Canary {
                hosts,
                every: c.every,
                rates: Rates::default(),
                answers: 0,
                streak: 0,
                place: None,
            });
        }
        Self { list }
    }

    /// What was learned of them.
    #[must_use]
    pub fn remember(&self) -> Vec<CanaryMemory> {
        let heard = self.list.iter().filter(|c| c.answers > 0);
        heard
            .map(|c| CanaryMemory {
                from: address(c.hosts.0),
                to: address(c.hosts.1),
                outcomes: c.rates.remember(),
                answers: c.answers,
            })
            .collect()
    }

    /// Takes back what was learned once; of canaries that are not configured any more, nothing.
    pub fn recall(&mut self, memory: &[CanaryMemory], age: Duration) {
        let weight = weight(age);
        for m in memory.iter().filter(|_| weight > 0.0) {
            let hosts = (octets(m.from), octets(m.to));
            if let Some(c) = self.list.iter_mut().find(|c| c.hosts == hosts) {
                c.rates.recall(&m.outcomes, weight);
                c.answers = m.answers;
            }
        }
    }

    /// Whether this is the initiator (or responder) of one.
    #[must_use]
    pub fn vouches(&self, client: bool, host: &HostKey) -> bool {
        self.list
            .iter()
            .any(|c| *host == if client { c.hosts.0 } else { c.hosts.1 })
    }

    /// Takes an observation in, if it is a canary's: something new between its two hosts.
    pub fn take(&mut self, node: NodeId, o: &Observation) -> Option<Try> {
        if self.list.is_empty() {
            return None;
        }
        let hosts = o.hosts?;
        let (index, canary) = self.list.iter_mut().enumerate().find(|(_, c)| c.hosts == hosts)?;
        if o.trial.is_some_and(|(class, _)| !class.opens()) {
            return None;
        }
        canary.place = Some(node);
        let answered = matches!(o.trial, Some((_, Outcome::Success | Outcome::Pair)));
        let ratio = o.trial.map_or(1.0, |(class, outcome)| {
            let outcome = outcome.alone(true);
            canary.note(class, outcome)
        });
        if answered {
            canary.answers = canary.answers.saturating_add(1);
            canary.streak = 0;
        }
        Some(Try { index, ratio })
    }
}

impl Canary {
    /// Learns once it is answered again, unless that took so long that it was an outage.
    fn note(&mut self, class: Class, outcome: Outcome) -> f64 {
        let ratio = self.rates.ratio(class, outcome);
        if outcome == Outcome::Success && self.streak > STREAK {
            self.rates.discard();
        }
        self.rates.note(class, outcome);
        if outcome == Outcome::Success {
            self.rates.commit();
        } else {
            self.streak = self.streak.saturating_add(1);
        }
        ratio
    }
}
