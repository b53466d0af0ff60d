//! Whether what is heard is fit to judge by, as outsiders read it.
//!
//! The engine's finding with times in Unix seconds: the same keys in `analyze --format json` and in `status`.

use crate::engine::quality::{Found, Problem, Quality as Finding};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// What is wrong, the gravest first.
    pub problems: Vec<Fault>,
    /// It is fit to judge by.
    pub judged: bool,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            problems: Vec::new(),
            judged: true,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// Word of the contract.
    pub kind: String,
    /// How many frames, or times.
    pub count: u64,
    /// Of all that could have it, 0 to 1.
    pub share: Option<f64>,
    /// When it was met first.
    pub first: Option<f64>,
    /// When it was met last.
    pub last: Option<f64>,
    /// One sentence with what to do about it.
    pub detail: String,
    /// It was met in the last minutes.
    pub current: bool,
    /// Because of it nothing can be judged.
    pub fatal: bool,
    /// Or nothing of this node.
    pub node: Option<String>,
}

impl Quality {
    /// As it is `now`.
    #[must_use]
    pub fn of(finding: &Finding, now: Timestamp, unix: impl Fn(Timestamp) -> f64) -> Self {
        let judged = finding.judged();
        let fault = |f: &Found| Fault {
            kind: f.kind.as_str().into(),
            count: f.count,
            share: f.share.map(|s| (s * 1e4).round() / 1e4),
            first: f.first.map(&unix),
            last: f.last.map(&unix),
            detail: f.detail.clone(),
            current: finding.is_current(f.kind, now),
            fatal: f.fatal && !judged,
            node: f.node.clone(),
        };
        Self {
            problems: finding.problems.iter().map(fault).collect(),
            judged,
        }
    }

    /// What is wrong just now.
    pub fn current(&self) -> impl Iterator<Item = &Fault> {
        self.problems.iter().filter(|p| p.current)
    }

    /// Why nothing can be judged, or nothing of a node.
    #[must_use]
    pub fn why_not(&self) -> Option<&Fault> {
        self.problems.iter().find(|p| p.fatal)
    }
}

/// All kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    Problem::ALL.iter().map(|p| p.as_str())
}
