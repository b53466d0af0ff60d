//! One question and the evidence about it: do tries get answers here, or: do answers get to those who asked?
//!
//! Two of them make up a path. Holds the hosts on both sides, what is usual, and the window that is being filled; `judge`
//! weighs it.

use crate::detect::hosts::{Ages, Failing, Group, Hosts};
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
    /// Of those, the ones that nobody else had a part in.
    pub(super) own: u32,
    /// Tries of which something moved, and that speaks against the node all the same.
    partly: u32,
    /// Of all tries, those to open something new.
    opening: u32,
    pub(super) first_failure: Option<Timestamp>,
    /// The last of its own.
    pub(super) last_success: Timestamp,
    pub(super) last_failure: Timestamp,
    /// When the run without an answer began: with the last one, or when we had to start afresh; and what failed in it.
    pub(super) run_start: Timestamp,
    pub(super) run_failed: u32,
    run_partly: u32,
    run_opening: u32,
    run_failure: Option<Timestamp>,
    /// The last answer that the host tables were told.
    answered: (Timestamp, HostKey, HostKey),
}

/// What was tried, and what came of it.
pub(super) struct Figures {
    /// Tries that got nowhere: nothing moved.
    pub(super) failed: u32,
    /// Tries that got nowhere as far as one can see.
    pub(super) partly: u32,
    pub(super) succeeded: u32,
    pub(super) opening: u32,
    pub(super) began: Timestamp,
    pub(super) first_failure: Option<Timestamp>,
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
            own: 0,
            partly: 0,
            opening: 0,
            first_failure: None,
            last_success: Timestamp::MIN,
            last_failure: Timestamp::MIN,
            run_start: Timestamp::MIN,
            run_failed: 0,
            run_partly: 0,
            run_opening: 0,
            run_failure: None,
            answered: (Timestamp::MIN, ANONYMOUS, ANONYMOUS),
        }
    }

    pub(super) fn open_window(&mut self, now: Timestamp) {
        self.clients.reset(now);
        self.servers.reset(now);
        (self.start, self.failed, self.succeeded, self.first_failure) = (now, 0, 0, None);
        (self.own, self.partly, self.opening) = (0, 0, 0);
    }

    /// Answers may have been missed: who fails has to do so anew.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.clients.restart();
        self.servers.restart();
        self.begin_run(now);
    }

    fn begin_run(&mut self, now: Timestamp) {
        (self.run_start, self.run_failed, self.run_failure) = (now, 0, None);
        (self.run_partly, self.run_opening) = (0, 0);
    }

    /// A try was answered through this node.
    pub(super) fn success(&mut self, now: Timestamp, client: HostKey, server: HostKey) {
        self.last_success = now;
        self.own = self.own.saturating_add(1);
        self.excuse(now, client, server);
    }

    /// A try was answered, one half of it by somebody else: nobody failed.
    pub(super) fn excuse(&mut self, now: Timestamp, client: HostKey, server: HostKey) {
        self.begin_run(now);
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
            Outcome::Success => {
                self.succeeded = self.succeeded.saturating_add(times);
                self.own = self.own.saturating_add(times);
            }
            Outcome::Failure => {
                self.failed = self.failed.saturating_add(times);
                self.run_failed = self.run_failed.saturating_add(times);
            }
            Outcome::Partial | Outcome::Pair => {}
        }
    }

    /// So many tries of these were to open something new.
    pub(super) fn opened(&mut self, times: u32) {
        self.opening = self.opening.saturating_add(times);
        self.run_opening = self.run_opening.saturating_add(times);
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
    pub(super) fn against(
        &mut self,
        now: Timestamp,
        outcome: Outcome,
        (client, server): (HostKey, HostKey),
        ratio: f64,
    ) {
        self.answered.0 = Timestamp::MIN;
        if ratio < 0.95 {
            if outcome != Outcome::Failure {
                self.partly = self.partly.saturating_add(1);
                self.run_partly = self.run_partly.saturating_add(1);
            }
            self.clients.failure(now, client, ratio);
            self.servers.failure(now, server, ratio);
        }
    }

    /// Who counts against the node now; of those that never worked at most `strangers` on each side.
    pub(super) fn count(
        &self,
        now: Timestamp,
        ages: Ages,
        strangers: usize,
        known_client: impl Fn(&HostKey) -> bool,
        known_server: impl Fn(&HostKey) -> bool,
    ) -> Against {
        Against {
            clients: self.clients.failing(now, self.start, ages, strangers, known_client),
            servers: self.servers.failing(now, self.start, ages, strangers, known_server),
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

    /// What was tried in the window, or in a run that is older.
    pub(super) fn figures(&self, of_run: bool) -> Figures {
        let tried = self.run_failed.max(self.run_partly) > 0;
        if of_run && tried && self.run_start < self.start {
            let began = self.run_failure.unwrap_or(self.run_start);
            return Figures {
                failed: self.run_failed,
                partly: self.run_partly,
                succeeded: 0,
                opening: self.run_opening,
                began,
                first_failure: self.run_failure,
            };
        }
        Figures {
            failed: self.failed,
            partly: self.partly,
            succeeded: self.succeeded,
            opening: self.opening,
            began: self.start,
            first_failure: self.first_failure,
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
        let (clients, servers) = self.groups(of_run);
        (clients.misses.len(), servers.misses.len())
    }

    /// Whether they have failed for long enough, on either side.
    pub(super) fn ripe(&self, of_run: bool) -> bool {
        let (clients, servers) = self.groups(of_run);
        clients.ripe && servers.ripe
    }

    fn groups(&self, of_run: bool) -> (&Group, &Group) {
        if of_run {
            (&self.clients.run, &self.servers.run)
        } else {
            (&self.clients.window, &self.servers.window)
        }
    }

    /// Suspicion (in the window, since the last answer), with who is silent and who tries.
    pub(super) fn weigh(&self, of_clients: Side, of_servers: Side) -> (f64, f64) {
        let weigh = |of_run: bool| {
            let (clients, servers) = self.groups(of_run);
            score::suspicion(&clients.misses, of_clients).min(score::suspicion(&servers.misses, of_servers))
        };
        (weigh(false), weigh(true))
    }
}
