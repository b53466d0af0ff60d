//! How close a node came to `down` without going there: the climbs of suspicion that came to nothing.
//!
//! Told of each judgement by `path`, asked by whoever reports. A climb that ends in `down` was no false alarm but the
//! alarm itself, so it is left out; one that is still going on is told apart, because nobody knows how it will end. Keeps
//! the closest of each of the last days (UTC, as far as the source's clock is Unix time).

use crate::event::Near;

/// Days kept here; whoever wants more looks more often.
const DAYS: usize = 8;

/// Climbs of one (node, path).
#[derive(Clone, Debug, Default)]
pub struct Closest {
    climb: Option<Near>,
    days: Vec<Near>,
    revision: u32,
}

impl Closest {
    /// A judgement found some suspicion; `near` is made only if it is the highest of this climb.
    pub fn note(&mut self, share: f64, near: impl FnOnce() -> Near) {
        if share > self.climb.as_ref().map_or(0.0, Near::share) {
            self.climb = Some(near());
        }
    }

    /// The climb came to nothing.
    pub fn over(&mut self) {
        let Some(climb) = self.climb.take() else { return };
        let day = climb.day();
        match self.days.iter_mut().rev().find(|n| n.day() == day) {
            Some(closest) if closest.share() >= climb.share() => return,
            Some(closest) => *closest = climb,
            None => {
                if self.days.len() == DAYS {
                    self.days.remove(0);
                }
                self.days.push(climb);
            }
        }
        self.revision = self.revision.wrapping_add(1);
    }

    /// It was `down`: no false alarm.
    pub fn fell(&mut self) {
        self.climb = None;
    }

    /// The closest of each of the last days.
    #[must_use]
    pub fn days(&self) -> &[Near] {
        &self.days
    }

    /// The climb that is going on.
    #[must_use]
    pub fn climbing(&self) -> Option<&Near> {
        self.climb.as_ref()
    }

    /// Changes whenever `days` does.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Cause, Evidence};
    use crate::time::Timestamp;
    use std::time::Duration;

    fn near(days: u64, suspicion: f64) -> Near {
        Near {
            at: Timestamp::from_nanos(0) + Duration::from_secs(days * 86_400 + 5),
            cause: Cause::BlackholeForward,
            evidence: Evidence {
                suspicion,
                threshold: 8.5,
                ..Evidence::default()
            },
        }
    }

    fn climb(c: &mut Closest, day: u64, heights: &[f64]) {
        for h in heights {
            let n = near(day, *h);
            c.note(n.share(), || n);
        }
    }

    #[test]
    fn a_day_has_its_closest_climb_and_an_alarm_is_none() {
        let mut c = Closest::default();
        climb(&mut c, 0, &[1.0, 3.0, 2.0]);
        assert!(c.days().is_empty() && c.climbing().is_some());
        c.over();
        climb(&mut c, 0, &[2.0]);
        c.over();
        climb(&mut c, 0, &[4.0, 8.0]);
        c.fell();
        c.over();
        let days: Vec<f64> = c.days().iter().map(|n| n.evidence.suspicion).collect();
        assert_eq!(days, [3.0]);
    }

    #[test]
    fn days_are_bounded() {
        let mut c = Closest::default();
        for day in 0..100 {
            climb(&mut c, day, &[1.0]);
            c.over();
        }
        assert_eq!(c.days().len(), DAYS);
        assert_eq!(c.days().last().map(Near::day), Some(99));
    }
}
