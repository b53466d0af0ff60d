//! The ledger where no work is under way: taken up at a start, and taken back by `pfwatch undo` without a daemon.
//!
//! Both run programs in the caller's thread and wait for them.

use super::{Means, Tools, perform};
use crate::act::change::{self, Hands, Resumed};
use crate::act::hooks::Occasion;
use crate::act::ledger::disk::FileDisk;
use crate::act::run::Run;
use crate::act::stop::pair;
use crate::act::system::System;
use crate::config::model::Hooks;
use crate::event::Action;
use perform::Operator;

/// Takes back everything in a ledger that no daemon holds.
///
/// # Errors
/// It cannot be opened, or something could not be taken back; a sentence.
pub fn undo_alone(means: &Means) -> Result<Vec<String>, String> {
    if !FileDisk::is_there(&means.actions.ledger) {
        return Ok(Vec::new());
    }
    let (_stop, stopped) = pair().map_err(|e| e.to_string())?;
    let mut tools = Tools::open(means, &stopped)?;
    let mut run = System::new(stopped);
    let became = perform::take_back(&restore("operator"), &means.hooks, &mut tools, &mut run);
    if became.ok {
        Ok(became.lines)
    } else {
        Err(became.lines.join("; "))
    }
}

/// What a ledger from before means now.
pub(super) fn resume(hooks: &Hooks, tools: &mut Tools, run: &mut dyn Run) -> Resumed {
    let occasion = restore("restart");
    let mut operator = Operator::new(tools.run.as_mut(), hooks, &occasion);
    let mut hands = Hands {
        run,
        hooks: &mut operator,
        boot: &tools.boot,
    };
    change::resume(&mut tools.ledger, &mut hands)
}

fn restore(cause: &str) -> Occasion {
    Occasion {
        event: Action::Restore.as_str().into(),
        cause: cause.into(),
        ..Occasion::default()
    }
}
