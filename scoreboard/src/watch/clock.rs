//! The clock that stamps what an engine hears, and what its jumps look like to the engine.

use crate::pair::Pair;
use pf_sim::Time;
use pfwatch::time::Timestamp;
use std::time::Duration;

/// What the stamps show.
pub(super) struct Clock {
    pub(super) epoch: i64,
    /// When they jump, and by how much; empty where they do not.
    pub(super) steps: Vec<(Time, i64)>,
}

impl Clock {
    /// What the engine is told.
    pub(super) fn stamp(&self, at: Time) -> Timestamp {
        let jumps = self.steps.iter().filter(|(when, _)| *when <= at);
        let jumped: i64 = jumps.map(|(_, by)| by).sum();
        Timestamp::from_nanos(self.epoch.saturating_add(jumped)) + at
    }

    /// When the engine knew: what lies in a jump came to it when the clock jumped.
    pub(super) fn since(&self, at: Timestamp) -> Time {
        let mut time = at.since(Timestamp::from_nanos(self.epoch));
        for (when, by) in &self.steps {
            let forward = Time::from_nanos(u64::try_from(*by).unwrap_or(0));
            let back = Time::from_nanos(u64::try_from(by.saturating_neg()).unwrap_or(0));
            if time > *when {
                time = (time.saturating_sub(forward) + back).max(*when);
            }
        }
        time
    }
}

/// For how long a machine may have slept whose clock jumped: that of a jump forwards, nothing for one backwards.
pub(super) fn slept(pair: &Pair, at: Time) -> Duration {
    let now = pair.steps.iter().find(|(when, _)| *when == at);
    Duration::from_nanos(now.and_then(|(_, by)| u64::try_from(*by).ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_jump_and_what_is_in_the_jump_happened_when_they_did() {
        let s = Time::from_secs;
        let clock = |by: i64| Clock {
            epoch: 1_000,
            steps: vec![(s(50), by * 1_000_000_000)],
        };
        let shown = |clock: &Clock, at| clock.stamp(s(at)).since(Timestamp::from_nanos(1_000));
        let forward = clock(100);
        assert_eq!([49, 50, 60].map(|at| shown(&forward, at)), [s(49), s(150), s(160)]);
        let known = |at| forward.since(Timestamp::from_nanos(1_000) + s(at));
        assert_eq!([49, 70, 150, 160].map(known), [s(49), s(50), s(50), s(60)]);
        let back = clock(-20);
        assert_eq!(
            [49, 50, 60, 90].map(|at| shown(&back, at)),
            [s(49), s(30), s(40), s(70)]
        );
        let known = |at| back.since(Timestamp::from_nanos(1_000) + s(at));
        assert_eq!([49, 50, 70].map(known), [s(49), s(50), s(90)]);
    }
}
