//! What policy is told of the world, and the role that this node has in it.
//!
//! Collected by the engine before every look. Plain data.

use super::Unclear;
use crate::event::{Cause, Health, NodeId};
use crate::time::Timestamp;

/// What this node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// No CARP heard: observe only.
    #[default]
    Unknown,
    /// Master on all segments.
    Primary,
    /// Master on none.
    Backup,
    /// We made it master.
    Promoted,
    /// We made it less attractive.
    Demoted,
}

impl Role {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Promoted => "promoted",
            Self::Demoted => "demoted",
        }
    }
}

/// What policy looks at, collected by the engine.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Vhids of which self is master, of how many that have a master.
    pub mastership: (usize, usize),
    /// Another vhid had a master a moment ago and has none.
    pub vacant: bool,
    /// The pair has different masters since.
    pub split: Option<Timestamp>,
    /// The node that lost a part in that split.
    pub suspect: Option<NodeId>,
    /// A peer's advertisements are missing on a segment and go on on another; collected while a probe about this node fails.
    pub deaf: bool,
    /// Why that split is no reason to act, for now.
    pub unclear: Option<Unclear>,
    /// A master that belongs to no configured node.
    pub foreign_master: bool,
    /// Worst health on a critical path and its cause, per node.
    pub health: Vec<(Health, Option<Cause>)>,
    /// Nodes whose `down` needs no witness besides traffic: in sync, a lost advertisement or ping is none.
    pub firm: Vec<bool>,
    /// Whether each node is seen to be itself at fault, and not what lies beyond it; collected while somebody is down.
    pub faults: Vec<Fault>,
    /// The last try through each node that failed, and the last that got through, where it is down.
    pub tries: Vec<(Timestamp, Timestamp)>,
    /// Nodes whose advertisements are gone from every segment.
    pub gone: Vec<bool>,
    /// Somebody's bulk update runs since.
    pub bulk: Option<Timestamp>,
    /// Each node's CARP and last sign of life; collected while this node holds something, or fences.
    pub signs: Vec<Signs>,
    /// Where somebody else is master; collected while this node is promoted.
    pub rivals: Vec<Rival>,
}

/// What no outage beyond both nodes looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nor can it be told: connections are not known to come in and go out.
    #[default]
    Untold,
    /// What comes in leaves again, or nothing new does.
    Unseen,
    /// So many connections came in of late, and so many of them left again.
    Stuck(u32, u32),
    /// Its advertisements are missing on a segment and go on on another.
    Missing,
}

/// What is seen of a node beside its traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// It advertises.
    pub advertises: bool,
    /// Its advertisements carry a demotion.
    pub demoted: bool,
    /// They are missing on a segment and go on on another.
    pub missing: bool,
    /// What CARP says of it came through routers, unsigned: nobody is switched off for that.
    pub hearsay: bool,
    /// It is down, and a canary is among what fails.
    pub canary: bool,
    /// Last pfsync or CARP of it.
    pub heard: Option<Timestamp>,
}

/// A vhid that somebody else is master of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Who, if it is a node that we know.
    pub node: Option<NodeId>,
    /// Which vhid, where.
    pub place: String,
}

impl Fault {
    /// It speaks against the node itself.
    #[must_use]
    pub fn is_shown(self) -> bool {
        matches!(self, Self::Stuck(..) | Self::Missing)
    }
}

impl Situation {
    /// The pair is split, and this node is the one that lost a part.
    pub(super) fn torn(&self, peer: NodeId) -> bool {
        self.split.is_some() && self.suspect == Some(peer)
    }

    pub(super) fn fault(&self, node: NodeId) -> Fault {
        self.faults.get(node.index()).copied().unwrap_or_default()
    }

    pub(super) fn signs(&self, node: NodeId) -> Signs {
        self.signs.get(node.index()).copied().unwrap_or_default()
    }

    pub(super) fn demoted(&self, node: usize) -> bool {
        self.signs.get(node).is_some_and(|s| s.demoted)
    }

    pub(super) fn gone(&self, node: usize) -> bool {
        self.gone.get(node) == Some(&true)
    }

    /// Why a node is down, if it is.
    pub(super) fn is_down(&self, node: usize) -> Option<Cause> {
        self.health.get(node).filter(|(h, _)| *h == Health::Down)?.1
    }

    /// CARP is in sync, and no other node is down but those whom CARP has replaced by itself.
    pub(super) fn is_over(&self, me: NodeId) -> bool {
        let mut peers = (0..self.health.len()).filter(|&i| i != me.index());
        self.split.is_none() && self.mastership.1 > 0 && peers.all(|i| self.is_down(i).is_none() || self.gone(i))
    }

    /// With more than two nodes exactly one promotes: the first that is not down.
    pub(super) fn first_healthy(&self) -> Option<usize> {
        self.health.iter().position(|(h, _)| *h != Health::Down)
    }
}
