//! The firewalls and the virtual hosts that they share, as the document shows them.
//!
//! Filled by `make` and `history`. Plain data.

use super::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The last of them.
    pub version: Option<u32>,
    /// pfsync frames.
    pub frames: u64,
    /// By action.
    pub messages: BTreeMap<String, u64>,
    /// Messages that prove only that its pfsync lives.
    pub sender_alive: u64,
    /// Why no pfsync of it counts, or no more of it, as a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unheard: Option<String>,
    /// It is down, and nothing shows that it is its own fault: what is dead may lie beyond it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub beyond: bool,
    /// Its states.
    pub flows: Flows,
    /// Those of its states that are on no watched path, or end on a firewall.
    pub elsewhere: Held,
    /// Per watched path.
    pub paths: Vec<Path>,
    /// Its configuration was last seen going to a peer.
    pub last_config_sync: Option<f64>,
    /// A bulk update began then, and its end was not heard.
    pub bulk_since: Option<f64>,
    /// What else speaks for it (1), against it (-1) or says nothing (0): `carp`, and where there is one `split`, `address`,
    /// `probe`, `canary`.
    pub witnesses: BTreeMap<String, i8>,
}

impl Node {
    /// What is shown where no pfsync of it counts.
    #[must_use]
    pub fn silence(&self) -> &'static str {
        if self.unheard.is_some() {
            "does not count"
        } else {
            "never heard"
        }
    }

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

/// States held now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// All.
    pub known: u64,
    /// Of them, those asked for and not answered.
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
    /// States held.
    pub flows: Held,
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
    /// What `suspicion` must reach for `down` now: less beside a witness, twice as much where each node sees half of the
    /// traffic. Of what is down, what it took.
    pub threshold: f64,
    /// Why it is not `down` although that is reached, as a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
}

impl Path {
    /// Suspicion is high enough for `down`.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.threshold > 0.0 && self.suspicion >= self.threshold
    }

    /// Suspicion and what it takes, as a clause: `2.1 of the 8.5 that down takes`.
    #[must_use]
    pub fn doubt(&self) -> String {
        let (is, takes) = (self.suspicion, self.threshold);
        match &self.held_back {
            _ if self.health == "down" => format!("{is:.1}, where down took {takes:.1}"),
            _ if !self.reached() => format!("{is:.1} of the {takes:.1} that down takes"),
            Some(_) => format!("{is:.1}, enough for down ({takes:.1}), held back"),
            None => format!("{is:.1}, enough for down ({takes:.1})"),
        }
    }
}

/// A network with CARP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Segment {
    /// Configured.
    pub name: String,
    /// Heard on it.
    pub vhids: Vec<Vhid>,
    /// Why no CARP on it counts, as a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unheard: Option<String>,
}

impl Segment {
    /// What is shown where no CARP on it counts.
    #[must_use]
    pub fn silence(&self) -> &'static str {
        if self.unheard.is_some() {
            "no CARP counts"
        } else {
            "no CARP heard"
        }
    }
}

/// A virtual host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vhid {
    /// Its number.
    pub vhid: u8,
    /// `carp`, `vrrp2` or `vrrp3`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// The last masters, oldest first; the last of them may still be it.
    pub masters: Vec<Master>,
    /// When several advertised it at the same time, oldest first; the last of these times may still go on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub two_masters: Vec<TwoMasters>,
    /// When nobody did, in the same way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_master: Vec<Span>,
    /// Advertisements that came back to their sender.
    #[serde(skip_serializing_if = "is_zero")]
    pub reflected: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Who advertised a virtual host at the same time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TwoMasters {
    /// Onset.
    pub from: f64,
    /// When the first of them fell silent; none: they go on.
    pub to: Option<f64>,
    /// First address of each node, or where it advertises from.
    pub nodes: Vec<String>,
    /// What people call them.
    pub names: Vec<String>,
}

impl Vhid {
    /// Who advertises it beside whom just now.
    #[must_use]
    pub fn contest(&self) -> Option<&TwoMasters> {
        self.two_masters.last().filter(|t| t.to.is_none())
    }

    /// Since when nobody does.
    #[must_use]
    pub fn vacancy(&self) -> Option<&Span> {
        self.no_master.last().filter(|s| s.to.is_none())
    }

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
