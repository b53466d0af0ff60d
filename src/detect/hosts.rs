//! Which hosts try and get nothing, and which still get answers: the memory behind one (node, path).
//!
//! Fed with trials by `detect`. A host counts against the firewall only if it is known to have worked, its tries began
//! to fail with the others (not long before: that host is broken by itself), and it had no answer since. Counted twice:
//! over a window, beside the answers that others got in it, and over the run since the last answer to anybody. Bounded.

use super::memory::{self, HostMemory, OLDEST};
use super::score::HOST_GONE;
use crate::time::Timestamp;
use crate::track::HostKey;
use crate::track::table::Table;
use crate::track::zones::{address, octets};
use std::time::Duration;

/// Hosts remembered per side.
const MAX_HOSTS: usize = 8192;
/// In a run, a host that has not tried for so long does not count any more.
pub const LASTING: Duration = Duration::from_secs(600);
/// Failing hosts looked at, at most; more add nothing.
const MAX_FAILING: usize = 256;
/// Of those, hosts that never worked: a flood has thousands.
const MAX_STRANGERS: usize = 16;
/// Tries of one host within this long are one observation: pairs of states, bursts of one program.
const SLOT: Duration = Duration::from_millis(400);
/// A host that has not tried for so long begins anew when it does.
const LULL: Duration = Duration::from_secs(60);
/// Hosts that began to fail no further apart than this failed together.
const TOGETHER: Duration = Duration::from_secs(3);
/// What fails so soon after the last answer follows it: nothing was quiet between them.
const FOLLOWS: Duration = Duration::from_millis(600);
/// Longer without an answer is a quiet in which anything may have happened.
const QUIET: Duration = Duration::from_secs(3);
/// What one host does is an accident.
const SEVERAL: usize = 2;
/// Every observation is up to this old, so failing may be heard this much before the last answers are.
pub const LAG: Duration = Duration::from_millis(1_100);

#[derive(Clone, Copy)]
struct Host {
    last_success: Timestamp,
    /// First failure since the last success.
    failing_since: Timestamp,
    /// The same, or when it began anew after a lull.
    trying_since: Timestamp,
    last_failure: Timestamp,
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

/// Hosts that fail, of which few may be strangers: a flood must not push out those who count.
#[derive(Default)]
struct List {
    hosts: Vec<HostKey>,
    strangers: usize,
}

impl List {
    fn admit(&mut self, host: HostKey, works: bool) -> bool {
        let room = self.hosts.len() < MAX_FAILING && (works || self.strangers < MAX_STRANGERS);
        if room {
            self.strangers += usize::from(!works);
            self.hosts.push(host);
        }
        room
    }

    fn clear(&mut self) {
        self.hosts.clear();
        self.strangers = 0;
    }
}

/// One side's hosts (initiators or responders) of one (node, path).
pub struct Hosts {
    table: Table<HostKey, Host>,
    failing: List,
    /// Those that failed since the last answer to anybody.
    unanswered: List,
    epoch: u32,
    /// Counts up with every answer.
    run: u32,
    last_answer: Timestamp,
    succeeded: u32,
}

/// Hosts that count against the firewall.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// `h_i` of each.
    pub misses: Vec<f64>,
    /// What they tried is no burst of a moment ago, and was not all long ago: see [`is_ripe`].
    pub ripe: bool,
}

/// The same, by what they failed in.
#[derive(Clone, Debug, Default)]
pub struct Failing {
    /// Since the window opened.
    pub window: Group,
    /// Since the last answer that any host got.
    pub run: Group,
}

/// How old evidence must be, and may be.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    /// What was tried must last for so long.
    pub min: Duration,
    /// Something was tried within this long.
    pub max: Duration,
}

/// Whether tries by hosts that (began to fail, tried last) tell more than that many began a moment ago. One that failed long
/// before a burst does not make the burst any older: what most of them were part of must last `min`, from the second of
/// its hosts to the last but one. Hosts that fail one by one, each by itself, have had their time; and where somebody was
/// `answered` shortly before, there was no quiet to hide anything in, and all of the burst counts.
pub(super) fn is_ripe(now: Timestamp, ages: Ages, answered: Timestamp, mut hosts: Vec<(Timestamp, Timestamp)>) -> bool {
    hosts.sort_unstable();
    let apart = |pair: &[(Timestamp, Timestamp)]| pair[1].0.since(pair[0].0) > TOGETHER;
    let burst = &hosts[hosts.windows(2).rposition(apart).map_or(0, |i| i + 1)..];
    let fresh = hosts.iter().any(|h| now.since(h.1) <= ages.max);
    let few = burst.len() * 2 <= hosts.len();
    let after = |began: Timestamp, quiet| answered > Timestamp::MIN && began <= answered + quiet;
    let [first, second] = [0, 1].map(|i| burst.get(i).or(burst.last()).map(|h| h.0));
    let aged = first.is_some_and(|began| after(began, QUIET) && now >= began + ages.min);
    let lasts = second.is_some_and(|began| {
        let lasting = burst.iter().filter(|h| h.1 >= began + ages.min).count();
        after(began, FOLLOWS) || lasting >= SEVERAL.min(burst.len())
    });
    fresh && (few || aged || lasts)
}

impl Hosts {
    /// Nobody known yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            table: Table::new(MAX_HOSTS, seed),
            failing: List::default(),
            unanswered: List::default(),
            epoch: 1,
            run: 1,
            last_answer: Timestamp::MIN,
            succeeded: 0,
        }
    }

    /// Starts a new window: what failed so far counts no longer there, but in the run, as long as nobody is answered.
    pub fn reset(&mut self, now: Timestamp) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
        self.failing.clear();
        self.succeeded = 0;
        let mut lasting = List::default();
        for key in std::mem::take(&mut self.unanswered.hosts) {
            let Some(h) = self.table.get_mut(&key, now) else {
                continue;
            };
            if now.since(h.last_failure) <= LASTING {
                lasting.admit(key, h.last_success > Timestamp::MIN);
            } else {
                h.run = 0;
            }
        }
        self.unanswered = lasting;
    }

    /// Starts a new run without an answer: what failed so far counts nowhere, but who has failed since the last answer may.
    pub fn restart(&mut self) {
        self.run = self.run.wrapping_add(1).max(1);
        self.unanswered.clear();
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
        self.restart();
        self.last_answer = now;
        let h = self.entry(now, host);
        h.last_success = now;
        h.failing_since = Timestamp::MAX;
        h.miss = 1.0;
        let listed = std::mem::take(&mut h.epoch) == epoch;
        let first = std::mem::replace(&mut h.success_epoch, epoch) != epoch;
        self.succeeded += u32::from(first);
        if listed {
            self.failing.hosts.retain(|k| *k != host);
        }
    }

    /// A try without answer whose probability, were all well, is `ratio` of that were all dead.
    pub fn failure(&mut self, now: Timestamp, host: HostKey, ratio: f64) {
        let (epoch, run) = (self.epoch, self.run);
        let known = self.table.get(&host);
        let works = known.is_some_and(|h| h.last_success > Timestamp::MIN);
        let [old, going_on] = known.map_or([false; 2], |h| [h.epoch == epoch, h.run == run]);
        let in_window = old || self.failing.admit(host, works);
        let in_run = going_on || self.unanswered.admit(host, works);
        if !in_window && !in_run {
            return;
        }
        let h = self.entry(now, host);
        if h.failing_since == Timestamp::MAX || now.since(h.last_failure) > LULL {
            h.trying_since = now;
        }
        h.failing_since = h.failing_since.min(now);
        h.last_failure = now;
        if in_window {
            if !old {
                (h.epoch, h.miss, h.slot) = (epoch, 1.0, Slot::EMPTY);
            }
            h.miss = (h.miss * h.slot.take(now, ratio)).max(HOST_GONE);
        }
        if in_run {
            if !going_on {
                (h.run, h.run_miss, h.run_slot) = (run, 1.0, Slot::EMPTY);
            }
            h.run_miss = (h.run_miss * h.run_slot.take(now, ratio)).max(HOST_GONE);
        }
    }

    fn entry(&mut self, now: Timestamp, host: HostKey) -> &mut Host {
        self.table.get_or_insert_with(host, now, || Host {
            last_success: Timestamp::MIN,
            failing_since: Timestamp::MAX,
            trying_since: Timestamp::MIN,
            last_failure: Timestamp::MIN,
            epoch: 0,
            success_epoch: 0,
            miss: 1.0,
            slot: Slot::EMPTY,
            run: 0,
            run_miss: 1.0,
            run_slot: Slot::EMPTY,
        })
    }

    /// `h_i` of every host that counts against the firewall, in the window that began at `start` and in the run; at most
    /// `strangers` of those that never worked (a flood has any number of them). A host whose failing began long before
    /// the others' is broken by itself: in a run that is, long before the last answer to anybody.
    pub fn failing(
        &self,
        now: Timestamp,
        start: Timestamp,
        ages: Ages,
        strangers: usize,
        works_elsewhere: impl Fn(&HostKey) -> bool,
    ) -> Failing {
        let count = |list: &List, miss: &dyn Fn(&Host) -> Option<f64>| {
            let mut unknown = 0;
            let (mut misses, mut times) = (Vec::new(), Vec::new());
            for key in &list.hosts {
                let Some((h, miss)) = self.table.get(key).and_then(|h| Some((h, miss(h)?))) else {
                    continue;
                };
                if h.last_success == Timestamp::MIN && !works_elsewhere(key) {
                    unknown += 1;
                    if unknown > strangers {
                        continue;
                    }
                }
                misses.push(miss);
                times.push((h.trying_since, h.last_failure));
            }
            let ripe = is_ripe(now, ages, self.last_answer, times);
            Group { misses, ripe }
        };
        let window = |h: &Host| {
            let with_the_others = h.failing_since + LAG >= start;
            (h.epoch == self.epoch && h.miss < 1.0 && with_the_others).then_some(h.miss)
        };
        let run = |h: &Host| {
            let with_the_others = h.failing_since + LAG >= self.last_answer;
            let lasts = now.since(h.last_failure) <= LASTING;
            (h.run == self.run && h.run_miss < 1.0 && with_the_others && lasts).then_some(h.run_miss)
        };
        Failing {
            window: count(&self.failing, &window),
            run: count(&self.unanswered, &run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: u32 = 9_000;

    /// Whether hosts that began and tried last so many tenths of a second ago are enough.
    fn ripe(hosts: &[(u32, u32)], answered: u32) -> bool {
        let now = Timestamp::from_nanos(0) + Duration::from_secs(10_000);
        let ago = |tenths: u32| now - Duration::from_millis(100) * tenths;
        let ages = Ages {
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
        };
        is_ripe(
            now,
            ages,
            ago(answered),
            hosts.iter().map(|&(a, b)| (ago(a), ago(b))).collect(),
        )
    }

    #[test]
    fn what_fails_right_after_an_answer_is_as_old_as_that() {
        assert!(ripe(&[(8, 8); 10], 12), "0.4 s after it");
        assert!(!ripe(&[(5, 5); 10], 12), "0.7 s after it");
        assert!(ripe(&[(11, 11), (5, 5), (5, 5)], 30), "1.9 s after it, and 1.1 s old");
        assert!(!ripe(&[(11, 11), (5, 5), (5, 5)], 50), "3.9 s after it: not by one try");
    }

    #[test]
    fn a_burst_has_to_last_whatever_failed_long_before_it() {
        let burst = |old: &[(u32, u32)], tries: (u32, u32)| {
            let mut hosts = vec![tries; 10];
            hosts.extend(old);
            ripe(&hosts, LONG_AGO)
        };
        for old in [
            &[][..],
            &[(6_000, 6_000)],
            &[(6_000, 6_000); 4],
            &[(300, 1); 3],
            &[(20, 20)],
        ] {
            assert!(!burst(old, (1, 0)), "{old:?}");
            assert!(!burst(old, (12, 11)), "and then nothing: {old:?}");
            assert!(burst(old, (12, 0)), "{old:?}");
        }
    }

    #[test]
    fn hosts_that_fail_one_by_one_have_had_their_time() {
        let slow: Vec<(u32, u32)> = (0..8).map(|i| (i * 150, i * 150)).collect();
        assert!(ripe(&slow, LONG_AGO));
        let old: Vec<(u32, u32)> = slow.iter().map(|&(a, b)| (a + 700, b + 700)).collect();
        assert!(!ripe(&old, LONG_AGO), "nobody tries any more");
        assert!(ripe(&[(12, 1)], LONG_AGO) && !ripe(&[(9, 1)], LONG_AGO), "one alone");
        assert!(!ripe(&[], LONG_AGO));
    }
}
