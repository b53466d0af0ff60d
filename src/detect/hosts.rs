//! Which hosts try and get nothing, and which still get answers: the memory behind one (node, path).
//!
//! Fed with trials by `detect`. A host counts against the firewall only if it is known to have worked, its tries began
//! to fail with the others (not long before: that host is broken by itself), and it had no answer since. Bounded.

use super::memory::{self, HostMemory, OLDEST};
use super::score::HOST_GONE;
use crate::time::Timestamp;
use crate::track::HostKey;
use crate::track::table::Table;
use crate::track::zones::{address, octets};
use std::time::Duration;

/// Hosts remembered per side.
const MAX_HOSTS: usize = 8192;
/// Failing hosts looked at, at most; more add nothing.
const MAX_FAILING: usize = 256;
/// Of those, hosts that never worked: a flood has thousands.
const MAX_STRANGERS: usize = 16;
/// Tries of one host within this long are one observation: pairs of states, bursts of one program.
const SLOT: Duration = Duration::from_millis(400);
/// Every observation is up to this old, so failing may be heard this much before the last answers are.
pub const LAG: Duration = Duration::from_millis(1_100);

#[derive(Clone, Copy)]
struct Host {
    last_success: Timestamp,
    /// First failure since the last success.
    failing_since: Timestamp,
    epoch: u32,
    success_epoch: u32,
    /// Probability of its failures in this epoch, were it and the firewall well.
    miss: f64,
    slot: Slot,
    /// The same since the last answer that ANY host got.
    run: u32,
    run_miss: f64,
    run_slot: Slot,
}

/// Tries that are one observation together: when they began and the strongest of them.
#[derive(Clone, Copy)]
pub struct Slot {
    since: Timestamp,
    ratio: f64,
}

impl Slot {
    /// None yet.
    pub const EMPTY: Self = Self {
        since: Timestamp::MIN,
        ratio: 1.0,
    };

    /// Takes a try in and returns by what it changes the product.
    pub fn take(&mut self, now: Timestamp, ratio: f64) -> f64 {
        if self.since == Timestamp::MIN || now.since(self.since) >= SLOT {
            *self = Self { since: now, ratio: 1.0 };
        }
        if ratio >= self.ratio {
            return 1.0;
        }
        ratio / std::mem::replace(&mut self.ratio, ratio)
    }
}

/// One side's hosts (initiators or responders) of one (node, path).
pub struct Hosts {
    table: Table<HostKey, Host>,
    failing: Vec<HostKey>,
    epoch: u32,
    /// Counts up with every answer.
    run: u32,
    last_answer: Timestamp,
    succeeded: u32,
    strangers: usize,
}

/// `h_i` of the hosts that count against the firewall.
#[derive(Clone, Debug, Default)]
pub struct Failing {
    /// Since the window opened.
    pub window: Vec<f64>,
    /// Since the last answer that any host got.
    pub run: Vec<f64>,
}

impl Hosts {
    /// Nobody known yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            table: Table::new(MAX_HOSTS, seed),
            failing: Vec::new(),
            epoch: 1,
            run: 1,
            last_answer: Timestamp::MIN,
            succeeded: 0,
            strangers: 0,
        }
    }

    /// Starts a new window: what failed so far no longer counts.
    pub fn reset(&mut self) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
        self.failing.clear();
        self.succeeded = 0;
        self.strangers = 0;
    }

    /// Whether this host ever got an answer that is still remembered.
    #[must_use]
    pub fn works(&self, host: &HostKey) -> bool {
        self.table.get(host).is_some_and(|h| h.last_success > Timestamp::MIN)
    }

    /// Those that work, the ones that were answered last first.
    #[must_use]
    pub fn remember(&self, now: Timestamp) -> Vec<HostMemory> {
        let works = self.table.iter().filter(|(_, h)| h.last_success > Timestamp::MIN);
        let mut hosts: Vec<HostMemory> = works
            .map(|(key, h)| HostMemory {
                address: address(*key),
                age: now.since(h.last_success),
            })
            .filter(|h| h.age <= OLDEST)
            .collect();
        hosts.sort_by_key(|h| (h.age, h.address));
        hosts.truncate(memory::MAX_HOSTS);
        hosts
    }

    /// Hosts that worked once, as of `learned`. What is known better stays.
    pub fn recall(&mut self, learned: Timestamp, now: Timestamp, hosts: &[HostMemory]) {
        for h in hosts {
            let (key, answered) = (octets(h.address), learned - h.age);
            if now.since(answered) > OLDEST || answered == Timestamp::MIN || self.works(&key) {
                continue;
            }
            self.entry(answered, key).last_success = answered;
        }
    }

    /// Distinct hosts with an answer in this window.
    #[must_use]
    pub fn succeeded(&self) -> u32 {
        self.succeeded
    }

    /// An answer.
    pub fn success(&mut self, now: Timestamp, host: HostKey) {
        let epoch = self.epoch;
        self.run = self.run.wrapping_add(1).max(1);
        self.last_answer = now;
        let h = self.entry(now, host);
        h.last_success = now;
        h.failing_since = Timestamp::MAX;
        h.miss = 1.0;
        let listed = std::mem::take(&mut h.epoch) == epoch;
        let first = std::mem::replace(&mut h.success_epoch, epoch) != epoch;
        self.succeeded += u32::from(first);
        if listed {
            self.failing.retain(|k| *k != host);
        }
    }

    /// A try without answer whose probability, were all well, is `ratio` of that were all dead.
    pub fn failure(&mut self, now: Timestamp, host: HostKey, ratio: f64) {
        let (epoch, run) = (self.epoch, self.run);
        let known = self
            .table
            .get(&host)
            .map(|h| (h.last_success > Timestamp::MIN, h.epoch == epoch));
        let (works, listed) = known.unwrap_or_default();
        if !listed {
            // A flood must not push out those who count.
            if (!works && self.strangers >= MAX_STRANGERS) || self.failing.len() >= MAX_FAILING {
                return;
            }
            self.strangers += usize::from(!works);
            self.failing.push(host);
        }
        let h = self.entry(now, host);
        if h.failing_since == Timestamp::MAX {
            h.failing_since = now;
        }
        if !listed {
            (h.epoch, h.miss, h.slot) = (epoch, 1.0, Slot::EMPTY);
        }
        if h.run != run {
            (h.run, h.run_miss, h.run_slot) = (run, 1.0, Slot::EMPTY);
        }
        h.miss = (h.miss * h.slot.take(now, ratio)).max(HOST_GONE);
        h.run_miss = (h.run_miss * h.run_slot.take(now, ratio)).max(HOST_GONE);
    }

    fn entry(&mut self, now: Timestamp, host: HostKey) -> &mut Host {
        self.table.get_or_insert_with(host, now, || Host {
            last_success: Timestamp::MIN,
            failing_since: Timestamp::MAX,
            epoch: 0,
            success_epoch: 0,
            miss: 1.0,
            slot: Slot::EMPTY,
            run: 0,
            run_miss: 1.0,
            run_slot: Slot::EMPTY,
        })
    }

    /// `h_i` of every host that counts against the firewall, for evidence that began at `start`; at most `strangers`
    /// of those that never worked (a flood has any number of them).
    pub fn failing(&self, start: Timestamp, strangers: usize, works_elsewhere: impl Fn(&HostKey) -> bool) -> Failing {
        let mut failing = Failing::default();
        if self.failing.is_empty() {
            return failing;
        }
        let mut unknown = 0;
        for key in &self.failing {
            let Some(h) = self.table.get(key) else { continue };
            // A host whose failing began long before the others' is broken by itself.
            if h.epoch != self.epoch || h.miss >= 1.0 || h.failing_since + LAG < start {
                continue;
            }
            if h.last_success == Timestamp::MIN && !works_elsewhere(key) {
                unknown += 1;
                if unknown > strangers {
                    continue;
                }
            }
            failing.window.push(h.miss);
            let with_the_others = h.failing_since + LAG >= self.last_answer;
            if h.run == self.run && h.run_miss < 1.0 && with_the_others {
                failing.run.push(h.run_miss);
            }
        }
        failing
    }
}
