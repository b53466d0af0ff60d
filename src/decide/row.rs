//! The rows of the table and their words.

use crate::event::{Cause, NodeId};

/// Why a promotion that is due waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unclear {
    /// So many advertisements in a row may be missing by chance.
    Chance,
    /// CARP is in sync, and what traffic says by itself is not enough.
    Evidence,
    /// CARP is in sync, and what is dead may lie beyond both nodes.
    Beyond,
    /// The same, where it cannot be told.
    Untold,
    /// Self carries a share of the traffic, and nothing has passed since: it may itself be the one that is cut off.
    OwnTraffic,
    /// Nothing was heard to fail since this node reaches far: what was dead may have lain beyond both, and be over.
    Flap,
    /// Some were answered a moment ago, and the others may only not have tried again.
    Answers,
    /// A probe about self has not answered since the trouble began.
    Probe,
    /// The last promotion was too short a while ago.
    HoldDown,
    /// There were too many actions within the hour.
    Cap,
    /// A bulk update runs, which explains as much.
    Bulk,
    /// Somebody works at the pair.
    Maintenance,
    /// We were blind, again and again.
    Blind,
    /// The last try failed a moment ago.
    Failed,
    /// So did all of them within the hour.
    GaveUp,
    /// That was tried within the hour.
    Fenced,
}

/// Why something is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Back {
    PeersAnswer,
    Over,
    OwnProbe,
    Recovered,
    Alone,
    BothDemoted,
    Owed,
}

impl Back {
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::PeersAnswer | Self::Over | Self::Recovered | Self::BothDemoted => "recovered",
            Self::OwnProbe => "probe",
            Self::Alone => "alone",
            Self::Owed => "failed",
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::PeersAnswer => "every probe about a peer is up again",
            Self::Over => "every vhid is with one node again, and no other node is down any more",
            Self::OwnProbe => "a probe about this node is down: it reaches no further than the other",
            Self::Recovered => "the probes about this node are up again",
            Self::Alone => "no other node advertises any more: better this one than none",
            Self::BothDemoted => "the probes about this node are up, and the other is demoted, too",
            Self::Owed => "an action failed, and what is left of it must not stay",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Promote(NodeId, Cause),
    Demote,
    Restore(Back),
    CarpMoves(NodeId),
    NoWitness(NodeId),
    Foreign(NodeId),
    NotMyTurn(NodeId),
    Isolated,
    CutOff,
    OwnTraffic,
    Unclear(NodeId, Unclear),
    Fence(NodeId),
    Unfenced(NodeId, Unclear),
}

impl Row {
    /// What is looked at first where several peers are down.
    pub(super) fn rank(&self) -> u32 {
        match self {
            Self::Promote(..) => 2,
            Self::CarpMoves(_) => 0,
            _ => 1,
        }
    }

    /// Something is to be done, not only said.
    pub(super) fn acts(self) -> bool {
        matches!(
            self,
            Self::Promote(..) | Self::Demote | Self::Restore(_) | Self::Fence(_)
        )
    }

    /// The same, not acted on.
    pub(super) fn held(self, me: NodeId, why: Unclear) -> Self {
        match self {
            Self::Promote(p, _) => Self::Unclear(p, why),
            Self::Fence(p) => Self::Unfenced(p, why),
            _ => Self::Unclear(me, why),
        }
    }

    /// Why nothing is done, and about whom; nothing where something is.
    pub(super) fn words(self, me: NodeId, name: &dyn Fn(NodeId) -> String) -> Option<(NodeId, String)> {
        let own = name(me);
        Some(match self {
            Self::CarpMoves(p) => (
                p,
                format!(
                    "{} is gone from every segment that is heard: whoever is backup there is to take over by itself, nothing to do",
                    name(p)
                ),
            ),
            Self::NoWitness(p) => (
                p,
                format!(
                    "{} is down, no split of CARP blames it so far, and no probe shows that traffic would get further from here: not \
                     promoting {own}",
                    name(p)
                ),
            ),
            Self::Foreign(p) => (
                p,
                format!(
                    "{} is down, but an unknown host is CARP master on a segment: not promoting",
                    name(p)
                ),
            ),
            Self::NotMyTurn(p) => (p, format!("{} is down; another node comes before {own}", name(p))),
            Self::Isolated => (
                me,
                "CARP is unsynchronised and no peer is down so far: nothing to do while a segment, not a node, is \
                 isolated"
                    .into(),
            ),
            Self::CutOff => (
                me,
                format!(
                    "a probe about {own} is down and a segment is not heard, while traffic passes through another node: it is \
                     {own} that is cut off, and as a backup it has nothing to give away"
                ),
            ),
            Self::OwnTraffic => (
                me,
                format!(
                    "traffic through {own} itself is down, and nothing shows so far that another node would do better: it may be its \
                     upstream or its hosts"
                ),
            ),
            Self::Unclear(p, why) if p == me => {
                let what = if why.of_all() { "changing" } else { "demoting" };
                (p, format!("not {what} {own} yet, because {}", why.words(&own)))
            }
            Self::Unfenced(p, why) => (p, format!("not fencing {}, because {}", name(p), why.words(&own))),
            Self::Unclear(p, why) => (
                p,
                format!(
                    "{} is down: not promoting {own} yet, because {}",
                    name(p),
                    why.words(&own)
                ),
            ),
            Self::Promote(..) | Self::Demote | Self::Restore(_) | Self::Fence(_) => return None,
        })
    }
}

impl Unclear {
    /// It holds for what is taken back, too.
    fn of_all(self) -> bool {
        matches!(self, Self::Maintenance | Self::Blind | Self::Failed)
    }

    fn words(self, own: &str) -> String {
        match self {
            Self::Chance => "its advertisements may be missing by chance".into(),
            Self::Evidence => "CARP does not blame it, and what traffic says by itself may be chance".into(),
            Self::Beyond => {
                "CARP does not blame it and it is not seen to keep what comes in: what is dead may lie beyond both".into()
            }
            Self::Untold => {
                "CARP does not blame it and its connections are not heard on both sides: what is dead may lie beyond both"
                    .into()
            }
            Self::OwnTraffic => {
                format!("nothing has passed through {own} since CARP was torn, which may itself be cut off")
            }
            Self::Flap => format!("nothing was heard to fail since the probes about {own} answer"),
            Self::Answers => "some were answered a moment ago, and the others may only not have tried again".into(),
            Self::Probe => format!("a probe about {own} has not answered since"),
            Self::HoldDown => "the last promotion was too short a while ago (hold-down)".into(),
            Self::Bulk => "a bulk update runs, which explains as much".into(),
            Self::Maintenance => "somebody works at the pair (maintenance)".into(),
            Self::Blind => "we were blind again and again".into(),
            Self::Failed => "the last try failed a moment ago".into(),
            Self::GaveUp => "it failed too often within the hour".into(),
            Self::Fenced => "that was tried within the hour".into(),
            Self::Cap => "there were too many actions within the hour (max-per-hour)".into(),
        }
    }
}
