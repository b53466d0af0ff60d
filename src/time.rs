//! Time as an argument: nanoseconds on the clock of whatever source drives the engine.
//!
//! For capture files this is Unix time as recorded; for a live source a monotonic clock that started at the wall time
//! of the daemon's start. Only edges turn it into text.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the source's clock, in nanoseconds. Saturates instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything: "no deadline".
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds on the source's clock.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds on the source's clock.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds with fraction, for output and scores (microsecond precision at Unix times).
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "f64 keeps well under a microsecond at Unix times"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// What the clock of a capture showed: the engine's time is monotonic, that clock may have been set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnClock {
    /// From this moment of the engine on, the capture's own clock is so many nanoseconds behind.
    behind: Vec<(Timestamp, i64)>,
}

impl OwnClock {
    /// From `at` on, which is no earlier than what was told before, the capture's own clock is so many nanoseconds behind.
    pub fn set(&mut self, at: Timestamp, behind: i64) {
        if self.behind.last().map_or(0, |(_, n)| *n) != behind {
            self.behind.push((at, behind));
        }
    }

    /// What it showed at a moment of the engine.
    #[must_use]
    pub fn shows(&self, at: Timestamp) -> Timestamp {
        let steps = self.behind.partition_point(|(from, _)| *from <= at);
        let behind = steps.checked_sub(1).and_then(|last| self.behind.get(last));
        Timestamp(at.0.saturating_sub(behind.map_or(0, |(_, n)| *n)))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.as_secs_f64())
    }
}

/// `0.52 s`, `1.1 s`, `1 min 30 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn spell(d: Duration) -> String {
    let s = d.as_secs_f64();
    if s < 0.995 {
        return format!("{s:.2} s");
    }
    if s < 59.95 {
        return format!("{s:.1} s");
    }
    // Rounded first, so that nothing is ever 60 of the smaller unit.
    let s = d.as_secs() + u64::from(d.subsec_millis() >= 500);
    let two = |big: u64, a: &str, small: u64, b: &str| {
        if small == 0 {
            format!("{big} {a}")
        } else {
            format!("{big} {a} {small} {b}")
        }
    };
    match s {
        ..3_600 => two(s / 60, "min", s % 60, "s"),
        3_600..86_400 => two(s / 3_600, "h", s % 3_600 / 60, "min"),
        _ => two(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_shows_its_own_times() {
        let at = |s: i64| Timestamp::from_nanos(s * 1_000_000_000);
        let mut own = OwnClock::default();
        assert_eq!(own.shows(at(7)), at(7));
        own.set(at(10), 0);
        own.set(at(10), 5_000_000_000);
        own.set(at(20), -2_000_000_000);
        let shown = [9, 10, 19, 20, 30].map(|s| own.shows(at(s)));
        assert_eq!(shown, [9, 5, 14, 22, 32].map(at));
        assert_eq!(own.shows(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn durations_have_at_most_two_units() {
        let said = |ms| spell(Duration::from_millis(ms));
        assert_eq!(said(520), "0.52 s");
        assert_eq!(said(996), "1.0 s");
        assert_eq!(said(59_960), "1 min");
        assert_eq!(said(90_012), "1 min 30 s");
        assert_eq!(said(7_500_000), "2 h 5 min");
        assert_eq!(said(273_600_000), "3 d 4 h");
    }
}
