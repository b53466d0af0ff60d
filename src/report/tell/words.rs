//! Times, durations, numbers and lines as people read them.
//!
//! Used by every part of the pages. Knows nothing of reports.

use crate::report::Report;
pub(in crate::report) use crate::time::spell as duration;
use crate::time::{OwnClock, Timestamp};
use jiff::Zoned;
use jiff::tz::TimeZone;
use std::path::Path;
use std::time::Duration;

/// A file's name, in which nothing tells a terminal what to do.
pub(in crate::report) fn file(path: &Path) -> String {
    let shown = path.display().to_string();
    shown.replace(char::is_control, "\u{fffd}")
}

/// Where only the longest of several times is told.
pub(in crate::report) fn of_times(times: usize) -> String {
    match times {
        0 | 1 => String::new(),
        n => format!(" (the longest of {n} times, see the timeline)"),
    }
}

/// Times of day in one zone.
pub(in crate::report) struct Clock {
    zone: TimeZone,
    /// What is shown of a moment of the engine.
    own: OwnClock,
    /// What the zone is called at the time of the capture.
    pub(in crate::report) name: String,
}

impl Clock {
    pub(in crate::report) fn new(zone: TimeZone, at: Option<Timestamp>) -> Self {
        let mut clock = Self {
            zone,
            own: OwnClock::default(),
            name: String::new(),
        };
        clock.name = at.map_or_else(|| "UTC".into(), |at| clock.format(at, "%Z"));
        clock
    }

    /// That of the capture, which may have been set while it was made.
    pub(in crate::report) fn of(report: &Report, zone: TimeZone) -> Self {
        Self {
            own: report.times.own.clone(),
            ..Self::new(zone, report.span.map(|(first, _)| first))
        }
    }

    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        let at = self.own.shows(at);
        let at = jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    pub(in crate::report) fn format(&self, at: Timestamp, how: &str) -> String {
        self.zoned(at)
            .map_or_else(|| self.own.shows(at).to_string(), |z| z.strftime(how).to_string())
    }

    pub(in crate::report) fn date(&self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// To the millisecond.
    pub(in crate::report) fn exact(&self, at: Timestamp) -> String {
        self.format(at, "%H:%M:%S%.3f")
    }

    /// To the hundredth, rounded.
    pub(in crate::report) fn hundredth(&self, at: Timestamp) -> String {
        self.format(at + Duration::from_millis(5), "%H:%M:%S%.2f")
    }

    pub(in crate::report) fn second(&self, at: Timestamp) -> String {
        self.format(at, "%H:%M:%S")
    }
}

/// `40 s`, `1 min 30 s`: without fractions.
pub(in crate::report) fn whole(d: Duration) -> String {
    match d.as_secs() {
        s @ ..60 => format!("{s} s"),
        s => duration(Duration::from_secs(s)),
    }
}

/// Digits in groups of three.
pub(in crate::report) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `1 frame`, `2 frames`.
pub(in crate::report) fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `12/s`, `1.5/min`: in the unit in which it is a number; nothing if there was nothing.
pub(in crate::report) fn rate(n: u64, within: Duration) -> Option<String> {
    if n == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of two digits is shown")]
    let per_second = n as f64 / within.as_secs_f64().max(0.001);
    let units = [(1.0, "s"), (60.0, "min"), (3_600.0, "h"), (86_400.0, "d")];
    let (factor, unit) = units
        .into_iter()
        .find(|(f, _)| per_second * f >= 0.95)
        .unwrap_or((86_400.0, "d"));
    let number = per_second * factor;
    Some(if number < 9.95 {
        format!("{number:.1}/{unit}")
    } else {
        format!("{number:.0}/{unit}")
    })
}

/// Lines of at most `width` columns, all but the first shorter by `indent`; a word that is longer stays whole. A number
/// and what belongs to it (`1 min`, `65 %`) are not torn apart.
pub(in crate::report) fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let room = |lines: &[String]| {
        if lines.is_empty() {
            width
        } else {
            width.saturating_sub(indent)
        }
    };
    for word in pieces(text) {
        let longer = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && longer > room(&lines) {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// What is never torn from the number before it.
pub(in crate::report) fn is_unit(word: &str) -> bool {
    matches!(word, "s" | "min" | "h" | "d" | "%")
}

fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let unit = is_unit(word.trim_end_matches([',', ';', ':', '.', ')']));
        match pieces.last_mut() {
            Some(last) if unit && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lines_are_readable() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(wrap("after 1 min 30 s of it", 12, 2), ["after 1 min", "30 s of it"]);
        assert_eq!(wrap("", 10, 0), Vec::<String>::new());
    }

    #[test]
    fn a_file_name_tells_a_terminal_nothing() {
        assert_eq!(file(Path::new("a\u{1b}[31mb\n.pcap")), "a\u{fffd}[31mb\u{fffd}.pcap");
    }

    #[test]
    fn times_that_no_calendar_has_are_numbers() {
        let clock = Clock::new(TimeZone::UTC, None);
        assert_eq!(
            clock.exact(Timestamp::from_nanos(1_795_312_690_178_658_000)),
            "01:58:10.178"
        );
        assert!(!clock.exact(Timestamp::MAX).is_empty());
    }
}
