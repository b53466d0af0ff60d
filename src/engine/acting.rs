//! What those who carry decisions out tell the engine, and what policy asks of it once something was carried out.

use super::Engine;
use crate::decide::{Carried, Fault, Fenced, Past, Rival, Role, Signs};
use crate::detect::carp::Advert;
use crate::detect::path::PathHealth;
use crate::event::place::ranges;
use crate::event::{Event, Health, NodeId};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What missing advertisements must be worth, in suspicion, to say that a port is dead.
const NO_CHANCE: f64 = 5.0;

impl Engine {
    /// Somebody works at the pair, or is done with it.
    pub fn maintenance(&mut self, at: Timestamp, on: bool) {
        let now = self.advance(at);
        self.policy.maintenance(on);
        self.conclude(now);
    }

    /// Goes on where an earlier run was, as its ledger has it.
    pub fn resume(&mut self, past: &Past<'_>) {
        self.policy.resume(past);
    }

    /// When a peer was last seen to go away, while this node is promoted: the next run must know it, too.
    #[must_use]
    pub fn peer_away(&self) -> Option<Timestamp> {
        let promoted = self.policy.role() == Role::Promoted;
        self.policy.peer_away().filter(|_| promoted)
    }

    /// What became of a decision. False if no such result is awaited.
    pub fn result(&mut self, at: Timestamp, seq: u64, carried: impl Into<Carried>) -> bool {
        let now = self.advance(at);
        let awaited = self.policy.result(now, seq, carried);
        self.conclude(now);
        awaited
    }

    /// The operator takes back what is ours: a decision to restore comes out of `poll`. False if nothing is ours, or while
    /// something is being carried out.
    pub fn undo(&mut self, at: Timestamp) -> bool {
        let now = self.advance(at);
        let decision = self.policy.undo(now);
        let ours = decision.is_some();
        self.events.extend(decision.map(Event::Decision));
        ours
    }

    /// Whether somebody works at the pair.
    #[must_use]
    pub fn in_maintenance(&self) -> bool {
        self.policy.in_maintenance()
    }

    /// What the masters of our vhids that are not this node last advertised, and on which segment: they are in the way of a
    /// promotion.
    #[must_use]
    pub fn masters_beside_me(&self) -> Vec<(usize, Advert)> {
        let Some(me) = self.me() else { return Vec::new() };
        self.carp.masters_beside(me).map(|(segment, c)| (segment, *c)).collect()
    }

    /// Each probe's state, `up`, `down` or `unknown`, and since when, in the order of the configuration.
    pub fn probe_states(&self) -> impl Iterator<Item = (&'static str, Option<Timestamp>)> {
        self.policy.probe_states()
    }

    /// How far the last fencing of a node is.
    #[must_use]
    pub fn fenced(&self, node: NodeId) -> Option<Fenced> {
        self.policy.fenced(node)
    }

    /// Which nodes are down with a canary among what fails.
    pub(super) fn note_canaries(&mut self) {
        for v in &self.verdicts {
            let critical = self.settings.paths.get(v.path).is_none_or(|p| p.critical);
            if let Some(node) = self.nodes.get_mut(v.node.index()).filter(|_| critical) {
                node.canary = v.to == Health::Down && v.evidence.canaries > 0;
            }
        }
    }

    /// Whether a node is seen to be itself at fault, where it is down.
    pub(super) fn fault(&self, now: Timestamp, node: NodeId) -> Fault {
        let down = |p: &&PathHealth| p.health == Health::Down;
        let critical = (0..self.tracker.path_count()).filter(|&p| self.is_critical(p));
        let paths: Vec<_> = critical
            .filter_map(|p| self.detector.path(node, p))
            .filter(down)
            .collect();
        if let Some((all, left)) = paths.iter().find_map(|p| p.through.verdict(now)) {
            return Fault::Stuck(all, left);
        }
        if self.carp.lost(now, node).is_some_and(|(worth, _)| worth >= NO_CHANCE) {
            return Fault::Missing;
        }
        if paths.iter().any(|p| p.through.tells()) {
            Fault::Unseen
        } else {
            Fault::Untold
        }
    }

    /// Signs of all nodes, where something of ours stands or is watched.
    pub(super) fn signs(&self, now: Timestamp) -> Vec<Signs> {
        let ours = matches!(self.policy.role(), Role::Promoted | Role::Demoted);
        if !ours && !self.policy.fences() {
            return Vec::new();
        }
        let of = |node: NodeId| Signs {
            advertises: self.carp.witness(now, node).present > 0,
            demoted: self.carp.demoted(now, node),
            missing: self.carp.lost(now, node).is_some(),
            hearsay: self.carp.is_hearsay(node),
            canary: self.nodes.get(node.index()).is_some_and(|n| n.canary),
            heard: self.detector.last_sign(node),
        };
        self.node_ids().map(of).collect()
    }

    /// Where somebody else is master, while this node should be.
    pub(super) fn rivals(&self) -> Vec<Rival> {
        let Some(me) = self.me().filter(|_| self.policy.role() == Role::Promoted) else {
            return Vec::new();
        };
        let mut held: BTreeMap<(Option<NodeId>, usize), Vec<u8>> = BTreeMap::new();
        for ((segment, vhid), node) in self.carp.held_beside(me) {
            held.entry((node, segment)).or_default().push(vhid);
        }
        let rival = |((node, segment), vhids)| Rival {
            node,
            place: format!("vhid {} on {}", ranges(vhids), self.segment_name(segment)),
        };
        held.into_iter().map(rival).collect()
    }
}
