//! The ledger where no work is under way: taken up at a start, and taken back by `pfwatch undo` without a daemon.
//!
//! Both run programs in the caller's thread and wait for them.

use super::{Means, Tools, in_full, perform};
use crate::act::boot::{Boot, this_boot};
use crate::act::change::{self, Hands, Resumed};
use crate::act::hooks::Occasion;
use crate::act::ledger::Ledger;
use crate::act::ledger::disk::FileDisk;
use crate::act::run::Run;
use crate::act::stop::{Stopped, pair};
use crate::act::system::System;
use crate::config::model::Hooks;
use crate::event::Action;
use perform::Operator;

/// Takes back everything in a ledger that no daemon holds.
///
/// # Errors
/// It cannot be opened, or something could not be taken back; a sentence.
pub fn undo_alone(means: &Means) -> Result<Vec<String>, String> {
    if !means.actions.ledger.exists() {
        return Ok(Vec::new());
    }
    let (_stop, stopped) = pair().map_err(|e| e.to_string())?;
    let mut run = System::new(stopped.clone());
    let boot = this_boot(&mut run).map_err(|e| in_full(&e))?;
    let disk = FileDisk::open(&means.actions.ledger).map_err(|e| in_full(&e))?;
    let ledger = Ledger::open(Box::new(disk)).map_err(|e| in_full(&e))?;
    let mut tools = Tools {
        ledger,
        boot,
        run: Box::new(System::new(stopped)),
    };
    let occasion = Occasion {
        event: Action::Restore.as_str().into(),
        cause: "operator".into(),
        ..Occasion::default()
    };
    let became = perform::take_back(&occasion, &means.hooks, &mut tools, &mut run);
    if became.ok {
        Ok(became.lines)
    } else {
        Err(became.lines.join("; "))
    }
}

/// What a ledger from before means now.
pub(super) fn resume(ledger: &mut Ledger, boot: &Boot, hooks: &Hooks, run: &mut dyn Run, stopped: Stopped) -> Resumed {
    let mut other = System::new(stopped);
    let occasion = Occasion {
        event: Action::Restore.as_str().into(),
        cause: "restart".into(),
        ..Occasion::default()
    };
    let mut operator = Operator::new(&mut other, hooks, &occasion);
    let mut hands = Hands {
        run,
        hooks: &mut operator,
        boot,
    };
    change::resume(ledger, &mut hands)
}
