//! Fencing: the device of the configuration is told to switch off the peer that is in the way.
//!
//! [`carry_out`] is called by whoever carries out decisions, in the worker of the queue, once for each decision to fence.
//! It judges nothing: who is fenced, and whether two witnesses speak against it, is policy. It does not wait for `delay`
//! either: policy does, looks at its condition all the while, and decides nothing if that ceases to hold because the other
//! node was faster. Nor does it try again: policy may, an hour later.
//!
//! What each kind vouches for: an agent, that the device itself says off; a command and a serial line, that they were
//! told; Wake-on-LAN nothing, because it wakes and never switches off. Whether the peer is gone is seen by its CARP and its
//! pfsync, and policy watches them.

mod agent;
mod options;
mod serial;
#[cfg(test)]
mod tests;
mod wol;

use super::clock;
use super::hooks::{Occasion, shown};
use super::run::{Done, Job, Run};
use crate::config::model::{Fence, FenceKind};
use std::time::Duration;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device switched it off, and says so when asked.
    Off,
    /// The device was told and made no objection.
    Told,
    /// A magic packet was sent. Nothing was switched off: this is no fencing, and never a success of one.
    Woken,
    /// Why not; half a sentence.
    Failed(String),
    /// Nothing is to be done.
    DryRun,
}

/// One run of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it was to do: `off`, `status`; empty for a program that knows by itself.
    pub what: &'static str,
    /// How it ended and what it said.
    pub done: Done,
}

/// What was done and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The peer's name.
    pub node: String,
    /// The device, as one would speak of it.
    pub device: String,
    /// See there.
    pub outcome: Outcome,
    /// The programs that ran, in order.
    pub steps: Vec<Step>,
    /// All together.
    pub took: Duration,
}

impl Report {
    /// The action may count as carried out. Only then is it worth watching whether the peer falls silent.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Off | Outcome::Told)
    }

    /// One line for each program that ran and one with the result, for the log. What the programs said is not among it:
    /// an agent may show its password.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let step = |step: &Step| {
            let what = if step.what.is_empty() { "run" } else { step.what };
            let took = step.done.took.as_secs_f64();
            format!("fence {}, {what}: {}, {took:.1} s", self.device, step.done.end)
        };
        self.steps.iter().map(step).chain([self.result()])
    }

    fn result(&self) -> String {
        let Self { node, device, took, .. } = self;
        let took = took.as_secs_f64();
        match &self.outcome {
            Outcome::Off => format!("{node} was switched off by {device}, and its status says off; {took:.1} s"),
            Outcome::Told => {
                format!("{device} was told to stop {node}, {took:.1} s; its CARP and pfsync will show whether it did")
            }
            Outcome::Woken => format!("a magic packet for {node} was sent by {device}; nothing was switched off"),
            Outcome::Failed(why) => format!("{node} was not fenced after {took:.1} s: {why}"),
            Outcome::DryRun => format!("{node} would be fenced by {device}"),
        }
    }
}

/// Carries out what is configured, and returns when that is known: after `timeout` of the configuration at the latest for a
/// serial line and a command, after twice that for an agent, and a moment. `run` may be stopped meanwhile; then it failed.
pub fn carry_out(run: &mut dyn Run, fence: &Fence, occasion: &Occasion) -> Report {
    let began = clock::now();
    let mut steps = Vec::new();
    let outcome = if occasion.dry_run {
        Outcome::DryRun
    } else {
        let env = occasion.env();
        let done = match fence.kind {
            FenceKind::Agent => agent::switch_off(run, fence, &env, &mut steps).map(|()| Outcome::Off),
            FenceKind::Command => command(run, fence, &env, &mut steps).map(|()| Outcome::Told),
            FenceKind::SerialBreak => serial::send_break(fence).map(|()| Outcome::Told),
            FenceKind::Wol => wol::wake(fence).map(|()| Outcome::Woken),
        };
        done.unwrap_or_else(Outcome::Failed)
    };
    Report {
        node: fence.node.clone(),
        device: device(fence),
        outcome,
        steps,
        took: clock::now().saturating_duration_since(began),
    }
}

/// What can be known of the device without switching anything off, as a sentence: an agent is asked for its status.
///
/// # Errors
/// Why it could not fence now.
pub fn look(run: &mut dyn Run, fence: &Fence) -> Result<String, String> {
    match fence.kind {
        FenceKind::Agent => agent::look(run, fence),
        FenceKind::Command => Ok(format!("{} can only be tried by fencing", device(fence))),
        FenceKind::SerialBreak => serial::look(fence),
        FenceKind::Wol => wol::look(fence),
    }
}

/// Any program: exit code 0 is a success.
fn command(run: &mut dyn Run, fence: &Fence, env: &[(String, String)], steps: &mut Vec<Step>) -> Result<(), String> {
    let done = run.run(&job(fence, env, Vec::new())?);
    let end = done.end.clone();
    steps.push(Step { what: "", done });
    if end.ok() {
        Ok(())
    } else {
        Err(format!("{} failed ({end})", device(fence)))
    }
}

fn job(fence: &Fence, env: &[(String, String)], input: Vec<u8>) -> Result<Job, String> {
    Ok(Job {
        command: fence
            .command
            .clone()
            .ok_or("no program is configured; set `command` in [fence]")?,
        env: env.to_vec(),
        input,
        timeout: fence.timeout,
    })
}

/// `fence_ipmilan`, in backticks; `a BREAK on /dev/cua00`.
fn device(fence: &Fence) -> String {
    match fence.kind {
        FenceKind::Agent | FenceKind::Command => {
            format!("`{}`", fence.command.as_ref().map(shown).unwrap_or_default())
        }
        FenceKind::SerialBreak => {
            let path = fence.device.as_deref().map(|d| d.display().to_string());
            format!("a BREAK on {}", path.unwrap_or_default())
        }
        FenceKind::Wol => format!("Wake-on-LAN on {}", fence.interface.as_deref().unwrap_or_default()),
    }
}
