//! The only readings of the system's clocks in the program that the engine depends on.
//!
//! Used by the live source and its reader threads; everything else is told the time.

use crate::time::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Readings this close are of one moment; three take a tenth of a microsecond.
const TOGETHER: Duration = Duration::from_micros(20);

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

    /// Both clocks at one moment: now, and the wall time.
    pub(super) fn both(&self) -> (Timestamp, i64) {
        let mut before = self.now();
        let mut tries = 0;
        loop {
            let wall = wall();
            let now = self.now();
            // Whoever is preempted between two readings reads two moments.
            if now.since(before) < TOGETHER || tries == 3 {
                return (now, wall);
            }
            before = now;
            tries += 1;
        }
    }

    /// Now, on the engine's clock.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.wall) + self.started.elapsed()
    }
}

/// Now, on the wall clock, in Unix nanoseconds.
#[expect(clippy::disallowed_methods, reason = "libpcap stamps frames with the wall clock")]
fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
