//! Who advertises what on each CARP segment: mastership, yielding, absence, and whether a pair is unsynchronised.
//!
//! Fed by the engine with advertisements that passed TTL, checksum and (where a password is known) HMAC. Answers what
//! detect and decide ask about a node. A source whose address stands in exactly one node's `local` belongs to that
//! node, and so does one of the other address family that advertises in step with it; any other is shown, is no witness
//! and makes nobody yield. Never reads a clock.

mod advert;
mod echo;
mod groups;
mod masters;
mod queue;
mod source;
#[cfg(test)]
mod tests;
mod vhid;
mod witness;

use crate::event::place::places;
use crate::event::{Event, NodeId, Notice, NoticeKind};
use crate::time::Timestamp;
pub use advert::{Advert, Protocol};
use queue::Queue;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use vhid::{MAX_SOURCES, Vhid};
pub use witness::Witness;

/// Of more vhids than this those that are due are settled together, so long after the last time.
const MANY: usize = 64;
const RESPITE: Duration = Duration::from_millis(10);
/// Addresses beside those in `local` that are remembered as a node's; more are invented.
const MAX_KIN: usize = 256;
/// Intervals without an advertisement from which nothing is concluded yet but that a node died.
const PATIENCE: f64 = 3.0;
/// An advertisement is overdue after this many of its intervals (timer slack, one lost frame is the next level).
const OVERDUE: f64 = 1.3;

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
    /// When it was first seen, which may be later than its onset.
    divided_at: Timestamp,
    /// The group that is torn.
    torn: Option<usize>,
    reported: bool,
    foreign: Vec<bool>,
    /// Addresses in nobody's `local` that advertise in step with a node, by segment.
    kin: BTreeMap<(usize, IpAddr), NodeId>,
    /// Names of the segments.
    names: Vec<String>,
    /// When each vhid is to be looked at.
    queue: Queue,
    /// When those that were due were last looked at.
    settled: Timestamp,
    /// When all were last looked at together, when that is to be done again, and whether a master changed since.
    regrouped: Timestamp,
    regroup: Timestamp,
    moved: bool,
    /// It was told that too many advertise one vhid.
    crowded: bool,
    /// It was told that vhids never had a common master.
    apart: bool,
    /// When the pfsync of each node was last heard.
    alive: Vec<Timestamp>,
    /// When anybody's pfsync or CARP was.
    heard: Timestamp,
    /// Nobody is configured: all addresses are strangers, and each may be a firewall.
    anonymous: bool,
    /// Advertisements that came back to their sender.
    reflected: BTreeMap<(usize, u8), u64>,
}

impl CarpView {
    /// An empty view of segments with these names.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    /// A segment that was not known before.
    pub fn name(&mut self, segment: usize, name: &str) {
        if self.names.len() <= segment {
            self.names.resize(segment + 1, String::new());
        }
        name.clone_into(&mut self.names[segment]);
    }

    /// Where nobody is configured, whose advertisements they are cannot be asked.
    #[must_use]
    pub fn anonymous(self, anonymous: bool) -> Self {
        Self { anonymous, ..self }
    }

    /// In which protocol a vhid was last advertised.
    #[must_use]
    pub fn protocol(&self, segment: usize, vhid: u8) -> Option<Protocol> {
        let sources = &self.vhids.get(&(segment, vhid))?.sources;
        let last = sources.iter().max_by_key(|s| (s.node.is_some(), s.last))?;
        Some(last.last_heard().protocol)
    }

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

    /// An advertisement. Returns whose it is.
    pub fn advertisement(
        &mut self,
        now: Timestamp,
        segment: usize,
        addr: IpAddr,
        node: Option<NodeId>,
        ad: impl Into<Advert>,
        out: &mut Vec<Event>,
    ) -> Option<NodeId> {
        let ad = ad.into();
        let key = (segment, ad.vhid);
        self.heard = self.heard.max(now);
        let vhid = self.vhids.entry(key).or_default();
        // Addresses of another family are in nobody's `local` where they are link-local: the same clock, counter and
        // skew tell whose they are.
        let node = node.or_else(|| self.kin.get(&(segment, addr)).copied()).or_else(|| {
            let node = vhid.sources.iter().find(|s| s.in_step(now, addr, &ad))?.node?;
            (self.kin.len() < MAX_KIN).then(|| self.kin.insert((segment, addr), node));
            Some(node)
        });
        if self.anonymous {
            vhid.pair_up(now, addr, &ad);
        }
        let crowded = vhid.hear(now, addr, node, &ad);
        if node.is_none() {
            self.note_foreign(now, segment, addr, out);
        }
        if crowded && !std::mem::replace(&mut self.crowded, true) {
            let place = self.place(key);
            let text = format!(
                "more than {MAX_SOURCES} addresses advertise {place}: the oldest are forgotten, those of configured nodes last"
            );
            out.push(Event::Notice(Notice::new(now, NoticeKind::Limit, text)));
        }
        self.settle_one(now, key, out);
        self.settle_groups(now, out);
        node
    }

    /// An advertisement that does not count, of the owner of an address. Whose it is, if it took the place of those that did.
    pub fn discount(
        &mut self,
        now: Timestamp,
        key: (usize, u8),
        addr: IpAddr,
        node: Option<NodeId>,
        out: &mut Vec<Event>,
    ) -> Option<NodeId> {
        let node = node.or_else(|| self.kin.get(&(key.0, addr)).copied())?;
        let goes_on = self.vhids.get_mut(&key)?.discount(now, node);
        self.settle_one(now, key, out);
        goes_on.then_some(node)
    }

    /// `lan vhid 1`.
    fn place(&self, (segment, vhid): (usize, u8)) -> String {
        places([(self.names.get(segment).map_or("", String::as_str), vhid)])
    }

    /// What was just heard of a vhid came through a router, unsigned: anybody far away may have said it.
    pub fn hearsay(&mut self, key: (usize, u8)) {
        if let Some(vhid) = self.vhids.get_mut(&key) {
            vhid.hearsay = true;
        }
    }

    /// Leaves a vhid out, as if it had never been heard.
    pub fn forget(&mut self, now: Timestamp, key: (usize, u8), out: &mut Vec<Event>) {
        let Some(mut vhid) = self.vhids.remove(&key) else {
            return;
        };
        self.queue.set(key, None);
        self.moved = true;
        vhid.masters.end(now, key, out);
        if vhid.master.is_some() {
            out.push(Event::Master {
                at: now,
                segment: key.0,
                vhid: key.1,
                master: None,
                since: now,
            });
        }
    }

    /// Nothing is concluded any more from what is not heard: conditions that stand end here.
    pub fn close(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        for (key, vhid) in &mut self.vhids {
            vhid.masters.end(now, *key, out);
        }
    }

    /// Keeps what is known of these segments alone.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let queue = &mut self.queue;
        self.vhids.retain(|key, _| {
            let keep = keep(key.0);
            if !keep {
                queue.set(*key, None);
            }
            keep
        });
    }

    /// For how long the masters of these segments may keep silent before something is concluded from it.
    #[must_use]
    pub fn patience(&self, of: impl Fn(usize) -> bool) -> Duration {
        let masters = self
            .vhids
            .iter()
            .filter(|(key, _)| of(key.0))
            .filter_map(|(_, v)| v.master_source());
        let longest = masters.map(|s| s.interval).max().unwrap_or(Duration::from_secs(1));
        longest.mul_f64(PATIENCE)
    }

    fn note_foreign(&mut self, now: Timestamp, segment: usize, addr: IpAddr, out: &mut Vec<Event>) {
        if self.foreign.len() <= segment {
            self.foreign.resize(segment + 1, false);
        }
        if !std::mem::replace(&mut self.foreign[segment], true) {
            let text = format!("foreign: {addr} advertises CARP and belongs to no configured node; it is no witness");
            out.push(Event::Notice(Notice::new(now, NoticeKind::Foreign, text)));
        }
    }

    /// We were blind for `length` until `now`: what was missed meanwhile is not missing.
    pub fn forgive(&mut self, now: Timestamp, length: Duration) {
        let missed = self.vhids.values_mut().filter(|v| !v.masters.is_vacant());
        missed.for_each(|v| v.forgive(now, length));
        self.moved = true;
    }

    /// Moves masterships on, of those that are due, and reports an unsynchronised pair.
    pub fn settle(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        self.settled = now;
        while let Some(key) = self.queue.pop(now) {
            self.settle_one(now, key, out);
        }
        self.settle_groups(now, out);
    }

    fn settle_one(&mut self, now: Timestamp, key: (usize, u8), out: &mut Vec<Event>) {
        let Some(vhid) = self.vhids.get_mut(&key) else { return };
        if vhid.advance(now, self.heard) {
            self.moved |= vhid.ours();
            out.push(Event::Master {
                at: now,
                segment: key.0,
                vhid: key.1,
                master: vhid.master,
                since: vhid.master_since,
            });
        }
        // Whose it is of two masters hangs on the others of its group, and when one stops on who is left.
        self.moved |= vhid
            .masters
            .look(now, key, &vhid.sources, (self.anonymous, self.heard), out);
        self.queue.set(key, vhid.next_deadline(now));
    }

    /// Looks at all vhids together, where something moved or has stood for long enough; of many not all the time.
    fn settle_groups(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let due = self.moved || now >= self.regroup;
        if due && (self.vhids.len() <= MANY || now >= self.regrouped + RESPITE) {
            (self.moved, self.regrouped) = (false, now);
            self.regroup(now);
            self.compare(now, out);
            self.regroup = self.next_regroup(now);
        }
    }

    /// When what nodes advertise will be missing for so long that silence means something, if nothing comes.
    #[must_use]
    pub fn next_missing(&self, now: Timestamp) -> Option<Timestamp> {
        let masters = self.vhids.values().filter_map(|v| v.master_source());
        let nodes = masters.filter(|s| s.node.is_some());
        let due = nodes.flat_map(|s| [2.21, 3.21].map(|n| s.last + s.interval.mul_f64(n)));
        due.filter(|&t| t > now).min()
    }

    /// When `settle` must be called again.
    #[must_use]
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let many = self.vhids.len() > MANY;
        let due = self
            .queue
            .next()
            .map(|t| if many { t.max(self.settled + RESPITE) } else { t });
        let split = self
            .split
            .filter(|_| !self.reported)
            .map(|_| self.divided_at + groups::UNSYNC_AFTER)
            .filter(|&t| t > now);
        let put_off = self.moved.then(|| self.regrouped + RESPITE);
        [due, split, put_off].into_iter().flatten().min()
    }
}
