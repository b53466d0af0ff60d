//! Whether a pair that is torn apart does together what one node did alone.
//!
//! Where the segments have different masters, each node sees half of every flow. If all ports work, the states that the
//! nodes tell each other let both halves pass, and users notice little. If a port is dead, what one side of a flow sends
//! there never arrives: of a flow opened either way, old or new, one side's data is not acknowledged any more, however
//! long the other side's acknowledgements still pass pf on their way to that port. So a torn pair is well as long as
//! flows show BOTH halves, each flow by itself, of what was sent since the pair was torn. Old data does not count: a split
//! comes three intervals after the port died, so what was sent since was sent with the port dead.

use crate::time::Timestamp;
use crate::track::Observation;
use std::time::Duration;

/// What was sent longer ago says nothing about now.
const LATELY: Duration = Duration::from_secs(3);

/// When the latest was sent that passed two nodes as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    sent: Timestamp,
}

impl Default for Whole {
    fn default() -> Self {
        Self { sent: Timestamp::MIN }
    }
}

impl Whole {
    /// What a message told.
    pub fn note(&mut self, now: Timestamp, o: &Observation) {
        if let Some(age) = o.whole {
            self.sent = self.sent.max(now - age);
        }
    }

    /// Whether the pair is well although it was torn at `since`.
    #[must_use]
    pub fn holds(&self, now: Timestamp, since: Timestamp) -> bool {
        self.sent > since && now.since(self.sent) <= LATELY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::flow::{Class, Movement, Outcome};

    fn told(whole: Option<Duration>) -> Observation {
        Observation {
            path: 0,
            movement: Movement::PairEndToEnd,
            trial: Some((Class::Active, Outcome::Pair)),
            delivery: Some(Outcome::Pair),
            partner: Some(0),
            whole,
            hosts: None,
            left: false,
        }
    }

    fn at(s: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs(s)
    }

    #[test]
    fn only_whole_flows_make_a_whole_and_not_for_long() {
        let mut w = Whole::default();
        w.note(at(11), &told(None));
        assert!(!w.holds(at(11), at(10)), "two halves, of whatever flows");
        w.note(at(13), &told(Some(Duration::from_secs(1))));
        assert!(w.holds(at(13), at(10)));
        assert!(!w.holds(at(13), at(12)), "sent before it was torn");
        assert!(!w.holds(at(16), at(10)), "too long ago");
    }
}
