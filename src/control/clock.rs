//! The clock of deadlines on the socket: monotonic, with a beginning of its own.
//!
//! Used by this room, and by the loop for the times on the board. Nothing that is concluded of traffic knows it.

use crate::time::Timestamp;
use nix::poll::{PollTimeout, poll};
use std::time::{Duration, Instant};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "deadlines of clients are no business of a source"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since it began.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::default() + self.0.elapsed()
    }
}

/// For poll(2), which counts milliseconds: rounded up, so that a deadline has come when it ends.
pub(super) fn timeout(length: Duration) -> PollTimeout {
    let millis = length.as_micros().div_ceil(1000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

/// Waits, or less if a signal comes.
pub fn pause(length: Duration) {
    // Interrupted or not: the caller looks at what it waits for.
    let _ = poll(&mut [], timeout(length));
}
