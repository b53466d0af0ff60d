//! What a piece of work costs: processor time of the thread that does it, which other work on the machine does not change.
//!
//! Printed, and nothing decides by it.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Processor time of this thread so far; nothing where the system does not tell.
#[must_use]
pub fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
