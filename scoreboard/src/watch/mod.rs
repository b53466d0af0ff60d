//! From what is heard to judgements: pfwatch, and what people use today.
//!
//! One watcher is one answer to the question "is this firewall all right, and what shall be done?". Driven by `run` in
//! the order of time: first `advance` up to the moment of what comes next (a timer that ends exactly then has not run
//! out yet: what is heard is in time), then `heard`; or, for what runs on the nodes, `beside` with both. Watchers only
//! speak; nothing that they want is carried out.

pub mod carp;
mod clock;
pub mod phi;
pub mod ping;
pub mod silence;
#[cfg(test)]
mod tests;
pub mod watchdog;

use crate::scene::Scene;
use pf_sim::Time;
use pf_sim::heard::Heard;
use pf_sim::site::Node;
use serde::{Deserialize, Serialize};

/// The output of a detector about a node changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Time,
    /// About whom.
    pub node: Node,
    /// `down`, or anything else.
    pub down: bool,
}

/// Something that a watcher wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Make the node that it runs beside master.
    Promote,
    /// Make the node that it runs beside less attractive.
    Demote,
    /// Take one of these back.
    Restore,
    /// Power the peer off.
    Fence,
    /// CARP by itself: this node took over all that another lost.
    TakeOver,
    /// CARP by itself: this node took over a part of what another has, and the rest stays there.
    Split,
}

/// What a watcher wants done, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Time,
    /// Beside which node.
    pub me: Node,
    /// What.
    pub act: Act,
    /// Against whom, where that is part of it.
    pub against: Option<Node>,
}

/// Everything that a watcher said in a run, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Changes of its output.
    pub turns: Vec<Turn>,
    /// Its actions.
    pub deeds: Vec<Deed>,
    down: Vec<bool>,
}

impl Said {
    /// The output about `node` is this now; only a change is kept.
    pub fn output(&mut self, at: Time, node: Node, down: bool) {
        if self.down.len() <= node {
            self.down.resize(node + 1, false);
        }
        if self.down[node] != down {
            self.down[node] = down;
            self.turns.push(Turn { at, node, down });
        }
    }

    /// Whether the output about `node` is `down`.
    #[must_use]
    pub fn is_down(&self, node: Node) -> bool {
        self.down.get(node) == Some(&true)
    }

    /// An action.
    pub fn deed(&mut self, at: Time, me: Node, act: Act, against: Option<Node>) {
        self.deeds.push(Deed { at, me, act, against });
    }
}

/// See the module.
pub trait Watch {
    /// What the tables call it.
    fn name(&self) -> &str;

    /// Time passes up to, not including, `to`; nothing is heard meanwhile at mirror ports. `scene` is as it was after the
    /// last thing heard there.
    fn advance(&mut self, _to: Time, _scene: &Scene) {}

    /// Something is heard at mirror ports. `scene` knows of it already.
    fn heard(&mut self, _heard: &Heard, _scene: &Scene) {}

    /// Something is heard at the ports of a node, after time has passed there up to `until` and nothing else was.
    fn beside(&mut self, _node: Node, _until: Time, _heard: &Heard) {}

    /// The run ends; so does the time of what runs on the nodes.
    fn end(&mut self, _length: Time) {}

    /// What it said so far.
    fn said(&self) -> &Said;
}

/// Everybody who takes part in a run.
#[must_use]
pub fn all(pair: &crate::pair::Pair) -> Vec<Box<dyn Watch>> {
    let mut all: Vec<Box<dyn Watch>> = Vec::new();
    for witnesses in watchdog::Witnesses::ALL {
        if !witnesses.canary() || !pair.canaries.is_empty() {
            all.push(Box::new(watchdog::Watchdog::new(pair, witnesses)));
        }
    }
    all.push(Box::new(carp::Carp::new(pair)));
    all.push(Box::new(ping::Pings::ifstated(pair)));
    all.push(Box::new(ping::Pings::ifstated_both(pair)));
    all.push(Box::new(ping::Pings::script_gateway(pair)));
    all.push(Box::new(ping::Pings::script_internet(pair)));
    all.push(Box::new(ping::Pings::script_both(pair)));
    all.push(Box::new(silence::Silence::new(pair, 3)));
    all.push(Box::new(silence::Silence::new(pair, 10)));
    all.push(Box::new(phi::Phi::new(pair)));
    all.push(Box::new(phi::Phi::patient(pair)));
    all
}

/// The names of all, in the order of the tables.
#[must_use]
pub fn names() -> Vec<String> {
    let mut pair = crate::pair::Pair::plain(Time::ZERO);
    pair.canaries.push(pfwatch::settings::Canary {
        from: pf_sim::site::client(0),
        to: pf_sim::site::INTERNET,
        proto: 6,
        every: std::time::Duration::from_secs(1),
    });
    all(&pair).iter().map(|w| w.name().to_owned()).collect()
}
