//! How often something comes, as of late.

use crate::time::Timestamp;
use std::time::Duration;

/// Seconds over which it is smoothed.
const SMOOTH: f64 = 60.0;

/// Times per second, smoothed over a minute; it fades when none come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    rate: f64,
    at: Timestamp,
    fresh: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rate: 0.0,
            at: Timestamp::MIN,
            fresh: 0.0,
        }
    }
}

impl Pace {
    /// It came `times`.
    pub(super) fn note(&mut self, times: f64) {
        self.fresh += times;
    }

    /// Takes in what came since the last time.
    pub(super) fn learn(&mut self, now: Timestamp) {
        if self.fresh > 0.0 {
            self.rate = self.now(now) + std::mem::take(&mut self.fresh) / SMOOTH;
            self.at = now;
        }
    }

    /// What it was `age` ago.
    pub(super) fn recall(&mut self, now: Timestamp, age: Duration, rate: f64) {
        (self.rate, self.at) = (rate * (-age.as_secs_f64() / SMOOTH).exp(), now);
    }

    /// Times per second.
    pub(super) fn now(&self, now: Timestamp) -> f64 {
        self.rate * (-now.since(self.at).as_secs_f64() / SMOOTH).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_evenly_is_known_after_minutes_and_fades() {
        let at = |s: u64| Timestamp::from_nanos(0) + Duration::from_secs(s);
        let mut p = Pace::default();
        for s in 0..600 {
            p.note(3.0);
            p.learn(at(s));
        }
        assert!((p.now(at(600)) - 3.0).abs() < 0.1, "{}", p.now(at(600)));
        assert!(p.now(at(660)) < 1.2);
        let mut q = Pace::default();
        q.recall(at(60), Duration::from_secs(60), p.now(at(600)));
        assert!((q.now(at(60)) - p.now(at(660))).abs() < 1e-6);
    }
}
