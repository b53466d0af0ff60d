//! The only readings of the system's clocks in the program that the engine depends on.
//!
//! Used by the live source and its reader threads; everything else is told the time.

use crate::time::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The engine's clock of a live run: the wall time at its start, carried on by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    started: Instant,
    wall: i64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a live source owns the clock")]
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            wall: wall(),
        }
    }

    /// Now, on the engine's clock.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.wall) + self.started.elapsed()
    }
}

/// Now, on the wall clock, in Unix nanoseconds.
#[expect(clippy::disallowed_methods, reason = "libpcap stamps frames with the wall clock")]
pub(super) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
