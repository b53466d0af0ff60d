//! What the daemon knows, as one document: the only thing that outsiders are ever shown.
//!
//! Made by the daemon's loop from the engine (`make`) and what happened (`history`), left on a `board` from which the
//! control socket, the page and the metrics read. Plain data with the keys of `analyze --format json`; times are Unix
//! seconds. Knows no sockets and no clock, and nobody who reads it is waited for.

pub mod board;
pub mod check;
pub mod headline;
pub mod history;
mod lines;
mod make;
pub mod masters;
pub mod next;
mod node;
pub mod quality;
pub mod role;
pub mod split;
pub mod story;
mod strangers;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod trend;
mod witness;

pub use lines::{ActionResult, Decision, LedgerEntry, Notice, Probe, Verdict};
pub use make::Facts;
pub use node::{Flows, Held, Master, Node, Path, Segment, TwoMasters, Vhid};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything. Keys may be added, never renamed; those that nothing fills yet are left out while they are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Of this document: 1.
    pub schema: u32,
    /// Of the program.
    pub version: String,
    /// When the daemon started.
    pub started: f64,
    /// When this was true.
    pub at: f64,
    /// How many seconds ago that was, when somebody asked.
    pub age: f64,
    /// So long ago that the daemon's loop must hang: nothing here can be relied on.
    pub stuck: bool,
    /// Decisions are carried out.
    pub acts: bool,
    /// It was asked not to carry them out.
    pub dry_run: bool,
    /// Why they are not, though they should be: one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unable: Option<String>,
    /// Why it is not known what is to be taken back: one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_unknown: Option<String>,
    /// Of the node that pfwatch runs beside.
    pub role: String,
    /// The same as CARP alone has it, whatever was decided: `unknown`, `primary` or `backup`.
    pub carp_role: String,
    /// An operator keeps it from acting.
    pub maintenance: Option<Maintenance>,
    /// Whether what is heard is fit to judge by.
    pub quality: quality::Quality,
    /// Why no pfsync counts, as a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unheard: Option<String>,
    /// What was counted.
    pub frames: Frames,
    /// States held.
    pub flow_table: FlowTable,
    /// Where it listens.
    pub interfaces: Vec<Interface>,
    /// The firewalls; configured ones first.
    pub nodes: Vec<Node>,
    /// Who is master.
    pub segments: Vec<Segment>,
    /// When the pair had different masters; the last of these times may still go on.
    pub unsynchronised: Vec<Span>,
    /// How often and for how long we were blind ourselves.
    pub gaps: Vec<Gap>,
    /// The last changes of health, oldest first.
    pub verdicts: Vec<Verdict>,
    /// The last decisions, oldest first.
    pub decisions: Vec<Decision>,
    /// The last sentences worth a line, oldest first.
    pub notices: Vec<Notice>,
    /// What was changed on this host and is to be taken back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerEntry>,
    /// The last actions and hooks with their results, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionResult>,
    /// What the probes say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Changes of health since the daemon started.
    pub transitions: Vec<Transitions>,
    /// Decisions since the daemon started, by action.
    pub decided: BTreeMap<String, u64>,
    /// Actions and hooks since the daemon started, by action.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tallies: BTreeMap<String, tally::Tally>,
    /// What we added to the demotion of this host and have not taken back.
    pub own_demotion: i64,
    /// What would be done if something happened now, and what keeps it from being done.
    pub next: Vec<next::Next>,
    /// The last minutes. Not in the document: programs that want it ask often.
    #[serde(skip)]
    pub trend: Vec<Arc<trend::Sample>>,
}

/// How often a node's health on a path became what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `event`")]
pub struct Transitions {
    pub node: String,
    pub name: Option<String>,
    pub path: String,
    /// By health.
    pub to: BTreeMap<String, u64>,
}

/// Since when, and until when if that was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintenance {
    /// It began.
    pub since: f64,
    /// It ends by itself.
    pub until: Option<f64>,
}

/// Counters of everything heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `engine::counters`")]
pub struct Frames {
    pub total: u64,
    pub pfsync: u64,
    pub carp: u64,
    pub vrrp: u64,
    pub other: u64,
    pub unsupported: u64,
    pub clamped: u64,
    pub bad_checksum: u64,
    pub bad_hmac: u64,
    pub carp_on_sync: u64,
    pub foreign: u64,
    pub errors: BTreeMap<String, u64>,
}

/// The table of states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowTable {
    /// States in it.
    pub entries: u64,
    /// Thrown out for want of room.
    pub evictions: u64,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// As the system calls it.
    pub interface: String,
    /// `sync`, or the name of the segment.
    pub net: String,
    /// We can hear on it.
    pub up: bool,
    /// Heard.
    pub frames: u64,
    /// Lost by the kernel, because we were slow.
    pub dropped: u64,
    /// Seconds since whoever reads it came round. It does ten times a second, whether there is something to read or not.
    pub behind: f64,
}

/// From when to when; no end: still so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "says it itself")]
pub struct Span {
    pub from: f64,
    pub to: Option<f64>,
}

/// Our own blindness, of one cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gap {
    /// Word of the contract.
    pub cause: String,
    /// How often.
    pub times: u64,
    /// How long in all.
    pub seconds: f64,
    /// Frames known to be lost.
    pub lost: u64,
    /// When it last ended.
    pub last: Option<f64>,
}
