//! The node's uptime: pf and pfsync count whole seconds of it, and no two nodes booted at the same instant.

use crate::Time;
use std::time::Duration;

/// Now, and how it looks to a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Time of the simulation.
    pub(crate) now: Time,
    /// Whole seconds of uptime.
    pub(crate) uptime: u32,
    /// How far this node's seconds are ahead of the simulation's.
    phase: Duration,
}

impl Clock {
    /// A node was up for a minute before it saw its first packet: `pfsync_time` 0 must be long ago.
    const BOOTED: Duration = Duration::from_secs(60);

    pub(crate) fn new(phase: Duration) -> Self {
        let mut clock = Self {
            now: Time::ZERO,
            uptime: 0,
            phase: phase + Self::BOOTED,
        };
        clock.set(Time::ZERO);
        clock
    }

    pub(crate) fn set(&mut self, now: Time) {
        self.now = now;
        self.uptime = u32::try_from((now + self.phase).as_secs()).unwrap_or(u32::MAX);
    }

    /// When the next whole second of uptime begins.
    pub(crate) fn next_second(&self) -> Time {
        let part = (self.now + self.phase).subsec_nanos();
        self.now + Duration::from_nanos(1_000_000_000 - u64::from(part))
    }
}
