//! When nothing is decided, whatever holds: just begun, just blind, or the operator is at work.

use super::{Policy, Unclear};
use crate::event::{NodeId, Notice, NoticeKind};
use crate::settings::Live;
use crate::time::Timestamp;
use std::time::Duration;

/// Blindness that comes again and again for so long is worth a word where something is due.
const LONG: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pause {
    began: Option<Timestamp>,
    blind_since: Timestamp,
    blind_until: Timestamp,
    pub(super) maintenance: bool,
    /// It was switched, and nobody was told yet.
    switched: bool,
}

impl Default for Pause {
    fn default() -> Self {
        Self {
            began: None,
            blind_since: Timestamp::MIN,
            blind_until: Timestamp::MIN,
            maintenance: false,
            switched: false,
        }
    }
}

impl Pause {
    /// Something was heard for the first time.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.began.get_or_insert(now);
    }

    /// Why nothing is decided now; `Err(None)` where that is no news.
    pub(super) fn over(&self, now: Timestamp, live: &Live) -> Result<(), Option<Unclear>> {
        if self.began.is_some_and(|t| now < t + live.start) {
            return Err(None);
        }
        if now < self.blind_until {
            let long = now.since(self.blind_since) >= LONG;
            return Err(long.then_some(Unclear::Blind));
        }
        Ok(())
    }

    /// Until when nothing is decided because it has just begun, or because we were just blind.
    pub(super) fn until(&self, live: &Live) -> Option<Timestamp> {
        let start = self.began.map(|t| t + live.start);
        start.into_iter().chain([self.blind_until]).max()
    }

    pub(super) fn age(&mut self, by: Duration, now: Timestamp, floor: Timestamp) {
        self.began = self.began.map(|t| (t - by).max(floor));
        let until = self.blind_until - by;
        let over = until <= now;
        self.blind_until = if over { Timestamp::MIN } else { until };
        self.blind_since = if over { Timestamp::MIN } else { self.blind_since - by };
    }
}

impl Policy {
    /// Somebody works at the pair: nothing is decided, but what is ours may be taken back.
    pub fn maintenance(&mut self, on: bool) {
        self.pause.switched |= self.pause.maintenance != on;
        self.pause.maintenance = on;
    }

    /// Whether somebody works at the pair.
    #[must_use]
    pub fn in_maintenance(&self) -> bool {
        self.pause.maintenance
    }

    /// We were blind until `now`.
    pub fn blind(&mut self, now: Timestamp) {
        if self.limits.live.blind.is_zero() {
            return;
        }
        if now >= self.pause.blind_until {
            self.pause.blind_since = now;
        }
        self.pause.blind_until = now + self.limits.live.blind;
        self.pending = None;
        self.fencing.blind(now);
    }

    pub(super) fn maintenance_word(&mut self, now: Timestamp, me: NodeId) -> Option<Notice> {
        let text = if self.pause.maintenance {
            "maintenance: nothing is decided until it is over, but what is ours may be taken back"
        } else {
            "maintenance is over"
        };
        std::mem::take(&mut self.pause.switched).then(|| Notice::new(now, NoticeKind::Policy, text).about(me))
    }
}
