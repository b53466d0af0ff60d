//! Files whose clocks went apart, or of which some end before others: what CARP tells from then on is shown, and nothing is
//! concluded from it and pfsync together.

use super::Engine;
use crate::capture::Net;
use crate::event::{Event, NoticeKind};
use crate::time::Timestamp;
use std::time::Duration;

impl Engine {
    /// From here on CARP and pfsync, and CARP of different segments, cannot be put together.
    pub(super) fn part(&mut self, now: Timestamp, why: &str) {
        if self.shown.is_some() {
            return;
        }
        let mut known = std::mem::take(&mut self.carp);
        known.close(now, &mut self.scratch);
        self.events.extend(self.scratch.drain(..));
        if known.split().is_some() {
            self.events.push_back(Event::Unsynchronised { at: now, since: None });
        }
        self.shown = Some(known);
        self.parted = Some(now);
        self.policy.retire();
        let text =
            format!("{why}: from here on CARP is shown, is no witness and gives no role, and nothing is decided");
        self.notice(now, NoticeKind::Quality, text);
    }

    /// Since when CARP is no witness, where that is so.
    #[must_use]
    pub const fn carp_parted(&self) -> Option<Timestamp> {
        self.parted
    }

    /// No capture tells of a net any more, and others go on: what does not come from there is not missing.
    pub(super) fn over(&mut self, now: Timestamp, net: Net) {
        match net {
            Net::Sync => self.detector.over(now),
            Net::Segment(segment) => self.ended.push((segment, now)),
        }
    }

    /// Captures tell of a net again, `length` after those before had ended. Whether that is a gap in what verdicts are about.
    pub(super) fn hear_again(&mut self, now: Timestamp, net: Net, length: Duration) -> bool {
        match net {
            Net::Sync => self.detector.resume(),
            Net::Segment(segment) => {
                self.ended.retain(|(ended, _)| *ended != segment);
                self.carp.forgive(now, length);
            }
        }
        net == Net::Sync && length > Duration::ZERO
    }

    /// What one segment alone tells is misleading. All captures end some time; that others go on for so long that something would
    /// be missing is no accident.
    pub(super) fn part_from_ended(&mut self, now: Timestamp) {
        let Some(&(segment, at)) = self.ended.first() else {
            return;
        };
        let patience = self
            .carp
            .patience(|network| self.networks.segment(network) == Some(segment));
        if now < at + patience {
            return;
        }
        let why = format!(
            "no capture tells of {} any more, and others go on",
            self.segment_name(segment)
        );
        self.part(now, &why);
        let ended: Vec<usize> = self.ended.iter().map(|(segment, _)| *segment).collect();
        let networks = &self.networks;
        if let Some(shown) = &mut self.shown {
            shown.retain(|network| !networks.segment(network).is_some_and(|s| ended.contains(&s)));
        }
    }

    /// Moves the masterships on that are only shown.
    pub(super) fn settle_shown(&mut self, now: Timestamp) {
        if let Some(shown) = &mut self.shown {
            shown.settle(now, &mut self.scratch);
            self.show_masters();
        }
    }

    /// Tells of masters, and of nothing that is made of them.
    pub(super) fn show_masters(&mut self) {
        let told = self.scratch.drain(..);
        self.events.extend(told.filter(|e| matches!(e, Event::Master { .. })));
    }
}
