//! Senders that the configuration does not know, where it knows some: one line for all of them.
//!
//! Anybody on the sync network can invent any number of them. Whoever shows nodes, pages and metrics, asks here which.

use super::{Node, Status};

/// Addresses that are spelled out.
const SPELLED: usize = 2;

impl Status {
    /// Whether the operator named the firewalls. If not, whoever sends pfsync is one.
    #[must_use]
    pub fn configured(&self) -> bool {
        self.nodes.iter().any(|n| n.name.is_some())
    }

    /// The nodes worth a place of their own: the configured ones, or all where none is. Nobody else gets a label in metrics:
    /// every address that a stranger forges would be a row in each family, and be kept for as long as anything is.
    pub fn firewalls(&self) -> impl Iterator<Item = &Node> {
        self.placed().map(|(_, n)| n)
    }

    /// The same, with their place in the snapshot.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &Node)> {
        let all = !self.configured();
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, n)| all || n.name.is_some())
    }

    /// The others.
    pub fn unknown(&self) -> impl Iterator<Item = &Node> {
        let some = self.configured();
        self.nodes.iter().filter(move |n| some && n.name.is_none())
    }

    /// The others in one clause, if there are any.
    #[must_use]
    pub fn strangers(&self) -> Option<String> {
        let all: Vec<&str> = self.unknown().map(Node::label).collect();
        if all.is_empty() {
            return None;
        }
        let spelled = all.iter().take(SPELLED).copied().collect::<Vec<_>>().join(", ");
        let what = if all.len() == 1 { "sender" } else { "senders" };
        let more = if all.len() > SPELLED { ", ..." } else { "" };
        Some(format!(
            "{} {what} that the configuration does not know: {spelled}{more}",
            all.len()
        ))
    }
}
