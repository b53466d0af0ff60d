//! Where lines go: the standard error, the journal that reads it, or syslog(3).
//!
//! Written to with one whole line at a time. For the journal and syslog a line begins with its priority as `<4>`, in the
//! manner of sd-daemon(3); syslog is given the rest of the line and the priority apart.

use nix::syslog::{Facility, Priority, Severity, syslog};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use tracing::Level;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Sink {
    /// For eyes.
    Stderr,
    /// The standard error, which systemd reads line by line.
    Journal,
    /// The system's log daemon.
    Syslog,
}

impl Sink {
    /// What the standard error is.
    pub(in crate::cli) fn stderr() -> Self {
        let named = std::env::var("JOURNAL_STREAM").ok();
        let is = || -> Option<String> {
            let file = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?);
            let of = file.metadata().ok()?;
            Some(format!("{}:{}", of.dev(), of.ino()))
        };
        match named {
            // A variable that was inherited says nothing about a standard error that was sent elsewhere.
            Some(named) if is().is_some_and(|is| is == named) => Self::Journal,
            _ => Self::Stderr,
        }
    }

    /// What a line must begin with.
    pub(in crate::cli) fn priority(self, level: Level) -> Option<&'static str> {
        let priority = match level {
            Level::ERROR => "<3>",
            Level::WARN => "<4>",
            Level::INFO => "<6>",
            _ => "<7>",
        };
        (self != Self::Stderr).then_some(priority)
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stderr | Self::Journal => io::stderr().write_all(line)?,
            Self::Syslog => {
                let text = String::from_utf8_lossy(line);
                let (severity, text) = severity(text.trim_end());
                // With a NUL in it nothing could be sent at all.
                syslog(Priority::new(severity, Facility::LOG_DAEMON), &text.replace('\0', ""))?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The priority of a line, and what follows it.
fn severity(line: &str) -> (Severity, &str) {
    let known = [
        ("<3>", Severity::LOG_ERR),
        ("<4>", Severity::LOG_WARNING),
        ("<7>", Severity::LOG_DEBUG),
    ];
    let named = known
        .into_iter()
        .find_map(|(prefix, s)| Some((s, line.strip_prefix(prefix)?)));
    named.unwrap_or((Severity::LOG_INFO, line.strip_prefix("<6>").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_goes_with_its_line() {
        assert_eq!(severity("<4>fw1 is down"), (Severity::LOG_WARNING, "fw1 is down"));
        assert_eq!(severity("<6>listening"), (Severity::LOG_INFO, "listening"));
        // Whatever else begins a line is part of it.
        assert_eq!(severity("{\"event\":1}"), (Severity::LOG_INFO, "{\"event\":1}"));
        assert_eq!(Sink::Stderr.priority(Level::WARN), None);
        assert_eq!(Sink::Journal.priority(Level::ERROR), Some("<3>"));
    }
}
