//! What was concluded and done, one line each, as the document shows it.
//!
//! Filled by `history` and by the daemon. Plain data.

use serde::{Deserialize, Serialize};

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
    /// It was only told: the daemon carried out nothing at that time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

/// Something worth a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in `event`")]
pub struct Notice {
    pub at: f64,
    /// As in `event::NoticeKind`.
    pub kind: String,
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
