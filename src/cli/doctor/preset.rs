//! What CARP is on this node, through the eyes of the preset: whether a promotion could win, and who else moves it.

use super::configuration::acts;
use super::finding::{Finding, ok, warning};
use crate::act::ask::ask;
use crate::act::ledger::Made;
use crate::act::preset::{self, Look};
use crate::act::run::Run;
use crate::config::{Config, Preset};

const NAME: &str = "preset";
/// FreeBSD announces no more.
const MAX_SKEW: i64 = 240;
/// They move CARP by their own lights.
const ACTORS: [&str; 2] = ["ifstated", "keepalived"];

/// See the module.
pub(super) fn check(config: &Config, run: &mut dyn Run) -> Vec<Finding> {
    let mut all = Vec::new();
    match preset::look(config.actions.preset, run) {
        Ok(Some(look)) => {
            all.extend(of_look(config, &look));
            all.extend(plans(config, Some(&look)));
        }
        Ok(None) if acts(config) => all.extend(plans(config, None)),
        Ok(None) => {}
        Err(e) => all.push(super::finding::problem(NAME, e.to_string())),
    }
    if all.is_empty() && config.actions.preset.is_some() {
        all.push(ok(NAME, "this node can be promoted and demoted"));
    }
    all.extend(state_policy(run));
    all.extend(actors(config, run));
    all
}

fn of_look(config: &Config, look: &Look) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut warn = |text: String| all.push(warning(NAME, text));
    if !look.preempt {
        warn("preempt is off, so a promotion cannot win: set net.inet.carp.preempt=1 on both nodes".into());
    }
    for carp in look.carp.iter().filter(|c| c.is_master && c.advskew == 0) {
        warn(format!(
            "{} is master of vhid {} at advskew 0, so a promotion of the other node cannot win: give the primary advskew >= 1",
            carp.name, carp.vhid
        ));
    }
    if look.demotion != 0 {
        warn(format!(
            "this node is demoted by {} already: find out who did that",
            look.demotion
        ));
    }
    let highest = look.carp.iter().map(|c| i64::from(c.advskew)).max().unwrap_or(0);
    let added = i64::from(config.actions.demotion);
    if matches!(config.actions.preset, Some(Preset::Freebsd | Preset::Pfsense)) && highest + added > MAX_SKEW {
        warn(format!(
            "a demotion by {added} beside advskew {highest} is cut at {MAX_SKEW}, where both nodes would be alike: set \
             `demotion` in [actions] to {} at most",
            (MAX_SKEW - highest).max(0)
        ));
    }
    all
}

/// Whether there is a way to do what may be decided.
fn plans(config: &Config, look: Option<&Look>) -> Vec<Finding> {
    let demotes = config.probes.iter().any(|p| p.about == "self");
    [(Made::Promoted, true), (Made::Demoted, demotes)]
        .into_iter()
        .filter(|(_, may)| *may)
        .filter_map(|(role, _)| preset::plan(role, look, &config.actions, &config.hooks).err())
        .map(|why| warning(NAME, why.to_string()))
        .collect()
}

/// Where there is a pf, whether its states are bound to interfaces.
fn state_policy(run: &mut dyn Run) -> Option<Finding> {
    let rules = ask(run, &["pfctl", "-sr"]).ok()?;
    Some(if rules.contains("if-bound") {
        warning(
            "state-policy",
            "states are bound to their interface (if-bound): on the other node they match only where the same interface has \
             the same name, and no flow may change its way; use `set state-policy floating`",
        )
    } else {
        ok("state-policy", "states are floating")
    })
}

/// Never two actors on one pair.
fn actors(config: &Config, run: &mut dyn Run) -> Vec<Finding> {
    const NAME: &str = "actors";
    let Ok(processes) = ask(run, &["ps", "-axo", "comm="]) else {
        return Vec::new();
    };
    let base = |line: &str| line.trim().rsplit('/').next().unwrap_or_default().to_owned();
    let runs = |name: &str| processes.lines().any(|l| base(l) == name);
    if config.actions.preset == Some(Preset::Ifstated) {
        return match runs("ifstated") {
            true => Vec::new(),
            false => vec![warning(
                NAME,
                "the preset leaves everything to ifstated(8), which does not run: start it, or choose the preset of this system",
            )],
        };
    }
    let warn = |name: &&str| {
        warning(
            NAME,
            format!(
                "{name} runs and moves this pair, too: never two actors on one pair; stop it, or leave it to that one with \
                 preset \"ifstated\""
            ),
        )
    };
    let others = ACTORS.iter().filter(|name| acts(config) && runs(name));
    others.map(warn).collect()
}
