//! The same datagram heard twice: mirror ports that show both directions, a capture of `any` over a bond, two captures of one
//! net, the same file given twice.
//!
//! Asked by the engine about each frame before anything is made of it. A datagram is known again by a hash of all its octets,
//! the IP identification included, so what a firewall says twice is not taken for a copy: the second time it has another
//! identification. FreeBSD sends 0 always, and there only nearness tells, or that nearly everything is heard twice. Two of its
//! kernels that answer each other say an update again and again in the same octets, within milliseconds and for minutes, so
//! whether everything is heard twice is asked of what a kernel says once: that a state was made or has ended.

use crate::capture::Net;
use crate::dissect::Kind;
use crate::time::Timestamp;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pfsync_proto::{Action, Packet};
use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::time::Duration;

/// A copy with an identification comes within this long; half of the identifications are used again later.
const WINDOW: Duration = Duration::from_secs(3);
/// A copy without one comes within this long: sooner than any flush that says the same again.
const NEAR: Duration = Duration::from_millis(20);
/// Datagrams remembered; at more per three seconds the memory is shorter.
const MOST: usize = 1 << 16;
/// Datagrams without identification, of those that are said once, over which it is counted whether nearly all are doubled.
const SAMPLE: u32 = 64;
/// Then every second one is the second of two, and hardly any is heard a third time: a capture that is played again and again
/// looks otherwise.
const SECONDS: std::ops::RangeInclusive<u32> = 29..=36;
const THIRDS: u32 = 2;
/// Those heard again within [`NEAR`] are told as copies where there are so many of them in two samples running, however often each
/// is heard.
const MANY: u32 = 14;
/// Copies at a steady distance are that far apart, give or take this.
const STEADY: Duration = Duration::from_millis(5);

/// What is made of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// It says nothing more: the same was heard just now.
    pub(super) before: bool,
    /// So many copies are known since the last datagram: a kernel without identifications may say the same twice at once, so
    /// that single ones are none.
    pub(super) copies: u64,
}

/// Whether its sender has no reason to say the same again: a state is made and ends once, and is told of many times.
pub(super) fn said_once(kind: &Kind<'_>) -> bool {
    let Kind::Pfsync(payload) = kind else { return true };
    let once = |action| matches!(action, Action::Ins | Action::Del | Action::DelC);
    Packet::new_checked(payload).is_ok_and(|packet| packet.sections().flatten().any(|s| once(s.action)))
}

/// One datagram that was heard.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    /// More than once.
    again: bool,
}

/// What was heard again among so many datagrams that are said once.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    all: u32,
    seconds: u32,
    thirds: u32,
    nears: u32,
    /// Heard again meanwhile, whatever it is: at once, or as far apart as the others.
    again_near: u64,
    again: u64,
}

/// What is known of one net where there is no identification.
#[derive(Debug, Default)]
struct Steady {
    /// How far apart the two of a pair are.
    distance: Duration,
    sample: Sample,
    before: Sample,
    /// By the sample before: nearly everything is heard twice.
    doubled: bool,
    /// By the two before: what is heard again at once is a copy.
    told: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Copies {
    hasher: FixedState,
    seen: HashMap<u64, Seen, FixedState>,
    order: VecDeque<(Timestamp, u64)>,
    steady: BTreeMap<Net, Steady>,
}

impl Copies {
    /// `seed` only makes collisions unpredictable.
    pub(super) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self {
            seen: HashMap::with_hasher(hasher.clone()),
            hasher,
            order: VecDeque::new(),
            steady: BTreeMap::new(),
        }
    }

    /// Whether this datagram was heard on this net just now; if not, it is remembered. `once`: its sender has no reason to say the
    /// same again.
    pub(super) fn heard_before(&mut self, now: Timestamp, net: Net, id: u16, once: bool, datagram: &[u8]) -> Heard {
        self.forget(now);
        let key = self.hasher.hash_one((net, datagram));
        let before = self.seen.get(&key).map(|s| (now.since(s.at), s.again));
        let heard = if id == 0 {
            self.steady.entry(net).or_default().count(before, once)
        } else {
            let before = before.is_some();
            Heard {
                before,
                copies: u64::from(before),
            }
        };
        match self.seen.get_mut(&key) {
            Some(seen) if heard.before => seen.again = true,
            _ => self.remember(now, key, before.is_some()),
        }
        heard
    }

    fn remember(&mut self, at: Timestamp, key: u64, again: bool) {
        if self.order.len() >= MOST {
            self.drop_oldest();
        }
        self.seen.insert(key, Seen { at, again });
        self.order.push_back((at, key));
    }

    fn forget(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((at, key)) = self.order.pop_front() else {
            return;
        };
        if self.seen.get(&key).is_some_and(|s| s.at == at) {
            self.seen.remove(&key);
        }
    }
}

impl Steady {
    /// Counts a datagram; `before`: how long ago the same was heard, and whether not for the first time.
    fn count(&mut self, before: Option<(Duration, bool)>, once: bool) -> Heard {
        let near = before.is_some_and(|(distance, _)| distance <= NEAR);
        let second = near || self.is_second(before, once);
        self.sample.again_near += u64::from(near);
        self.sample.again += u64::from(second);
        let known = self.doubled;
        let mut copies = u64::from((known && second) || (self.told && near));
        if once {
            self.sample.seconds += u32::from(second);
            self.sample.nears += u32::from(near);
            self.sample.thirds += u32::from(!near && before.is_some_and(|(_, again)| again));
            self.sample.all += 1;
        }
        if self.sample.all == SAMPLE {
            copies += self.conclude();
        }
        let before = near || (second && known);
        Heard { before, copies }
    }

    /// What a full sample shows; how many copies are known by it that were not told.
    fn conclude(&mut self) -> u64 {
        let (before, now) = (self.before, self.sample);
        let was = self.doubled || self.told;
        self.doubled = SECONDS.contains(&now.seconds) && now.thirds <= THIRDS;
        self.told = before.nears.min(now.nears) >= MANY;
        self.before = now;
        self.sample = Sample::default();
        match (self.doubled, self.told) {
            _ if was => 0,
            (true, _) => now.again,
            (false, true) => before.again_near + now.again_near,
            (false, false) => 0,
        }
    }

    /// Whether it is as far from the one before it as the others, if that is the first.
    fn is_second(&mut self, before: Option<(Duration, bool)>, once: bool) -> bool {
        let Some((distance, false)) = before else { return false };
        let steady = distance.abs_diff(self.distance) <= STEADY;
        if !steady && once && self.sample.seconds == 0 {
            self.distance = distance;
        }
        steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears `what` at `ms`.
    struct Ear(Copies);

    impl Ear {
        fn copy(&mut self, ms: u64, id: u16, what: u32) -> bool {
            let at = Timestamp::from_nanos(0) + Duration::from_millis(ms);
            self.0.heard_before(at, Net::Sync, id, true, &what.to_be_bytes()).before
        }
    }

    fn ear() -> Ear {
        Ear(Copies::new(1))
    }

    #[test]
    fn with_an_identification_a_copy_is_known_for_three_seconds() {
        let mut ear = ear();
        assert!(!ear.copy(0, 7, 1));
        assert!(ear.copy(3, 7, 1) && ear.copy(2_900, 7, 1));
        assert!(!ear.copy(3_100, 7, 1), "that identification is used again");
        assert!(!ear.copy(3_100, 7, 2));
        let here = |net| ear_at(net);
        assert!(!here(Net::Segment(0)) && !here(Net::Segment(1)));
    }

    fn ear_at(net: Net) -> bool {
        let mut copies = Copies::new(1);
        copies.heard_before(Timestamp::from_nanos(0), Net::Sync, 7, true, &[1]);
        copies.heard_before(Timestamp::from_nanos(0), net, 7, true, &[1]).before
    }

    #[test]
    fn a_kernel_that_says_the_same_twice_at_once_is_no_mirror_and_one_that_shows_all_twice_is() {
        let told = |every: u32| {
            let mut copies = Copies::new(1);
            let mut told = 0;
            for i in 0..640_u32 {
                let at = Timestamp::from_nanos(0) + Duration::from_millis(10) * i;
                for later in 0..=u64::from(i % every == 0) {
                    let at = at + Duration::from_millis(later);
                    told += copies.heard_before(at, Net::Sync, 0, true, &i.to_be_bytes()).copies;
                }
            }
            told
        };
        assert_eq!((told(1), told(20)), (640, 0));
    }

    #[test]
    fn what_is_heard_three_times_or_twice_by_chance_is_counted_as_often_as_it_is_a_copy() {
        let told = |more: fn(u32) -> u64| {
            let mut copies = Copies::new(1);
            let (mut told, mut all) = (0, 0);
            for i in 0..640_u32 {
                let at = Timestamp::from_nanos(0) + Duration::from_millis(10) * i;
                for later in 0..=more(i) {
                    let heard = copies.heard_before(
                        at + Duration::from_millis(3 * later),
                        Net::Sync,
                        0,
                        true,
                        &i.to_be_bytes(),
                    );
                    assert_eq!(heard.before, later > 0);
                    told += heard.copies;
                    all += u64::from(later > 0);
                }
            }
            (told, all)
        };
        assert_eq!(told(|_| 2), (1_280, 1_280));
        let (told, all) = told(|i| u64::from(i.wrapping_mul(2_654_435_761) >> 31));
        assert!(told + 32 >= all && told <= all, "{told} of {all}");
    }

    #[test]
    fn kernels_that_tell_each_other_the_same_state_without_end_are_not_heard_twice() {
        let mut copies = Copies::new(1);
        let (mut told, mut dropped) = (0, 0);
        for i in 0..6_400_u32 {
            let at = Timestamp::from_nanos(0) + Duration::from_millis(10) * i;
            // Every fourth is of a state that is made; the others are told of in pairs, 10 ms apart, or 30 ms.
            let once = i % 4 == 0;
            let octets = if once { i } else { i / 8 * 8 + i % 2 }.to_be_bytes();
            let heard = copies.heard_before(at, Net::Sync, 0, once, &octets);
            told += heard.copies;
            let near = !once && i % 8 >= 2;
            dropped += u32::from(heard.before && !near);
        }
        assert_eq!((told, dropped), (0, 0));
    }

    #[test]
    fn without_one_only_what_comes_at_once_is_a_copy() {
        let mut ear = ear();
        assert!(!ear.copy(0, 0, 1));
        assert!(ear.copy(20, 0, 1));
        assert!(
            !ear.copy(1_000, 0, 1),
            "a state that did not move is told again each second"
        );
    }

    /// Copies among `n` different datagrams, 10 ms apart, each heard again `later`.
    fn doubled(ear: &mut Ear, n: u64, later: u64) -> usize {
        let heard = (0..n).flat_map(|i| [(i * 10, i), (i * 10 + later, i)]);
        let mut heard: Vec<_> = heard.collect();
        heard.sort_unstable();
        let copies = heard
            .iter()
            .filter(|(ms, what)| ear.copy(*ms, 0, u32::try_from(*what).unwrap()));
        copies.count()
    }

    #[test]
    fn where_nearly_everything_is_heard_twice_distance_does_not_matter() {
        assert_eq!(doubled(&mut ear(), 1_000, 3), 1_000);
        let found = doubled(&mut ear(), 1_000, 700);
        assert!(found > 900, "{found}");
    }

    #[test]
    fn who_says_the_same_each_second_and_what_is_played_again_lose_nothing() {
        let mut each_second = ear();
        assert!((0..1_000).all(|s| !each_second.copy(s * 1_000, 0, 1)));
        let mut alternating = ear();
        assert!((0..1_000u32).all(|s| !alternating.copy(u64::from(s) * 500, 0, s % 2)));
        let mut replayed = ear();
        let all = (0..40_u64).flat_map(|turn| (0..200_u64).map(move |i| (turn * 2_000 + i * 10, i)));
        assert_eq!(
            all.filter(|(ms, i)| replayed.copy(*ms, 0, u32::try_from(*i).unwrap()))
                .count(),
            0
        );
    }

    #[test]
    fn a_flood_ends_at_a_number() {
        let mut ear = ear();
        for i in 0..100_000 {
            ear.copy(0, 7, i);
        }
        assert_eq!((ear.0.seen.len(), ear.0.order.len()), (MOST, MOST));
    }
}
