//! The clock by which programs are given time. Read by this room alone; no verdict depends on it.

use std::time::{Duration, Instant};

/// Longer than anybody waits for a program, and short enough to be added to any moment.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "a program's time is real time, in captures there are no programs"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// So long after a moment.
pub(super) fn after(moment: Instant, length: Duration) -> Instant {
    moment + length.min(LONGEST)
}
