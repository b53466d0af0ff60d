//! The clocks of the laboratory: everything in it happens in real time. Read by nobody else.

use std::time::{Duration, Instant, SystemTime};

/// Now, for what lasts.
#[expect(clippy::disallowed_methods, reason = "real packets come in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Unix time in seconds, for what is written down and compared with the log of another process.
#[expect(clippy::disallowed_methods, reason = "logs are compared by it")]
pub fn unix() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a fault lasts as long as it lasts")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}
