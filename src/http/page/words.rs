//! Times and numbers as the page tells them.

use crate::status::headline::Times;
use crate::time::spell;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};
use std::time::Duration;

/// Times in one zone, told at one moment.
pub(super) struct Words {
    zone: TimeZone,
    /// The moment of the snapshot, and what it would be now.
    at: f64,
    now: f64,
}

impl Words {
    pub(super) fn new(zone: TimeZone, at: f64, age: f64) -> Self {
        Self {
            zone,
            at,
            now: at + age,
        }
    }

    fn zoned(&self, at: f64) -> Option<Zoned> {
        let since = SignedDuration::try_from_secs_f64(at).ok()?;
        let at = jiff::Timestamp::from_duration(since).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    fn format(&self, at: f64, how: &str) -> String {
        self.zoned(at)
            .map_or_else(|| at.to_string(), |z| z.strftime(how).to_string())
    }

    /// When all of this was true.
    pub(super) fn moment(&self) -> String {
        self.format(self.at, "%Y-%m-%d %H:%M:%S %Z")
    }
}

impl Times for Words {
    /// A time of the day, or with its date if that was another.
    fn time(&self, at: f64) -> String {
        let date = |t| self.format(t, "%Y-%m-%d");
        if date(at) == date(self.now) {
            self.format(at, "%H:%M:%S")
        } else {
            self.format(at, "%m-%d %H:%M:%S")
        }
    }

    fn ago(&self, at: f64) -> String {
        self.length(self.now - at)
    }

    fn length(&self, seconds: f64) -> String {
        // What is told again each second shall not flicker.
        let calm = if seconds >= 10.0 { seconds.round() } else { seconds };
        spell(Duration::try_from_secs_f64(calm).unwrap_or_default()).replace(".0 s", " s")
    }
}

/// Digits in groups of three.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            // No line ends within a number.
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// Few digits: what a rate is worth.
pub(super) fn rate(n: f64) -> String {
    if n > 0.0 && n < 10.0 {
        format!("{n:.1}")
    } else {
        format!("{n:.0}")
    }
}
