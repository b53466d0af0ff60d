//! Who advertises what on each CARP segment: mastership, yielding, absence, and whether a pair is unsynchronised.
//!
//! Fed by the engine with advertisements that passed TTL, checksum and (where a password is known) HMAC. Answers what
//! detect and decide ask about a node. A source whose address stands in exactly one node's `local` belongs to that
//! node; any other is shown and is no witness. Never reads a clock.

#[cfg(test)]
mod tests;

use crate::event::{Event, NodeId, Notice};
use crate::time::Timestamp;
use pfsync_proto::Carp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Sources remembered per vhid; more are somebody's games.
const MAX_SOURCES: usize = 8;
/// Virtual hosts remembered over all segments.
const MAX_VHIDS: usize = 512;
/// An advertisement is overdue after this many of its intervals (timer slack, one lost frame is the next level).
const OVERDUE: f64 = 1.3;
/// Different masters for longer than this are a condition, not a transition.
const UNSYNC_AFTER: Duration = Duration::from_secs(1);
/// An advskew that stood this long is the usual one.
const USUAL: Duration = Duration::from_secs(60);
/// Intervals after which a mastership that another node took over is history.
const LOST: f64 = 30.0;
/// Advertisements over which losses are counted.
const MEMORY: f64 = 4_000.0;
/// Weight of the latest of them in what is counted as lately.
const LATELY: f64 = 0.08;
/// No segment is trusted further than this; what is missed tends to be missed in a row.
const LEAST_LOSS: f64 = 2e-3;
/// Intervals that must be missed before a segment counts as lost.
const LOST_AFTER: f64 = 2.2;
/// Intervals of silence after which a split is no mere bad luck of a link that loses three packets in ten.
const CLEAR: f64 = 5.0;
/// And of one that is known to lose some: nine in a row are one in a hundred where six in ten are lost.
const CLEAR_IF_LOSSY: f64 = 9.0;
/// A link loses some where, lately, one in a dozen was missing (it is forgotten after two dozen).
const LOSSY: f64 = 0.006;
/// Whatever is missing, traffic has to say a part of it.
const MOST_WORTH: f64 = 5.5;
/// A vhid whose master stood this long has found its place.
const SETTLED: Duration = Duration::from_secs(3);

/// One advertiser of one vhid.
#[derive(Clone, Debug)]
struct Source {
    addr: IpAddr,
    node: Option<NodeId>,
    run_start: Timestamp,
    last: Timestamp,
    interval: Duration,
    usual_skew: u8,
    skew: u8,
    skew_since: Timestamp,
    demoted: bool,
    yielded: bool,
    contested: bool,
    /// Settled as master and has not given way since.
    reigned: bool,
    /// Advertisements that came, and that were missing between them while it was master: how lossy this segment is.
    came: f64,
    missing: f64,
    /// Share of the last dozen that was missing.
    lately: f64,
}

impl Source {
    /// Age of the last advertisement in intervals of its sender.
    fn missed(&self, now: Timestamp) -> f64 {
        now.since(self.last).as_secs_f64() / self.interval.as_secs_f64().max(0.004)
    }

    /// An advertisement came: what was missing before it was lost on the way, unless it had given way.
    fn count(&mut self, now: Timestamp) {
        let missed = self.missed(now);
        let missing = if self.yielded || missed >= LOST {
            0.0
        } else {
            (missed - 1.0).round().max(0.0)
        };
        self.missing += missing;
        self.lately *= 1.0 - LATELY;
        self.lately += LATELY * missing / (missing + 1.0);
        self.came += 1.0;
        if self.came > MEMORY {
            (self.came, self.missing) = (self.came / 2.0, self.missing / 2.0);
        }
    }

    /// Probability that one advertisement is lost on the way, at least; before much was heard, one in a hundred.
    fn loss(&self) -> f64 {
        // A link that loses much loses it now, whatever it did all day.
        let ever = (self.missing + 1.0) / (self.came + 100.0);
        ever.max(self.lately).clamp(LEAST_LOSS, 1.0)
    }
}

#[derive(Clone, Debug, Default)]
struct Vhid {
    sources: Vec<Source>,
    /// The settled master's address.
    master: Option<IpAddr>,
    master_since: Timestamp,
    group: Option<usize>,
}

impl Vhid {
    fn source(&self, addr: IpAddr) -> Option<&Source> {
        self.sources.iter().find(|s| s.addr == addr)
    }

    /// A configured node was heard on it.
    fn ours(&self) -> bool {
        self.sources.iter().any(|s| s.node.is_some())
    }

    /// A node was master of it, is no more, and did not give it away.
    fn robs(&self, node: NodeId) -> bool {
        let lost = |s: &Source| s.node == Some(node) && s.reigned && !s.yielded && self.master != Some(s.addr);
        self.sources.iter().any(lost)
    }

    fn master_source(&self) -> Option<&Source> {
        self.source(self.master?)
    }
}

/// What CARP says about one node, over all segments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Witness {
    /// Virtual hosts that it holds, or held until its advertisements ended without yielding.
    pub held: u32,
    /// Of those, the ones whose advertisements are not overdue.
    pub present: u32,
    /// Segments on which it held something.
    pub segments: u32,
    /// Intervals missed on the vhid that misses fewest (0 if nothing is held).
    pub missed: f64,
    /// Of the segments, those on which it misses more than two intervals.
    pub gone: u32,
}

/// How the vhids of a pair stand towards each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Since when masters differ.
    pub since: Timestamp,
    /// The node that was master of all and lost a part without giving it away: the one to look at.
    pub suspect: Option<NodeId>,
}

/// The view of all segments.
#[derive(Debug, Default)]
pub struct CarpView {
    vhids: BTreeMap<(usize, u8), Vhid>,
    groups: Vec<Option<NodeId>>,
    split: Option<Split>,
    reported: bool,
    foreign: Vec<bool>,
}

impl CarpView {
    /// Whether any configured node was ever heard advertising: only then does CARP say anything about nodes.
    #[must_use]
    pub fn informs(&self) -> bool {
        self.vhids.values().any(|v| v.sources.iter().any(|s| s.node.is_some()))
    }

    /// When the pair is unsynchronised for longer than a transition takes.
    #[must_use]
    pub fn split(&self) -> Option<Split> {
        self.split.filter(|_| self.reported)
    }

    /// The same from its first moment, when it may still be a transition.
    #[must_use]
    pub fn divided(&self) -> Option<Split> {
        self.split
    }

    /// Whether a segment has a master that belongs to no configured node.
    #[must_use]
    pub fn foreign_master(&self) -> bool {
        self.vhids
            .values()
            .any(|v| v.ours() && v.master_source().is_some_and(|s| s.node.is_none()))
    }

    /// An advertisement.
    pub fn advertisement(
        &mut self,
        now: Timestamp,
        segment: usize,
        addr: IpAddr,
        node: Option<NodeId>,
        carp: &Carp,
        out: &mut Vec<Event>,
    ) {
        let full = self.vhids.len() >= MAX_VHIDS;
        let key = (segment, carp.vhid);
        if full && !self.vhids.contains_key(&key) {
            return;
        }
        if node.is_none() {
            self.note_foreign(now, segment, addr, out);
        }
        let vhid = self.vhids.entry(key).or_default();
        let interval = carp.interval().max(Duration::from_millis(4));
        for other in vhid.sources.iter_mut().filter(|s| s.addr != addr) {
            // Before the other's own next one was due: that one gave way. (A crash leaves 3 intervals of nothing.)
            // So did one that meets a better master: the shorter interval wins, whenever it comes.
            let gave_way = other.missed(now) <= 1.0 || interval < other.interval;
            if !other.yielded && gave_way && Some(other.addr) == vhid.master {
                other.contested = true;
            }
        }
        let demoted = |usual: u8| carp.demote > 0 || carp.advskew > usual || carp.bow_out;
        if let Some(s) = vhid.sources.iter_mut().find(|s| s.addr == addr) {
            if s.missed(now) > 3.0 || s.yielded {
                s.run_start = now;
            }
            if s.skew != carp.advskew {
                (s.skew, s.skew_since) = (carp.advskew, now);
            }
            // A skew that stands is the usual one, whatever it was before.
            if carp.advskew < s.usual_skew || now.since(s.skew_since) >= USUAL {
                s.usual_skew = carp.advskew;
            }
            s.demoted = demoted(s.usual_skew);
            // The announced interval of a bow-out (255 s) is no promise.
            s.count(now);
            s.interval = if carp.bow_out { s.interval } else { interval };
            s.last = now;
            s.yielded = carp.bow_out;
            s.reigned &= !carp.bow_out;
            s.contested = false;
            s.node = node;
        } else {
            if vhid.sources.len() >= MAX_SOURCES {
                let oldest = vhid
                    .sources
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, s)| s.last)
                    .map_or(0, |(i, _)| i);
                vhid.sources.swap_remove(oldest);
            }
            vhid.sources.push(Source {
                addr,
                node,
                run_start: now,
                last: now,
                interval,
                usual_skew: carp.advskew,
                skew: carp.advskew,
                skew_since: now,
                demoted: demoted(carp.advskew),
                yielded: carp.bow_out,
                contested: false,
                reigned: false,
                came: 0.0,
                missing: 0.0,
                lately: 0.0,
            });
        }
        self.settle(now, out);
    }

    fn note_foreign(&mut self, now: Timestamp, segment: usize, addr: IpAddr, out: &mut Vec<Event>) {
        if self.foreign.len() <= segment {
            self.foreign.resize(segment + 1, false);
        }
        if !std::mem::replace(&mut self.foreign[segment], true) {
            let text = format!("foreign: {addr} advertises CARP and belongs to no configured node; it is no witness");
            out.push(Event::Notice(Notice {
                at: now,
                node: None,
                text,
            }));
        }
    }

    /// We were blind until `now`: what was missed meanwhile is not missing.
    pub fn forgive(&mut self, now: Timestamp) {
        for source in self.vhids.values_mut().flat_map(|v| &mut v.sources) {
            if source.missed(now) <= LOST {
                source.last = now;
            }
        }
    }

    /// Moves masterships on and reports an unsynchronised pair.
    pub fn settle(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        for (&(segment, number), vhid) in &mut self.vhids {
            if vhid.advance(now) {
                let (at, master, since) = (now, vhid.master, vhid.master_since);
                out.push(Event::Master {
                    at,
                    segment,
                    vhid: number,
                    master,
                    since,
                });
            }
        }
        self.regroup(now);
        self.compare(now, out);
    }

    /// When `settle` must be called again.
    #[must_use]
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self
            .vhids
            .values()
            .filter_map(|v| v.master_source())
            .flat_map(|s| [OVERDUE + 0.01, 2.21, 3.21].map(|n| s.last + s.interval.mul_f64(n)))
            .filter(|&t| t > now)
            .min();
        let split = self
            .split
            .filter(|_| !self.reported)
            .map(|s| s.since + UNSYNC_AFTER)
            .filter(|&t| t > now);
        [due, split].into_iter().flatten().min()
    }

    fn regroup(&mut self, now: Timestamp) {
        let mut per_segment = BTreeMap::<usize, u32>::new();
        for (segment, _) in self.vhids.keys() {
            *per_segment.entry(*segment).or_default() += 1;
        }
        // With several vhids on one segment (load sharing) a later common master is a failover, not a bond.
        let simple = per_segment.values().all(|&n| n == 1);
        let settled: Vec<_> = self
            .vhids
            .iter()
            .filter(|(_, v)| now.since(v.master_since) >= SETTLED)
            .filter_map(|(k, v)| Some((*k, v.master_source()?.node?, v.group)))
            .collect();
        for &(key, node, group) in &settled {
            let mate = settled
                .iter()
                .find(|(k, n, g)| *k != key && *n == node && g.is_some() && *g != group);
            let group = match (group, mate) {
                (Some(mine), Some(&(_, _, Some(theirs)))) if simple => Some(mine.min(theirs)),
                (Some(mine), _) => Some(mine),
                (None, Some(&(_, _, theirs))) => theirs,
                (None, None) => {
                    self.groups.push(None);
                    Some(self.groups.len() - 1)
                }
            };
            if let Some(v) = self.vhids.get_mut(&key) {
                v.group = group;
            }
        }
        for (i, common) in self.groups.iter_mut().enumerate() {
            let mut nodes = self
                .vhids
                .values()
                .filter(|v| v.group == Some(i))
                .map(|v| v.master_source()?.node);
            if let Some(Some(first)) = nodes.next()
                && nodes.all(|n| n == Some(first))
            {
                *common = Some(first);
            }
        }
    }

    fn compare(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let mut split = None;
        for (i, common) in self.groups.iter().enumerate() {
            let of_group = || self.vhids.values().filter(|v| v.group == Some(i));
            let masters: Vec<_> = of_group().filter_map(|v| v.master_source()?.node).collect();
            if masters.windows(2).any(|w| w[0] != w[1]) {
                // Onset: when the first vhid left the common master.
                let since = of_group()
                    .filter(|v| v.master_source().and_then(|s| s.node) != *common)
                    .map(|v| v.master_since)
                    .min()
                    .unwrap_or(now);
                // Who gave a vhid away by himself lost nothing.
                let suspect = common.filter(|&node| of_group().any(|v| v.robs(node)));
                split = Some(Split { since, suspect });
                break;
            }
        }
        match (&mut self.split, split) {
            (Some(old), Some(_)) => {
                if !self.reported && now.since(old.since) >= UNSYNC_AFTER {
                    self.reported = true;
                    out.push(Event::Unsynchronised {
                        at: now,
                        since: Some(old.since),
                    });
                }
            }
            (None, Some(_)) => self.split = split,
            (Some(_), None) => {
                self.split = None;
                if std::mem::take(&mut self.reported) {
                    out.push(Event::Unsynchronised { at: now, since: None });
                }
            }
            (None, None) => {}
        }
    }

    /// What is heard of a node.
    #[must_use]
    pub fn witness(&self, now: Timestamp, node: NodeId) -> Witness {
        let mut w = Witness {
            missed: f64::INFINITY,
            ..Witness::default()
        };
        let mut segments = BTreeMap::<usize, bool>::new();
        for (&(segment, _), vhid) in &self.vhids {
            for s in vhid
                .sources
                .iter()
                .filter(|s| s.node == Some(node) && s.reigned && !s.yielded)
            {
                // Another source may have settled as master since; that this one fell silent without yielding stands.
                let missed = s.missed(now);
                if vhid.master != Some(s.addr) && missed > LOST {
                    continue;
                }
                w.held += 1;
                w.present += u32::from(missed <= OVERDUE);
                w.missed = w.missed.min(missed);
                *segments.entry(segment).or_insert(true) &= missed > 2.0;
            }
        }
        w.segments = u32::try_from(segments.len()).unwrap_or(u32::MAX);
        w.gone = u32::try_from(segments.values().filter(|&&gone| gone).count()).unwrap_or(u32::MAX);
        if w.held == 0 {
            w.missed = 0.0;
        }
        w
    }

    /// What it is worth, in suspicion, that this node's advertisements are gone from a segment and go on on another: how
    /// improbable it is that as many in a row were lost on the way. 0 while none are, or all.
    #[must_use]
    pub fn lost(&self, now: Timestamp, node: NodeId) -> f64 {
        let held = |v: &Vhid| {
            let s = v
                .sources
                .iter()
                .find(|s| s.node == Some(node) && s.reigned && !s.yielded)?;
            (v.master == Some(s.addr) || s.missed(now) <= LOST).then(|| (s.missed(now), s.loss()))
        };
        let mut present = false;
        let mut worth = 0.0_f64;
        for (missed, loss) in self.vhids.values().filter_map(held) {
            present |= missed <= OVERDUE;
            if missed >= LOST_AFTER {
                worth = worth.max(-missed.floor().min(3.0) * loss.log10());
            }
        }
        if present { worth.min(MOST_WORTH) } else { 0.0 }
    }

    /// What a split of the pair is worth against this node, in parts of what it can be worth at most: where every third
    /// advertisement is lost, masters differ now and then without any port being dead.
    #[must_use]
    pub fn gravity(&self, node: NodeId) -> f64 {
        let held = |v: &Vhid| Some(v.sources.iter().find(|s| s.node == Some(node))?.loss());
        let loss = self.vhids.values().filter_map(held).fold(LEAST_LOSS, f64::max);
        // Three in a row are missing when masters change; one in twenty is what a bad segment loses.
        (loss.log10() / 0.05_f64.log10()).min(1.0)
    }

    /// Whether a split stands, rather than being the bad luck of a link that loses packets, which ends by itself: what the
    /// node lost is silent for so long that it cannot be chance.
    #[must_use]
    pub fn torn(&self, now: Timestamp, node: NodeId) -> bool {
        let lost = self.vhids.values().filter(|v| v.robs(node));
        let clear = |s: &Source| {
            let enough = if s.lately >= LOSSY { CLEAR_IF_LOSSY } else { CLEAR };
            s.missed(now) >= enough
        };
        lost.flat_map(|v| &v.sources)
            .filter(|s| s.node == Some(node))
            .any(clear)
    }

    /// Whether a node lost something that it did not give away.
    #[must_use]
    pub fn robbed(&self, node: NodeId) -> bool {
        self.vhids.values().any(|v| v.robs(node))
    }

    /// Segments on which a node is master, and how many segments have a master at all.
    #[must_use]
    pub fn mastership(&self, node: NodeId) -> (usize, usize) {
        // Somebody else's pair on the same net is no business of ours.
        let masters = || self.vhids.values().filter(|v| v.ours()).filter_map(Vhid::master_source);
        (masters().filter(|s| s.node == Some(node)).count(), masters().count())
    }
}

impl Vhid {
    /// Settles who is master; true if that changed.
    fn advance(&mut self, now: Timestamp) -> bool {
        let before = self.master;
        if let Some(m) = self.master.and_then(|m| self.sources.iter_mut().find(|s| s.addr == m)) {
            let missed = m.missed(now);
            if (m.contested || m.demoted) && missed > OVERDUE {
                m.yielded = true;
                m.reigned = false;
            }
            // Two who advertise at the same time: the one that was there stays until it stops.
            if !m.yielded && missed <= OVERDUE {
                return false;
            }
        }
        let live = |s: &&Source| !s.yielded && s.missed(now) <= OVERDUE;
        let newest = self
            .sources
            .iter()
            .filter(live)
            .max_by_key(|s| (s.run_start, s.addr))
            .map(|s| (s.addr, s.run_start));
        if let Some((addr, run_start)) = newest {
            if Some(addr) != before {
                let since = if run_start > self.master_since { run_start } else { now };
                (self.master, self.master_since) = (Some(addr), since);
            }
            if let Some(s) = self.sources.iter_mut().find(|s| s.addr == addr) {
                s.reigned = true;
            }
        } else if self.master_source().is_none_or(|s| s.yielded || s.missed(now) > 3.2) && before.is_some() {
            (self.master, self.master_since) = (None, now);
        }
        self.master != before
    }
}
