//! What is said on the socket: one JSON object in one line each way.
//!
//! ```text
//! {"ask":"status"}                                          {"reply":"status","status":{...}}
//! {"ask":"check","node":"fw2"}  (without node: self)        {"reply":"check","answer":"ok","text":"fw2 is up"}
//! {"ask":"maintenance","on":true,"seconds":3600}            {"reply":"done","text":"..."}
//! {"ask":"undo"}                                            {"reply":"refused","reason":"unable","text":"..."}
//! {"ask":"test-hook","action":"promote","dry_run":true}
//! ```
//!
//! Keys that are not known are passed over, so that clients and daemons of different versions understand each other.

use crate::status::Status;
use crate::status::check::{Answer, Question, check};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// No request is longer, in octets.
pub const LONGEST: usize = 4096;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// Everything that is known.
    Status,
    /// Is a node fit?
    Check {
        /// Its name or address; none: the node that pfwatch runs beside.
        #[serde(default)]
        node: Option<String>,
    },
    /// Shall nothing be done for a while?
    Maintenance {
        /// Yes, or no longer.
        on: bool,
        /// For so long; none: until it is switched off.
        #[serde(default)]
        seconds: Option<u64>,
    },
    /// Take back what was changed on this host.
    Undo,
    /// Run the hooks of an action, as if it had been decided.
    TestHook {
        /// `promote`, `demote`, `restore` or `notify`.
        action: String,
        /// Only tell what would be run.
        #[serde(default)]
        dry_run: bool,
    },
}

impl Request {
    /// How long the loop may take to carry it out; hooks are programs, which take their time.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self {
            Self::Status | Self::Check { .. } | Self::Maintenance { .. } => Duration::from_secs(5),
            Self::Undo | Self::TestHook { .. } => Duration::from_secs(120),
        }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// To `status`.
    Status {
        /// The document.
        status: Box<Status>,
    },
    /// To `check`.
    Check {
        /// Its sense.
        answer: Verdict,
        /// Its reason in one sentence.
        text: String,
    },
    /// It is done.
    Done {
        /// What, in one sentence.
        text: String,
    },
    /// It is not.
    Refused {
        /// In a word.
        reason: Why,
        /// In one sentence that says what to do.
        text: String,
    },
}

impl Reply {
    /// It is done.
    #[must_use]
    pub fn done(text: impl Into<String>) -> Self {
        Self::Done { text: text.into() }
    }

    /// It is not done.
    #[must_use]
    pub fn refused(reason: Why, text: impl Into<String>) -> Self {
        Self::Refused {
            reason,
            text: text.into(),
        }
    }

    /// To `check`.
    #[must_use]
    pub fn check(status: &Status, age: Duration, node: Option<&str>) -> Self {
        let (answer, text) = match check(status, age, node.map_or(Question::Me, Question::Node)) {
            Answer::Yes(text) => (Verdict::Ok, text),
            Answer::No(text) => (Verdict::Fail, text),
            Answer::Stuck(text) => (Verdict::Stuck, text),
            Answer::Nobody(text) => (Verdict::NoSuchNode, text),
        };
        Self::Check { answer, text }
    }

    /// As a line.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        // Nothing in it can fail to be written; an empty line would be no reply, which clients understand too.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The answer to `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against the node.
    Ok,
    /// It is down, or is to give way.
    Fail,
    /// The daemon's loop hangs.
    Stuck,
    /// There is no such node.
    NoSuchNode,
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The request makes no sense.
    Usage,
    /// Whoever asks may not.
    Permission,
    /// The daemon has too much to do, or did not answer in time.
    Busy,
    /// It cannot be done.
    Unable,
}

/// A request from its line, or what is wrong with it.
///
/// # Errors
/// One sentence.
pub fn parse(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|e| {
        format!("this is no request: {e}; write one line such as {{\"ask\":\"status\"}} or {{\"ask\":\"check\",\"node\":\"fw2\"}}")
    })
}
