//! Why is something not there? Asked before anything is concluded from it.
//!
//! Every face that would say "no pfsync", "no CARP" or "never heard" asks here first: the counters may know that it was
//! there and did not count. Reads the engine; concludes nothing about health.

#[cfg(test)]
mod tests;
mod words;

use crate::capture::Net;
use crate::engine::Engine;
use crate::engine::aside::{Count, Key, Proto, Reason};
use crate::event::NodeId;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// pfsync of this node, or of any.
    Pfsync(Option<NodeId>),
    /// CARP of this node, or of any, on this segment, or on any.
    Carp(Option<NodeId>, Option<usize>),
}

/// Why it is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// It came and did not count.
    Aside {
        /// Of which protocol.
        proto: Proto,
        /// What was wrong with it.
        reason: Reason,
        /// So many frames.
        frames: u64,
        /// TTL or hop limit of the last.
        ttl: u8,
        /// Its senders.
        from: BTreeSet<IpAddr>,
    },
    /// It came, but only from others than the nodes that are configured.
    Others(Proto, BTreeSet<IpAddr>),
    /// pfsync0 was captured, which shows only what its own host sends.
    Tap,
    /// So many frames were of a link type that cannot be read.
    Unreadable(u64),
    /// We were blind for so long.
    Blind(Duration),
}

/// The best answer, if there is any: what came from a node and did not count stands before what others sent, and that
/// before what may have been missed. `since`: it was there until then.
#[must_use]
pub fn why(engine: &Engine, wanted: Wanted, since: Option<Timestamp>) -> Option<Why> {
    let since = since.unwrap_or(Timestamp::MIN);
    let anybody = matches!(wanted, Wanted::Pfsync(None) | Wanted::Carp(None, _));
    aside(engine, wanted, since, |k| is_of(engine, wanted, k))
        .or_else(|| others(engine, wanted, since))
        .or_else(|| aside(engine, wanted, since, |_| anybody))
        .or_else(|| tap(engine, wanted))
        .or_else(|| missed(engine))
}

/// Whether a node sent it, and the one that is looked for.
fn is_of(engine: &Engine, wanted: Wanted, key: &Key) -> bool {
    match wanted {
        Wanted::Pfsync(Some(n)) => engine.sender(key.from) == Some(n),
        Wanted::Pfsync(None) => engine
            .sender(key.from)
            .is_some_and(|n| n.index() < engine.settings().nodes.len()),
        Wanted::Carp(Some(n), _) => engine.owner(key.from) == Some(n),
        Wanted::Carp(None, _) => engine.owner(key.from).is_some(),
    }
}

/// What these sent, by the reason that took most of it.
fn aside(engine: &Engine, wanted: Wanted, since: Timestamp, these: impl Fn(&Key) -> bool) -> Option<Why> {
    let found: Vec<(&Key, &Count)> = heard(engine, wanted, since)
        .filter(|(k, _)| k.reason != Reason::Stranger && these(k))
        .collect();
    let frames = |reason: Reason| -> u64 {
        let same = found.iter().filter(|(k, _)| k.reason == reason);
        same.map(|(_, c)| c.frames).sum()
    };
    let reason = found.iter().map(|(k, _)| k.reason).max_by_key(|r| frames(*r))?;
    let same = || found.iter().filter(|(k, _)| k.reason == reason);
    Some(Why::Aside {
        proto: proto(wanted),
        reason,
        frames: frames(reason),
        ttl: same().max_by_key(|(_, c)| c.last)?.1.ttl,
        from: same().map(|(k, _)| k.from).collect(),
    })
}

/// Who else sent what would count, where somebody is configured.
fn others(engine: &Engine, wanted: Wanted, since: Timestamp) -> Option<Why> {
    let configured = engine.settings().nodes.len();
    let from: BTreeSet<IpAddr> = match proto(wanted) {
        _ if configured == 0 => return None,
        Proto::Pfsync => {
            let strangers = engine.node_ids().skip(configured).map(|n| engine.address(n));
            strangers.filter(|a| !a.is_unspecified()).collect()
        }
        Proto::Carp => {
            let strangers = heard(engine, wanted, since).filter(|(k, _)| k.reason == Reason::Stranger);
            strangers.map(|(k, _)| k.from).collect()
        }
    };
    (!from.is_empty()).then(|| Why::Others(proto(wanted), from))
}

fn tap(engine: &Engine, wanted: Wanted) -> Option<Why> {
    (proto(wanted) == Proto::Pfsync && engine.counters().tapped > 0).then_some(Why::Tap)
}

fn missed(engine: &Engine) -> Option<Why> {
    let c = engine.counters();
    let blind: Duration = c.gaps.values().map(|(_, length, _)| *length).sum();
    match c.unsupported {
        0 => (!blind.is_zero()).then_some(Why::Blind(blind)),
        frames => Some(Why::Unreadable(frames)),
    }
}

/// What was set aside of the protocol and the place.
fn heard(engine: &Engine, wanted: Wanted, since: Timestamp) -> impl Iterator<Item = (&Key, &Count)> {
    let here = move |k: &Key| match wanted {
        Wanted::Pfsync(_) | Wanted::Carp(_, None) => true,
        // What came on the sync net instead is an answer, too.
        Wanted::Carp(_, Some(segment)) => k.net == Net::Segment(segment) || k.reason == Reason::OnSync,
    };
    let all = engine.counters().aside.iter();
    all.filter(move |(k, c)| k.proto == proto(wanted) && here(k) && c.last > since)
}

const fn proto(wanted: Wanted) -> Proto {
    match wanted {
        Wanted::Pfsync(_) => Proto::Pfsync,
        Wanted::Carp(..) => Proto::Carp,
    }
}
