//! What a service manager is told: that we are ready, that we go round, that we end (sd_notify(3)).
//!
//! Told by the loop itself, so that systemd's watchdog restarts a daemon whose loop hangs. Without systemd nothing happens.

use crate::time::Timestamp;
use sd_notify::NotifyState;
use std::time::Duration;

/// See the module.
pub(super) struct Service {
    /// How often it wants a sign of life.
    every: Option<Duration>,
    last: Timestamp,
}

impl Service {
    /// What the environment asks for.
    pub(super) fn new() -> Self {
        Self {
            // Twice within the time that it waits.
            every: sd_notify::watchdog_enabled().map(|time| time / 2),
            last: Timestamp::MIN,
        }
    }

    /// The configuration is loaded, and we listen.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is loaded anew; `ready` says when that is done.
    pub(super) fn reloading(&self) {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// The loop goes round.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.every.is_some_and(|every| now.since(self.last) >= every) {
            self.last = now;
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// One sentence for `systemctl status`.
    pub(super) fn says(&self, text: &str) {
        tell(&[NotifyState::Status(text)]);
    }

    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

/// Whoever does not listen need not be told, and nothing depends on it.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
