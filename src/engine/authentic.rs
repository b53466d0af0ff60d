//! Which of the operator's addresses an advertisement's HMAC covers, and what it means when none does.
//!
//! The HMAC covers the shared addresses of the vhid, and nobody tells which of `local` those are. They are found by trying,
//! remembered, and looked for again when advertisements cease to verify, because an alias may have come or gone.

use crate::time::Timestamp;
use pfsync_proto::Carp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Addresses that are looked at; behind the ranking more are noise.
const MAX_SHARED: usize = 32;
/// Of these all pairs are tried, and of these all combinations.
const IN_PAIRS: usize = 12;
const IN_ALL_WAYS: usize = 6;
/// Between two searches for one vhid: one costs as much as a few hundred advertisements.
const AGAIN: Duration = Duration::from_secs(1);
/// Searches for vhids of which nothing ever verified: so many at once, and so many per second.
const BURST: f64 = 32.0;
const PER_SECOND: f64 = 8.0;
/// Advertisements of a node that are refused, and for how long nothing verified, before that is said.
const REFUSED: u32 = 3;
const UNVERIFIED: Duration = Duration::from_secs(3);
/// Intervals after which whatever does not verify no longer carries on what did.
const CARRIES_ON: f64 = 2.2;
/// Intervals without one that verifies, after which a vhid that goes on unverified is none that we can judge.
const UNJUDGED: f64 = 1.5;
/// The announced interval is not covered by the HMAC.
const LONGEST: Duration = Duration::from_secs(10);
/// Where genuine and forged advertisements were mixed lately, the forged ones carry on nothing.
const MIXED: Duration = Duration::from_secs(60);

/// A segment by index, and a vhid on it.
pub(super) type Key = (usize, u8);

/// What is known of one vhid.
#[derive(Default)]
struct Proof {
    set: Option<Vec<IpAddr>>,
    searched: Option<Timestamp>,
    verified: Option<Timestamp>,
    interval: Duration,
    /// Refused since the last that verified.
    refused: u32,
    last_refused: Option<Timestamp>,
    /// The refused ones follow upon the verified ones without a pause.
    carries_on: bool,
    mixed: Option<Timestamp>,
    told: bool,
}

/// What to do with an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proven {
    /// It counts.
    Yes,
    /// It counts, for there is nothing to hold it against.
    Unknown,
    /// It does not.
    No {
        /// To be said, once.
        tell: bool,
        /// The vhid goes on unverified: that nothing of it counts must not look like its absence.
        unjudged: bool,
    },
}

/// All vhids of segments with a password.
#[derive(Default)]
pub(super) struct Proofs {
    shared: Vec<IpAddr>,
    vhids: BTreeMap<Key, Proof>,
    searches: f64,
    refilled: Timestamp,
}

impl Proofs {
    /// `shared`: addresses that identify no single node.
    pub(super) fn new(mut shared: Vec<IpAddr>) -> Self {
        shared.sort_unstable();
        shared.dedup();
        Self {
            shared,
            vhids: BTreeMap::new(),
            searches: BURST,
            refilled: Timestamp::MIN,
        }
    }

    /// Holds an advertisement from `from` against the password; `node`: that is a configured node's address.
    pub(super) fn check(
        &mut self,
        now: Timestamp,
        key: Key,
        carp: &Carp,
        password: &[u8],
        from: IpAddr,
        node: bool,
    ) -> Proven {
        if self.shared.is_empty() {
            return Proven::Unknown;
        }
        let set = self.vhids.get(&key).and_then(|p| p.set.as_ref());
        let as_before = set.is_some_and(|set| carp.verify(password, set));
        let found = if as_before || !self.may_search(now, key) {
            None
        } else {
            search(&self.ranked(key, from), set_of(&self.vhids, key), |set| {
                carp.verify(password, set)
            })
        };
        let proof = self.vhids.entry(key).or_default();
        if !as_before && found.is_none() {
            return proof.refuse(now, node);
        }
        if let Some(set) = found {
            (proof.set, proof.told, proof.mixed) = (Some(set), false, None);
        } else if proof.refused > 0 {
            proof.mixed = Some(now);
        }
        (proof.verified, proof.refused, proof.carries_on) = (Some(now), 0, false);
        proof.interval = carp.interval().min(LONGEST);
        Proven::Yes
    }

    /// A vhid that was proven has its own allowance; invented ones share one.
    fn may_search(&mut self, now: Timestamp, key: Key) -> bool {
        let proof = self.vhids.entry(key).or_default();
        if proof.searched.is_some_and(|t| now.since(t) < AGAIN) {
            return false;
        }
        if proof.set.is_none() {
            let refill = now.since(self.refilled).as_secs_f64() * PER_SECOND;
            self.searches = (self.searches + refill).min(BURST);
            self.refilled = now;
            if self.searches < 1.0 {
                return false;
            }
            self.searches -= 1.0;
        }
        proof.searched = Some(now);
        true
    }

    /// First those that are near the sender and that no other segment has.
    fn ranked(&self, key: Key, from: IpAddr) -> Vec<IpAddr> {
        let elsewhere = |a: &IpAddr| {
            let others = self.vhids.iter().filter(|((segment, _), _)| *segment != key.0);
            others.filter_map(|(_, p)| p.set.as_ref()).any(|set| set.contains(a))
        };
        let mut ranked = self.shared.clone();
        ranked.sort_by_cached_key(|a| (elsewhere(a), 128 - nearness(*a, from), *a));
        ranked.truncate(MAX_SHARED);
        ranked
    }
}

impl Proof {
    fn refuse(&mut self, now: Timestamp, node: bool) -> Proven {
        // Only what seems to come from a node can be somebody's mistake.
        if !node {
            return Proven::No {
                tell: false,
                unjudged: false,
            };
        }
        let intervals = |t: Option<Timestamp>| {
            let age = t.map_or(f64::INFINITY, |t| now.since(t).as_secs_f64());
            age / self.interval.as_secs_f64().max(0.004)
        };
        let follows = intervals(self.verified.max(self.last_refused)) <= CARRIES_ON;
        let mixed = self.mixed.is_some_and(|t| now.since(t) < MIXED);
        let unverified = intervals(self.verified) >= UNJUDGED;
        self.carries_on = follows && !mixed && (self.carries_on || self.refused == 0);
        let unjudged = self.verified.is_some() && self.carries_on && unverified;
        self.refused = self.refused.saturating_add(1);
        self.last_refused = Some(now);
        let long = self.verified.is_none_or(|t| now.since(t) >= UNVERIFIED);
        let tell = !self.told && (unjudged || (long && self.refused >= REFUSED));
        self.told |= tell;
        Proven::No { tell, unjudged }
    }
}

fn set_of(vhids: &BTreeMap<Key, Proof>, key: Key) -> &[IpAddr] {
    vhids.get(&key).and_then(|p| p.set.as_deref()).unwrap_or_default()
}

/// Bits that two addresses share at their beginning, of 128. Those of the other family come behind those of the same /24.
fn nearness(a: IpAddr, b: IpAddr) -> u32 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => 4 * (u32::from(a) ^ u32::from(b)).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros(),
        _ => 94,
    }
}

/// The set that fits: what was proven, one more or one less; one alone; the first ones together; two; some of the first.
fn search(ranked: &[IpAddr], proven: &[IpAddr], fits: impl Fn(&[IpAddr]) -> bool) -> Option<Vec<IpAddr>> {
    let without = |i: usize| {
        let mut set = proven.to_vec();
        set.remove(i);
        set
    };
    let less = (0..proven.len()).map(without);
    let with = |a: &IpAddr| proven.iter().copied().chain([*a]).collect::<Vec<_>>();
    let more = ranked.iter().filter(|a| !proven.contains(a)).map(with);
    let alone = ranked.iter().map(|a| vec![*a]);
    let first = (2..=ranked.len()).map(|n| ranked[..n].to_vec());
    let near = &ranked[..ranked.len().min(IN_PAIRS)];
    let two = near
        .iter()
        .enumerate()
        .flat_map(|(i, a)| near[i + 1..].iter().map(move |b| vec![*a, *b]));
    let few = &ranked[..ranked.len().min(IN_ALL_WAYS)];
    let some = (1..1_u32 << few.len()).map(|subset| {
        let chosen = few.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1);
        chosen.map(|(_, a)| *a).collect::<Vec<_>>()
    });
    less.chain(more)
        .chain(alone)
        .chain(first)
        .chain(two)
        .chain(some)
        .filter(|set| !set.is_empty())
        .find(|set| fits(set))
}
