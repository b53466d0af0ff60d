//! Carrying out a plan so that it can be taken back: everything is written, then each thing is done, then marked.
//!
//! Called by whoever acts on decisions, at the start (`resume`) and by `undo`. It never acts on what is not in the ledger,
//! never adds to what an earlier plan has left there, and never judges whether the plan is wise.

mod counter;
#[cfg(test)]
mod tests;
mod undo;

use super::ask::AskError;
use super::boot::Boot;
use super::ledger::{Entry, Ledger, LedgerError, Made, Phase};
use super::preset::Plan;
use super::run::Run;
use super::thing::{self, Thing};
use std::fmt;

pub use undo::{Outcome, What, undo_all};

/// Who runs the operator's hooks, with their environment, retries and time limit.
pub trait Hooks {
    /// Runs `promote` or `demote`.
    ///
    /// # Errors
    /// The action counts as failed; a sentence.
    fn act(&mut self, role: Made) -> Result<(), String>;
    /// Runs `restore`. After a crash it may be run twice for one `act`, or for one that never began.
    ///
    /// # Errors
    /// It is to be tried again; a sentence.
    fn restore(&mut self, role: Made) -> Result<(), String>;
}

/// What it takes to change this system.
pub struct Hands<'a> {
    /// Runs ifconfig and sysctl.
    pub run: &'a mut dyn Run,
    /// Runs the operator's programs.
    pub hooks: &'a mut dyn Hooks,
    /// This boot.
    pub boot: &'a Boot,
}

/// Why a plan was not carried out. In each case nothing of it stands, unless `taken_back` says so.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// One at a time.
    #[error("this node is {0} already; that has to be taken back first: pfwatch undo")]
    Holds(Made),
    /// The ledger comes first.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A thing failed.
    #[error("{thing}: {why}; {}", taken(taken_back))]
    Failed {
        /// Which.
        thing: Thing,
        /// A sentence.
        why: String,
        /// What became of all of them.
        taken_back: Vec<Outcome>,
    },
}

fn taken(outcomes: &[Outcome]) -> String {
    let stays: Vec<String> = outcomes
        .iter()
        .filter(|o| !o.is_clean())
        .map(Outcome::to_string)
        .collect();
    if stays.is_empty() {
        "everything is as it was before".to_owned()
    } else {
        stays.join("; ")
    }
}

/// Carries it out. An entry that was done but could not be marked (the disk got full meanwhile) does not undo the plan: from
/// the intent and the system's value it is known later. That is said in what comes back.
///
/// # Errors
/// Nothing was begun, or something failed and all was taken back.
pub fn carry_out(
    plan: &Plan,
    ledger: &mut Ledger,
    hands: &mut Hands<'_>,
    when: i64,
) -> Result<Option<LedgerError>, ChangeError> {
    if let Some(role) = ledger.role() {
        return Err(ChangeError::Holds(role));
    }
    let numbers = ledger.intend(plan.role, hands.boot, when, plan.things.iter().cloned())?;
    let mut unmarked = None;
    for (thing, seq) in plan.things.iter().zip(numbers) {
        if let Err(why) = act(thing, plan.role, hands) {
            return Err(ChangeError::Failed {
                thing: thing.clone(),
                why,
                taken_back: undo_all(ledger, hands),
            });
        }
        if let Err(e) = ledger.mark(seq, Phase::Done) {
            unmarked = Some(e);
        }
    }
    Ok(unmarked)
}

/// Does one thing, and looks whether it is done where that can be seen.
fn act(thing: &Thing, role: Made, hands: &mut Hands<'_>) -> Result<(), String> {
    let words = |e: AskError| e.to_string();
    match thing {
        Thing::Advskew { interface, set, .. } => {
            thing::set_advskew(hands.run, interface, *set).map_err(words)?;
            match thing::read_advskew(hands.run, interface).map_err(words)? {
                Some(now) if now == *set => Ok(()),
                now => Err(format!("ifconfig took it, but it is {}", shown(now))),
            }
        }
        // Others add to it too, so what it is afterwards proves nothing; the kernel takes all or nothing.
        Thing::Counter { counter, added, .. } => counter.add(hands.run, *added).map_err(words),
        Thing::Service => {
            thing::demote_services(hands.run).map_err(words)?;
            match thing::services_demoted(hands.run).map_err(words)? {
                true => Ok(()),
                false => {
                    Err("OPNsense did not demote; is pfwatch in /usr/local/etc/rc.carp_service_status.d?".to_owned())
                }
            }
        }
        Thing::Hook => hands.hooks.act(role),
    }
}

fn shown(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "gone".to_owned(), |v| v.to_string())
}

/// What a ledger from before means now.
#[derive(Debug)]
pub struct Resumed {
    /// What this node still is by our doing.
    pub role: Option<Made>,
    /// But that is to be taken back.
    pub owed: bool,
    /// What was taken back, dropped, or could not be; each a sentence for the log.
    pub outcomes: Vec<Outcome>,
}

/// After a start: entries of another boot are void or restored; a plan of this boot that was carried out wholly stands, and
/// this node goes on in its role; one that was not, or whose undoing had begun, is taken back, because half a promotion
/// splits the addresses between two nodes.
///
/// To be called as soon as possible: the sooner, the fewer others have changed the same values.
pub fn resume(ledger: &mut Ledger, hands: &mut Hands<'_>) -> Resumed {
    let entries = ledger.entries().to_vec();
    let stands = |e: &Entry| e.phase == Phase::Done && e.boot.same(hands.boot);
    let outcomes = if ledger.book().owed {
        undo_all(ledger, hands)
    } else if entries.iter().all(stands) {
        Vec::new()
    } else {
        match whole(&entries, hands) {
            Ok(true) => confirm(ledger, &entries),
            Ok(false) => undo_all(ledger, hands),
            // What cannot be read cannot be undone either, and may be half of it: that is for whoever decides to try again.
            Err(outcome) => {
                ledger.owe();
                vec![*outcome]
            }
        }
    };
    Resumed {
        role: ledger.role(),
        owed: ledger.book().owed,
        outcomes,
    }
}

/// All of it was carried out in this boot, and none of it is being undone.
fn whole(entries: &[Entry], hands: &mut Hands<'_>) -> Result<bool, Box<Outcome>> {
    for entry in entries {
        if !entry.boot.same(hands.boot) || matches!(entry.phase, Phase::Undoing { .. }) {
            return Ok(false);
        }
        if entry.phase == Phase::Intent
            && !is_done(&entry.thing, hands).map_err(|e| Box::new(Outcome::failed(entry, &e)))?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was only intended can be seen to be done. Of hooks it cannot.
fn is_done(thing: &Thing, hands: &mut Hands<'_>) -> Result<bool, AskError> {
    Ok(match thing {
        Thing::Advskew { interface, set, .. } => thing::read_advskew(hands.run, interface)? == Some(*set),
        Thing::Counter { counter, found, added } => {
            let now = counter.read(hands.run)?;
            counter::Step::of_intent(*found, *added).was_done(now) == (counter::Told::Yes)
        }
        Thing::Service => thing::services_demoted(hands.run)?,
        Thing::Hook => false,
    })
}

fn confirm(ledger: &mut Ledger, entries: &[Entry]) -> Vec<Outcome> {
    let intents = entries.iter().filter(|e| e.phase == Phase::Intent);
    let failed = intents.filter_map(|e| {
        let marked = ledger.mark(e.seq, Phase::Done);
        marked.err().map(|why| Outcome::failed(e, &why))
    });
    failed.collect()
}
