//! How often tries of each class succeed when all is well, learned; and what a dead firewall would show, fixed.
//!
//! Used by `detect` to weigh one message. Counts are kept back until the window in which they arose turned out well, so
//! an outage is never learned as the new normal.

use crate::track::flow::{CLASSES, Class, Outcome};

/// Sum of the prior's pseudo counts per class.
pub const PRIOR_WEIGHT: f64 = 20.0;
/// Counts are halved beyond this, so that the past fades.
pub const MEMORY: f64 = 4_000.0;
/// A single message is never worth more than this factor.
const FLOOR: f64 = 0.02;

/// [success, partial, failure] when well, before anything was learned; by `Class` in its order.
const ALIVE: [[f64; 3]; CLASSES] = [
    [0.80, 0.05, 0.15],
    [0.75, 0.01, 0.24],
    [0.75, 0.01, 0.24],
    [0.50, 0.20, 0.30],
    [0.40, 0.05, 0.55],
    [0.75, 0.20, 0.05],
    [0.30, 0.20, 0.50],
    [0.95, 0.00, 0.05],
];

/// [success, partial, failure] when dead: successes are strays.
const DEAD: [[f64; 3]; CLASSES] = [
    [0.01, 0.04, 0.95],
    [0.01, 0.01, 0.98],
    [0.01, 0.01, 0.98],
    [0.01, 0.04, 0.95],
    [0.01, 0.01, 0.98],
    [0.02, 0.28, 0.70],
    [0.02, 0.13, 0.85],
    [0.02, 0.00, 0.98],
];

/// Learned outcome counts of one (node, path).
#[derive(Clone, Debug)]
pub struct Rates {
    learned: [[f64; 3]; CLASSES],
    pending: [[f64; 3]; CLASSES],
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            learned: ALIVE.map(|row| row.map(|p| p * PRIOR_WEIGHT)),
            pending: [[0.0; 3]; CLASSES],
        }
    }
}

impl Rates {
    /// Notes an outcome; learned when the window ends well.
    pub fn note(&mut self, class: Class, outcome: Outcome) {
        self.note_many(class, outcome, 1);
    }

    /// Notes it as often as it came.
    pub fn note_many(&mut self, class: Class, outcome: Outcome, times: u32) {
        self.pending[class as usize][outcome as usize] += f64::from(times);
    }

    /// The window ended well.
    pub fn commit(&mut self) {
        for (learned, pending) in self.learned.iter_mut().zip(&mut self.pending) {
            for (l, p) in learned.iter_mut().zip(pending.iter_mut()) {
                *l += std::mem::take(p);
            }
            if learned.iter().sum::<f64>() > MEMORY {
                for l in learned {
                    *l /= 2.0;
                }
            }
        }
    }

    /// What was learned, by class.
    #[must_use]
    pub fn remember(&self) -> Vec<[f64; 3]> {
        self.learned.to_vec()
    }

    /// Takes back what was learned once; what is missing in `weight` is what is assumed before anything is.
    pub fn recall(&mut self, outcomes: &[[f64; 3]], weight: f64) {
        for ((learned, old), prior) in self.learned.iter_mut().zip(outcomes).zip(ALIVE) {
            for ((l, o), p) in learned.iter_mut().zip(old).zip(prior) {
                *l = o * weight + p * PRIOR_WEIGHT * (1.0 - weight);
            }
        }
    }

    /// The window did not end well.
    pub fn discard(&mut self) {
        self.pending = [[0.0; 3]; CLASSES];
    }

    /// P(outcome | well) / P(outcome | dead), at most 1.
    #[must_use]
    pub fn ratio(&self, class: Class, outcome: Outcome) -> f64 {
        let row = &self.learned[class as usize];
        let alive = row[outcome as usize] / row.iter().sum::<f64>();
        (alive / DEAD[class as usize][outcome as usize]).clamp(FLOOR, 1.0)
    }

    /// The same where only some classes ever occur: what is assumed of the others says nothing.
    #[must_use]
    pub fn usual_of_seen(&self) -> f64 {
        let seen = self.learned.iter().filter(|r| r.iter().sum::<f64>() > PRIOR_WEIGHT);
        let (good, all) = seen.fold((0.0, 0.0), |(good, all), r| (good + r[0], all + r.iter().sum::<f64>()));
        if all > 0.0 { good / all } else { 0.0 }
    }

    /// Share of all learned tries that succeeded.
    #[must_use]
    pub fn usual(&self) -> f64 {
        let sum = |i: usize| self.learned.iter().map(|r| r[i]).sum::<f64>();
        sum(0) / (sum(0) + sum(1) + sum(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_not_learned() {
        let mut r = Rates::default();
        let before = r.ratio(Class::NewTcp, Outcome::Failure);
        for _ in 0..1000 {
            r.note(Class::NewTcp, Outcome::Failure);
        }
        r.discard();
        assert!((r.ratio(Class::NewTcp, Outcome::Failure) - before).abs() < 1e-12);
    }

    #[test]
    fn what_fails_often_by_itself_says_little() {
        let mut r = Rates::default();
        let fresh = r.ratio(Class::OneWay, Outcome::Failure);
        for _ in 0..500 {
            r.note(Class::OneWay, Outcome::Failure);
        }
        r.commit();
        assert!(r.ratio(Class::OneWay, Outcome::Failure) > fresh);
        assert!(r.ratio(Class::OneWay, Outcome::Failure) > 0.95);
    }
}
