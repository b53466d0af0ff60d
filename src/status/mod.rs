//! What the daemon knows, as one document: the only thing that outsiders are ever shown.
//!
//! Made by the daemon's loop from the engine (`make`) and what happened (`history`), left on a `board` from which the
//! control socket, the page and the metrics read. Plain data with the keys of `analyze --format json`; times are Unix
//! seconds. Knows no sockets and no clock, and nobody who reads it is waited for.

pub mod board;
pub mod check;
pub mod history;
mod make;
#[cfg(test)]
mod tests;

pub use make::Facts;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Of the node that pfwatch runs beside.
    pub role: String,
    /// An operator keeps it from acting.
    pub maintenance: Option<Maintenance>,
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
}

/// A firewall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// First configured address, or where it sends from.
    pub address: String,
    /// Configured.
    pub name: Option<String>,
    /// pfwatch runs beside it.
    #[serde(rename = "self")]
    pub me: bool,
    /// Worst on a critical path.
    pub health: String,
    /// Why.
    pub cause: Option<String>,
    /// Host ids that it revealed.
    pub creatorids: Vec<String>,
    /// pfsync versions heard.
    pub versions: Vec<u32>,
    /// pfsync frames.
    pub frames: u64,
    /// By action.
    pub messages: BTreeMap<String, u64>,
    /// Messages that prove only that its pfsync lives.
    pub sender_alive: u64,
    /// Its states.
    pub flows: Flows,
    /// Per watched path.
    pub paths: Vec<Path>,
    /// Its configuration was last seen going to a peer.
    pub last_config_sync: Option<f64>,
}

impl Node {
    /// What people call it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.address)
    }
}

/// States of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flows {
    /// Last announced by it.
    pub known: u64,
    /// Inserts.
    pub opened: u64,
    /// Deletes.
    pub closed: u64,
    /// Asked for and not answered.
    pub half_open: u64,
}

/// A node on a path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Path {
    /// `lan -> wan`, or `any`.
    pub path: String,
    /// Down here means that the node is down.
    pub critical: bool,
    /// Packets that passed and moved nothing.
    pub attempt: u64,
    /// Initiator to responder.
    pub forward: u64,
    /// Responder to initiator.
    pub reverse: u64,
    /// Round trips.
    pub end_to_end: u64,
    /// The last of them.
    pub last_end_to_end: Option<f64>,
    /// Word of the contract.
    pub health: String,
    /// Word of the contract.
    pub cause: String,
    /// It is so since.
    pub since: Option<f64>,
    /// The evidence in one sentence, from when it became so.
    pub reason: Option<String>,
    /// -log10 of the probability of what was seen, were it alive.
    pub suspicion: f64,
    /// What `suspicion` must reach for `down`, where no witness helps.
    pub threshold: f64,
}

/// A network with CARP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Segment {
    /// Configured.
    pub name: String,
    /// Heard on it.
    pub vhids: Vec<Vhid>,
}

/// A virtual host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vhid {
    /// Its number.
    pub vhid: u8,
    /// The last masters, oldest first; the last of them may still be it.
    pub masters: Vec<Master>,
}

impl Vhid {
    /// Who is it now.
    #[must_use]
    pub fn master(&self) -> Option<&Master> {
        self.masters.last().filter(|m| m.to.is_none())
    }
}

/// A mastership.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Master {
    /// Advertised from.
    pub address: String,
    /// First address of the node that this belongs to.
    pub node: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// First advertisement.
    pub from: f64,
    /// Its end; none: still so.
    pub to: Option<f64>,
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

/// A change of health.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `event`")]
pub struct Verdict {
    pub at: f64,
    pub node: String,
    pub name: Option<String>,
    pub path: String,
    pub from: String,
    pub to: String,
    pub cause: String,
    pub reason: String,
}

/// A decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `event`")]
pub struct Decision {
    pub at: f64,
    pub seq: u64,
    pub action: String,
    pub node: String,
    pub name: Option<String>,
    pub cause: String,
    pub reason: String,
}

/// Something worth a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `event`")]
pub struct Notice {
    pub at: f64,
    pub node: Option<String>,
    pub text: String,
}

/// A change of this host that is to be taken back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerEntry {
    /// Made.
    pub at: f64,
    /// `promote` or `demote`.
    pub action: String,
    /// What was changed, in one sentence with the value found and the value set.
    pub text: String,
}

/// An action or a hook, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionResult {
    /// Ended.
    pub at: f64,
    /// Of the decision.
    pub seq: u64,
    /// `promote`, `demote`, `restore`, `fence`, `notify`.
    pub action: String,
    /// It did what it was for.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
    /// One sentence.
    pub text: String,
}

/// A probe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// Configured.
    pub name: String,
    /// `self`, or the name of a node.
    pub about: String,
    /// `up`, `down` or `unknown`.
    pub state: String,
    /// It is so since.
    pub since: Option<f64>,
}
