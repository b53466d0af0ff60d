//! What the policy would do next, as far as it can say so now: read by the status page, and by nobody who decides.

use super::{HOUR, Policy};
use crate::time::Timestamp;
use std::time::Duration;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Nothing is decided before: just begun, or just blind.
    pub paused_until: Option<Timestamp>,
    /// Nothing is decided from CARP before: an action of our own settles.
    pub settles_until: Option<Timestamp>,
    /// No promotion before: the last one is too short a while ago.
    pub held_until: Option<Timestamp>,
    /// Something that holds is decided then, if it still does.
    pub due: Option<Timestamp>,
    /// The result of an action is awaited.
    pub busy: bool,
    /// Actions within the hour, and how many may be.
    pub actions: (usize, u32),
    /// Probes are configured: about self, about others.
    pub probes: (bool, bool),
    /// What the role says was carried out, and is not taken back.
    pub stands: bool,
    /// What is left of an action that failed is to be taken back.
    pub owes: bool,
    /// More than one promotion within the hour: it is not taken back by itself.
    pub stays: bool,
}

impl Policy {
    /// See the module.
    #[must_use]
    pub fn outlook(&self, now: Timestamp) -> Outlook {
        let ahead = |t: Timestamp| (t > now).then_some(t);
        let lately = |t: &&Timestamp| now.since(**t) < HOUR;
        let promotions = self.promoted.iter().filter(lately).count();
        let held = self
            .promoted
            .back()
            .filter(lately)
            .map(|t| *t + self.back_off(promotions));
        Outlook {
            paused_until: self.pause.until(&self.limits.live).and_then(ahead),
            settles_until: ahead(self.settle_until),
            held_until: held.and_then(ahead),
            due: self.next_deadline(now),
            busy: self.deeds.busy(),
            actions: (self.acted.iter().filter(lately).count(), self.limits.max_per_hour),
            probes: (self.witnesses.any(), self.witnesses.any_about_peers()),
            stands: self.deeds.stands(),
            owes: self.deeds.owes(),
            stays: promotions > 1,
        }
    }

    /// Between the last of so many promotions within the hour and the next.
    pub(super) fn back_off(&self, promotions: usize) -> Duration {
        let before = u32::try_from(promotions).unwrap_or(u32::MAX);
        self.limits.hold_down * 2_u32.saturating_pow(before.saturating_sub(1).min(10))
    }
}
