//! What was true in a simulated run, against which verdicts and actions are judged.

use crate::Time;
use crate::site::{Net, Node};

/// How a verdict `down` about a node is to be judged while this holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Traffic does not flow through it: it must be found, and the time until then is the detection time.
    Must,
    /// Saying so is honest but not demanded: nothing passes it though it is well (upstream dead), it is partly broken,
    /// or what became of the evidence leaves room.
    May,
}

/// A span in which `down` is right about a node. Outside of all of them it is a false alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    /// Which.
    pub node: Node,
    /// From.
    pub from: Time,
    /// To (exclusive); evidence that is in flight then still counts.
    pub to: Time,
    /// How.
    pub grade: Grade,
}

/// An action of the policy beside a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The watcher's own node is made master.
    Promote,
    /// The watcher's own node is made less attractive.
    Demote,
}

/// A span in which an action is right. Outside of all of them it is a wrong action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Right {
    /// Beside which node.
    pub node: Node,
    /// What.
    pub act: Act,
    /// From.
    pub from: Time,
    /// To (exclusive).
    pub to: Time,
    /// Whether it must happen rather than only may.
    pub wanted: bool,
}

/// A span in which more than one node holds itself for the master of a segment's vhid 1 and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoMasters {
    /// Where.
    pub net: Net,
    /// From the moment that makes one of them believe so: it waits for the other's advertisements first.
    pub from: Time,
    /// To (exclusive).
    pub to: Time,
}

/// The truth about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// When `down` is right.
    pub outages: Vec<Outage>,
    /// When acting is right.
    pub actions: Vec<Right>,
    /// When there are two masters: it must be said, and makes nobody `down`.
    pub two_masters: Vec<TwoMasters>,
}

impl Truth {
    /// Whether `down` about `node` is right at `at`, allowing `grace` after the end for what was in flight.
    #[must_use]
    pub fn down(&self, node: Node, at: Time, grace: Time) -> Option<&Outage> {
        self.outages
            .iter()
            .find(|o| o.node == node && o.from <= at && at < o.to + grace)
    }
}
