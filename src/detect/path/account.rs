//! One question and the evidence about it: do tries get answers here, or: do answers get to those who asked?
//!
//! Two of them make up a path. Holds the hosts on both sides, what is usual, and the window that is being filled; `judge`
//! weighs it.

use crate::detect::hosts::{Failing, Hosts};
use crate::detect::rates::Rates;
use crate::detect::score::{self, Side};
use crate::time::Timestamp;
use crate::track::HostKey;
use crate::track::flow::{Class, Outcome};
use std::time::Duration;

/// States whose addresses were never heard count as one host.
pub(super) const ANONYMOUS: HostKey = [0xff; 16];

/// See the module.
pub(super) struct Account {
    pub(super) clients: Hosts,
    pub(super) servers: Hosts,
    pub(super) rates: Rates,
    /// When the window opened.
    pub(super) start: Timestamp,
    pub(super) failed: u32,
    pub(super) succeeded: u32,
    pub(super) first_failure: Option<Timestamp>,
    pub(super) last_success: Timestamp,
    pub(super) last_failure: Timestamp,
    /// When the run without an answer began: with the last one, or when we had to start afresh; and what failed in it.
    pub(super) run_start: Timestamp,
    pub(super) run_failed: u32,
    run_failure: Option<Timestamp>,
    /// The last answer that the host tables were told.
    answered: (Timestamp, HostKey, HostKey),
}

/// Hosts that count against the node.
pub(super) struct Against {
    pub(super) clients: Failing,
    pub(super) servers: Failing,
}

impl Account {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            clients: Hosts::new(seed),
            servers: Hosts::new(seed.rotate_left(7)),
            rates: Rates::default(),
            start: Timestamp::MIN,
            failed: 0,
            succeeded: 0,
            first_failure: None,
            last_success: Timestamp::MIN,
            last_failure: Timestamp::MIN,
            run_start: Timestamp::MIN,
            run_failed: 0,
            run_failure: None,
            answered: (Timestamp::MIN, ANONYMOUS, ANONYMOUS),
        }
    }

    pub(super) fn open_window(&mut self, now: Timestamp) {
        self.clients.reset(now);
        self.servers.reset(now);
        (self.start, self.failed, self.succeeded, self.first_failure) = (now, 0, 0, None);
    }

    /// Answers may have been missed: who fails has to do so anew.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.clients.restart();
        self.servers.restart();
        (self.run_start, self.run_failed, self.run_failure) = (now, 0, None);
    }

    pub(super) fn success(&mut self, now: Timestamp, client: HostKey, server: HostKey) {
        self.last_success = now;
        (self.run_start, self.run_failed, self.run_failure) = (now, 0, None);
        self.succeeded = self.succeeded.saturating_add(1);
        // The in and the out state of a connection tell the same, mostly in the same frame.
        if self.answered != (now, client, server) {
            self.answered = (now, client, server);
            self.clients.success(now, client);
            self.servers.success(now, server);
        }
    }

    /// What was noted just now came as often again.
    pub(super) fn repeat(&mut self, class: Class, outcome: Outcome, times: u32) {
        self.rates.note_many(class, outcome, times);
        match outcome {
            Outcome::Success => self.succeeded = self.succeeded.saturating_add(times),
            Outcome::Failure => self.failed = self.failed.saturating_add(times),
            Outcome::Partial | Outcome::Pair => {}
        }
    }

    /// Something was tried and got nowhere.
    pub(super) fn failed(&mut self, now: Timestamp) {
        self.failed = self.failed.saturating_add(1);
        self.last_failure = now;
        self.first_failure.get_or_insert(now);
        self.run_failed = self.run_failed.saturating_add(1);
        self.run_failure.get_or_insert(now);
    }

    /// What came of a try was that much more usual were the node dead.
    pub(super) fn against(&mut self, now: Timestamp, client: HostKey, server: HostKey, ratio: f64) {
        self.answered.0 = Timestamp::MIN;
        if ratio < 0.95 {
            self.clients.failure(now, client, ratio);
            self.servers.failure(now, server, ratio);
        }
    }

    /// Who counts against the node now; of those that never worked at most `strangers` on each side.
    pub(super) fn count(
        &self,
        now: Timestamp,
        strangers: usize,
        known_client: impl Fn(&HostKey) -> bool,
        known_server: impl Fn(&HostKey) -> bool,
    ) -> Against {
        Against {
            clients: self.clients.failing(now, self.start, strangers, known_client),
            servers: self.servers.failing(now, self.start, strangers, known_server),
        }
    }

    /// Distinct hosts that were answered in this window.
    pub(super) fn strays(&self) -> u32 {
        self.clients.succeeded().max(self.servers.succeeded())
    }

    /// Since the last answer.
    pub(super) fn age_of_proof(&self, now: Timestamp) -> Option<f64> {
        (self.last_success > Timestamp::MIN).then(|| now.since(self.last_success).as_secs_f64())
    }

    /// For how long nobody was answered, and we heard it.
    pub(super) fn unanswered(&self, now: Timestamp) -> Duration {
        now.since(self.run_start)
    }

    /// How many tries failed, how many were answered, and since when: in the window, or in a run that is older.
    pub(super) fn figures(&self, of_run: bool) -> (u32, u32, Timestamp, Option<Timestamp>) {
        match self.run_failure.filter(|_| of_run && self.run_start < self.start) {
            Some(first) => (self.run_failed, 0, first, Some(first)),
            None => (self.failed, self.succeeded, self.start, self.first_failure),
        }
    }

    /// Everything since the window opened, with its strays taken off.
    pub(super) fn off(&self, raw: f64) -> f64 {
        (raw + f64::from(self.strays()) * score::STRAY.log10()).max(0.0)
    }

    /// The window ends; whether it ended well.
    pub(super) fn close(&mut self, now: Timestamp, well: bool) {
        if well {
            self.rates.commit();
        } else {
            self.rates.discard();
        }
        self.open_window(now);
    }
}

impl Against {
    /// How many count on either side, in the run or in the window.
    pub(super) fn hosts(&self, of_run: bool) -> (usize, usize) {
        if of_run {
            (self.clients.run.len(), self.servers.run.len())
        } else {
            (self.clients.window.len(), self.servers.window.len())
        }
    }

    /// Suspicion (in the window, since the last answer), with who is silent and who tries.
    pub(super) fn weigh(&self, of_clients: Side, of_servers: Side) -> (f64, f64) {
        let weigh = |c: &[f64], s: &[f64]| score::suspicion(c, of_clients).min(score::suspicion(s, of_servers));
        (
            weigh(&self.clients.window, &self.servers.window),
            weigh(&self.clients.run, &self.servers.run),
        )
    }
}
