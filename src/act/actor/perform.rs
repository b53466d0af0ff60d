//! What the worker does with one piece of work: look, plan, change, and say what became of it.
//!
//! Called in the queue's thread alone, where waiting is allowed.

use super::{Deed, Means, News, Task, Tools};
use crate::act::change::{self, Hands, What};
use crate::act::fence;
use crate::act::hooks::{self, Kind, Occasion, Report};
use crate::act::in_full;
use crate::act::ledger::{Ledger, Made};
use crate::act::preset::{self, win};
use crate::act::run::Run;
use crate::config::model::Hooks;
use crate::event::Action;
use std::time::Duration;

/// What became of it.
pub(super) struct Became {
    pub(super) ok: bool,
    pub(super) text: String,
    pub(super) lines: Vec<String>,
    took: Duration,
}

impl Became {
    pub(super) fn news(self, ticket: u64, task: Task, ledger: &Ledger) -> News {
        News {
            ticket,
            task,
            ok: self.ok,
            text: self.text,
            lines: self.lines,
            took: self.took,
            ledger: Some(ledger.book().clone()),
        }
    }
}

/// Runs the operator's hooks of a change, and remembers what became of them.
pub(super) struct Operator<'a> {
    run: &'a mut dyn Run,
    hooks: &'a Hooks,
    occasion: &'a Occasion,
    reports: Vec<Report>,
}

impl<'a> Operator<'a> {
    pub(super) fn new(run: &'a mut dyn Run, hooks: &'a Hooks, occasion: &'a Occasion) -> Self {
        Self {
            run,
            hooks,
            occasion,
            reports: Vec::new(),
        }
    }

    fn carry_out(&mut self, action: Action, occasion: &Occasion) -> &Report {
        let report = hooks::carry_out(self.run, self.hooks, Kind::Action(action), occasion);
        self.reports.push(report);
        &self.reports[self.reports.len() - 1]
    }
}

impl change::Hooks for Operator<'_> {
    fn act(&mut self, role: Made) -> Result<(), String> {
        let action = match role {
            Made::Promoted => Action::Promote,
            Made::Demoted => Action::Demote,
        };
        let report = self.carry_out(action, &self.occasion.clone());
        if report.succeeded { Ok(()) } else { Err(report.fault()) }
    }

    /// Whatever `on-failure` says: what is to be taken back is not forgotten because a program failed. What the program has to
    /// take back is what the ledger says, also where nobody knows a role, or the action that failed never became one.
    fn restore(&mut self, made: Made) -> Result<(), String> {
        let Occasion {
            event,
            role,
            previous_role,
            ..
        } = self.occasion;
        let restore = Action::Restore.as_str();
        let now = if event == restore { role } else { previous_role };
        let occasion = Occasion {
            event: restore.into(),
            role: now.clone(),
            previous_role: made.to_string(),
            ..self.occasion.clone()
        };
        let report = self.carry_out(Action::Restore, &occasion);
        if report.failures() == 0 {
            Ok(())
        } else {
            Err(report.fault())
        }
    }
}

/// Carries out a decision.
pub(super) fn decision(deed: &Deed, means: &Means, tools: &mut Tools, run: &mut dyn Run) -> Became {
    let role = match deed.action {
        Action::Promote => Made::Promoted,
        Action::Demote => Made::Demoted,
        Action::Restore => return take_back(&deed.occasion, &means.hooks, tools, run),
        Action::Fence => return switch_off(deed, means, run),
    };
    let mut clock = Stopwatch::new(run);
    match plan(role, deed, means, &mut clock) {
        Err(why) => Became {
            took: clock.spent,
            ..failed(deed.action, &why)
        },
        Ok(plan) => {
            let mut operator = Operator::new(tools.run.as_mut(), &means.hooks, &deed.occasion);
            let mut hands = Hands {
                run: &mut clock,
                hooks: &mut operator,
                boot: &tools.boot,
            };
            let done = change::carry_out(&plan, &mut tools.ledger, &mut hands, deed.when);
            let hooks = operator.reports;
            let took = clock.spent + hooks.iter().map(Report::took).sum::<Duration>();
            let things: Vec<String> = plan.things.iter().map(ToString::to_string).collect();
            let (ok, text, mut lines) = match done {
                Ok(unmarked) => (
                    true,
                    format!("{} carried out: {}", deed.action.as_str(), things.join(", ")),
                    unmarked.iter().map(|e| in_full(e)).collect(),
                ),
                Err(e) => (
                    false,
                    format!("{} failed: {}", deed.action.as_str(), in_full(&e)),
                    Vec::new(),
                ),
            };
            lines.extend(hooks.iter().flat_map(Report::lines));
            Became { ok, text, lines, took }
        }
    }
}

/// Keeps that a peer was seen to go away.
pub(super) fn saw(away: i64, ledger: &mut Ledger) -> Became {
    let kept = ledger.saw(away);
    Became {
        ok: kept.is_ok(),
        text: kept.err().map_or_else(String::new, |e| in_full(&e)),
        lines: Vec::new(),
        took: Duration::ZERO,
    }
}

/// By the device of the configuration. Nothing of it is in the ledger: it cannot be taken back.
fn switch_off(deed: &Deed, means: &Means, run: &mut dyn Run) -> Became {
    let Some(device) = &means.fence else {
        return failed(deed.action, "no fencing device is configured; see [fence]");
    };
    let report = fence::carry_out(run, device, &deed.occasion);
    let mut lines: Vec<String> = report.sentences().collect();
    let text = lines.pop().unwrap_or_default();
    Became {
        ok: report.succeeded(),
        text,
        lines,
        took: report.took,
    }
}

/// What is to be changed, if that can do what it is for.
fn plan(role: Made, deed: &Deed, means: &Means, run: &mut dyn Run) -> Result<preset::Plan, String> {
    let preset = means.actions.preset;
    let look = preset::look(preset, run).map_err(|e| in_full(&e))?;
    if role == Made::Promoted {
        win::can_win(preset, look.as_ref(), &deed.masters).map_err(|e| e.to_string())?;
    }
    match preset::plan(role, look.as_ref(), &means.actions, &means.hooks) {
        Ok(Some(plan)) => Ok(plan),
        Ok(None) => Err("this preset carries nothing out".to_owned()),
        Err(e) => Err(in_full(&e)),
    }
}

fn failed(action: Action, why: &str) -> Became {
    Became {
        ok: false,
        text: format!("{} failed: {why}", action.as_str()),
        lines: Vec::new(),
        took: Duration::ZERO,
    }
}

/// Takes back everything.
pub(super) fn take_back(occasion: &Occasion, hooks: &Hooks, tools: &mut Tools, run: &mut dyn Run) -> Became {
    let mut clock = Stopwatch::new(run);
    let mut operator = Operator::new(tools.run.as_mut(), hooks, occasion);
    let mut hands = Hands {
        run: &mut clock,
        hooks: &mut operator,
        boot: &tools.boot,
    };
    let outcomes = change::undo_all(&mut tools.ledger, &mut hands);
    let hooks = operator.reports;
    let took = clock.spent + hooks.iter().map(Report::took).sum::<Duration>();
    let stays = outcomes.iter().filter(|o| matches!(o.what, What::Failed(_))).count();
    let text = match (outcomes.len(), stays) {
        (0, _) => "nothing was to be taken back".to_owned(),
        (_, 0) => "restore carried out: everything of ours is taken back".to_owned(),
        (all, n) => format!("restore failed: {n} of {all} changes are not taken back"),
    };
    let mut lines: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
    lines.extend(hooks.iter().flat_map(Report::lines));
    Became {
        ok: stays == 0,
        text,
        lines,
        took,
    }
}

/// Adds up how long programs took.
struct Stopwatch<'a> {
    run: &'a mut dyn Run,
    spent: Duration,
}

impl<'a> Stopwatch<'a> {
    fn new(run: &'a mut dyn Run) -> Self {
        Self {
            run,
            spent: Duration::ZERO,
        }
    }
}

impl Run for Stopwatch<'_> {
    fn run(&mut self, job: &crate::act::run::Job) -> crate::act::run::Done {
        let done = self.run.run(job);
        self.spent += done.took;
        done
    }
}
