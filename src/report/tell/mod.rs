//! What a report tells, in sentences: shared by the pages for a terminal and for a browser, so that both say the same.
//!
//! Reads a finished report and its engine. Knows neither columns nor colours nor markup, only how grave a thing is.

mod absent;
pub(super) mod advice;
pub(super) mod blame;
pub(super) mod capture;
pub(super) mod close;
pub(super) mod deeds;
pub(super) mod doubt;
pub(super) mod headline;
pub(super) mod input;
pub(super) mod masters;
pub(super) mod stays;
pub(super) mod ticks;
pub(super) mod timeline;
pub(super) mod words;

use super::{Mastership, Report};
use crate::engine::Engine;
use crate::event::NodeId;
use words::Clock;

/// Everything that the sentences are made of.
#[derive(Clone, Copy)]
pub(super) struct Tale<'a> {
    pub(super) report: &'a Report,
    pub(super) engine: &'a Engine,
    pub(super) clock: &'a Clock,
}

impl Tale<'_> {
    /// The firewalls: where a pair is configured, whoever else sends pfsync is none.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.engine.node_ids().filter(|n| !self.engine.is_unnamed(*n))
    }

    /// Whose a mastership was: the node's name, or the address of nobody's.
    pub(super) fn master(&self, m: &Mastership) -> String {
        let owner = self.engine.owner(m.address);
        owner.map_or_else(|| m.address.to_string(), |node| self.engine.label(node))
    }

    /// What a sender is in the end.
    pub(super) fn now(&self, node: NodeId) -> &'static str {
        if self.engine.is_unnamed(node) {
            return "unknown sender";
        }
        self.engine.node_health(node).0.as_str()
    }
}

/// How grave a thing is, or how much of a by-word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Bad,
    Warn,
    Good,
    Strong,
    Faint,
}
