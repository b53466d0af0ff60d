//! What the engine tells the world: verdicts, decisions, conditions. Plain data, in the words of the contract.
//!
//! Made by detect and decide, carried by the engine, rendered or acted on by the edges. Never acts itself.

mod notice;
pub mod place;
mod sentence;

pub use notice::{Notice, NoticeKind};

use crate::capture::GapCause;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// A firewall, by index into the engine's list (configured ones first, in configuration order).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

impl NodeId {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Health of one node on one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Health {
    /// Not enough heard to say anything, or hearing is impaired.
    #[default]
    Unknown,
    /// Round trips are being proven.
    Up,
    /// Quiet, and quiet is normal: no verdict possible.
    Idle,
    /// Evidence against it, not enough to act on.
    Suspect,
    /// Traffic does not flow end to end.
    Down,
}

impl Health {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Idle => "idle",
            Self::Suspect => "suspect",
            Self::Down => "down",
        }
    }
}

/// Why a health is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Initiators' packets go in, nothing comes back.
    BlackholeForward,
    /// Responders' packets go in, initiators never answer.
    BlackholeReverse,
    /// No pfsync at all though traffic was expected.
    Silence,
    /// pfsync fell silent while the node's CARP advertisements go on.
    SyncLost,
    /// A flow that a host keeps opening is not heard any more, and nothing else was proven since.
    CanaryMissing,
    /// No pfsync, and an address of its own that used to answer does not, though its advertisements go on.
    Unreachable,
    /// Round trips are proven again (or for the first time).
    EndToEnd,
    /// Nothing tries to pass.
    Quiet,
    /// It is master of nothing, or gave mastership away.
    Backup,
    /// It advertises what another node is master of too.
    TwoMasters,
    /// What it says is not known: most of its frames are cut.
    Blind,
    /// What it says is old: much of what is told as new was told before.
    Repeated,
    /// Heard again after it had gone.
    Returned,
}

impl Cause {
    /// Traffic itself speaks against the node.
    #[must_use]
    pub fn is_blackhole(self) -> bool {
        matches!(self, Self::BlackholeForward | Self::BlackholeReverse)
    }

    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlackholeForward => "blackhole-forward",
            Self::BlackholeReverse => "blackhole-reverse",
            Self::Silence => "silence",
            Self::SyncLost => "sync lost",
            Self::Unreachable => "unreachable",
            Self::CanaryMissing => "canary missing",
            Self::EndToEnd => "end-to-end",
            Self::Quiet => "quiet",
            Self::Backup => "backup",
            Self::TwoMasters => "two masters",
            Self::Blind => "blind",
            Self::Repeated => "repeated",
            Self::Returned => "returned",
        }
    }
}

/// What spoke against a node beside the traffic, so that less traffic had to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witnesses {
    /// CARP is split: the node lost a part of what it was master of.
    pub split: bool,
    /// Its advertisements ceased on a segment and go on on another.
    pub segment: bool,
    /// An address of its own ceased to answer.
    pub address: bool,
}

/// The numbers behind a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// -log10 of the probability of what was seen, were the node alive.
    pub suspicion: f64,
    /// What `suspicion` must reach for `down`; less where `witnesses` spoke.
    pub threshold: f64,
    /// What helped the traffic.
    pub witnesses: Witnesses,
    /// Where a split node is `down` because none came: the round trips that were to be expected since.
    pub expected: Option<f64>,
    /// Tries that got nowhere since the evidence began.
    pub failed: u32,
    /// Round trips proven since the evidence began.
    pub succeeded: u32,
    /// Independent initiators that tried and got nowhere.
    pub clients: u32,
    /// Independent responders that nobody reached.
    pub servers: u32,
    /// Of the tries (failed and answered), those to open something new: a connection, a query, a ping.
    pub opening: u32,
    /// Seconds over which the evidence was collected.
    pub seconds: f64,
    /// Share of tries that usually succeed, 0..=1.
    pub usual: f64,
    /// Round trips that this node proved on this path since the beginning, where that was counted: answers through the pair are
    /// not among them.
    pub proven: Option<u64>,
    /// Since the last proven round trip, if there was one.
    pub since_end_to_end: Option<f64>,
    /// Answers pass the node, and those who asked never acknowledge one: then the counts are of such answers.
    pub undelivered: bool,
    /// Segments on which this node's advertisements are gone.
    pub carp_gone: u32,
    /// Seconds since this node's pfsync was last heard.
    pub pfsync_silent: f64,
    /// Canaries that tried and got nowhere, among the others.
    pub canaries: u32,
    /// Seconds since a canary was last heard that is missing, and how often it should come.
    pub canary_silent: Option<f64>,
    /// See `canary_silent`.
    pub canary_every: Option<f64>,
    /// Its usual silence ends within so many seconds, where that is known.
    pub pfsync_usual: Option<f64>,
    /// Seconds since the first of the tries that failed; the evidence is older where answers were among them.
    pub since_failure: Option<f64>,
}

/// How close a node came to `down` on a path: the height of a climb of suspicion.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// When.
    pub at: Timestamp,
    /// What it would have been called.
    pub cause: Cause,
    /// The numbers at that moment.
    pub evidence: Evidence,
}

impl Near {
    /// Suspicion in parts of what `down` needs. 1 and more: only that it was too young kept it from being one.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.evidence.suspicion / self.evidence.threshold.max(f64::MIN_POSITIVE)
    }

    /// Days since 1970 on the source's clock.
    #[must_use]
    pub fn day(&self) -> i64 {
        const DAY: i64 = 86_400_000_000_000;
        self.at.as_nanos().div_euclid(DAY)
    }

    /// The evidence as a clause.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.evidence.blackhole(self.cause)
    }
}

/// A change of health.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// When the engine knew.
    pub at: Timestamp,
    /// About whom.
    pub node: NodeId,
    /// On which path (index into the engine's paths).
    pub path: usize,
    /// Before.
    pub from: Health,
    /// Now.
    pub to: Health,
    /// Why.
    pub cause: Cause,
    /// With which numbers.
    pub evidence: Evidence,
}

impl Verdict {
    /// Seconds since the last round trip that this node proved. One within the time in which no try was answered was of somebody
    /// else, or only of an answer on its way, and says nothing beside them.
    #[must_use]
    pub fn since_round_trip(&self) -> Option<f64> {
        let e = &self.evidence;
        let none = matches!(self.cause, Cause::BlackholeForward | Cause::BlackholeReverse) && e.succeeded == 0;
        e.since_end_to_end.filter(|since| !none || *since >= e.seconds)
    }

    /// Seconds by which it came after its evidence began: the first try that failed, or the last that was heard.
    #[must_use]
    pub fn since_evidence(&self) -> Option<f64> {
        match self.cause {
            Cause::BlackholeForward | Cause::BlackholeReverse => self.evidence.since_failure,
            Cause::Silence => Some(self.evidence.pfsync_silent),
            _ => None,
        }
    }
}

/// What policy wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make this node master everywhere.
    Promote,
    /// Make this node less attractive.
    Demote,
    /// Take back one of the above.
    Restore,
    /// Power the peer off.
    Fence,
}

impl Action {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Restore => "restore",
            Self::Fence => "fence",
        }
    }
}

/// A decision of the policy; somebody else carries it out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Counts up from 1.
    pub seq: u64,
    /// What.
    pub action: Action,
    /// The node that it is about: the peer for promote and fence, self for demote and restore.
    pub node: NodeId,
    /// The cause of the verdict behind it, or the reason in a word.
    pub cause: &'static str,
    /// One sentence with the numbers.
    pub reason: String,
}

/// Who advertises a vhid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertiser {
    /// From where; a node that uses both address families is known by the first that was heard.
    pub address: IpAddr,
    /// Whose that is, where somebody is configured.
    pub node: Option<NodeId>,
}

/// Everything that leaves the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A new sender or configured node; ids count up in this order.
    Node {
        /// Its id.
        node: NodeId,
        /// The address that outputs call it by.
        address: IpAddr,
    },
    /// Health changed.
    Verdict(Verdict),
    /// Policy decided.
    Decision(Decision),
    /// Worth a line.
    Notice(Notice),
    /// Mastership of a vhid changed as seen on a segment: who advertises it now (`None`: nobody any more).
    Master {
        /// When.
        at: Timestamp,
        /// Segment index.
        segment: usize,
        /// Virtual host id.
        vhid: u8,
        /// New master's source address.
        master: Option<IpAddr>,
        /// Its first advertisement; where it is nobody's, when the first that is missing was due.
        since: Timestamp,
    },
    /// Several advertise one vhid at the same time, each at its own pace: a split brain. Told again with the same `since`
    /// when it is over or others do.
    TwoMasters {
        /// When the engine knew.
        at: Timestamp,
        /// Segment index.
        segment: usize,
        /// Virtual host id.
        vhid: u8,
        /// Onset.
        since: Timestamp,
        /// When the first of them fell silent; `None`: they go on.
        until: Option<Timestamp>,
        /// Two or more.
        who: Vec<Advertiser>,
    },
    /// Nobody advertises a vhid that had a master for longer than a backup waits. Told again with the same `since` when it
    /// is over.
    NoMaster {
        /// When the engine knew.
        at: Timestamp,
        /// Segment index.
        segment: usize,
        /// Virtual host id.
        vhid: u8,
        /// When the first advertisement was missing.
        since: Timestamp,
        /// First advertisement afterwards; `None`: still nobody.
        until: Option<Timestamp>,
    },
    /// vhids of one group have different masters (`Some(onset)`), or agree again.
    Unsynchronised {
        /// When the engine knew.
        at: Timestamp,
        /// Onset, or `None` when over.
        since: Option<Timestamp>,
    },
    /// A node's configuration was sent to a peer (TCP from a node's sync address to a peer's config-sync port).
    ConfigSync {
        /// When.
        at: Timestamp,
        /// Who sent it.
        node: NodeId,
    },
    /// We did not hear for a while.
    Gap {
        /// Until when.
        at: Timestamp,
        /// How long.
        length: Duration,
        /// Why.
        cause: GapCause,
    },
}
