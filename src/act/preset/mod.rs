//! Presets: from a decision to the things that are to be changed in this system, read as it is now.
//!
//! Called by whoever carries out decisions, right before `change::carry_out`. Plans only: it runs commands that show
//! values, never one that changes any.

pub mod freebsd;
pub mod openbsd;
#[cfg(test)]
mod tests;
pub mod win;

use super::ask::{AskError, ask};
use super::ledger::Made;
use super::run::Run;
use super::thing::{Thing, not_understood};
use crate::config::model::{Actions, Hooks, Preset};

/// A vhid of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carp {
    /// The interface that is configured: `carp0`, or on FreeBSD `em0` itself.
    pub name: String,
    /// Where it advertises.
    pub dev: String,
    /// Its number there.
    pub vhid: u8,
    /// It has the address.
    pub is_master: bool,
    /// Seconds between advertisements.
    pub advbase: u8,
    /// And 256ths of a second, before any demotion.
    pub advskew: u8,
    /// OpenBSD: one of several vhids among which an interface balances.
    pub balances: bool,
}

/// What CARP is on this node now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Its vhids.
    pub carp: Vec<Carp>,
    /// OpenBSD: the counter of group `carp`. FreeBSD: what is added to each advskew.
    pub demotion: i64,
    /// A faster advertiser takes over.
    pub preempt: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it makes of this node.
    pub role: Made,
    /// In this order.
    pub things: Vec<Thing>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The system does not show what it is.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Not a matter of ifconfig.
    #[error(
        "{interface} balances over several vhids, which no preset arranges; promote by hooks instead of the preset"
    )]
    Balances {
        /// Which.
        interface: String,
    },
    /// No CARP at all.
    #[error("this node has no carp interface; configure one, or remove `preset` from [actions]")]
    NoCarp,
    /// Nothing can be made better.
    #[error(
        "every vhid of this node has advskew 0 already, so a promotion changes nothing; give this node a higher advskew"
    )]
    Lowest,
    /// Nothing can be made worse.
    #[error("this node is demoted by {0} already, more is not possible; find out who did that")]
    Highest(i64),
    /// ucarp is told its advskew when it is started.
    #[error(
        "preset `ucarp` has no command of its own; write `{missing}` of [hooks]: a program that starts ucarp again with {with}"
    )]
    Ucarp {
        /// The key.
        missing: &'static str,
        /// What for.
        with: &'static str,
    },
    /// Neither a preset nor a hook.
    #[error("nothing is configured to make this node {0}; set `preset` in [actions] or a program in [hooks]")]
    Nothing(Made),
}

/// What CARP is on this node now; none where the preset has no way to know.
///
/// # Errors
/// A command fails or its answer is not understood.
pub fn look(preset: Option<Preset>, run: &mut dyn Run) -> Result<Option<Look>, PlanError> {
    match preset {
        Some(Preset::Openbsd) => openbsd::look(run).map(Some),
        Some(Preset::Freebsd | Preset::Pfsense | Preset::Opnsense) => freebsd::look(run).map(Some),
        Some(Preset::Ucarp | Preset::Ifstated) | None => Ok(None),
    }
}

/// What is to be done to make this node `role`. `None`: nothing is ever carried out by us, the decision is only told
/// (preset `ifstated`). Hooks, where there are any, come last: they find what the preset has done.
///
/// # Errors
/// It cannot be done; the sentence says what would help.
pub fn plan(role: Made, look: Option<&Look>, actions: &Actions, hooks: &Hooks) -> Result<Option<Plan>, PlanError> {
    let none = Look::default();
    let look = look.unwrap_or(&none);
    let mut things = match actions.preset {
        Some(Preset::Ifstated) => return Ok(None),
        Some(Preset::Ucarp) => ucarp(role, hooks)?,
        None => Vec::new(),
        Some(_) if look.carp.is_empty() => return Err(PlanError::NoCarp),
        Some(Preset::Openbsd) => match role {
            Made::Promoted => some_lower(openbsd::promote(look)?)?,
            Made::Demoted => higher(look, openbsd::demote(look, actions.demotion))?,
        },
        Some(preset @ (Preset::Freebsd | Preset::Pfsense | Preset::Opnsense)) => match role {
            Made::Promoted => {
                let promote = freebsd::promote(look, preset == Preset::Opnsense);
                some_lower(promote.into_iter().collect())?
            }
            Made::Demoted if preset == Preset::Opnsense => vec![Thing::Service],
            Made::Demoted => vec![freebsd::demote(look, actions.demotion)],
        },
    };
    let own = match role {
        Made::Promoted => &hooks.promote,
        Made::Demoted => &hooks.demote,
    };
    if !own.is_empty() {
        things.push(Thing::Hook);
    }
    if things.is_empty() {
        return Err(PlanError::Nothing(role));
    }
    Ok(Some(Plan { role, things }))
}

fn some_lower(things: Vec<Thing>) -> Result<Vec<Thing>, PlanError> {
    if things.is_empty() {
        return Err(PlanError::Lowest);
    }
    Ok(things)
}

fn higher(look: &Look, thing: Option<Thing>) -> Result<Vec<Thing>, PlanError> {
    thing.map(|t| vec![t]).ok_or(PlanError::Highest(look.demotion))
}

/// ucarp has no signal that lasts: SIGUSR2 is undone by preemption within a second. So it is started again with another
/// `-k`, and only the operator knows how it was started.
fn ucarp(role: Made, hooks: &Hooks) -> Result<Vec<Thing>, PlanError> {
    let (hook, missing, with) = match role {
        Made::Promoted => (&hooks.promote, "promote", "a lower -k than the peer's"),
        Made::Demoted => (&hooks.demote, "demote", "a higher -k than the peer's"),
    };
    if hook.is_empty() {
        return Err(PlanError::Ucarp { missing, with });
    }
    if hooks.restore.is_empty() {
        return Err(PlanError::Ucarp {
            missing: "restore",
            with: "the -k that it had",
        });
    }
    Ok(Vec::new())
}

/// The same name on all systems.
fn preempt(run: &mut dyn Run) -> Result<bool, PlanError> {
    const PREEMPT: &[&str] = &["sysctl", "-n", "net.inet.carp.preempt"];
    let text = ask(run, PREEMPT)?;
    let value = freebsd::number(&text).ok_or_else(|| not_understood(PREEMPT, &text))?;
    Ok(value != 0)
}
