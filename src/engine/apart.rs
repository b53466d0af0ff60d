//! Files whose clocks went apart: what CARP tells from then on is shown, and nothing is concluded from it and pfsync together.

use super::Engine;
use crate::event::{Event, NoticeKind};
use crate::time::Timestamp;

impl Engine {
    /// From here on CARP and pfsync, and CARP of different segments, do not have the same time.
    pub(super) fn part(&mut self, now: Timestamp) {
        if self.shown.is_some() {
            return;
        }
        let known = std::mem::take(&mut self.carp);
        if known.split().is_some() {
            self.events.push_back(Event::Unsynchronised { at: now, since: None });
        }
        self.shown = Some(known);
        self.policy.retire();
        let text = "the clock of one capture was set and that of another was not: from here on CARP is shown, is no witness and \
                    gives no role, and nothing is decided";
        self.notice(now, NoticeKind::Quality, text);
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
