//! A snapshot from the engine, its history and what only the daemon knows.
//!
//! Called by the daemon's loop some times a second, so it only reads and copies.

use super::history::History;
use super::quality::Quality;
use super::{
    ActionResult, FlowTable, Flows, Frames, Gap, Held, Interface, LedgerEntry, Maintenance, Node, Path, Probe, Segment,
    Status, next, witness,
};
use crate::absence::{Wanted, why};
use crate::engine::Engine;
use crate::event::{Cause, Health, NodeId};
use crate::time::Timestamp;
use crate::track::Held as Tracked;
use std::time::Duration;

/// A bulk update whose end was lost is not told for ever: the kernels give up within minutes.
const BULK: Duration = Duration::from_secs(3_600);

/// What the daemon knows beside the engine. The last of them are empty as long as nobody acts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Of the program.
    pub version: String,
    /// When it started.
    pub started: f64,
    /// Decisions are carried out.
    pub acts: bool,
    /// It was asked not to carry them out.
    pub dry_run: bool,
    /// Why they are not, though they should be.
    pub unable: Option<String>,
    /// Why it is not known what is to be taken back.
    pub ledger_unknown: Option<String>,
    /// An operator keeps it from acting.
    pub maintenance: Option<Maintenance>,
    /// Where it listens.
    pub interfaces: Vec<Interface>,
    /// What is to be taken back.
    pub ledger: Vec<LedgerEntry>,
    /// The last actions and hooks.
    pub actions: Vec<ActionResult>,
    /// What the probes say.
    pub probes: Vec<Probe>,
    /// What was added to the demotion of this host and is not taken back.
    pub own_demotion: i64,
}

impl Status {
    /// As things are `now`; `unix` turns the engine's times into Unix seconds.
    #[must_use]
    pub fn of(
        engine: &Engine,
        history: &History,
        facts: Facts,
        now: Timestamp,
        unix: impl Fn(Timestamp) -> f64,
    ) -> Self {
        let (entries, evictions) = engine.flow_table();
        let next = next::next(engine, &facts, &unix);
        let mut nodes: Vec<Node> = engine.node_ids().map(|n| node(engine, history, n, &unix)).collect();
        for (n, node) in engine.node_ids().zip(&mut nodes) {
            node.witnesses = witness::witnesses(engine, n, &facts.probes);
        }
        let counted = engine.counters().nodes.iter().any(|n| n.frames > 0);
        let unheard = (!counted).then(|| clause(engine, Wanted::Pfsync(None), None));
        Self {
            schema: 1,
            version: facts.version,
            started: facts.started,
            at: unix(now),
            age: 0.0,
            stuck: false,
            acts: facts.acts,
            dry_run: facts.dry_run,
            unable: facts.unable,
            ledger_unknown: facts.ledger_unknown,
            role: engine.role().as_str().into(),
            carp_role: engine.carp_role().as_str().into(),
            maintenance: facts.maintenance,
            quality: Quality::of(&engine.quality(), now, &unix),
            unheard: unheard.flatten(),
            frames: frames(engine),
            flow_table: FlowTable {
                entries: entries as u64,
                evictions,
            },
            interfaces: facts.interfaces,
            nodes,
            segments: segments(engine, history),
            unsynchronised: history.unsynchronised.iter().cloned().collect(),
            gaps: gaps(engine, history),
            verdicts: history.verdicts.iter().cloned().collect(),
            decisions: history.decisions.iter().cloned().collect(),
            notices: history.notices.iter().cloned().collect(),
            ledger: facts.ledger,
            actions: facts.actions,
            probes: facts.probes,
            transitions: history.transitions(),
            decided: history.decided.clone(),
            tallies: history.tallies.all().clone(),
            own_demotion: facts.own_demotion,
            next,
            trend: history.trend.samples(),
        }
    }
}

/// Why something is not there.
pub(super) fn clause(engine: &Engine, wanted: Wanted, since: Option<Timestamp>) -> Option<String> {
    why(engine, wanted, since).map(|why| why.clause())
}

/// Who is master, and why nobody is heard where that is known.
fn segments(engine: &Engine, history: &History) -> Vec<Segment> {
    let mut segments = history.segments(engine);
    let configured = engine.settings().segments.len();
    for i in 0..configured {
        let part = |(network, s): (usize, &Segment)| engine.segment_of(network) == Some(i) && !s.vhids.is_empty();
        if !segments.iter().enumerate().any(part) {
            segments[i].unheard = clause(engine, Wanted::Carp(None, Some(i)), None);
        }
    }
    segments
}

fn frames(engine: &Engine) -> Frames {
    let c = engine.counters();
    Frames {
        total: c.frames,
        pfsync: c.pfsync,
        carp: c.carp - c.vrrp,
        vrrp: c.vrrp,
        other: c.other,
        unsupported: c.unsupported,
        clamped: c.clamped,
        bad_checksum: c.bad_checksum,
        bad_hmac: c.bad_hmac,
        carp_on_sync: c.carp_on_sync,
        foreign: c.foreign,
        errors: c.errors.iter().map(|(k, n)| (k.as_str().into(), *n)).collect(),
    }
}

fn gaps(engine: &Engine, history: &History) -> Vec<Gap> {
    let gap = |cause: &str, (times, length, lost): (u64, std::time::Duration, u64)| Gap {
        cause: cause.into(),
        times,
        seconds: length.as_secs_f64(),
        lost,
        last: history.gaps.get(cause).copied(),
    };
    let all = engine.counters().gaps.iter();
    all.map(|(cause, counted)| gap(cause.as_str(), *counted)).collect()
}

fn node(engine: &Engine, history: &History, n: NodeId, unix: &impl Fn(Timestamp) -> f64) -> Node {
    let (health, cause) = engine.node_health(n);
    let mut node = Node {
        address: engine.address(n).to_string(),
        name: engine.name(n).map(str::to_owned),
        me: engine.is_self(n),
        health: health.as_str().into(),
        cause: cause.map(|c| c.as_str().into()),
        last_config_sync: engine.last_config_sync(n).map(unix),
        bulk_since: engine.bulk_since(n).filter(|t| engine.now().since(*t) < BULK).map(unix),
        ..Node::default()
    };
    let flows = engine.flows(n);
    node.flows = Flows {
        known: flows.known,
        opened: flows.opened,
        closed: flows.closed,
        half_open: flows.half_open,
    };
    let Some(c) = engine.counters().nodes.get(n.index()) else {
        return node;
    };
    node.creatorids = c.creators.iter().map(ToString::to_string).collect();
    node.versions = (0..64).filter(|v| c.versions >> v & 1 == 1).collect();
    node.version = c.version.map(u32::from);
    node.frames = c.frames;
    node.messages = c.messages.iter().map(|(k, n)| ((*k).into(), *n)).collect();
    node.sender_alive = c.sender_alive;
    let silent = c.frames == 0 || cause.is_some_and(|c| matches!(c, Cause::SyncLost | Cause::Silence));
    node.unheard = silent
        .then(|| clause(engine, Wanted::Pfsync(Some(n)), c.last))
        .flatten();
    node.beyond = health == Health::Down && !engine.is_at_fault(n);
    let threshold = engine.threshold();
    let flows = engine.held(n);
    node.elsewhere = flows.get(c.paths.len()).copied().map(held).unwrap_or_default();
    let path = |(i, p): (usize, &crate::engine::counters::PathCounters)| {
        let health = engine.path_health(n, i);
        let reason = history.reasons.get(&(n, i));
        // What was so when it became idle need not be so any more: it may have become master since.
        let stale = |cause| health.is_some_and(|h| h.health == Health::Idle && h.cause != cause);
        Path {
            path: engine.path_name(i),
            critical: engine.is_critical(i),
            attempt: p.attempt,
            forward: p.forward,
            reverse: p.reverse,
            end_to_end: p.end_to_end,
            last_end_to_end: p.last_end_to_end.map(unix),
            flows: flows.get(i).copied().map(held).unwrap_or_default(),
            health: health.map_or("unknown", |h| h.health.as_str()).into(),
            cause: health.map_or("quiet", |h| h.cause.as_str()).into(),
            since: reason.map(|r| r.since),
            reason: reason.filter(|r| !stale(r.cause)).map(|r| r.text.clone()),
            suspicion: health.map_or(0.0, |h| h.suspicion),
            threshold: health.and_then(|h| h.needed).unwrap_or(threshold),
            held_back: None,
        }
    };
    node.paths = c.paths.iter().enumerate().map(path).collect();
    for p in node.paths.iter_mut().filter(|p| p.reached() && p.health != "down") {
        p.held_back = Some(held_back(engine, history, n));
    }
    node
}

/// Why a node is not called down, though suspicion is high enough.
fn held_back(engine: &Engine, history: &History, n: NodeId) -> String {
    let other = engine
        .node_ids()
        .find(|other| *other != n && engine.is_split_off(*other));
    if let Some(other) = other {
        return format!("{} is the one that lost a segment", engine.label(other));
    }
    let split = history.unsynchronised.back().is_some_and(|s| s.to.is_none());
    if split && !engine.is_split_off(n) {
        return "CARP is unsynchronised, and no node is known to have lost a segment".into();
    }
    "what is heard has to settle first".into()
}

fn held(held: Tracked) -> Held {
    Held {
        known: held.known,
        half_open: held.half_open,
    }
}
