//! What CARP says about one node, asked by detect and decide.

use super::advert::Advert;
use super::source::Source;
use super::source::{LEAST_LOSS, LOST};
use super::vhid::Vhid;
use super::{CarpView, OVERDUE};
use crate::event::NodeId;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Intervals that must be missed before a segment counts as lost.
const LOST_AFTER: f64 = 2.2;
/// Intervals of silence after which a split is no mere bad luck of a link that loses three packets in ten.
const CLEAR: f64 = 5.0;
/// And of one that is known to lose some: a dozen in a row are one in five hundred where six in ten are lost.
const CLEAR_IF_LOSSY: f64 = 12.0;
/// A link loses some where, lately, one in a dozen was missing (it is forgotten after two dozen).
const LOSSY: f64 = 0.006;
/// An answer is told within this long.
const TOLD: Duration = Duration::from_secs(2);
/// After so long without a master nobody uses a vhid any more.
const VACANCY: Duration = Duration::from_secs(30);
/// Intervals within which an election is over, if it has to be held twice.
const ELECTION: f64 = 6.0;
/// A firewall has an inside and an outside.
const SIDES: usize = 2;
/// Whatever is missing, traffic has to say a part of it.
const MOST_WORTH: f64 = 5.5;

/// Intervals by which advertisements of one node that end together may differ.
const SCATTERED: f64 = 3.0;
/// Intervals after which the next advertisement of a node that lives and is master would have come.
const DUE: f64 = 1.2;

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
    /// Another node is master of all that it held.
    pub replaced: bool,
    /// They did not end at the same time.
    pub scattered: bool,
    /// Its advertisements are gone from everywhere, but its pfsync was heard when the next one was overdue: it ceased to
    /// advertise, and did not die.
    pub outlived: bool,
}

impl Witness {
    /// Its advertisements are gone from every segment, and ended together.
    #[must_use]
    pub fn gone_at_once(&self) -> bool {
        self.gone_everywhere() && !self.scattered
    }

    /// Its advertisements are gone from every segment.
    #[must_use]
    pub fn gone_everywhere(&self) -> bool {
        self.held > 0 && self.gone == self.segments
    }
}

impl CarpView {
    /// A node's pfsync was heard.
    pub fn heard(&mut self, now: Timestamp, node: NodeId) {
        if self.alive.len() <= node.index() {
            self.alive.resize(node.index() + 1, Timestamp::MIN);
        }
        self.alive[node.index()] = now;
        self.heard = self.heard.max(now);
    }

    /// Whether nothing was heard for `silence`, of anybody, for so long that every master's advertisements are missing, and now one
    /// of those masters is heard, as before: then it was we who heard nothing. After a crash it is another one.
    #[must_use]
    pub fn missed_all(&self, now: Timestamp, silence: Duration, node: NodeId) -> bool {
        let mut masters = self.vhids.values().filter_map(|v| v.master_source());
        let mut reigning = masters
            .clone()
            .filter(|s| s.node.is_some() && s.reigned && !s.yielded)
            .peekable();
        let missing = |s: &Source| silence > s.interval.mul_f64(LOST_AFTER) && s.missed(now) <= LOST;
        reigning.peek().is_some() && reigning.all(missing) && masters.any(|s| s.node == Some(node) && s.reigned)
    }

    /// Whether configured nodes are heard on several segments, and on each that is known: of one side alone a pair that is torn looks
    /// as if all of it had moved.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        // In the order of segments, so that each is counted once without a set of them: this is asked at every judgement.
        let (mut heard, mut last) = (0, None);
        for &(segment, _) in self.vhids.iter().filter(|(_, v)| v.ours()).map(|(key, _)| key) {
            heard += usize::from(last.replace(segment) != Some(segment));
        }
        heard >= self.names.len().max(SIDES)
    }

    /// Whether an election goes on: different nodes are master and one of them for no longer than one takes, or nobody was master yet for
    /// longer than one and somebody advertised who is no master, or several did. Each node may have half of the traffic, and
    /// whose fault that is, if anybody's, is not known.
    #[must_use]
    pub fn is_electing(&self, now: Timestamp) -> bool {
        let open = |v: &Vhid| {
            let rivals = v.sources.iter().filter(|s| s.missed(now) <= ELECTION).count();
            let undecided = rivals > 1 && !v.masters.are_several();
            !v.masters.was_led() && (undecided || rivals > 0 && v.master.is_none())
        };
        let ours = || self.vhids.values().filter(|v| v.ours());
        let masters = || ours().filter_map(Vhid::master_source);
        let fresh = |s: &Source| now.since(s.run_start) < s.interval.mul_f64(ELECTION);
        let first = masters().next().map(|s| s.node);
        let differ = || masters().any(|s| Some(s.node) != first);
        (masters().any(fresh) && differ()) || ours().any(open)
    }

    /// For how long nothing may come back to a node because another advertises the same addresses: a switch sends what is for them to
    /// who spoke last. One advertisement may be lost.
    #[must_use]
    pub fn deflected(&self, node: NodeId) -> Duration {
        let shared = self.vhids.values().filter(|v| v.ours() && v.masters.has(node));
        let own = shared.flat_map(|v| &v.sources).filter(|s| s.node == Some(node));
        own.map(|s| s.interval * 2).max().unwrap_or_default()
    }

    /// Whether nobody is heard on a segment where somebody was master: who is to blame for what, CARP then does not tell.
    #[must_use]
    pub fn deserted(&self) -> bool {
        self.vhids
            .values()
            .any(|v| v.ours() && v.master.is_none() && v.masters.was_led())
    }

    /// What is heard of a node.
    #[must_use]
    pub fn witness(&self, now: Timestamp, node: NodeId) -> Witness {
        let mut w = Witness {
            missed: f64::INFINITY,
            ..Witness::default()
        };
        let mut segments = BTreeMap::<usize, bool>::new();
        let alive = self.alive.get(node.index()).copied().unwrap_or(Timestamp::MIN);
        let (mut outlived, mut replaced, mut most) = (true, true, 0.0_f64);
        let mut taken = true;
        for (&(segment, _), vhid) in &self.vhids {
            // Another source may have settled as master since; that this one fell silent without yielding stands.
            let held = |s: &&Source| s.node == Some(node) && vhid.is_held_by(now, s);
            for s in vhid.sources.iter().filter(held) {
                let missed = s.missed(now);
                w.held += 1;
                w.present += u32::from(missed <= OVERDUE);
                w.missed = w.missed.min(missed);
                most = most.max(missed);
                taken &= vhid.is_led_by_another(node);
                *segments.entry(segment).or_insert(true) &= missed > 2.0;
                outlived &= alive > s.last + s.interval.mul_f64(DUE);
                replaced &= alive > vhid.master_since && vhid.is_led_by_another(node);
            }
        }
        w.segments = u32::try_from(segments.len()).unwrap_or(u32::MAX);
        w.gone = u32::try_from(segments.values().filter(|&&gone| gone).count()).unwrap_or(u32::MAX);
        w.replaced = w.held > 0 && taken;
        w.scattered = most > w.missed + SCATTERED;
        if w.held == 0 {
            w.missed = 0.0;
        } else if w.gone_everywhere() && outlived {
            w.outlived = true;
            // Others are master of all that was its own, and it lives: it is a backup, however it became one.
            if replaced {
                return Witness::default();
            }
        }
        w
    }

    /// What it is worth, in suspicion, that this node's advertisements are gone from a segment and go on on another: how
    /// improbable it is that as many in a row were lost on the way, and when the first of them was due. None while none are, or
    /// all.
    #[must_use]
    pub fn lost(&self, now: Timestamp, node: NodeId) -> Option<(f64, Timestamp)> {
        let held = || {
            let all = self.vhids.values().flat_map(|v| v.sources.iter().map(move |s| (v, s)));
            all.filter(|(v, s)| s.node == Some(node) && v.is_held_by(now, s))
                .map(|(_, s)| s)
        };
        let worth = |s: &Source| {
            let missed = s.missed(now);
            let worth = (-missed.floor().min(3.0) * s.loss().log10()).min(MOST_WORTH);
            (missed >= LOST_AFTER).then_some((worth, s.last + s.interval))
        };
        let present = held().any(|s| s.missed(now) <= OVERDUE);
        let most = held().filter_map(worth).max_by(|a, b| a.0.total_cmp(&b.0));
        most.filter(|_| present)
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
    /// node lost is silent for so long that it cannot be chance. A port through which somebody was `answered` after its
    /// advertisement was missing is not dead: it loses some.
    #[must_use]
    pub fn torn(&self, now: Timestamp, node: NodeId, answered: Timestamp) -> bool {
        let lost = self.vhids.values().filter(|v| v.robs(node));
        let clear = |s: &Source| {
            let answers = answered > s.last + s.interval + TOLD;
            let enough = if answers || s.lately.missing() >= LOSSY {
                CLEAR_IF_LOSSY
            } else {
                CLEAR
            };
            s.missed(now) >= enough
        };
        lost.flat_map(|v| &v.sources)
            .filter(|s| s.node == Some(node))
            .any(clear)
    }

    /// Whether a node just took over what another is still taken for the master of: what passes is on its way from one to the
    /// other.
    #[must_use]
    pub fn moves(&self, now: Timestamp) -> bool {
        let yields = |v: &Vhid| v.master_source().is_some_and(|s| s.node.is_some() && s.yields(now));
        self.vhids.values().any(yields)
    }

    /// Whether a node is master of something that has nothing to do with what is torn: it carried a share before.
    #[must_use]
    pub fn shares(&self, node: NodeId) -> bool {
        let apart = |v: &&Vhid| v.group.is_some() && v.group != self.torn;
        let mine = |v: &Vhid| v.master_source().is_some_and(|s| s.node == Some(node));
        self.torn.is_some() && self.vhids.values().filter(apart).any(mine)
    }

    /// Whether a node says of itself, as long as it is heard, that others are better.
    #[must_use]
    pub fn demoted(&self, now: Timestamp, node: NodeId) -> bool {
        let says = |s: &Source| s.node == Some(node) && s.demoted && s.missed(now) <= OVERDUE;
        self.vhids.values().flat_map(|v| &v.sources).any(says)
    }

    /// The vhids of the nodes of which somebody else is master, as (segment, vhid), and who, where that is known.
    pub fn held_beside(&self, node: NodeId) -> impl Iterator<Item = ((usize, u8), Option<NodeId>)> + '_ {
        self.beside(node).map(|(key, s)| (key, s.node))
    }

    /// What those masters last advertised, and on which segment.
    pub fn masters_beside(&self, node: NodeId) -> impl Iterator<Item = (usize, &Advert)> + '_ {
        self.beside(node).map(|((segment, _), s)| (segment, s.last_heard()))
    }

    fn beside(&self, node: NodeId) -> impl Iterator<Item = ((usize, u8), &Source)> + '_ {
        let ours = self.vhids.iter().filter(|(_, v)| v.ours());
        let masters = ours.filter_map(|(key, v)| Some((*key, v.master_source()?)));
        masters.filter(move |(_, s)| s.node != Some(node))
    }

    /// Whether what is heard of a node, or of others where it advertises, may have been said by anybody far away.
    #[must_use]
    pub fn is_hearsay(&self, node: NodeId) -> bool {
        let has = |v: &&Vhid| v.sources.iter().any(|s| s.node == Some(node));
        self.vhids.values().filter(has).any(|v| v.hearsay)
    }

    /// Whether a node lost something that it did not give away.
    #[must_use]
    pub fn robbed(&self, node: NodeId) -> bool {
        self.vhids.values().any(|v| v.robs(node))
    }

    /// Whether something of ours had a master a moment ago and has none: who is master of all the rest is not of all.
    #[must_use]
    pub fn vacant(&self, now: Timestamp) -> bool {
        let lately = |v: &Vhid| {
            v.sources
                .iter()
                .any(|s| s.node.is_some() && now.since(s.last) <= VACANCY)
        };
        self.vhids.values().any(|v| v.master.is_none() && lately(v))
    }

    /// Whether a node advertises something that another node is master of too.
    #[must_use]
    pub fn is_beside_another(&self, node: NodeId) -> bool {
        self.vhids.values().any(|v| v.masters.has(node))
    }

    /// Segments on which a node is master, and how many segments have a master at all.
    #[must_use]
    pub fn mastership(&self, node: NodeId) -> (usize, usize) {
        // Somebody else's pair on the same net is no business of ours.
        let masters = || self.vhids.values().filter(|v| v.ours()).filter_map(Vhid::master_source);
        (masters().filter(|s| s.node == Some(node)).count(), masters().count())
    }
}
