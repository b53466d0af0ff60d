//! One advertiser of one vhid: what it promised, what of it came, and whether it gave way.
//!
//! Kept by `vhid`; knows nothing of the other advertisers.

use crate::event::NodeId;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// Advertisements over which losses are counted.
const MEMORY: f64 = 4_000.0;
/// Weight of the latest of them in what is counted as lately.
const LATELY: f64 = 0.08;
/// No segment is trusted further than this; what is missed tends to be missed in a row.
pub(super) const LEAST_LOSS: f64 = 2e-3;
/// Intervals after which a mastership that another node took over is history.
pub(super) const LOST: f64 = 30.0;

/// One advertiser of one vhid.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) addr: IpAddr,
    pub(super) node: Option<NodeId>,
    pub(super) run_start: Timestamp,
    pub(super) last: Timestamp,
    pub(super) interval: Duration,
    pub(super) usual_skew: u8,
    pub(super) skew: u8,
    pub(super) skew_since: Timestamp,
    pub(super) demoted: bool,
    pub(super) yielded: bool,
    pub(super) contested: bool,
    /// Settled as master and has not given way since.
    pub(super) reigned: bool,
    /// Advertisements that came, and that were missing between them while it was master: how lossy this segment is.
    pub(super) came: f64,
    pub(super) missing: f64,
    /// Share of the last dozen that was missing.
    pub(super) lately: f64,
}

impl Source {
    /// Age of the last advertisement in intervals of its sender.
    pub(super) fn missed(&self, now: Timestamp) -> f64 {
        now.since(self.last).as_secs_f64() / self.interval.as_secs_f64().max(0.004)
    }

    /// An advertisement came: what was missing before it was lost on the way, unless it had given way.
    pub(super) fn count(&mut self, now: Timestamp) {
        let missed = self.missed(now);
        let missing = if self.yielded || missed >= LOST {
            0.0
        } else {
            (missed - 1.0).round().max(0.0)
        };
        self.missing += missing;
        self.lately *= 1.0 - LATELY;
        self.lately += LATELY * missing / (missing + 1.0);
        self.came += 1.0;
        if self.came > MEMORY {
            (self.came, self.missing) = (self.came / 2.0, self.missing / 2.0);
        }
    }

    /// Probability that one advertisement is lost on the way, at least; before much was heard, one in a hundred.
    pub(super) fn loss(&self) -> f64 {
        // A link that loses much loses it now, whatever it did all day.
        let ever = (self.missing + 1.0) / (self.came + 100.0);
        ever.max(self.lately).clamp(LEAST_LOSS, 1.0)
    }
}
