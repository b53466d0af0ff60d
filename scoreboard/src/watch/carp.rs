//! CARP alone: what a pair does when nobody helps it.
//!
//! A node is down on a segment when it was master there and its advertisements are missing for
//! `3 * advbase + advskew / 256` (the skew of the backup that waits for them). Giving way is not being down: a planned
//! failover stops the wait. It is all right again when it advertises there again or answers a ping there: CARP itself
//! would not say, but the person who reads its log would try. CARP's takeover is its action: whole when the other kept
//! nothing, otherwise a split, which helps nobody.
//!
//! The takeovers are those that the simulated CARP really made. CARP hears for itself: that the watching process was blind
//! is no loss of advertisements.

use super::{Act, Said, Watch};
use crate::pair::Pair;
use crate::scene::{Scene, Sound, Vhost};
use pf_sim::Time;
use pf_sim::heard::{Heard, Target};
use pf_sim::site::Node;
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Debug)]
pub struct Carp {
    /// Who is missing where.
    missing: BTreeSet<(Node, Vhost)>,
    /// The advertisement after which a wait ran out; it does so once.
    waited: BTreeMap<Vhost, (Node, Time)>,
    nodes: usize,
    said: Said,
}

impl Carp {
    /// For these nodes.
    #[must_use]
    pub fn new(pair: &Pair) -> Self {
        Self {
            missing: BTreeSet::new(),
            waited: BTreeMap::new(),
            nodes: pair.nodes(),
            said: Said::default(),
        }
    }

    fn tell(&mut self, at: Time) {
        for node in 0..self.nodes {
            let down = self.missing.iter().any(|(n, _)| *n == node);
            self.said.output(at, node, down);
        }
    }

    fn changes(&mut self, heard: &Heard, scene: &Scene) -> bool {
        match scene.sound() {
            Sound::Advertisement(node, vhost) => {
                let mut changed = self.missing.remove(&(node, vhost));
                if let Some(t) = scene.takeover() {
                    if t.lost {
                        changed |= self.missing.insert((t.from, vhost));
                        let kept = scene.masters().values().any(|m| m.node == t.from);
                        let act = if kept { Act::Split } else { Act::TakeOver };
                        self.said.deed(heard.at(), t.to, act, Some(t.from));
                    } else {
                        changed |= self.missing.remove(&(t.from, vhost));
                    }
                }
                changed
            }
            Sound::Ping(from, Target::Peer(node, net), true) if from != node => {
                let before = self.missing.len();
                self.missing.retain(|(n, (on, _))| (*n, *on) != (node, net));
                before != self.missing.len()
            }
            _ => false,
        }
    }
}

impl Watch for Carp {
    fn name(&self) -> &str {
        "CARP alone"
    }

    fn advance(&mut self, to: Time, scene: &Scene) {
        let mut due: Vec<(Time, Node, Vhost)> = Vec::new();
        for (vhost, m) in scene.masters() {
            let at = m.heard + scene.pair().master_timeout(m.node, *vhost);
            let last = (m.node, m.heard);
            if at < to && !m.yielding && self.waited.get(vhost) != Some(&last) {
                self.waited.insert(*vhost, last);
                due.push((at, m.node, *vhost));
            }
        }
        due.sort_unstable();
        for (at, node, vhost) in due {
            self.missing.insert((node, vhost));
            self.tell(at);
        }
    }

    fn heard(&mut self, heard: &Heard, scene: &Scene) {
        if let Heard::Gap { .. } = heard {
            let waits = scene.masters().iter().map(|(vhost, m)| (*vhost, (m.node, m.heard)));
            self.waited.extend(waits);
        }
        if self.changes(heard, scene) {
            self.tell(heard.at());
        }
    }

    fn said(&self) -> &Said {
        &self.said
    }
}
