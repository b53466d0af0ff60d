//! What changes no health but is worth a line: what it is about, and the sentence.
//!
//! Made by whoever noticed. Pages and programs choose by the kind, never by the words.

use super::NodeId;
use crate::time::Timestamp;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The policy: why it does nothing, or what became of what it decided.
    Policy,
    /// States of a node were flushed.
    Flush,
    /// A node sent its configuration to another.
    ConfigSync,
    /// Somebody who is no node takes part in CARP.
    Foreign,
    /// A node's own advertisements come back to it.
    Reflection,
    /// Advertisements that do not verify.
    Unverified,
    /// CARP on the sync net, where it does not count.
    CarpOnSync,
    /// vhids that never had the same master.
    Apart,
    /// Frames that no firewall sends.
    Damaged,
    /// There is more of something than is remembered.
    Limit,
    /// What is heard is not fit to judge by, or not all of it.
    Quality,
}

impl NoticeKind {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Flush => "flush",
            Self::ConfigSync => "config-sync",
            Self::Foreign => "foreign",
            Self::Reflection => "reflection",
            Self::Unverified => "unverified",
            Self::CarpOnSync => "carp-on-sync",
            Self::Apart => "apart",
            Self::Damaged => "damaged",
            Self::Limit => "limit",
            Self::Quality => "quality",
        }
    }
}

/// Something that an operator should read but that changes no health.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: NoticeKind,
    /// About whom, if about one node.
    pub node: Option<NodeId>,
    /// One sentence.
    pub text: String,
}

impl Notice {
    /// About no node.
    #[must_use]
    pub fn new(at: Timestamp, kind: NoticeKind, text: impl Into<String>) -> Self {
        Self {
            at,
            kind,
            node: None,
            text: text.into(),
        }
    }

    /// About this one.
    #[must_use]
    pub fn about(self, node: NodeId) -> Self {
        Self {
            node: Some(node),
            ..self
        }
    }

    /// What an event tells that a node's configuration was sent to another.
    #[must_use]
    pub fn config_sync(at: Timestamp, node: NodeId, label: &str) -> Self {
        let text = format!("configuration synchronised from {label}");
        Self::new(at, NoticeKind::ConfigSync, text).about(node)
    }
}
