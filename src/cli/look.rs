//! What the terminal, the locale and the environment allow a page to look like.
//!
//! Asked once by the commands; `report` is told.

use super::output::Target;
use crate::report::text::Look;
use jiff::tz::TimeZone;
use std::env;
use std::ffi::OsStr;

/// For files and pipes, and at most on a terminal: longer lines are hard to read.
const WIDTH: usize = 100;
const WIDEST: usize = 140;
const NARROWEST: usize = 60;

/// For this target.
pub(super) fn look(target: &Target, zone: TimeZone) -> Look {
    let terminal = target.is_terminal();
    let width = if terminal {
        console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| columns.into())
    } else {
        None
    };
    Look {
        width: width.unwrap_or(WIDTH).clamp(NARROWEST, WIDEST),
        colour: terminal && !is_dumb() && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        unicode: is_utf8() && !is_dumb(),
        zone,
    }
}

pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|t| t == OsStr::new("dumb"))
}

/// The first of these that is set decides, as in setlocale(3).
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(env::var_os)
        .find(|v| !v.is_empty());
    set.is_some_and(|v| {
        let v = v.to_string_lossy().to_lowercase();
        v.contains("utf-8") || v.contains("utf8")
    })
}
