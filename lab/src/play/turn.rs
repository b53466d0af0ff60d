//! One turn: the pair is well, something is done to it, it is healed, and the pair is well again.

use super::catalogue::{Deed, Scenario};
use super::normal::{differences, ready};
use super::outcome::{Act, Outcome};
use crate::bench::Bench;
use crate::bench::guard::Guard;
use crate::bench::{log, service};
use crate::clock;
use crate::error::LabError;
use crate::net::fault::{Fault, addresses};
use crate::net::plan::{Net, Node};
use nix::sys::signal::{Signal, kill};
use std::fs;
use std::time::Duration;

/// How long the pair may take to be as before: `recover`, the slowest probe and two handovers fit twice.
const HEALS: Duration = Duration::from_secs(90);
/// Served for so long without a break, all is well.
const WELL: Duration = Duration::from_secs(3);
/// Longer than a node needs to have the addresses and to be believed.
const LONG: Duration = Duration::from_secs(60);

impl Bench {
    /// Plays a scenario once. `phase` is waited for first, so that turns differ in where everybody's timers are.
    pub fn turn(&mut self, scenario: &Scenario, phase: Duration) -> Result<Outcome, LabError> {
        self.fresh()?;
        self.pause(phase)?;
        let begun = clock::unix();
        self.begin(scenario.deed)?;
        let moved = self.last(scenario, begun)?;
        let healed = clock::unix();
        self.heal(scenario.deed)?;
        let left = self.settle()?;
        let over = clock::unix();
        // So that the last tries are known.
        self.pause(Duration::from_secs(1))?;

        let tries = service::tries(&self.service_file())?;
        let last = service::last_failure(&tries, begun, healed);
        // A second of good tries before the end is a return.
        let back = match last {
            None => Some(0.0),
            Some(at) if at < healed - 1.0 => Some(at - begun + 0.1),
            Some(_) => None,
        };
        let mut outcome = Outcome {
            name: scenario.name.to_owned(),
            guard: self.guard,
            without: service::seconds_without(&tries, begun, healed),
            back,
            healing: service::seconds_without(&tries, healed, over),
            down: None,
            alarms: 0,
            acts: Vec::new(),
            moved,
            left,
        };
        self.listen(&mut outcome, begun, healed)?;
        Ok(outcome)
    }

    /// Guards that have done nothing yet but have learned what they learned before, and a pair that is well.
    pub(super) fn fresh(&mut self) -> Result<(), LabError> {
        for node in Node::ALL {
            self.end_guard(node, true);
        }
        self.forget()?;
        if !differences(self)?.iter().all(|d| d.starts_with("pfwatch")) {
            // What the turn before left behind has been told; this one must not suffer from it.
            for node in Node::ALL {
                self.carp(node, "restore")?;
            }
        }
        self.guard()?;
        self.until("the pair is as it should be", HEALS, |b| Ok(differences(b)?.is_empty()))?;
        if matches!(self.guard, Guard::Pfwatch | Guard::Observe) {
            self.until("pfwatch knows the pair", LONG, ready)?;
        }
        self.until_served(WELL)
    }

    pub(super) fn begin(&mut self, deed: Deed) -> Result<(), LabError> {
        match deed {
            Deed::Nothing => Ok(()),
            Deed::Break(fault) | Deed::BreakAndRestart(fault) => fault.begin(&self.place),
            Deed::Crash(node) => {
                for net in Net::ALL {
                    Fault::Port(node, net).begin(&self.place)?;
                }
                self.crash(node)
            }
            Deed::KillCarp(node) => {
                for pid in self.ucarps(node) {
                    // Gone already is as good.
                    let _ = kill(pid, Signal::SIGKILL);
                }
                Ok(())
            }
            Deed::KillGuard(node) => {
                self.end_guard(node, false);
                Ok(())
            }
            Deed::Planned(node) => self.carp(node, "demote"),
            Deed::RestartGuards => self.restart_guards(),
        }
    }

    fn restart_guards(&mut self) -> Result<(), LabError> {
        for node in Node::ALL {
            self.end_guard(node, true);
            self.start_guard(node)?;
            self.pause(Duration::from_secs(3))?;
        }
        Ok(())
    }

    /// Lets it last; tells whether an address was elsewhere meanwhile.
    fn last(&mut self, scenario: &Scenario, begun: f64) -> Result<bool, LabError> {
        if let Deed::BreakAndRestart(_) = scenario.deed {
            self.until("fw2 has an address of each side", LONG, |b| {
                Ok(addresses(&b.place, Node::Fw2)? == Net::SHARED)
            })?;
            self.pause(Duration::from_secs(8))?;
            self.restart_guards()?;
        }
        let end = begun + scenario.lasts(self.guard).as_secs_f64();
        let mut moved = false;
        while clock::unix() < end {
            moved |= !addresses(&self.place, Node::Fw2)?.is_empty();
            self.pause(Duration::from_millis(250))?;
        }
        Ok(moved)
    }

    pub(super) fn heal(&mut self, deed: Deed) -> Result<(), LabError> {
        match deed {
            Deed::Nothing | Deed::RestartGuards => Ok(()),
            Deed::Break(fault @ Fault::Wedge(node)) => {
                fault.end(&self.place)?;
                // A node that hangs answers pings all the while, so pfwatch does not know that it is well again: an
                // operator has to say so.
                self.undo(node.peer())
            }
            Deed::Break(fault) | Deed::BreakAndRestart(fault) => fault.end(&self.place),
            Deed::Crash(node) => {
                for net in Net::ALL {
                    Fault::Port(node, net).end(&self.place)?;
                }
                // /run is empty after a boot.
                let run = self.place.folder().join(format!("{}.carp.run", node.name()));
                let _ = fs::remove_dir_all(run);
                self.boot(node)?;
                self.start_guard(node)
            }
            Deed::KillCarp(node) => self.carp(node, "start"),
            Deed::KillGuard(node) => self.start_guard(node),
            Deed::Planned(node) => self.carp(node, "restore"),
        }
    }

    /// Waits until everything is as before; if it does not become so, tells what is not.
    pub(super) fn settle(&self) -> Result<Vec<String>, LabError> {
        let mut left = Vec::new();
        let well = self.until("all is as before", HEALS, |b| {
            left = differences(b)?;
            if left.is_empty() && !service::served(&b.service_file(), WELL)? {
                left.push("the user is not served".into());
            }
            Ok(left.is_empty())
        });
        match well {
            Ok(()) | Err(LabError::Never { .. }) => Ok(left),
            Err(e) => Err(e),
        }
    }

    /// What the guards said and did.
    fn listen(&self, outcome: &mut Outcome, begun: f64, healed: f64) -> Result<(), LabError> {
        for node in Node::ALL {
            for said in log::read(&self.guard_log(node))? {
                if said.at < begun {
                    continue;
                }
                let after = said.at - begun;
                match said.event.as_str() {
                    "verdict" if matches!(said.word("to"), "suspect" | "down") && said.at < healed => {
                        outcome.alarms += 1;
                        if node == Node::Fw2 && said.word("to") == "down" && outcome.down.is_none() {
                            let address = said.word("node");
                            let about = Node::ALL.into_iter().find(|n| Self::address(*n) == address);
                            let name = about.map_or_else(|| address.to_owned(), |n| n.name().to_owned());
                            outcome.down = Some((after, name));
                        }
                    }
                    "result" => outcome.acts.push(Act {
                        node,
                        action: said.word("action").to_owned(),
                        after,
                        ok: said.json["ok"] == true,
                    }),
                    _ => {}
                }
            }
            outcome.acts.extend(self.script(node, begun)?);
        }
        outcome.acts.sort_by(|a, b| a.after.total_cmp(&b.after));
        Ok(())
    }

    /// What the ping script of a node did: lines `TIME ACTION`.
    fn script(&self, node: Node, begun: f64) -> Result<Vec<Act>, LabError> {
        if self.guard != Guard::Ping {
            return Ok(Vec::new());
        }
        let path = self.guard_log(node);
        let text = fs::read_to_string(&path).map_err(|source| LabError::File { path, source })?;
        let acts = text.lines().filter_map(|line| {
            let (at, action) = line.split_once(' ')?;
            let after = at.parse::<f64>().ok()? - begun;
            let action = action.to_owned();
            (after >= 0.0).then_some(Act {
                node,
                action,
                after,
                ok: true,
            })
        });
        Ok(acts.collect())
    }
}
