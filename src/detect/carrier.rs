//! Who carries traffic, as far as pfsync alone tells: for those who hear no CARP.
//!
//! A pair that is torn apart (one node keeps the inside, the other takes the outside) looks dead on both nodes, because
//! each sees half of every flow. CARP tells whose fault it is. Without CARP only the order does: the node that carried
//! everything is the one that lost something, and the one that has just begun is not to blame for it.

use crate::time::Timestamp;
use std::time::Duration;

/// After so long without a try a node carries nothing any more.
const PAUSE: Duration = Duration::from_secs(10);
/// Who began this much later began after the other.
const LATER: Duration = Duration::from_secs(5);
/// Tries are counted over about this long, in seconds.
const MEMORY: f64 = 20.0;
/// A node with less than this share of another's tries only talks for itself.
const WORTH: f64 = 0.1;

/// One node's tries.
#[derive(Clone, Copy, Debug)]
pub struct Carrier {
    since: Timestamp,
    last: Timestamp,
    tries: f64,
}

impl Default for Carrier {
    fn default() -> Self {
        Self {
            since: Timestamp::MIN,
            last: Timestamp::MIN,
            tries: 0.0,
        }
    }
}

impl Carrier {
    /// Something was tried through it.
    pub fn tried(&mut self, now: Timestamp) {
        if self.last == Timestamp::MIN || now.since(self.last) > PAUSE {
            self.since = now;
        }
        self.tries = self.weight(now) + 1.0;
        self.last = now;
    }

    /// As often more at the same moment.
    pub fn tried_again(&mut self, times: u32) {
        self.tries += f64::from(times);
    }

    /// Whether it began to carry no earlier than this, or a little before.
    #[must_use]
    pub fn began(&self, at: Timestamp) -> bool {
        self.since + LATER >= at
    }

    fn weight(&self, now: Timestamp) -> f64 {
        self.tries * (-now.since(self.last).as_secs_f64() / MEMORY).exp()
    }

    /// Whether `all[node]` carried next to nothing before `since`, or only a trifle of what another carries.
    pub fn idle(all: impl Iterator<Item = Self>, node: usize, since: Timestamp, now: Timestamp) -> bool {
        let all: Vec<Self> = all.collect();
        let Some(mine) = all.get(node) else { return true };
        let most = all.iter().map(|c| c.weight(now)).fold(0.0, f64::max);
        let silent = mine.last == Timestamp::MIN || now.since(mine.last) > PAUSE;
        silent || mine.began(since) || mine.weight(now) < WORTH * most
    }

    /// Whether `all[node]` may be blamed for what fails: nobody else carries, or everybody else began later.
    pub fn to_blame(all: impl Iterator<Item = Self>, node: usize, now: Timestamp) -> bool {
        let all: Vec<Self> = all.collect();
        let Some(mine) = all.get(node) else { return true };
        let others = all.iter().enumerate().filter(|(i, _)| *i != node).map(|(_, c)| c);
        others
            .filter(|c| c.last > Timestamp::MIN && now.since(c.last) <= PAUSE)
            .filter(|c| c.weight(now) >= WORTH * mine.weight(now))
            .all(|c| mine.since + LATER <= c.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs_f64(s)
    }

    fn tries(from: f64, to: f64, every: f64) -> Carrier {
        let mut c = Carrier::default();
        let mut t = from;
        while t < to {
            c.tried(at(t));
            t += every;
        }
        c
    }

    fn blamed(all: &[Carrier], node: usize, now: f64) -> bool {
        Carrier::to_blame(all.iter().copied(), node, at(now))
    }

    #[test]
    fn who_carried_everything_is_to_blame_and_who_has_just_begun_is_not() {
        let pair = [tries(0.0, 70.0, 0.1), tries(60.0, 70.0, 0.2)];
        assert!(blamed(&pair, 0, 70.0) && !blamed(&pair, 1, 70.0));
    }

    #[test]
    fn a_backup_that_talks_for_itself_excuses_nobody() {
        let pair = [tries(0.0, 70.0, 0.1), tries(0.0, 70.0, 5.0)];
        assert!(blamed(&pair, 0, 70.0) && !blamed(&pair, 1, 70.0));
    }

    #[test]
    fn who_carries_a_share_is_not_idle() {
        let idle = |all: &[Carrier], node| Carrier::idle(all.iter().copied(), node, at(66.0), at(70.0));
        let shared = [tries(0.0, 70.0, 0.1), tries(0.0, 70.0, 0.1)];
        assert!(!idle(&shared, 0) && !idle(&shared, 1));
        assert!(
            idle(&[tries(0.0, 70.0, 0.1), tries(0.0, 70.0, 5.0)], 1),
            "talks for itself"
        );
        assert!(
            idle(&[tries(0.0, 70.0, 0.1), tries(65.0, 70.0, 0.1)], 1),
            "has just begun"
        );
        assert!(idle(&[tries(0.0, 70.0, 0.1), Carrier::default()], 1), "never began");
    }

    #[test]
    fn where_both_always_carried_nobody_can_be_named() {
        let pair = [tries(0.0, 70.0, 0.1), tries(0.0, 70.0, 0.1)];
        assert!(!blamed(&pair, 0, 70.0) && !blamed(&pair, 1, 70.0));
    }

    #[test]
    fn after_a_failover_the_new_one_stands_for_itself() {
        let pair = [tries(0.0, 60.0, 0.1), tries(60.0, 75.0, 0.1)];
        assert!(blamed(&pair, 1, 75.0));
    }
}
