//! Taking back: exactly what is ours, only as far as it still stands, never twice.
//!
//! Called after a failure, at a restore, at the start and by `pfwatch undo`. What cannot be taken back stays in the ledger
//! and is tried again; it is never forgotten because a command failed.

use super::counter::{Step, Told, stands};
use super::{Hands, shown};
use crate::act::in_full;
use crate::act::ledger::{Entry, Ledger, Phase};
use crate::act::thing::{self, Counter, Thing};
use std::fmt;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub entry: Entry,
    /// What.
    pub what: What,
}

/// See [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Taken back.
    Undone,
    /// It had never been carried out, or had been taken back before a crash.
    Nothing,
    /// Made in another boot: the kernel forgot it, so there is nothing to take back.
    Void,
    /// Somebody else changed the value since, to this; it is left.
    NotOurs(String),
    /// Whether a crash came before or after it cannot be told: the value is this.
    Unclear {
        /// The counter after all.
        now: i64,
        /// It was taken back.
        undone: bool,
    },
    /// It could not be taken back, or not be written that it was. It stays in the ledger.
    Failed(String),
}

impl Outcome {
    pub(super) fn failed(entry: &Entry, why: &impl std::error::Error) -> Self {
        Self {
            entry: entry.clone(),
            what: What::Failed(in_full(why)),
        }
    }

    /// Nothing of it is left for the operator.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        matches!(self.what, What::Undone | What::Nothing | What::Void)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { seq, thing, role, .. } = &self.entry;
        write!(f, "entry {seq}, {thing}, which made this node {role}: ")?;
        match &self.what {
            What::Undone => f.write_str("taken back"),
            What::Nothing => f.write_str("nothing to take back"),
            What::Void => f.write_str("made before a reboot, so it is void and dropped"),
            What::NotOurs(now) => write!(f, "somebody changed it since, so it is left at {now}"),
            What::Unclear { now, undone: false } => write!(
                f,
                "we were stopped in the middle and somebody else changed it, so it is left at {now}; if nobody wants it that \
                 high, lower it by our amount"
            ),
            What::Unclear { now, undone: true } => write!(
                f,
                "we were stopped in the middle and somebody else changed it, so our amount is taken back and it is {now}; if \
                 that is too high, lower it"
            ),
            What::Failed(why) => write!(f, "not taken back, to be tried again with `pfwatch undo`: {why}"),
        }
    }
}

/// Takes back everything, the last thing first, and goes on after a failure. What failed is still in the ledger.
pub fn undo_all(ledger: &mut Ledger, hands: &mut Hands<'_>) -> Vec<Outcome> {
    ledger.owe();
    let entries = ledger.entries().to_vec();
    entries.iter().rev().map(|e| undo(e, ledger, hands)).collect()
}

fn undo(entry: &Entry, ledger: &mut Ledger, hands: &mut Hands<'_>) -> Outcome {
    match attempt(entry, ledger, hands) {
        Ok(what) => Outcome {
            entry: entry.clone(),
            what,
        },
        Err(what) => Outcome {
            entry: entry.clone(),
            what: What::Failed(what),
        },
    }
}

fn attempt(entry: &Entry, ledger: &mut Ledger, hands: &mut Hands<'_>) -> Result<What, String> {
    let what = if entry.is_void(hands.boot) {
        What::Void
    } else {
        match &entry.thing {
            Thing::Advskew { interface, found, set } => advskew(interface, *found, *set, hands)?,
            Thing::Counter { counter, found, added } => {
                let amount = Amount {
                    counter,
                    found: *found,
                    added: *added,
                };
                amount.take_back(entry, ledger, hands)?
            }
            // Both can be done twice, so they are done whatever the phase is.
            Thing::Service => {
                thing::restore_services(hands.run).map_err(|e| e.to_string())?;
                What::Undone
            }
            Thing::Hook => {
                hands.hooks.restore(entry.role)?;
                What::Undone
            }
        }
    };
    ledger.erase(entry.seq).map_err(|e| in_full(&e))?;
    Ok(what)
}

/// A value that is set can be set twice: after a crash in here it is as found, and that is seen.
fn advskew(interface: &str, found: u8, set: u8, hands: &mut Hands<'_>) -> Result<What, String> {
    let read = |hands: &mut Hands<'_>| thing::read_advskew(hands.run, interface).map_err(|e| e.to_string());
    match read(hands)? {
        Some(now) if now == set => {}
        Some(now) if now == found => return Ok(What::Nothing),
        now => return Ok(What::NotOurs(shown(now))),
    }
    thing::set_advskew(hands.run, interface, found).map_err(|e| e.to_string())?;
    match read(hands)? {
        Some(now) if now == set => Err(format!("ifconfig took it, but advskew of {interface} is still {now}")),
        _ => Ok(What::Undone),
    }
}

/// What we added to a counter.
struct Amount<'a> {
    counter: &'a Counter,
    found: i64,
    added: i64,
}

impl Amount<'_> {
    fn take_back(&self, entry: &Entry, ledger: &mut Ledger, hands: &mut Hands<'_>) -> Result<What, String> {
        let (found, added) = (self.found, self.added);
        let now = self.counter.read(hands.run).map_err(|e| e.to_string())?;
        let mut what = What::Undone;
        match entry.phase {
            Phase::Intent => {
                let step = Step::of_intent(found, added);
                let done = step.assume_done(now);
                match step.was_done(now) {
                    Told::Unclear if !done => return Ok(What::Unclear { now, undone: false }),
                    Told::Unclear => what = self.unclear(now),
                    _ if !done => return Ok(What::Nothing),
                    _ => {}
                }
            }
            Phase::Done if !stands(found, added, now) => return Ok(What::NotOurs(now.to_string())),
            Phase::Done => {}
            Phase::Undoing { from } => {
                let step = Step::of_undo(found, added, from);
                let undone = step.assume_done(now);
                match step.was_done(now) {
                    Told::Unclear if undone => return Ok(What::Unclear { now, undone: false }),
                    Told::Unclear => what = self.unclear(now),
                    _ if undone => return Ok(What::Nothing),
                    _ => {}
                }
            }
        }
        // Subtracting twice would be a negative demotion for ever: what is about to happen is written first here too.
        ledger
            .mark(entry.seq, Phase::Undoing { from: now })
            .map_err(|e| in_full(&e))?;
        let back = added.saturating_neg();
        self.counter.add(hands.run, back).map_err(|e| e.to_string())?;
        Ok(what)
    }

    fn unclear(&self, now: i64) -> What {
        What::Unclear {
            now: now.saturating_sub(self.added),
            undone: true,
        }
    }
}
