//! What the configuration leaves out: no mistakes, but the operator should know what will not happen.

use super::finding::{Finding, ok, warning};
use crate::config::{Config, FenceKind};

const NAME: &str = "configuration";

/// `warnings`: those that `run` gives at its start.
pub(super) fn check(config: &Config, warnings: Vec<String>) -> Vec<Finding> {
    let mut all: Vec<Finding> = warnings.into_iter().map(|text| warning(NAME, text)).collect();
    let mut warn = |text: String| all.push(warning(NAME, text));
    if config.nodes.is_empty() {
        warn("no [[node]] is described, so nothing is ever decided: describe both firewalls".into());
    }
    if !config.probes.iter().any(|p| p.about == "self") {
        warn(
            "no [[probe]] is about \"self\": a firewall that is wedged while its CARP stays in sync is then reported and not \
             acted on, and this node is never demoted; add one that goes as far as the traffic does"
                .into(),
        );
    }
    for node in config.nodes.iter().filter(|n| !n.is_self) {
        if !config.probes.iter().any(|p| p.about == node.name) {
            warn(format!(
                "no [[probe]] is about {}: once this node was promoted in its place it stays so until `pfwatch undo`; add one \
                 that asks an address of its own on a segment",
                node.name
            ));
        }
    }
    if !acts(config) {
        warn("neither `preset` in [actions] nor a hook is set, so it only observes".into());
    }
    if config.fence.as_ref().is_some_and(|f| f.kind == FenceKind::Wol) {
        warn(
            "`kind = \"wol\"` in [fence] wakes a node that sleeps and switches nothing off: a peer that is wedged stays in the \
             way; take an agent, a command or a serial line for fencing"
                .into(),
        );
    }
    if all.is_empty() {
        all.push(ok(NAME, "nothing is missing"));
    }
    all
}

/// Something would be done about a decision.
pub(super) fn acts(config: &Config) -> bool {
    let hooks = &config.hooks;
    config.actions.preset.is_some() || [&hooks.promote, &hooks.demote].iter().any(|h| !h.is_empty())
}
