//! The programs that would be run one day: whether they are there, and whether the fencing device answers.

use super::finding::{Finding, ok, problem, warning};
use crate::act::fence;
use crate::act::hooks::shown;
use crate::act::run::Run;
use crate::act::system::find;
use crate::config::{Command, Config, FenceKind};

/// See the module.
pub(super) fn check(config: &Config, run: &mut dyn Run) -> Vec<Finding> {
    let mut all = hooks(config);
    if let Some(device) = &config.fence {
        const NAME: &str = "fence";
        all.push(match missing(device.command.as_ref()) {
            Some(why) => problem(NAME, why),
            None => match fence::look(run, device) {
                Ok(text) if device.kind == FenceKind::Wol => warning(NAME, format!("{text}: recovery, no fencing")),
                Ok(text) => ok(NAME, text),
                Err(why) => problem(NAME, why),
            },
        });
    }
    all
}

fn hooks(config: &Config) -> Vec<Finding> {
    const NAME: &str = "hooks";
    let hooks = &config.hooks;
    let lists = [&hooks.promote, &hooks.demote, &hooks.restore, &hooks.notify];
    let commands: Vec<&Command> = lists.into_iter().flatten().collect();
    let mut all: Vec<Finding> = commands
        .iter()
        .filter_map(|c| missing(Some(c)))
        .map(|why| problem(NAME, why))
        .collect();
    if all.is_empty() && !commands.is_empty() {
        all.push(ok(NAME, format!("{} can be started", commands.len())));
    }
    all
}

/// Why a command could not be started, as far as that can be seen. Of a line for the shell only a path at its beginning is
/// looked at.
fn missing(command: Option<&Command>) -> Option<String> {
    let program = match command? {
        Command::Argv(words) => words.first()?.as_str(),
        Command::Shell(line) => line.split_whitespace().next().filter(|w| w.starts_with('/'))?,
    };
    if find(program).is_some() {
        return None;
    }
    let why = if program.contains('/') && std::fs::exists(program).unwrap_or(false) {
        "it may not be executed; chmod +x it"
    } else {
        "there is no such program; install it or correct the path"
    };
    Some(format!("`{}` cannot be started: {why}", shown(command?)))
}
