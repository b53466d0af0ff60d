//! Health of one node on one path: the window of evidence, its score, and the way into and out of `down`.
//!
//! Fed by `detect` with observations and asked to judge a moment later, when the whole flush has been heard. Knows
//! nothing of CARP: its caller says whether the node carries traffic at all.

use super::hosts::Hosts;
use super::near::Closest;
use super::rates::Rates;
use super::score::{self, Side};
use crate::event::{Cause, Evidence, Health, Near, NodeId, Verdict};
use crate::time::Timestamp;
use crate::track::flow::{Movement, Outcome};
use crate::track::{HostKey, Observation};
use std::time::Duration;

/// A flush comes as several frames; judge when they are all in.
const FLUSH: Duration = Duration::from_millis(50);
/// Failures count by themselves once the last answer lies this far back.
const SETTLED: Duration = Duration::from_millis(300);
/// Without a round trip for this long a path is quiet rather than up.
const QUIET: Duration = Duration::from_secs(10);
/// Hosts that never worked may add this much: new servers are normal, floods have thousands.
const STRANGERS: usize = 2;
/// At start nobody is called a backup before this.
const SETTLING: Duration = Duration::from_secs(5);
/// Distinct hosts on each side whose round trips end `down`.
const RECOVERED_HOSTS: u32 = 3;
/// Share of tries that succeed, in parts of the usual, below which successes are strays.
const RECOVERED_SHARE: f64 = 0.35;
/// In parts of what `down` needs: below it a suspicion has come to nothing.
const RELIEVED: f64 = 0.25;
/// In parts of `max`: after so long without a try a path that was down is quiet.
const FORGOTTEN: u32 = 5;
/// What the CARP witness of a split is worth, in suspicion, and the hosts on each side that must fail beside it.
const SPLIT_WORTH: f64 = 4.0;
const SPLIT_HOSTS: usize = 3;
/// Round trips that should have come: e^-7 is one in a thousand.
const EXPECTED: f64 = 7.0;
/// States whose addresses were never heard count as one host.
const ANONYMOUS: HostKey = [0xff; 16];

/// How a judgement may be coloured from outside.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
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

    /// A message; `pair` = a round trip through the pair counts as one through this node.
    pub fn observe(&mut self, now: Timestamp, o: &Observation, pair: bool) {
        let success = o.movement == Movement::EndToEnd || (pair && o.movement == Movement::PairEndToEnd);
        let (client, server) = o.hosts.unwrap_or((ANONYMOUS, ANONYMOUS));
        if success {
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
        self.rates.note(class, outcome);
        if outcome != Outcome::Success {
            self.answered.0 = Timestamp::MIN;
            let ratio = self.rates.ratio(class, outcome);
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
    pub fn demand(&mut self, now: Timestamp, o: &Observation) {
        if let (Some((class, outcome)), Some((client, server))) = (o.trial, o.hosts)
            && outcome != Outcome::Success
            && !matches!(o.movement, Movement::EndToEnd | Movement::PairEndToEnd)
        {
            let ratio = self.rates.ratio(class, outcome);
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

    /// Weighs what was seen and says whether health changes.
    pub fn judge(
        &mut self,
        now: Timestamp,
        set: &Setting,
        known_client: impl Fn(&HostKey) -> bool,
        known_server: impl Fn(&HostKey) -> bool,
    ) -> Change {
        self.due = None;
        self.born = self.born.min(now);
        if self.unlearned > 0.0 {
            self.learn_rate(now);
        }
        if self.start == Timestamp::MIN {
            self.start = now;
        }
        let clients = self.clients.failing(self.start, STRANGERS, known_client);
        let servers = self.servers.failing(self.start, STRANGERS, known_server);
        let (of_clients, of_servers) = if self.toward[1] > self.toward[0] {
            (Side::Silent, Side::Trying)
        } else {
            (Side::Trying, Side::Silent)
        };
        let weigh = |c: &[f64], s: &[f64]| score::suspicion(c, of_clients).min(score::suspicion(s, of_servers));
        let raw = weigh(&clients.window, &servers.window);
        let strays = self.clients.succeeded().max(self.servers.succeeded());
        // Either everything since the window opened, with its strays, or only what came after the last of them.
        // Within one flush the order means nothing, so the last answer must lie a while back.
        let run = match self.age_of_proof(now) {
            Some(age) if age >= SETTLED.as_secs_f64() => weigh(&clients.run, &servers.run),
            _ => 0.0,
        };
        let window = (raw + f64::from(strays) * score::STRAY.log10()).max(0.0);
        let score = window.max(run);
        self.suspicion = score;
        let age = now.since(self.start);
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the failing list")]
        let mut evidence = Evidence {
            suspicion: score,
            threshold: set.threshold,
            failed: self.failed,
            succeeded: self.succeeded,
            clients: clients.window.len() as u32,
            servers: servers.window.len() as u32,
            opening: self.opening,
            seconds: age.as_secs_f64(),
            usual: self.rates.usual(),
            since_end_to_end: self.age_of_proof(now),
            since_failure: self.first_failure.map(|t| now.since(t).as_secs_f64()),
            ..Evidence::default()
        };
        if self.health == Health::Down {
            return self.judge_down(now, set, evidence);
        }
        let min = set.min.as_secs_f64();
        let lost = set.split.filter(|&since| self.last_end_to_end < since);
        let hosts = clients.window.len().min(servers.window.len());
        // The pair is split, this node lost a side and nothing came through it since: CARP is a witness.
        let worth = if lost.is_some() && hosts >= SPLIT_HOSTS {
            SPLIT_WORTH
        } else {
            0.0
        };
        let threshold = set.threshold - worth;
        evidence.threshold = threshold;
        let old_enough = |score: f64, age: f64| score >= threshold && age >= min;
        let proven =
            old_enough(window, evidence.seconds) || evidence.since_end_to_end.is_some_and(|age| old_enough(run, age));
        // Or several hosts try through the pair and nothing comes, where the usual rate leaves no doubt.
        let missing = lost.is_some_and(|since| {
            let length = now.since(since);
            length >= set.min * 2 && hosts + 1 >= SPLIT_HOSTS && self.rate_now(now) * length.as_secs_f64() >= EXPECTED
        });
        let change = self.judge_up(now, set, proven || missing, evidence);
        if self.health != Health::Down {
            if set.may_fall {
                let share = score / threshold;
                let cause = self.blackhole(&evidence);
                self.closest.note(share, || Near {
                    at: now,
                    cause,
                    evidence,
                });
            }
            if score < RELIEVED * threshold {
                self.closest.over();
            }
            if strays > 0 && window <= 0.0 {
                self.rates.commit();
                self.open_window(now);
            } else if age > set.max {
                self.rates.discard();
                self.open_window(now);
            }
        }
        change
    }

    /// Seconds since the last proven round trip.
    #[must_use]
    pub fn age_of_proof(&self, now: Timestamp) -> Option<f64> {
        (self.last_end_to_end > Timestamp::MIN).then(|| now.since(self.last_end_to_end).as_secs_f64())
    }

    fn judge_up(&mut self, now: Timestamp, set: &Setting, proven: bool, evidence: Evidence) -> Change {
        let age = now.since(self.start);
        let score = evidence.suspicion;
        if set.may_fall && proven {
            let cause = self.blackhole(&evidence);
            self.rates.discard();
            self.open_window(now);
            return self.turn(Health::Down, cause, evidence);
        }
        let lively = now.since(self.last_end_to_end) <= QUIET && self.last_end_to_end > Timestamp::MIN;
        let suspect = score >= 0.5 * set.threshold && age >= set.min / 2;
        let relieved = score < RELIEVED * set.threshold;
        let (to, cause) = match self.health {
            _ if suspect => (Health::Suspect, self.blackhole(&evidence)),
            Health::Suspect if !relieved => return None,
            _ if lively => (Health::Up, Cause::EndToEnd),
            // Just started: quiet is not known to be normal yet.
            Health::Unknown if now.since(self.born) < QUIET => return None,
            _ => (Health::Idle, Cause::Quiet),
        };
        self.turn(to, cause, evidence)
    }

    fn judge_down(&mut self, now: Timestamp, set: &Setting, evidence: Evidence) -> Change {
        if !matches!(self.cause, Cause::BlackholeForward | Cause::BlackholeReverse) {
            return None;
        }
        let age = now.since(self.start);
        let tries = f64::from(evidence.succeeded + evidence.failed);
        let share = if tries > 0.0 {
            f64::from(evidence.succeeded) / tries
        } else {
            0.0
        };
        let hosts = self.clients.succeeded().min(self.servers.succeeded());
        let good = share >= RECOVERED_SHARE * evidence.usual && evidence.succeeded > 0;
        let several = hosts >= RECOVERED_HOSTS && age >= set.min;
        // A small site has no three hosts: then it must last.
        let lasting = evidence.succeeded >= 5 && age >= set.min * 10;
        if good && (several || lasting) {
            self.rates.discard();
            self.open_window(now);
            return self.turn(Health::Up, Cause::EndToEnd, evidence);
        }
        // Successes are weighed against the failures of the same seconds.
        let stale = evidence.succeeded == 0 || !good;
        if (stale && age >= set.min * 2) || age >= set.max {
            self.rates.discard();
            self.open_window(now);
        }
        if now.since(self.last_try) > set.max * FORGOTTEN && set.split.is_none() {
            return self.turn(Health::Idle, Cause::Quiet, evidence);
        }
        None
    }

    fn blackhole(&self, evidence: &Evidence) -> Cause {
        // New connections without answer are forward failures; so are flows whose initiators alone move.
        let [forth, back] = self.toward;
        if back > forth && back > evidence.failed / 4 {
            Cause::BlackholeReverse
        } else {
            Cause::BlackholeForward
        }
    }

    /// CARP says that this node carries nothing: whatever its health was, it is idle now.
    pub fn idle_as_backup(&mut self, now: Timestamp) -> Change {
        self.due = None;
        self.born = self.born.min(now);
        if self.health == Health::Unknown && now.since(self.born) < SETTLING {
            return None; // Who is master is not settled in the first moments.
        }
        let evidence = Evidence {
            since_end_to_end: self.age_of_proof(now),
            ..Evidence::default()
        };
        // A node that is gone does not come back by having lost its mastership to another.
        if self.health == Health::Down && self.cause == Cause::Silence {
            return None;
        }
        self.turn(Health::Idle, Cause::Backup, evidence)
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
