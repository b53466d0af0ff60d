//! What was heard and set aside, by its sender: that is why something that is there does not count.
//!
//! Filled by the engine where it refuses, read by `absence`. Bounded: whoever invents senders pushes out no node's.

use crate::capture::Net;
use crate::dissect::{Ip, Refusal};
use crate::time::Timestamp;
use pfsync_proto::ErrorKind;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Entries for senders that are no nodes; those beyond are only counted.
const STRANGERS: usize = 64;

/// Of which protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proto {
    /// pfsync.
    Pfsync,
    /// Protocol 112.
    Carp,
}

/// Why it does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// TTL or hop limit is not 255: it crossed a router.
    Ttl,
    /// It crossed a router to one address, and does not go from one node's own address to another's.
    Peer,
    /// A fragment.
    Fragment,
    /// Cut by the snapshot length.
    Cut,
    /// A version that is not known.
    Version,
    /// Damaged in another way.
    Damaged,
    /// VRRP, not CARP.
    Vrrp,
    /// A wrong checksum.
    Checksum,
    /// It does not verify with the password.
    Password,
    /// On the sync net, where segments are configured.
    OnSync,
    /// Of a VLAN that its segment has nothing to do with, or beyond the networks that are remembered.
    Elsewhere,
    /// Within more VLAN tags than are told apart.
    Tags,
    /// It stands in `local` of no node alone.
    Stranger,
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadTtl => Self::Ttl,
            Refusal::Fragment => Self::Fragment,
            Refusal::Cut => Self::Cut,
        }
    }
}

impl From<ErrorKind> for Reason {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Badver => Self::Version,
            ErrorKind::Badttl => Self::Ttl,
            ErrorKind::Fragment => Self::Fragment,
            ErrorKind::Hdrops | ErrorKind::Badlen | ErrorKind::Badact | ErrorKind::Badval => Self::Damaged,
        }
    }
}

impl Reason {
    /// The frame is not as it should be, whoever sent it and wherever it was heard.
    #[must_use]
    pub const fn is_of_frame(self) -> bool {
        matches!(
            self,
            Self::Ttl | Self::Fragment | Self::Cut | Self::Version | Self::Damaged | Self::Checksum | Self::Tags
        )
    }

    /// What follows `was` and `were`, with what to do about it.
    #[must_use]
    pub fn clause(self, proto: Proto, ttl: u8) -> String {
        let net = match proto {
            Proto::Pfsync => "the sync network",
            Proto::Carp => "the segment",
        };
        match self {
            Self::Ttl => format!(
                "refused, as {} refuses them, for a TTL of {ttl} instead of 255: something routed them; capture on {net} itself, \
                 and let nothing route between the nodes",
                if proto == Proto::Pfsync { "pf" } else { "carp(4)" }
            ),
            Self::Peer => "sent to one address through a router (carppeer), which counts only from an own address of a node to \
                           one of another: put both ends into the `local` of their nodes, and of no other"
                .into(),
            Self::Fragment => {
                format!("refused, because pf sends no fragments: look at the MTU of {net}")
            }
            Self::Cut => "cut by the snapshot length: capture whole frames (tcpdump -s 0)".into(),
            Self::Version => "of a version that pfwatch does not know: is that pf newer than this pfwatch?".into(),
            Self::Damaged => format!("damaged: look at the cables and ports of {net}, and for a host that forges"),
            Self::Vrrp => "VRRP of no configured node: put each node's own addresses there into its `local`, if they speak VRRP \
                           (FreeBSD's carpver 3)"
                .into(),
            Self::Checksum => format!("refused for a wrong checksum: look at the cables and ports of {net}"),
            Self::Password => {
                "refused, because they do not verify: compare `password-file` with `pass` of the carp interfaces, and `local` \
                 with their addresses"
                    .into()
            }
            Self::OnSync => "on the sync net, where they do not count: describe that network as a [[segment]]".into(),
            Self::Elsewhere => "of a VLAN that this segment has nothing to do with: compare its `vlan`".into(),
            Self::Tags => "within three VLAN tags or more, of which two are told apart, so that it is not known of which network: \
                           capture behind the port that takes the outer tag off"
                .into(),
            Self::Stranger => "sent by no node".into(),
        }
    }
}

/// Who sent what where, and what was wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Of which protocol.
    pub proto: Proto,
    /// Where it was heard.
    pub net: Net,
    /// Sender.
    pub from: IpAddr,
    /// Why it does not count.
    pub reason: Reason,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// So many frames.
    pub frames: u64,
    /// When the last came.
    pub last: Timestamp,
    /// TTL or hop limit of the last.
    pub ttl: u8,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Aside {
    all: BTreeMap<Key, Count>,
    strangers: usize,
}

impl Key {
    /// Of what this packet carried.
    #[must_use]
    pub fn of(proto: Proto, net: Net, ip: Ip, reason: impl Into<Reason>) -> Self {
        let (from, reason) = (ip.src, reason.into());
        Self {
            proto,
            net,
            from,
            reason,
        }
    }
}

impl Aside {
    /// One more; `known`: the sender is an address of a node.
    pub fn note(&mut self, now: Timestamp, key: Key, ttl: u8, known: bool) {
        if !self.all.contains_key(&key) {
            if !known && self.strangers >= STRANGERS {
                return;
            }
            self.strangers += usize::from(!known);
        }
        let count = self.all.entry(key).or_default();
        *count = Count {
            frames: count.frames + 1,
            last: now,
            ttl,
        };
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Count)> {
        self.all.iter()
    }
}
