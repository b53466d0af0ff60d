//! The hooks of one action: which programs, in which order, told what, and what a failure means.
//!
//! Called by whoever carries out decisions, in the worker of the queue. Runs programs through `Run` alone, and judges
//! nothing: what has happened is given.

#[cfg(test)]
mod tests;

use super::run::{Done, Job, Run};
use crate::config::model::{Command, Hooks, OnFailure};
use crate::event::Action;
use std::time::Duration;

/// So many lines of what a hook says are worth the log.
const LINES: usize = 20;

/// Which of the lists in `[hooks]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// That of an action. Fencing has no hooks but a device of its own.
    Action(Action),
    /// Those who are told of every verdict and decision.
    Notify,
}

impl Kind {
    /// The key in `[hooks]`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action(action) => action.as_str(),
            Self::Notify => "notify",
        }
    }

    /// The programs.
    #[must_use]
    pub fn commands(self, hooks: &Hooks) -> &[Command] {
        match self {
            Self::Action(Action::Promote) => &hooks.promote,
            Self::Action(Action::Demote) => &hooks.demote,
            Self::Action(Action::Restore) => &hooks.restore,
            Self::Action(Action::Fence) => &[],
            Self::Notify => &hooks.notify,
        }
    }
}

/// What has happened, as hooks are told it in their environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occasion {
    /// A word: the action, or the health of a verdict.
    pub event: String,
    /// Counts up, so that who is told twice or late can see it.
    pub seq: u64,
    /// The node that it is about: its address, as everywhere.
    pub node: String,
    /// And what the operator calls it.
    pub name: String,
    /// The path that it is about, if one.
    pub path: String,
    /// Why.
    pub cause: String,
    /// What this node is now.
    pub role: String,
    /// What it was before.
    pub previous_role: String,
    /// The numbers, as JSON.
    pub evidence: String,
    /// Nothing is to be done.
    pub dry_run: bool,
}

impl Occasion {
    /// All of it, the empty too: a script that runs with `set -u` must not fail for want of a path.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        let dry_run = if self.dry_run { "1" } else { "0" };
        [
            ("PFWATCH_EVENT", self.event.as_str()),
            ("PFWATCH_SEQ", &self.seq.to_string()),
            ("PFWATCH_NODE", &self.node),
            ("PFWATCH_NAME", &self.name),
            ("PFWATCH_PATH", &self.path),
            ("PFWATCH_CAUSE", &self.cause),
            ("PFWATCH_ROLE", &self.role),
            ("PFWATCH_PREVIOUS_ROLE", &self.previous_role),
            ("PFWATCH_EVIDENCE", &self.evidence),
            ("PFWATCH_DRY_RUN", dry_run),
        ]
        // With a NUL in a name no hook could be started at all.
        .map(|(key, value)| (key.to_owned(), value.replace('\0', "")))
        .into()
    }
}

/// What became of one hook.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran: its last try, and how many there were.
    Ran {
        /// How the last one ended, what it said, and how long it alone took.
        last: Done,
        /// At least 1.
        tries: u32,
        /// All of them together.
        took: Duration,
    },
    /// Not run, because one before it failed.
    Skipped,
    /// Not run, because nothing is to be done.
    DryRun,
}

/// One hook and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// As configured.
    pub command: Command,
    /// See there.
    pub outcome: Outcome,
}

impl Hook {
    /// It ran, and not well.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(&self.outcome, Outcome::Ran { last, .. } if !last.end.ok())
    }
}

/// What became of all hooks of one action.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whose hooks.
    pub kind: Kind,
    /// In order.
    pub hooks: Vec<Hook>,
    /// The action may count as done, as far as hooks go: only `escalate` makes a failed hook a failed action, and who is
    /// only told never does.
    pub succeeded: bool,
}

impl Report {
    /// How many failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.hooks.iter().filter(|h| h.failed()).count()
    }

    /// How long all of them took.
    #[must_use]
    pub fn took(&self) -> Duration {
        let took = |hook: &Hook| match &hook.outcome {
            Outcome::Ran { took, .. } => *took,
            Outcome::Skipped | Outcome::DryRun => Duration::ZERO,
        };
        self.hooks.iter().map(took).sum()
    }

    /// The first that failed, as a clause.
    #[must_use]
    pub fn fault(&self) -> String {
        let failed = self.hooks.iter().position(Hook::failed);
        let sentence = failed.and_then(|i| self.sentences().nth(i));
        sentence.unwrap_or_else(|| "a hook failed".to_owned())
    }

    /// For the log: a line for each hook, and what it said.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.hooks.iter().zip(self.sentences()).flat_map(|(hook, sentence)| {
            let said = match &hook.outcome {
                Outcome::Ran { last, .. } => String::from_utf8_lossy(&last.output).into_owned(),
                Outcome::Skipped | Outcome::DryRun => String::new(),
            };
            let said: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
            let more = said.len().saturating_sub(LINES);
            let more = (more > 0).then(|| format!("  ({more} more lines)"));
            let said: Vec<String> = said.iter().take(LINES).map(|l| format!("  {}", l.trim_end())).collect();
            std::iter::once(sentence).chain(said).chain(more)
        })
    }

    /// One line for each hook. What it said is not among it.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        self.hooks.iter().map(|hook| {
            let name = format!("{} hook `{}`", self.kind.as_str(), shown(&hook.command));
            match &hook.outcome {
                Outcome::Ran { last, tries, took } => {
                    let times = if *tries == 1 {
                        String::new()
                    } else {
                        format!(" after {tries} tries")
                    };
                    format!("{name}: {}{times}, {:.1} s", last.end, took.as_secs_f64())
                }
                Outcome::Skipped => format!("{name}: not run, because the one before it failed"),
                Outcome::DryRun => format!("{name}: would be run"),
            }
        })
    }
}

/// What would be run.
#[must_use]
pub fn would(hooks: &Hooks, kind: Kind) -> Report {
    let would = |command: &Command| Hook {
        command: command.clone(),
        outcome: Outcome::DryRun,
    };
    Report {
        kind,
        hooks: kind.commands(hooks).iter().map(would).collect(),
        succeeded: true,
    }
}

/// Runs the hooks of an action one after the other. In a dry run only those who are told are run: they see it.
pub fn carry_out(run: &mut dyn Run, hooks: &Hooks, kind: Kind, occasion: &Occasion) -> Report {
    let env = occasion.env();
    let mut failed = false;
    let mut outcomes = Vec::new();
    for command in kind.commands(hooks) {
        let outcome = if occasion.dry_run && kind != Kind::Notify {
            Outcome::DryRun
        } else if failed && hooks.on_failure != OnFailure::Continue {
            Outcome::Skipped
        } else {
            let job = Job {
                command: command.clone(),
                env: env.clone(),
                input: Vec::new(),
                timeout: hooks.timeout,
            };
            let outcome = insist(run, &job, hooks.retries);
            failed |= matches!(&outcome, Outcome::Ran { last, .. } if !last.end.ok());
            outcome
        };
        let command = command.clone();
        outcomes.push(Hook { command, outcome });
    }
    let fatal = failed && hooks.on_failure == OnFailure::Escalate && kind != Kind::Notify;
    Report {
        kind,
        hooks: outcomes,
        succeeded: !fatal,
    }
}

/// Runs it until it succeeds, or often enough.
fn insist(run: &mut dyn Run, job: &Job, retries: u32) -> Outcome {
    let mut took = Duration::ZERO;
    let mut tries = 0;
    loop {
        let last = run.run(job);
        took += last.took;
        tries += 1;
        if last.end.ok() || tries > retries {
            return Outcome::Ran { last, tries, took };
        }
    }
}

/// A command as somebody would type it.
#[must_use]
pub fn shown(command: &Command) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    match command {
        Command::Argv(words) => words.iter().map(quoted).collect::<Vec<_>>().join(" "),
        Command::Shell(line) => line.clone(),
    }
}
