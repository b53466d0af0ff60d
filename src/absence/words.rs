//! The answer as a clause that can follow a colon.

use super::Why;
use crate::engine::aside::{Proto, Reason};
use crate::time::spell;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Addresses that are spelled out.
const SPELLED: usize = 2;

impl Why {
    /// What it is and what to do about it; lower case, no full stop.
    #[must_use]
    pub fn clause(&self) -> String {
        match self {
            Self::Aside {
                proto,
                reason,
                frames,
                ttl,
                from,
            } => {
                let (what, does) = match (proto, frames) {
                    (Proto::Pfsync, 1) => ("1 frame".into(), "was"),
                    (Proto::Pfsync, n) => (format!("{n} frames"), "were"),
                    (Proto::Carp, 1) => ("1 advertisement".into(), "was"),
                    (Proto::Carp, n) => (format!("{n} advertisements"), "were"),
                };
                let who = spelled(from);
                format!("{what} from {who} {does} {}", refused(*proto, *reason, *ttl))
            }
            Self::Others(Proto::Pfsync, from) => format!(
                "{} sends it and stands in no [[node]]; if that is the one, correct its `address`",
                spelled(from)
            ),
            Self::Others(Proto::Carp, from) => format!(
                "it comes from {}, in `local` of no node alone; if that is an own address of a node, put it into the \
                 list of that node and of no other",
                spelled(from)
            ),
            Self::Tap => "pfsync0 shows only what its own host sends: capture on the physical sync interface".into(),
            Self::Unreadable(n) => format!(
                "{n} {} of a link type that cannot be read: capture on the interface itself",
                if *n == 1 { "frame was" } else { "frames were" }
            ),
            Self::Blind(length) => format!("we were blind for {} and may have missed it", spell(*length)),
        }
    }
}

/// What follows `was` and `were`.
fn refused(proto: Proto, reason: Reason, ttl: u8) -> String {
    let net = match proto {
        Proto::Pfsync => "the sync network",
        Proto::Carp => "the segment",
    };
    match reason {
        Reason::Ttl => format!(
            "refused, as pf refuses them, for a TTL of {ttl} instead of 255: something routed them; capture on {net} itself, \
             and let nothing route between the nodes"
        ),
        Reason::Fragment => {
            format!("refused, because pf sends no fragments: look at the MTU of {net}")
        }
        Reason::Cut => "cut by the snapshot length: capture whole frames (tcpdump -s 0)".into(),
        Reason::Version => "of a version that pfwatch does not know: is that pf newer than this pfwatch?".into(),
        Reason::Damaged => format!("damaged: look at the cables and ports of {net}, and for a host that forges"),
        Reason::Vrrp => "VRRP of no configured node: put each node's own addresses there into its `local`, if they speak VRRP \
                         (FreeBSD's carpver 3)"
            .into(),
        Reason::Checksum => format!("refused for a wrong checksum: look at the cables and ports of {net}"),
        Reason::Password => {
            "refused, because they do not verify: compare `password-file` with `pass` of the carp interfaces, and `local` \
             with their addresses"
                .into()
        }
        Reason::OnSync => "on the sync net, where they do not count: describe that network as a [[segment]]".into(),
        Reason::Elsewhere => "of a VLAN that this segment has nothing to do with: compare its `vlan`".into(),
        Reason::Stranger => "sent by no node".into(),
    }
}

fn spelled(from: &BTreeSet<IpAddr>) -> String {
    let some: Vec<String> = from.iter().take(SPELLED).map(ToString::to_string).collect();
    match from.len() - some.len() {
        0 => some.join(" and "),
        n => format!("{} and {n} more", some.join(", ")),
    }
}
