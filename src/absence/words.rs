//! The answer as a clause that can follow a colon.

use super::Why;
use crate::engine::aside::Proto;
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
                format!("{what} from {who} {does} {}", reason.clause(*proto, *ttl))
            }
            Self::Others(Proto::Pfsync, from) => format!(
                "{}; if that is the one, correct its `address`",
                match from.len() {
                    1 => format!("{} sends it and stands in no [[node]]", spelled(from)),
                    _ => format!("{} send it and stand in no [[node]]", spelled(from)),
                }
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

fn spelled(from: &BTreeSet<IpAddr>) -> String {
    let some: Vec<String> = from.iter().take(SPELLED).map(ToString::to_string).collect();
    match from.len() - some.len() {
        0 => some.join(" and "),
        n => format!("{} and {n} more", some.join(", ")),
    }
}
