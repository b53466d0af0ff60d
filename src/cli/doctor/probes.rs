//! Each probe once, as the daemon would run it.

use super::finding::{Finding, ok, problem, warning};
use crate::act::run::{Job, Run};
use crate::config::Config;

const NAME: &str = "probes";

/// See the module.
pub(super) fn check(config: &Config, run: &mut dyn Run) -> Vec<Finding> {
    let mut all = Vec::new();
    for probe in &config.probes {
        let done = run.run(&Job {
            command: probe.command.clone(),
            env: Vec::new(),
            input: Vec::new(),
            timeout: probe.timeout,
        });
        let (name, about, end) = (&probe.name, &probe.about, &done.end);
        let took = done.took.as_millis();
        all.push(match (end.ok(), about.as_str()) {
            (true, _) => ok(NAME, format!("{name} (about {about}) is answered after {took} ms")),
            (false, "self") => problem(
                NAME,
                format!(
                    "{name} (about self) fails ({end}): as long as it does this node promotes nobody and is demoted"
                ),
            ),
            (false, _) => warning(
                NAME,
                format!(
                    "{name} (about {about}) fails ({end}): a promotion in place of {about} would not be taken back"
                ),
            ),
        });
    }
    all
}
