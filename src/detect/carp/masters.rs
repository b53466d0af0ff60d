//! How many masters a vhid has: two at once is a split brain, none is a gap in the service. Both are conditions with a
//! beginning and an end.
//!
//! Kept by `vhid`, asked after each advertisement and when one is overdue. Blames nobody and moves nothing.

use super::source::Source;
use crate::event::{Advertiser, Event, NodeId};
use crate::time::Timestamp;
use std::net::IpAddr;

/// Of its own intervals, for how many each must advertise beside another; a master that gives way says one more at most.
const BESIDE: f64 = 2.1;
/// The same where nobody is configured, so that not even the networks are told apart.
const BESIDE_STRANGER: f64 = 5.0;
/// Intervals without an advertisement after which its sender has stopped; fewer are late or lost.
const STOPPED: f64 = 3.0;
/// Intervals without any after which nobody is master; a backup waits for three and up to a second more.
const VACANT: f64 = 4.5;
/// Timers must have run out when they are looked at.
const SLACK: f64 = 0.01;

/// The conditions of one vhid that stand, and were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Masters {
    /// Several at once, since when.
    several: Option<(Timestamp, Vec<Advertiser>)>,
    /// Nobody, since when.
    none: Option<Timestamp>,
    /// Somebody that counts was master for longer than an election.
    led: bool,
}

fn two_masters(
    at: Timestamp,
    (segment, vhid): (usize, u8),
    (since, until): (Timestamp, Option<Timestamp>),
    who: Vec<Advertiser>,
) -> Event {
    Event::TwoMasters {
        at,
        segment,
        vhid,
        since,
        until,
        who,
    }
}

fn no_master(at: Timestamp, (segment, vhid): (usize, u8), since: Timestamp, until: Option<Timestamp>) -> Event {
    Event::NoMaster {
        at,
        segment,
        vhid,
        since,
        until,
    }
}

impl Masters {
    /// Looks at who advertises; `anonymous`: nobody is configured, so that every address counts; `heard`: when anybody at all was
    /// last heard. Tells what begins or ends; true if other nodes are several masters than before, or none.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        key: (usize, u8),
        sources: &[Source],
        (anonymous, heard): (bool, Timestamp),
        out: &mut Vec<Event>,
    ) -> bool {
        let counts = |s: &&Source| anonymous || s.node.is_some();
        let beside = if anonymous { BESIDE_STRANGER } else { BESIDE };
        self.led |= sources.iter().filter(counts).any(|s| s.reigned);
        let live = sources.iter().filter(counts).filter(|s| self.goes_on(now, s));
        let several = several(live, beside, anonymous);
        let told = out.len();
        self.tell_several(now, key, several, sources, out);
        let changed = out.len() > told;
        let last = sources.iter().max_by_key(|s| s.last);
        let vacant = last.filter(|s| self.led && s.absent(now, VACANT, heard)).map(due);
        match (self.none, vacant) {
            (None, Some(since)) => {
                self.none = Some(since);
                out.push(no_master(now, key, since, None));
            }
            (Some(since), None) => {
                self.none = None;
                let until = Some(last.map_or(now, |s| s.run_start.max(since)));
                out.push(no_master(now, key, since, until));
            }
            _ => {}
        }
        changed
    }

    fn tell_several(
        &mut self,
        at: Timestamp,
        key: (usize, u8),
        several: Option<(Timestamp, Vec<Advertiser>)>,
        sources: &[Source],
        out: &mut Vec<Event>,
    ) {
        let tell = |since, until, who: &[Advertiser]| two_masters(at, key, (since, until), who.to_vec());
        match (&mut self.several, several) {
            (None, Some((since, who))) => {
                out.push(tell(since, None, &who));
                self.several = Some((since, who));
            }
            // Whoever joins or leaves while two go on changes who they are, not since when.
            (Some((since, before)), Some((_, who))) if *before != who => {
                out.push(tell(*since, None, &who));
                *before = who;
            }
            (Some((since, who)), None) => {
                let last = |a: &Advertiser| sources.iter().find(|s| s.addr == a.address).map(|s| s.spoke);
                let until = who.iter().filter_map(last).min().unwrap_or(at).max(*since);
                out.push(tell(*since, Some(until), who));
                self.several = None;
            }
            _ => {}
        }
    }

    /// The vhid is left out from now on: what was said of it ends.
    pub(super) fn end(&mut self, now: Timestamp, key: (usize, u8), out: &mut Vec<Event>) {
        let two = self.several.take();
        out.extend(two.map(|(since, who)| two_masters(now, key, (since, Some(now)), who)));
        let none = self.none.take();
        out.extend(none.map(|since| no_master(now, key, since, Some(now))));
    }

    /// Whether somebody was master for longer than an election.
    pub(super) const fn was_led(&self) -> bool {
        self.led
    }

    /// Whether a source is heard. One of several that falls silent for a moment gave way to nobody, if it goes on.
    pub(super) fn goes_on(&self, now: Timestamp, s: &Source) -> bool {
        let mut several = self.several.iter().flat_map(|(_, who)| who);
        let mut late = || !s.last_heard().bow_out && several.any(|a| a.address == s.addr);
        s.missed(now) <= STOPPED && (!s.yielded || late())
    }

    /// A node is one of several.
    pub(super) fn has(&self, node: NodeId) -> bool {
        let several = self.several.iter().flat_map(|(_, who)| who);
        several.into_iter().any(|a| a.node == Some(node))
    }

    /// There were several when last looked at.
    pub(super) const fn are_several(&self) -> bool {
        self.several.is_some()
    }

    /// Nobody was master when last looked at.
    pub(super) fn is_vacant(&self) -> bool {
        self.none.is_some()
    }

    /// When to look again, if nothing comes.
    pub(super) fn deadlines(&self, sources: &[Source]) -> impl Iterator<Item = Timestamp> {
        let after = |s: &Source, intervals: f64| s.last + s.interval.mul_f64(intervals + SLACK);
        let stop = self
            .several
            .as_ref()
            .map(|_| sources.iter().map(move |s| after(s, STOPPED)));
        let last = sources.iter().max_by_key(|s| s.last);
        let empty = last
            .filter(|_| self.led && self.none.is_none())
            .map(|s| after(s, VACANT));
        stop.into_iter().flatten().chain(empty)
    }
}

/// When the first one that is missing should have come; who said farewell promised none.
pub(super) fn due(s: &Source) -> Timestamp {
    if s.yielded { s.last } else { s.last + s.interval }
}

/// Those who go on advertising beside each other, and since when there were two of them.
fn several<'a>(
    live: impl Iterator<Item = &'a Source>,
    beside: f64,
    anonymous: bool,
) -> Option<(Timestamp, Vec<Advertiser>)> {
    let mut live: Vec<&Source> = live.collect();
    live.sort_by_key(|s| (s.run_start, s.addr));
    let (first, since) = (live.first()?.addr, live.get(1)?.run_start);
    let goes_on = |s: &&&Source| {
        let length = s.spoke.since(since.max(s.run_start)).as_secs_f64();
        length >= s.interval.as_secs_f64() * beside && (!anonymous || near(s.addr, first))
    };
    let who = |s: &&Source| Advertiser {
        address: s.addr,
        node: s.node,
    };
    let mut who: Vec<Advertiser> = live.iter().filter(goes_on).map(who).collect();
    who.sort_by_key(|a| (a.node, a.address));
    (who.len() > 1).then_some((since, who))
}

/// Whether two addresses may be of one network, where nobody says which there are: one capture may hold several.
fn near(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..2] == b.octets()[..2],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..3] == b.segments()[..3],
        _ => false,
    }
}
