//! Flows that a host keeps opening through the firewalls: known, regular demand that the operator vouches for.
//!
//! `Canaries` knows which they are, what is usual for each, and where it was heard last; `Songs` is what one (node, path)
//! hears of them. Used by `detect` and `path`. A canary counts as a host like others too; what it is worth beside that is
//! said here: how rarely the two hosts that the operator chose are the ones that are dead.

#[cfg(test)]
mod tests;

use super::hosts::{LAG, Slot};
use super::memory::{CanaryMemory, weight};
use super::rates::Rates;
use crate::event::NodeId;
use crate::settings;
use crate::time::Timestamp;
use crate::track::flow::{Class, Movement, Outcome};
use crate::track::zones::{address, octets};
use crate::track::{HostKey, Observation};
use std::time::Duration;

/// Probability that a canary's target is dead just now although the firewall is well: three outages of five minutes a year.
/// Two canaries without a host in common then reach what `1 per 10y` asks for, one does with a split of CARP, and one
/// alone stays between suspicion and `down`.
pub const CANARY_GONE: f64 = 3e-5;
/// Looked at, at most; the configuration is written by hand.
const MOST: usize = 64;
/// After this many failures in a row it was an outage, of whomever: nothing that is usual for this canary.
const STREAK: u32 = 5;
/// Answers through a node after which a canary that is not heard there is missing.
const REGULAR: u32 = 3;
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
        let answered = matches!(o.movement, Movement::EndToEnd | Movement::PairEndToEnd);
        let ratio = o.trial.map_or(1.0, |(class, outcome)| {
            let outcome = if answered { Outcome::Success } else { outcome };
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

/// What one (node, path) heard of one canary.
#[derive(Clone, Copy)]
struct Song {
    heard: Timestamp,
    answered: Timestamp,
    answers: u32,
    /// First failure since the last answer.
    failing_since: Timestamp,
    window: Miss,
    run: Miss,
}

/// Probability of its failures since some moment, were all well.
#[derive(Clone, Copy)]
struct Miss {
    epoch: u32,
    miss: f64,
    slot: Slot,
}

impl Miss {
    const NONE: Self = Self {
        epoch: 0,
        miss: 1.0,
        slot: Slot::EMPTY,
    };

    fn take(&mut self, now: Timestamp, epoch: u32, ratio: f64) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::NONE };
        }
        self.miss = (self.miss * self.slot.take(now, ratio)).max(CANARY_GONE);
    }

    fn since(&self, epoch: u32) -> Option<f64> {
        (self.epoch == epoch && self.miss < 1.0).then_some(self.miss)
    }
}

const SILENT: Song = Song {
    heard: Timestamp::MIN,
    answered: Timestamp::MIN,
    answers: 0,
    failing_since: Timestamp::MAX,
    window: Miss::NONE,
    run: Miss::NONE,
};

/// What one (node, path) hears of the canaries.
pub struct Songs {
    songs: Vec<Song>,
    epoch: u32,
    run: u32,
    /// Anybody's.
    last_answer: Timestamp,
    /// Answers of canaries in this window.
    pub answers: u32,
}

/// What failing canaries are worth by themselves, in suspicion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worth {
    /// Since the window opened.
    pub window: f64,
    /// Since the last answer that anybody got.
    pub run: f64,
    /// Canaries that failed in the window.
    pub failing: u32,
    /// Share of their tries that is usually answered.
    pub usual: f64,
}

/// A doubt that needs no failing host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Canaries try, and it is long that one was answered.
    Failing,
    /// None comes any more: for so long, although one should come so often.
    Missing(Duration, Duration),
}

impl Default for Songs {
    fn default() -> Self {
        Self {
            songs: Vec::new(),
            epoch: 1,
            run: 1,
            last_answer: Timestamp::MIN,
            answers: 0,
        }
    }
}

impl Songs {
    fn song(&mut self, index: usize) -> &mut Song {
        if self.songs.len() <= index {
            self.songs.resize(index + 1, SILENT);
        }
        &mut self.songs[index]
    }

    /// Starts a new window.
    pub fn reset(&mut self) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
        self.answers = 0;
    }

    /// We were deaf until `now`: nothing was missing.
    pub fn forgive(&mut self, now: Timestamp) {
        let heard = self.songs.iter_mut().filter(|s| s.heard > Timestamp::MIN);
        heard.for_each(|s| s.heard = now);
    }

    /// Anybody got an answer.
    pub fn answer(&mut self, now: Timestamp) {
        self.run = self.run.wrapping_add(1).max(1);
        self.last_answer = now;
    }

    /// A canary got one.
    pub fn success(&mut self, now: Timestamp, index: usize) {
        self.answers = self.answers.saturating_add(1);
        let song = self.song(index);
        (song.heard, song.answered) = (now, now);
        song.answers = song.answers.saturating_add(1);
        song.failing_since = Timestamp::MAX;
        song.window = Miss::NONE;
        song.run = Miss::NONE;
    }

    /// A canary tried and got none.
    pub fn failure(&mut self, now: Timestamp, t: Try) {
        let (epoch, run) = (self.epoch, self.run);
        let song = self.song(t.index);
        song.heard = now;
        song.failing_since = song.failing_since.min(now);
        song.window.take(now, epoch, t.ratio);
        song.run.take(now, run, t.ratio);
    }

    /// What the failing ones are worth, for evidence that began at `start`. Only canaries without a host in common are
    /// independent, and what is not was counted once: a greedy choice, never too much.
    pub fn weigh(&self, start: Timestamp, canaries: &Canaries) -> Worth {
        let mut worth = Worth::default();
        let mut failing: Vec<(f64, Option<f64>, &Canary)> = Vec::new();
        for (song, canary) in self.songs.iter().zip(&canaries.list) {
            // One that began to fail long before the others is broken by itself; one that never worked was never right.
            if canary.answers == 0 || song.failing_since == Timestamp::MAX || song.failing_since + LAG < start {
                continue;
            }
            let Some(window) = song.window.since(self.epoch) else {
                continue;
            };
            let with_the_others = song.failing_since + LAG >= self.last_answer;
            let run = song.run.since(self.run).filter(|_| with_the_others);
            failing.push((window, run, canary));
            worth.usual += canary.rates.usual_of_seen();
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded by MOST")]
        let count = failing.len() as u32;
        worth.failing = count;
        worth.usual /= f64::from(count.max(1));
        failing.sort_by(|a, b| a.0.total_cmp(&b.0));
        worth.window = independent(failing.iter().map(|(miss, _, c)| (*miss, *c)));
        failing.sort_by(|a, b| a.1.unwrap_or(1.0).total_cmp(&b.1.unwrap_or(1.0)));
        worth.run = independent(failing.iter().filter_map(|(_, run, c)| Some(((*run)?, *c))));
        worth
    }

    /// How long a path is not quiet although nothing was proven, because a canary that works comes no more often.
    pub fn patience(&self, now: Timestamp, canaries: &Canaries) -> Duration {
        let works = |(s, c): &(&Song, &Canary)| s.answered > Timestamp::MIN && now.since(s.answered) <= c.late();
        let working = self.songs.iter().zip(&canaries.list).filter(works);
        working.map(|(_, c)| c.late()).max().unwrap_or_default()
    }

    /// What canaries make doubtful beside hosts that fail; `proven` = the last round trip of anybody through this node.
    pub fn doubt(&self, now: Timestamp, node: NodeId, proven: Timestamp, canaries: &Canaries) -> Option<Doubt> {
        let mut doubt = None;
        for (song, canary) in self.songs.iter().zip(&canaries.list) {
            let late = canary.late();
            if song.answered > Timestamp::MIN && now.since(song.answered) <= late {
                return None;
            }
            if song.heard == Timestamp::MIN || canary.answers == 0 {
                continue;
            }
            let silent = now.since(song.heard);
            if silent <= late {
                // Whoever else got through since shows that it is the target that is dead.
                if song.failing_since < Timestamp::MAX && proven <= song.failing_since {
                    doubt = Some(Doubt::Failing);
                }
            } else if doubt.is_none()
                && song.answers >= REGULAR
                && canary.place == Some(node)
                && proven <= song.heard + SLACK
            {
                doubt = Some(Doubt::Missing(silent, canary.every));
            }
        }
        doubt
    }

    /// Whether canaries were all that passed at the end: nothing else was heard for a while before the last of them.
    pub fn alone(&self, last_other: Timestamp) -> bool {
        let last = self
            .songs
            .iter()
            .filter(|s| s.answers >= REGULAR)
            .map(|s| s.heard)
            .max();
        last.is_some_and(|heard| last_other + SLACK * 2 < heard)
    }
}

fn independent<'a>(failing: impl Iterator<Item = (f64, &'a Canary)>) -> f64 {
    let mut taken: Vec<&Canary> = Vec::new();
    let mut sum = 0.0;
    for (miss, canary) in failing {
        let shared = |t: &&Canary| t.hosts.0 == canary.hosts.0 || t.hosts.1 == canary.hosts.1;
        if !taken.iter().any(shared) {
            taken.push(canary);
            sum -= miss.log10();
        }
    }
    sum
}
