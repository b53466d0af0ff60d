//! Whether what a node lets in leaves it again: what a firewall that hangs has in common with no other fault.
//!
//! pf makes one state where a connection comes in and one where it goes out. A firewall behind which everything is dead goes
//! on making both; one that forwards nothing makes the first alone. Told by `Detector::observe`, asked before an address is
//! moved while CARP sees nothing wrong.

use crate::time::Timestamp;
use crate::track::Passage;
use std::time::Duration;

/// Both states of a connection are told within this long, for each waits its own second.
const TOLD: Duration = Duration::from_millis(1_100);
/// Where all is well, so many come in without going out, in a row, once in as many times.
const CHANCE: f64 = 1e-3;
/// However surely connections go out again, fewer say nothing.
const LEAST: u32 = 3;
/// What is usual is learned from about this many.
const MEMORY: u32 = 1_000;
/// Until so many went out nothing is known.
const LEARNED: u32 = 10;

/// One node's.
#[derive(Clone, Copy, Debug)]
pub struct Through {
    entered: u32,
    left: u32,
    /// That came in since the last that went out.
    pending: u32,
    last_left: Timestamp,
    /// Of them, those after which one should have been told to go out, and since when.
    alone: u32,
    since: Timestamp,
}

impl Default for Through {
    fn default() -> Self {
        Self {
            entered: 0,
            left: 0,
            pending: 0,
            last_left: Timestamp::MIN,
            alone: 0,
            since: Timestamp::MIN,
        }
    }
}

impl Through {
    /// A connection was opened.
    pub fn note(&mut self, now: Timestamp, passage: Passage) {
        match passage {
            Passage::Left => {
                self.entered += std::mem::take(&mut self.pending).min(MEMORY);
                self.left += 1;
                if self.left > MEMORY {
                    (self.entered, self.left) = (self.entered / 2, self.left / 2);
                }
                (self.alone, self.last_left) = (0, now);
            }
            Passage::Entered => {
                self.pending = self.pending.saturating_add(1);
                if now.since(self.last_left) > TOLD {
                    if self.alone == 0 {
                        self.since = now;
                    }
                    self.alone = self.alone.saturating_add(1);
                }
            }
        }
    }

    /// We were blind, or it stood still: who went out may have been missed.
    pub fn restart(&mut self, now: Timestamp) {
        (self.pending, self.alone) = (0, 0);
        self.last_left = self.last_left.max(now);
    }

    /// Connections that came in of late, if none of them went out again and that is no chance.
    #[must_use]
    pub fn stuck(&self, now: Timestamp) -> Option<u32> {
        if self.left < LEARNED || self.alone < LEAST || now.since(self.since) <= TOLD {
            return None;
        }
        let usual = f64::from(self.left) / f64::from(self.entered.max(self.left));
        let chance = (1.0 - usual.min(0.99)).powf(f64::from(self.alone));
        (chance <= CHANCE).then_some(self.alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs(1_000) + Duration::from_millis(ms)
    }

    /// A connection each 100 ms for ten seconds, of which every `nth` goes out again.
    fn used(nth: u64) -> Through {
        let mut t = Through::default();
        for i in 0..100 {
            t.note(at(i * 100), Passage::Entered);
            if i % nth == 0 {
                t.note(at(i * 100), Passage::Left);
            }
        }
        t
    }

    fn enter(t: &mut Through, from: u64, count: u64, every: u64) -> u64 {
        (0..count).for_each(|i| t.note(at(from + i * every), Passage::Entered));
        from + count.saturating_sub(1) * every
    }

    #[test]
    fn what_only_comes_in_is_stuck_once_the_way_out_should_have_been_told() {
        let mut t = used(1);
        let last = enter(&mut t, 10_000, 23, 100);
        assert!(
            t.stuck(at(last)).is_none(),
            "the first that counts came 2.2 s before the end"
        );
        enter(&mut t, 12_300, 1, 100);
        assert!(t.stuck(at(12_300)).is_some());
    }

    #[test]
    fn a_burst_whose_way_out_is_told_a_second_later_is_not() {
        let mut t = used(1);
        enter(&mut t, 60_000, 20, 1);
        assert!(t.stuck(at(61_000)).is_none());
        t.note(at(61_050), Passage::Left);
        enter(&mut t, 61_050, 20, 1);
        assert!(
            t.stuck(at(70_000)).is_none(),
            "they came within a second of one that left"
        );
    }

    #[test]
    fn the_fewer_usually_leave_the_more_must_be_stuck() {
        let needed = |nth: u64| {
            let mut t = used(nth);
            let first = (1..200_u64).find(|i| {
                enter(&mut t, 20_000 + i * 2_000, 1, 1);
                t.stuck(at(22_000 + i * 2_000)).is_some()
            });
            first.unwrap()
        };
        assert_eq!(needed(1), 3);
        assert!((8..=12).contains(&needed(2)), "{}", needed(2));
        assert!(needed(4) > 20, "{}", needed(4));
    }

    #[test]
    fn nothing_is_known_where_no_way_out_is_ever_told_or_of_what_was_missed() {
        let mut t = Through::default();
        enter(&mut t, 0, 500, 100);
        assert!(t.stuck(at(60_000)).is_none());
        let mut t = used(1);
        let last = enter(&mut t, 12_000, 50, 100);
        assert!(t.stuck(at(last)).is_some());
        t.restart(at(last));
        assert!(t.stuck(at(last + 60_000)).is_none());
    }
}
