//! What speaks for or against a node beside its traffic, each kind as one word of three: yes, no, nothing.
//!
//! Called by `make`. Shows what the detector and the policy weigh; weighs nothing itself.

use super::Probe;
use crate::engine::Engine;
use crate::event::NodeId;
use std::collections::BTreeMap;

/// By kind: 1 speaks for it, -1 against it, 0 says nothing. Kinds that this configuration cannot have are left out.
pub(super) fn witnesses(engine: &Engine, node: NodeId, probes: &[Probe]) -> BTreeMap<String, i8> {
    let mut found = BTreeMap::new();
    let mut note = |kind: &str, word: i8| found.insert(kind.to_owned(), word);
    let settings = engine.settings();
    if !settings.segments.is_empty() {
        note("carp", carp(engine, node));
        note("split", if engine.is_split_off(node) { -1 } else { 0 });
    }
    if !settings.canaries.is_empty() {
        note("canary", if engine.lost_canary(node) { -1 } else { 0 });
    }
    let label = engine.label(node);
    for (kind, about) in [("address", label.as_str()), ("probe", "self")] {
        if kind == "address" || engine.is_self(node) {
            let about: Vec<&Probe> = probes.iter().filter(|p| p.about == about).collect();
            if !about.is_empty() {
                note(kind, answers(&about));
            }
        }
    }
    found
}

fn carp(engine: &Engine, node: NodeId) -> i8 {
    let heard = engine.carp_witness(node);
    match (heard.gone, heard.present) {
        (1.., _) => -1,
        (0, 1..) => 1,
        (0, 0) => 0,
    }
}

fn answers(probes: &[&Probe]) -> i8 {
    if probes.iter().any(|p| p.state == "down") {
        -1
    } else {
        i8::from(probes.iter().all(|p| p.state == "up"))
    }
}
