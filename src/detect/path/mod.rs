//! Health of one node on one path: the window of evidence, its score, and the way into and out of `down`.
//!
//! Fed by `detect` with observations and asked to judge a moment later, when the whole flush has been heard. Knows
//! nothing of CARP: its caller says whether the node carries traffic at all. The judgement itself is in `judge`.

mod judge;

use super::canary::{Canaries, Songs, Try};
use super::hosts::Hosts;
use super::memory::{PathMemory, weight};
use super::near::Closest;
use super::rates::Rates;
use crate::event::{Cause, Evidence, Health, NodeId, Verdict};
use crate::time::Timestamp;
use crate::track::flow::{Movement, Outcome};
use crate::track::{HostKey, Observation};
use std::time::Duration;

/// A flush comes as several frames; judge when they are all in.
const FLUSH: Duration = Duration::from_millis(50);
/// States whose addresses were never heard count as one host.
const ANONYMOUS: HostKey = [0xff; 16];

/// How a judgement may be coloured from outside.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Whom this is about.
    pub node: NodeId,
    /// Flows that somebody vouches for.
    pub canaries: &'a Canaries,
    /// `suspicion` needed for `down`.
    pub threshold: f64,
    /// No verdict on evidence younger than this.
    pub min: Duration,
    /// Older evidence is forgotten.
    pub max: Duration,
    /// CARP says that this node lost a part of what it had: since when.
    pub split: Option<Timestamp>,
    /// Whether `down` may be concluded at all.
    pub may_fall: bool,
}

/// A change that a judgement brings.
pub type Change = Option<Turn>;

/// Health turned.
pub struct Turn {
    from: Health,
    to: Health,
    cause: Cause,
    evidence: Evidence,
}

impl Turn {
    /// As the verdict that it is.
    #[must_use]
    pub fn verdict(self, at: Timestamp, node: NodeId, path: usize) -> Verdict {
        let Self {
            from,
            to,
            cause,
            evidence,
        } = self;
        Verdict {
            at,
            node,
            path,
            from,
            to,
            cause,
            evidence,
        }
    }
}

/// State of one (node, path).
pub struct PathHealth {
    /// Now.
    pub health: Health,
    /// Why.
    pub cause: Cause,
    /// First judged.
    born: Timestamp,
    /// Last proven round trip.
    pub last_end_to_end: Timestamp,
    /// Last score.
    pub suspicion: f64,
    /// How close it came to `down`.
    pub closest: Closest,
    clients: Hosts,
    servers: Hosts,
    rates: Rates,
    songs: Songs,
    /// Last message that was not a canary's.
    last_other: Timestamp,
    start: Timestamp,
    failed: u32,
    succeeded: u32,
    opening: u32,
    first_failure: Option<Timestamp>,
    toward: [u32; 2],
    last_try: Timestamp,
    /// The last answer that the host tables were told.
    answered: (Timestamp, HostKey, HostKey),
    /// Round trips per second, smoothed over a minute.
    rate: f64,
    rate_at: Timestamp,
    unlearned: f64,
    due: Option<Timestamp>,
}

impl PathHealth {
    /// Nothing known.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            health: Health::Unknown,
            cause: Cause::Quiet,
            born: Timestamp::MAX,
            last_end_to_end: Timestamp::MIN,
            suspicion: 0.0,
            closest: Closest::default(),
            clients: Hosts::new(seed),
            servers: Hosts::new(seed.rotate_left(7)),
            rates: Rates::default(),
            songs: Songs::default(),
            last_other: Timestamp::MIN,
            start: Timestamp::MIN,
            failed: 0,
            succeeded: 0,
            opening: 0,
            first_failure: None,
            toward: [0; 2],
            last_try: Timestamp::MIN,
            answered: (Timestamp::MIN, ANONYMOUS, ANONYMOUS),
            rate: 0.0,
            rate_at: Timestamp::MIN,
            unlearned: 0.0,
            due: None,
        }
    }

    /// When to judge.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Forgets the window (not what is known of hosts and rates): the node yielded, or we were blind.
    pub fn restart(&mut self, now: Timestamp) {
        self.rates.discard();
        self.open_window(now);
        self.suspicion = 0.0;
        self.closest.over();
        self.due = None;
    }

    fn open_window(&mut self, now: Timestamp) {
        self.clients.reset();
        self.servers.reset();
        self.songs.reset();
        (self.start, self.failed, self.succeeded, self.toward) = (now, 0, 0, [0; 2]);
        (self.opening, self.first_failure) = (0, None);
    }

    /// Whether these hosts are known to have worked here.
    #[must_use]
    pub fn knows(&self, client: bool, host: &HostKey) -> bool {
        if client {
            self.clients.works(host)
        } else {
            self.servers.works(host)
        }
    }

    /// We were deaf until `now`.
    pub fn forgive(&mut self, now: Timestamp) {
        self.songs.forgive(now);
        self.restart(now);
    }

    /// Whether canaries were the only ones to pass when it fell silent.
    #[must_use]
    pub fn only_canaries(&self) -> bool {
        self.songs.alone(self.last_other)
    }

    /// A message, perhaps of a canary; `pair` = a round trip through the pair counts as one through this node.
    pub fn observe(&mut self, now: Timestamp, o: &Observation, canary: Option<Try>, pair: bool) {
        let success = o.movement == Movement::EndToEnd || (pair && o.movement == Movement::PairEndToEnd);
        let (client, server) = o.hosts.unwrap_or((ANONYMOUS, ANONYMOUS));
        if canary.is_none() {
            self.last_other = now;
        }
        if success {
            self.songs.answer(now);
            if let Some(t) = canary {
                self.songs.success(now, t.index);
            }
            self.last_end_to_end = now;
            self.succeeded = self.succeeded.saturating_add(1);
            // The in and the out state of a connection tell the same, mostly in the same frame.
            if self.answered != (now, client, server) {
                self.answered = (now, client, server);
                self.clients.success(now, client);
                self.servers.success(now, server);
            }
            self.unlearned += 1.0;
        }
        let Some((class, outcome)) = o.trial else {
            if success {
                self.schedule(now);
            }
            return;
        };
        let outcome = if success { Outcome::Success } else { outcome };
        self.last_try = now;
        if class.opens() && outcome != Outcome::Partial {
            self.opening = self.opening.saturating_add(1);
        }
        // What is usual for a canary is its own: it shall not colour what is expected of hosts that nobody vouches for.
        if canary.is_none() {
            self.rates.note(class, outcome);
        }
        if outcome != Outcome::Success {
            self.answered.0 = Timestamp::MIN;
            let ratio = canary.map_or_else(|| self.rates.ratio(class, outcome), |t| t.ratio);
            if let Some(t) = canary.filter(|_| outcome == Outcome::Failure) {
                self.songs.failure(now, t);
            }
            if outcome == Outcome::Failure {
                self.failed = self.failed.saturating_add(1);
                self.first_failure.get_or_insert(now);
            }
            if ratio < 0.95 {
                self.clients.failure(now, client, ratio);
                self.servers.failure(now, server, ratio);
            }
        }
        match o.movement {
            Movement::Forward => self.toward[0] += 1,
            Movement::Reverse => self.toward[1] += 1,
            _ => {}
        }
        self.schedule(now);
    }

    /// What was learned here.
    #[must_use]
    pub fn remember(&self, now: Timestamp, name: String) -> PathMemory {
        PathMemory {
            name,
            outcomes: self.rates.remember(),
            round_trips: self.rate_now(now),
            clients: self.clients.remember(now),
            servers: self.servers.remember(now),
        }
    }

    /// Takes back what was learned once, `age` ago.
    pub fn recall(&mut self, now: Timestamp, age: Duration, memory: &PathMemory) {
        self.rates.recall(&memory.outcomes, weight(age));
        self.rate = memory.round_trips * (-age.as_secs_f64() / 60.0).exp();
        self.rate_at = now;
        self.clients.recall(now - age, now, &memory.clients);
        self.servers.recall(now - age, now, &memory.servers);
    }

    fn schedule(&mut self, now: Timestamp) {
        self.due.get_or_insert(now + FLUSH);
    }

    fn learn_rate(&mut self, now: Timestamp) {
        let dt = if self.rate_at == Timestamp::MIN {
            60.0
        } else {
            now.since(self.rate_at).as_secs_f64()
        };
        self.rate = self.rate * (-dt / 60.0).exp() + std::mem::take(&mut self.unlearned) / 60.0;
        self.rate_at = now;
    }

    /// Round trips per second as of late; it fades when none come.
    fn rate_now(&self, now: Timestamp) -> f64 {
        self.rate * (-now.since(self.rate_at).as_secs_f64() / 60.0).exp()
    }

    /// A try through ANOTHER node of a split pair: demand of the pair, to which this node owes an answer too.
    pub fn demand(&mut self, now: Timestamp, o: &Observation, canary: Option<Try>) {
        if let (Some((class, outcome)), Some((client, server))) = (o.trial, o.hosts)
            && outcome != Outcome::Success
            && !matches!(o.movement, Movement::EndToEnd | Movement::PairEndToEnd)
        {
            let ratio = canary.map_or_else(|| self.rates.ratio(class, outcome), |t| t.ratio);
            if let Some(t) = canary.filter(|_| outcome == Outcome::Failure) {
                self.songs.failure(now, t);
            }
            if outcome == Outcome::Failure {
                self.failed = self.failed.saturating_add(1);
                self.opening = self.opening.saturating_add(u32::from(class.opens()));
                self.first_failure.get_or_insert(now);
            }
            self.clients.failure(now, client, ratio);
            self.servers.failure(now, server, ratio);
            self.last_try = now;
            self.schedule(now);
        }
    }

    /// Seconds since the last proven round trip.
    #[must_use]
    pub fn age_of_proof(&self, now: Timestamp) -> Option<f64> {
        (self.last_end_to_end > Timestamp::MIN).then(|| now.since(self.last_end_to_end).as_secs_f64())
    }

    /// Sets health; says so if that is news.
    pub fn turn(&mut self, to: Health, cause: Cause, evidence: Evidence) -> Change {
        if self.health == to {
            return None;
        }
        if to == Health::Down {
            self.closest.fell();
        }
        let from = std::mem::replace(&mut self.health, to);
        self.cause = cause;
        Some(Turn {
            from,
            to,
            cause,
            evidence,
        })
    }
}
