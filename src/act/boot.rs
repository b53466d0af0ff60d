//! Which boot this is: what the kernel was told is forgotten at the next one, so the ledger names the boot of each entry.
//!
//! Called at the start and by `undo`, before the ledger is looked at. An unknown boot is an error, never a guess: a guess
//! would either leave our demotion behind or take away what was never there.

use super::ask::{AskError, ask};
use super::run::Run;
use serde::{Deserialize, Serialize};

/// A boot as the system names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// A random name that is new with every boot (Linux).
    Id(String),
    /// When the system was booted, in Unix seconds (the BSDs).
    Time(i64),
}

/// The BSDs do not store when they were booted: they compute it from the clock of today and the time since the boot. A
/// clock that is set moves it. ntpd(8) and the like set it by less than this once it was right; two boots are farther
/// apart, because the first of them lived long enough to run us. A clock that is set by more looks like another boot, and
/// the entries are then void: our value is left behind and said, which is better than taking it away twice.
const CLOCK_SET: u64 = 5;

impl Boot {
    /// Both name the same boot.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Id(a), Self::Id(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a.abs_diff(*b) <= CLOCK_SET,
            _ => false,
        }
    }
}

/// Why the boot is unknown.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The kernel does not tell.
    #[error("cannot tell which boot this is, so nothing is done")]
    Ask(#[from] AskError),
    /// /proc is not there.
    #[error("cannot tell which boot this is, so nothing is done: is /proc mounted?")]
    Read(#[source] std::io::Error),
    /// It tells something else.
    #[error("cannot tell which boot this is, so nothing is done: `{0}` names none")]
    Text(String),
}

/// This boot.
///
/// # Errors
/// The system does not say. Then nothing may be done or undone.
#[cfg(target_os = "linux")]
pub fn this_boot(_run: &mut dyn Run) -> Result<Boot, BootError> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(BootError::Read)?;
    by_id(&text)
}

/// This boot.
///
/// # Errors
/// The system does not say. Then nothing may be done or undone.
#[cfg(not(target_os = "linux"))]
pub fn this_boot(run: &mut dyn Run) -> Result<Boot, BootError> {
    by_time(run)
}

/// What Linux writes into its file.
#[cfg(any(target_os = "linux", test))]
fn by_id(text: &str) -> Result<Boot, BootError> {
    let id = text.trim();
    let named = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if named {
        Ok(Boot::Id(id.to_owned()))
    } else {
        Err(BootError::Text(id.to_owned()))
    }
}

/// What the BSDs answer.
///
/// # Errors
/// As [`this_boot`].
pub fn by_time(run: &mut dyn Run) -> Result<Boot, BootError> {
    let text = ask(run, &["sysctl", "-n", "kern.boottime"])?;
    match seconds(&text) {
        Some(at) => Ok(Boot::Time(at)),
        None => Err(BootError::Text(text.trim().to_owned())),
    }
}

/// OpenBSD: `1790000000`. FreeBSD: `{ sec = 1790000000, usec = 123456 } Mon Sep 21 14:13:20 2026`.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = match text.strip_prefix('{') {
        Some(rest) => rest.trim_start().strip_prefix("sec = ")?.split(',').next()?,
        None => text,
    };
    number.trim().parse().ok().filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    use super::super::run::{Done, End, Job};
    use super::*;
    use std::time::Duration;

    struct Says(&'static str, End);

    impl Run for Says {
        fn run(&mut self, _: &Job) -> Done {
            Done {
                end: self.1.clone(),
                output: self.0.into(),
                took: Duration::ZERO,
            }
        }
    }

    #[test]
    fn both_systems_are_understood() {
        for text in [
            "1790000000\n",
            "{ sec = 1790000000, usec = 123456 } Mon Sep 21 14:13:20 2026\n",
        ] {
            assert_eq!(
                by_time(&mut Says(text, End::Exit(0))).unwrap(),
                Boot::Time(1_790_000_000)
            );
        }
    }

    #[test]
    fn an_unknown_boot_is_no_guess() {
        for text in ["", "0", "-5", "Mon Sep 21", "{ usec = 4 }", "{ sec = x, usec = 1 }"] {
            let why = by_time(&mut Says(text, End::Exit(0))).unwrap_err().to_string();
            assert!(why.starts_with("cannot tell which boot this is"), "{why}");
        }
        assert!(by_time(&mut Says("1790000000", End::Exit(1))).is_err());
        assert!(by_time(&mut Says("1790000000", End::Timeout)).is_err());
        assert!(by_id("\n").is_err());
        assert!(by_id("not a name").is_err());
    }

    #[test]
    fn a_clock_that_is_set_a_little_is_no_reboot() {
        let boot = Boot::Time(1_790_000_000);
        assert!(boot.same(&Boot::Time(1_790_000_005)));
        assert!(boot.same(&Boot::Time(1_789_999_995)));
        assert!(!boot.same(&Boot::Time(1_790_000_006)));
        assert!(!boot.same(&Boot::Time(i64::MIN)));
        assert!(!boot.same(&Boot::Id("1790000000".to_owned())));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_names_its_boot() {
        let boot = this_boot(&mut Says("", End::Exit(1))).unwrap();
        assert!(matches!(&boot, Boot::Id(id) if id.len() == 36));
        assert!(boot.same(&boot.clone()));
    }
}
