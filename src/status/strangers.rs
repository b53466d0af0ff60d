//! Senders that the configuration does not know, where it knows some: one line for all of them.
//!
//! Anybody on the sync network can invent any number of them. Every page that shows nodes asks here which to show.

use super::{Node, Status};

/// Addresses that are spelled out.
const SPELLED: usize = 2;

impl Status {
    /// The nodes worth a place of their own, with their place in the snapshot: the configured ones, or all where none is.
    pub fn firewalls(&self) -> impl Iterator<Item = (usize, &Node)> {
        let configured = self.nodes.iter().any(|n| n.name.is_some());
        let all = self.nodes.iter().enumerate();
        all.filter(move |(_, n)| n.name.is_some() || !configured)
    }

    /// The others in one clause, if there are any.
    #[must_use]
    pub fn strangers(&self) -> Option<String> {
        let configured = self.nodes.iter().any(|n| n.name.is_some());
        let all: Vec<&str> = self
            .nodes
            .iter()
            .filter(|n| n.name.is_none())
            .map(Node::label)
            .collect();
        if !configured || all.is_empty() {
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
