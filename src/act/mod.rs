//! What decisions lead to: programs that are run, devices that are fenced, probes that ask.
//!
//! An edge, with threads of its own: nothing here is ever waited for by detection. Decisions come in, results go out, and
//! the ledger on disk knows what is to be taken back.

pub mod actor;
pub mod ask;
pub mod boot;
pub mod change;
mod clock;
#[cfg(test)]
mod fake;
pub mod fence;
pub mod hooks;
pub mod ledger;
pub mod preset;
pub mod probes;
pub mod queue;
pub mod run;
pub mod stop;
pub mod system;
pub mod thing;

/// An error and its causes as one clause.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}
