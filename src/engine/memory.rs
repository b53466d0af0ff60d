//! What is kept over a restart: put together from the detector here, and given back to it when its node is there.
//!
//! Hosts have ages, and ages need a clock: nothing is taken before the source has told its first time. A node that the
//! configuration does not name gets its part when it is heard. When a configuration was last synchronised is kept beside:
//! between two of them lie weeks.

use super::Engine;
use crate::detect::memory::{Damage, Memory, NodeMemory};
use crate::event::NodeId;
use crate::time::Timestamp;
use std::time::Duration;

/// Parts of nodes that were not there yet.
#[derive(Default)]
pub(super) struct Recalled {
    nodes: Vec<NodeMemory>,
    age: Duration,
    /// When they were given to us; unknown before the first input.
    since: Option<Timestamp>,
}

impl Engine {
    /// What was learned so far of all nodes and canaries.
    #[must_use]
    pub fn remember(&self) -> Memory {
        let names = self.path_names();
        let waiting = &self.recalled;
        let waited = waiting.since.map_or(Duration::ZERO, |t| self.now.since(t));
        let mut nodes: Vec<NodeMemory> = waiting
            .nodes
            .iter()
            .map(|n| NodeMemory {
                age: n.age + waiting.age + waited,
                config_sync: n.config_sync.map(|t| t.saturating_add(waiting.age + waited)),
                ..n.clone()
            })
            .collect();
        let live = self.node_ids();
        nodes.extend(live.filter_map(|n| {
            let learned = self.detector.remember(self.now, n, self.address(n), &names)?;
            Some(NodeMemory {
                config_sync: self.last_config_sync(n).map(|t| self.now.since(t)),
                ..learned
            })
        }));
        Memory {
            nodes,
            canaries: self.detector.remember_canaries(),
        }
    }

    /// Takes back what was learned once, `age` ago. Nodes, paths and canaries that are not there are left out; what is
    /// old counts less.
    ///
    /// # Errors
    /// It cannot be what `remember` gave: nothing of it is taken.
    pub fn recall(&mut self, memory: &Memory, age: Duration) -> Result<(), Damage> {
        memory.check()?;
        self.detector.recall_canaries(&memory.canaries, age);
        self.recalled = Recalled {
            nodes: memory.nodes.clone(),
            age,
            since: None,
        };
        if self.now > Timestamp::MIN {
            self.recall_nodes();
        }
        Ok(())
    }

    /// Gives each node that is there its part.
    pub(super) fn recall_nodes(&mut self) {
        if self.recalled.nodes.is_empty() {
            return;
        }
        let now = self.now;
        let since = *self.recalled.since.get_or_insert(now);
        let age = self.recalled.age + now.since(since);
        let names = self.path_names();
        let Self {
            recalled,
            by_address,
            detector,
            nodes,
            ..
        } = self;
        recalled.nodes.retain(|memory| {
            let node: Option<&NodeId> = by_address.get(&memory.address);
            if let Some(node) = node {
                detector.recall(now, *node, age + memory.age, memory, &names);
                let synced = memory.config_sync.map(|t| now - t.saturating_add(age));
                let last = &mut nodes[node.index()].last_config_sync;
                *last = (*last).max(synced);
            }
            node.is_none()
        });
    }

    fn path_names(&self) -> Vec<String> {
        (0..self.path_count()).map(|p| self.path_name(p)).collect()
    }
}
