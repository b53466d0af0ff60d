//! The same policy with its past moved back: two that will do the same become equal, which is what a search through all of
//! their futures needs.

use super::{HOUR, Policy};
use crate::time::Timestamp;
use std::time::Duration;

/// What is older than this and not counted by the hour says no more than that it is old.
const OLD: Duration = Duration::from_secs(120);

/// A moment moved back; never, where it is too old to matter.
pub(super) fn past(t: Timestamp, by: Duration, floor: Timestamp) -> Timestamp {
    if t - by <= floor { Timestamp::MIN } else { t - by }
}

impl Policy {
    /// As if everything had happened `by` earlier, seen at `now`.
    pub fn age(&mut self, now: Timestamp, by: Duration) {
        let floor = now - OLD;
        self.witnesses.age(by, floor);
        self.pending = self.pending.map(|(row, since)| (row, (since - by).max(floor)));
        self.reached = self.reached.map(|t| (t - by).max(floor));
        self.shown = self.shown.map(|t| (t - by).max(floor));
        self.over = self.over.map(|t| (t - by).max(floor));
        for list in [&mut self.acted, &mut self.promoted] {
            list.iter_mut().for_each(|t| *t = *t - by);
            list.retain(|t| now.since(*t) < HOUR);
        }
        self.settle_until = past(self.settle_until, by, now);
        self.deeds.age(by, floor);
        self.fencing.age(by, now - HOUR);
        self.pause.age(by, now, floor);
    }
}
