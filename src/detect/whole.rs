//! Whether a pair that is torn apart does together what one node did alone.
//!
//! Where the segments have different masters, each node sees half of every flow. If all ports work, the states that the
//! nodes tell each other let both halves pass, and users notice little. If a port is dead, either no request is answered any
//! more, or no answer arrives: data and its acknowledgement lie at most 1.5 s apart (see `track::flow`), and a split
//! comes three intervals after the port died. So a torn pair is well as long as BOTH happen through two nodes.

use crate::time::Timestamp;
use crate::track::Observation;
use crate::track::flow::Outcome;
use std::time::Duration;

/// What happened longer ago says nothing about now.
const LATELY: Duration = Duration::from_secs(3);

/// When something last went through two nodes.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    answered: Timestamp,
    delivered: Timestamp,
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            answered: Timestamp::MIN,
            delivered: Timestamp::MIN,
        }
    }
}

impl Whole {
    /// What a message told.
    pub fn note(&mut self, now: Timestamp, o: &Observation) {
        if matches!(o.trial, Some((_, Outcome::Pair))) {
            self.answered = now;
        }
        if o.delivery == Some(Outcome::Pair) {
            self.delivered = now;
        }
    }

    /// Whether the pair is well although it was torn at `since`.
    #[must_use]
    pub fn holds(&self, now: Timestamp, since: Timestamp) -> bool {
        let first = self.answered.min(self.delivered);
        first > since && now.since(first) <= LATELY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::flow::{Class, Movement};

    fn told(trial: Option<Outcome>, delivery: Option<Outcome>) -> Observation {
        Observation {
            path: 0,
            movement: Movement::PairEndToEnd,
            trial: trial.map(|o| (Class::Active, o)),
            delivery,
            partner: Some(0),
            hosts: None,
        }
    }

    fn at(s: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs(s)
    }

    #[test]
    fn only_both_halves_make_a_whole_and_not_for_long() {
        let pair = Some(Outcome::Pair);
        let mut answers = Whole::default();
        answers.note(at(11), &told(pair, None));
        let mut deliveries = Whole::default();
        deliveries.note(at(11), &told(None, pair));
        assert!(!answers.holds(at(11), at(10)) && !deliveries.holds(at(11), at(10)));
        answers.note(at(12), &told(None, pair));
        assert!(answers.holds(at(12), at(10)));
        assert!(!answers.holds(at(12), at(11)), "before it was torn");
        assert!(!answers.holds(at(15), at(10)), "too long ago");
        answers.note(at(15), &told(Some(Outcome::Success), Some(Outcome::Success)));
        assert!(!answers.holds(at(15), at(10)), "each node for itself is no pair");
    }
}
