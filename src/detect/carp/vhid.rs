//! One vhid on one segment: its advertisers, and who of them is master.
//!
//! Told of advertisements and times by `CarpView`.

use super::OVERDUE;
use super::advert::Advert;
use super::masters::{Masters, due};
use super::source::{DEAF, LOST, Source};
use crate::event::NodeId;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// Sources remembered per vhid; more are somebody's games.
pub(super) const MAX_SOURCES: usize = 8;
/// Intervals after which a node that speaks another protocol has changed it.
const FORGOTTEN: f64 = 3.0;

#[derive(Clone, Debug, Default)]
pub(super) struct Vhid {
    pub(super) sources: Vec<Source>,
    /// The settled master's address.
    pub(super) master: Option<IpAddr>,
    pub(super) master_since: Timestamp,
    pub(super) group: Option<usize>,
    pub(super) masters: Masters,
    /// Some of it came through routers, unsigned.
    pub(super) hearsay: bool,
}

impl Vhid {
    pub(super) fn source(&self, addr: IpAddr) -> Option<&Source> {
        self.sources.iter().find(|s| s.addr == addr)
    }

    /// A configured node was heard on it.
    pub(super) fn ours(&self) -> bool {
        self.nodes().next().is_some()
    }

    fn nodes(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|s| s.node.is_some())
    }

    /// A node was master of it, is no more, and did not give it away.
    pub(super) fn robs(&self, node: NodeId) -> bool {
        self.sources.iter().any(|s| self.took_from(node, s) && !s.unheard)
    }

    /// The same, or we did not hear how it went.
    pub(super) fn is_lost_to(&self, node: NodeId) -> bool {
        self.sources.iter().any(|s| self.took_from(node, s))
    }

    /// However little we heard of it: the node gave nothing away.
    pub(super) fn convict(&mut self, node: NodeId) {
        let mine = self.sources.iter_mut().filter(|s| s.node == Some(node));
        mine.for_each(|s| s.unheard = false);
    }

    /// We were deaf for `length` until `now`.
    pub(super) fn forgive(&mut self, now: Timestamp, length: Duration) {
        let master = self.master_source().map(|m| *m.last_heard());
        for s in &mut self.sources {
            let ad = s.last_heard();
            let worse = master.is_some_and(|m| m.protocol == ad.protocol && m.pace > ad.pace);
            s.forgive(now, length, worse);
        }
    }

    fn took_from(&self, node: NodeId, s: &Source) -> bool {
        let lost = s.node == Some(node) && s.reigned && !s.yielded && self.master != Some(s.addr);
        // Who still advertises, beside another, lost nothing.
        lost && !self.masters.has(node)
    }

    /// A source is master of it, or was until it fell silent without giving way, as we heard.
    pub(super) fn is_held_by(&self, now: Timestamp, s: &Source) -> bool {
        let missing = || s.missed(now) <= LOST && !s.unheard;
        s.reigned && !s.yielded && (self.master == Some(s.addr) || missing())
    }

    /// Another node is settled as master.
    pub(super) fn is_led_by_another(&self, node: NodeId) -> bool {
        self.master_source().is_some_and(|m| m.node.is_some_and(|n| n != node))
    }

    /// Whose it is: of several masters at once it is still that of the one who has the others of its group.
    pub(super) fn leader(&self, common: Option<NodeId>) -> Option<NodeId> {
        let still = common.filter(|&node| self.masters.has(node));
        still.or_else(|| self.master_source()?.node)
    }

    pub(super) fn master_source(&self) -> Option<&Source> {
        self.source(self.master?)
    }

    /// Both address families of somebody whom nobody knows are one, too.
    pub(super) fn pair_up(&mut self, now: Timestamp, addr: IpAddr, ad: &Advert) {
        let free = |s: &Source| s.addr != addr && s.twin.is_none_or(|t| t == addr);
        if let Some(s) = self.sources.iter_mut().find(|s| free(s) && s.in_step(now, addr, ad)) {
            s.twin = Some(addr);
            self.sources.retain(|s| s.addr != addr);
        }
    }

    /// An advertisement, of a node where that is known. Whether somebody was forgotten for it, or it was.
    pub(super) fn hear(&mut self, now: Timestamp, addr: IpAddr, node: Option<NodeId>, ad: &Advert) -> bool {
        let mut crowded = false;
        // Before it was known whose it is, it was heard as a stranger.
        self.sources
            .retain(|s| node.is_none() || s.addr != addr || s.node.is_some());
        let is = |s: &Source| s.addr == addr || s.twin == Some(addr);
        let same = |s: &Source| if node.is_some() { s.node == node } else { is(s) };
        // A node that speaks both protocols is judged by the one that it began with.
        let other = |s: &Source| same(s) && s.last_heard().protocol != ad.protocol && s.uncounted(now) <= FORGOTTEN;
        if let Some(i) = self.sources.iter().position(other) {
            self.sources[i].discount(now);
            return crowded;
        }
        let index = if let Some(i) = self.sources.iter().position(same) {
            if self.masters.goes_on(now, &self.sources[i]) {
                self.sources[i].yielded = false;
            }
            self.sources[i].hear(now, node, ad);
            i
        } else {
            if self.sources.len() >= MAX_SOURCES {
                // Invented sources push out each other, never a node's.
                let rank = |&i: &usize| (self.sources[i].node.is_some(), self.sources[i].last);
                let oldest = (0..self.sources.len()).min_by_key(rank).unwrap_or(0);
                crowded = true;
                if self.sources[oldest].node.is_some() && node.is_none() {
                    return crowded;
                }
                self.sources.swap_remove(oldest);
            }
            self.sources.push(Source::new(now, addr, node, ad));
            self.sources.len() - 1
        };
        // Nor is a stranger believed that it will be long in coming: it would be taken for a master all that time.
        if let Some(longest) = self.nodes().map(|s| s.interval).max() {
            for s in self.sources.iter_mut().filter(|s| s.node.is_none()) {
                s.interval = s.interval.min(longest);
            }
        }
        // What a stranger says makes nobody yield: anybody can say it.
        if node.is_some() {
            let rival = self.sources[index].clone();
            for s in self.sources.iter_mut().filter(|s| s.addr != rival.addr) {
                s.not_alone(now);
                if !s.yielded && Some(s.addr) == self.master && s.gives_way_to(now, &rival) {
                    s.contest(now);
                }
            }
        }
        crowded
    }

    /// An advertisement of a node that does not count; whether it took the place of those that did.
    pub(super) fn discount(&mut self, now: Timestamp, node: NodeId) -> bool {
        let mut sources = self.sources.iter_mut();
        sources.find(|s| s.node == Some(node)).is_some_and(|s| s.discount(now))
    }

    /// Settles who is master; true if that changed. Anybody at all was last heard at `heard`.
    pub(super) fn advance(&mut self, now: Timestamp, heard: Timestamp) -> bool {
        let before = self.master;
        let fell = |s: &Source| self.nodes().any(|rival| s.fell_beside(now, rival));
        if let Some(i) = self.sources.iter().position(fell) {
            self.sources[i].take_back();
        }
        let live = |s: &&Source| !s.yielded && s.missed(now) <= OVERDUE;
        let node_lives = self.nodes().any(|s| live(&s));
        if let Some(m) = self.master.and_then(|m| self.sources.iter_mut().find(|s| s.addr == m)) {
            let missed = m.missed(now);
            if (m.contested || m.demoted) && missed > OVERDUE {
                m.give_way();
            }
            // Two who advertise at the same time: the one that was there stays until it stops, if it is no stranger.
            if !m.yielded && missed <= OVERDUE && (m.node.is_some() || !node_lives) {
                m.reign();
                return false;
            }
        }
        let newest = self
            .sources
            .iter()
            .filter(live)
            .max_by_key(|s| (s.node.is_some(), s.run_start, s.addr))
            .map(|s| (s.addr, s.run_start));
        if let Some((addr, run_start)) = newest {
            if Some(addr) != before {
                let since = if run_start > self.master_since { run_start } else { now };
                // Beside the one that was there it was no more than a second master.
                let since = self.master_source().map_or(since, |old| since.max(old.spoke));
                (self.master, self.master_since) = (Some(addr), since);
            }
        } else if self
            .master_source()
            .is_none_or(|s| s.yielded || s.absent(now, 3.2, heard))
            && before.is_some()
        {
            let since = self.master_source().map_or(now, due);
            (self.master, self.master_since) = (None, since);
        }
        self.master != before
    }

    /// When it must be looked at again, if nothing comes.
    pub(super) fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let missing = |s: &Source| [OVERDUE + 0.01, 2.21, 3.21, DEAF + 0.01].map(|n| s.last + s.interval.mul_f64(n));
        let master = self.master_source().map(missing).into_iter().flatten();
        let masters = self.masters.deadlines(&self.sources);
        master.chain(masters).filter(|&t| t > now).min()
    }
}
