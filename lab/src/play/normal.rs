//! Whether everything is as it was before: who has the addresses, with which advskew, and what pfwatch still has to take back.

use crate::bench::Bench;
use crate::bench::guard::Guard;
use crate::error::LabError;
use crate::net::build::pids;
use crate::net::fault::addresses;
use crate::net::plan::{Net, Node};
use crate::net::shell;
use serde_json::Value;
use std::fs;

/// What is not as it was, in words; empty when all is well.
pub(super) fn differences(bench: &Bench) -> Result<Vec<String>, LabError> {
    let mut all = Vec::new();
    for node in Node::ALL {
        let name = node.name();
        let due: &[Net] = if node == Node::Fw1 { &Net::SHARED } else { &[] };
        let has = addresses(&bench.place, node)?;
        if has != due {
            all.push(format!("{name} has {has:?}"));
        }
        let [usual, ..] = node.skews();
        for net in Net::SHARED {
            let skews = skews(bench, node, net);
            if skews != [usual] {
                all.push(format!("{name} {}: advskew {skews:?}", net.name()));
            }
        }
        if bench.guard == Guard::Pfwatch {
            all.extend(guard(bench, node)?);
        }
    }
    Ok(all)
}

/// With which advskew every ucarp on an interface of a node runs.
fn skews(bench: &Bench, node: Node, net: Net) -> Vec<u8> {
    let value = |words: &str, key: &str| words.split('\0').find_map(|w| w.strip_prefix(key).map(str::to_owned));
    let all = pids(&bench.place.namespace(node.name())).into_iter();
    let lines = all.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).ok());
    lines
        .filter(|l| l.starts_with("ucarp\0") && value(l, "--interface=").as_deref() == Some(net.name()))
        .filter_map(|l| value(&l, "--advskew=")?.parse().ok())
        .collect()
}

/// What pfwatch on a node says of itself.
fn guard(bench: &Bench, node: Node) -> Result<Vec<String>, LabError> {
    let name = node.name();
    let Some(status) = status(bench, node)? else {
        return Ok(vec![format!("pfwatch on {name} does not answer")]);
    };
    let mut all = Vec::new();
    let role = if node == Node::Fw1 { "primary" } else { "backup" };
    if status["role"] != role {
        all.push(format!("pfwatch on {name} is {}", status["role"]));
    }
    let left = status["ledger"].as_array().map_or(0, Vec::len);
    if left > 0 {
        all.push(format!("the ledger of {name} has {left} entries"));
    }
    Ok(all)
}

/// `pfwatch status` of a node; none while it does not answer.
pub(super) fn status(bench: &Bench, node: Node) -> Result<Option<Value>, LabError> {
    let socket = bench.place.folder().join(format!("{}.sock", node.name()));
    let program = bench.pfwatch()?.to_string_lossy().into_owned();
    let socket = socket.to_string_lossy();
    let answer = shell::run(&program, &["status", "--format", "json", "--socket", &socket]);
    Ok(answer.ok().and_then(|text| serde_json::from_str(&text).ok()))
}

/// Whether pfwatch on both nodes has seen enough to be judged: who is who, what works, and that it may act.
pub(super) fn ready(bench: &Bench) -> Result<bool, LabError> {
    for (node, role) in Node::ALL.into_iter().zip(["primary", "backup"]) {
        let Some(status) = status(bench, node)? else {
            return Ok(false);
        };
        let seconds = |key: &str| status[key].as_f64().unwrap_or_default();
        let up = |list: &str, key: &str| {
            let all = status[list].as_array();
            all.is_some_and(|l| l.iter().all(|v| v[key] == "up"))
        };
        let passes = status["nodes"]
            .as_array()
            .and_then(|n| n.first())
            .is_some_and(|n| n["health"] == "up");
        // Nothing is decided in its first ten seconds.
        let old = seconds("at") - seconds("started") > 12.0;
        if !(status["role"] == role && passes && old && up("probes", "state")) {
            return Ok(false);
        }
    }
    Ok(true)
}
