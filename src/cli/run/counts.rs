//! A line with counters from time to time, so that a log without events still shows that all is heard.
//!
//! Asked by the loop. The sentence tells what was added since the line before, the object for programs the totals.

use super::journal::{Journal, say};
use super::state::State;
use crate::capture::live::LiveSource;
use crate::engine::Engine;
use crate::report::json::seconds;
use crate::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::Level;

const OFTEN: Duration = Duration::from_secs(60);
const SELDOM: Duration = Duration::from_secs(600);

/// See the module.
pub(super) struct Counts {
    every: Duration,
    last: Timestamp,
    before: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) const fn new(often: bool, now: Timestamp) -> Self {
        Self {
            every: if often { OFTEN } else { SELDOM },
            last: now,
            before: BTreeMap::new(),
        }
    }

    /// Another engine counts from now on.
    pub(super) fn forget(&mut self) {
        self.before.clear();
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now.since(self.last) >= self.every
    }

    /// Writes the line.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        journal: &Journal,
        engine: &Engine,
        source: &LiveSource,
        state: &State,
    ) {
        let elapsed = now.since(self.last).as_secs_f64();
        self.last = now;
        let text = format!("in {elapsed:.0} s: {}", self.sentence(engine, source));
        say(
            Level::INFO,
            &text,
            "counters",
            object(journal.unix(now), engine, source, state),
        );
    }

    fn sentence(&mut self, engine: &Engine, source: &LiveSource) -> String {
        let c = engine.counters();
        let mut added = |key: String, total: u64| {
            let before = self.before.insert(key, total).unwrap_or(0);
            // An interface that was opened anew counts from zero.
            total.checked_sub(before).unwrap_or(total)
        };
        let mut parts = vec![format!(
            "{} frames of pfsync, {} of CARP",
            added("pfsync".into(), c.pfsync),
            added("carp".into(), c.carp - c.vrrp)
        )];
        let errors = added(
            "errors".into(),
            c.errors.values().sum::<u64>() + c.bad_checksum + c.bad_hmac,
        );
        parts.push(format!("{errors} errors"));
        let dropped = source.interfaces().iter().map(|i| i.dropped()).sum();
        parts.push(format!("{} dropped by the kernel", added("dropped".into(), dropped)));
        for node in engine.node_ids() {
            let Some(counted) = c.nodes.get(node.index()) else {
                continue;
            };
            let trips: u64 = counted.paths.iter().map(|p| p.end_to_end).sum();
            let label = engine.label(node);
            let (frames, trips) = (
                added(format!("{label} frames"), counted.frames),
                added(format!("{label} trips"), trips),
            );
            let health = engine.node_health(node).0.as_str();
            parts.push(format!("{label} {health}, {frames} frames, {trips} round trips"));
        }
        for interface in source.interfaces().iter().filter(|i| !i.is_up()) {
            parts.push(format!("{} is down or gone", interface.name()));
        }
        parts.join("; ")
    }
}

fn object(at: Timestamp, engine: &Engine, source: &LiveSource, state: &State) -> Value {
    let c = engine.counters();
    let errors: Map<String, Value> = c.errors.iter().map(|(k, n)| (k.as_str().into(), (*n).into())).collect();
    let nodes = engine.node_ids().filter_map(|n| Some((n, c.nodes.get(n.index())?)));
    let (entries, evicted) = engine.flow_table();
    json!({
        "at": seconds(at),
        "role": engine.role().as_str(),
        "frames": {
            "total": c.frames,
            "pfsync": c.pfsync,
            "carp": c.carp - c.vrrp,
            "errors": errors,
            "clamped": c.clamped,
            "bad_checksum": c.bad_checksum,
            "bad_hmac": c.bad_hmac,
            "carp_on_sync": c.carp_on_sync,
        },
        "memory": state.object(),
        "flow_table": { "entries": entries, "evictions": evicted },
        "nodes": nodes.map(|(n, counted)| json!({
            "address": engine.address(n).to_string(),
            "name": engine.name(n),
            "frames": counted.frames,
            "paths": counted.paths.iter().enumerate().map(|(i, p)| json!({
                "path": engine.path_name(i),
                "end_to_end": p.end_to_end,
                "health": engine.path_health(n, i).map(|h| h.health.as_str()),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "interfaces": source.interfaces().iter().map(|i| json!({
            "interface": i.name(),
            "up": i.is_up(),
            "frames": i.frames(),
            "dropped": i.dropped(),
        })).collect::<Vec<_>>(),
    })
}
