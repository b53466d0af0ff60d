//! One advertiser of one vhid: what it promised, what of it came, and whether it gave way.
//!
//! Kept by `vhid`; knows nothing of the other advertisers.

use super::OVERDUE;
use super::advert::Advert;
use crate::detect::lately::Lately;
use crate::event::NodeId;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// An advskew that stood this long is the usual one.
const USUAL: Duration = Duration::from_secs(60);
/// The advertisements of both address families leave within microseconds; captured, within this.
const STEP: Duration = Duration::from_millis(20);
/// A node that is heard again sooner than this part of its interval sent the other family's advertisement.
const TWIN: f64 = 0.3;
/// Intervals within which a new rival is noticed, if it is heard at all.
const NOTICED: f64 = 2.5;
/// Intervals through which somebody advertises alone before that is a mastership; less is an election. And that a backup waits
/// for a master that it does not hear any more, timers being what they are.
const SETTLED: f64 = 2.9;
/// Intervals after which what does not count no longer takes the place of what did, and who said one word does not go on.
const CARRIES_ON: f64 = 2.2;
/// Intervals after which silence of everybody is told as what it is, too.
pub(super) const DEAF: f64 = 6.0;
/// Contests that are no further apart are one.
const CONTEST: Duration = Duration::from_secs(10);
/// Advertisements over which losses are counted.
const MEMORY: f64 = 4_000.0;
/// No segment is trusted further than this; what is missed tends to be missed in a row.
pub(super) const LEAST_LOSS: f64 = 2e-3;
/// Intervals after which a mastership that another node took over is history.
pub(super) const LOST: f64 = 30.0;

/// One advertiser of one vhid.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The first address that it was heard from: a node has one per address family.
    pub(super) addr: IpAddr,
    /// Its address of the other family, where nobody is configured.
    pub(super) twin: Option<IpAddr>,
    pub(super) node: Option<NodeId>,
    pub(super) run_start: Timestamp,
    /// When it was last heard, or was forgiven that it was not.
    pub(super) last: Timestamp,
    /// When it was last heard.
    pub(super) spoke: Timestamp,
    /// When what it said last counted.
    counted: Timestamp,
    /// Something of it that does not count came since, and when that last came beside what does.
    discounted: bool,
    mixed: Timestamp,
    pub(super) interval: Duration,
    usual_skew: u8,
    /// The last advertisement.
    ad: Advert,
    skew_since: Timestamp,
    pub(super) demoted: bool,
    pub(super) yielded: bool,
    pub(super) contested: bool,
    /// It went on until we were deaf, and is not heard since: whether it gave way meanwhile, or was lost, nobody knows.
    pub(super) unheard: bool,
    /// When another last contested it, and the first time of several.
    last_contest: Timestamp,
    contest: Timestamp,
    /// Since when no other node advertised beside it.
    alone_since: Timestamp,
    /// Was master for longer than an election takes, and has not given way since.
    pub(super) reigned: bool,
    /// It had reigned when it gave way, and was heard no more.
    displaced: bool,
    /// Advertisements that came, and that were missing between them while it was master: how lossy this segment is.
    came: f64,
    missing: f64,
    /// Share of the last dozen that was missing.
    pub(super) lately: Lately,
}

impl Source {
    pub(super) fn new(now: Timestamp, addr: IpAddr, node: Option<NodeId>, ad: &Advert) -> Self {
        Self {
            addr,
            twin: None,
            node,
            run_start: now,
            last: now,
            spoke: now,
            counted: now,
            discounted: false,
            mixed: Timestamp::MIN,
            interval: ad.interval,
            usual_skew: ad.advskew,
            ad: *ad,
            skew_since: now,
            demoted: ad.demote > 0 || ad.bow_out,
            yielded: ad.bow_out,
            contested: false,
            unheard: false,
            last_contest: Timestamp::MIN,
            contest: Timestamp::MIN,
            alone_since: now,
            reigned: false,
            displaced: false,
            came: 0.0,
            missing: 0.0,
            lately: Lately::default(),
        }
    }

    /// The last advertisement.
    pub(super) const fn last_heard(&self) -> &Advert {
        &self.ad
    }

    /// One more advertisement.
    pub(super) fn hear(&mut self, now: Timestamp, node: Option<NodeId>, ad: &Advert) {
        if self.missed(now) > 3.0 || self.yielded {
            (self.run_start, self.alone_since) = (now, now);
        }
        if self.ad.advskew != ad.advskew {
            self.skew_since = now;
        }
        // A skew that stands is the usual one, whatever it was before.
        if ad.advskew < self.usual_skew || now.since(self.skew_since) >= USUAL {
            self.usual_skew = ad.advskew;
        }
        self.demoted = ad.demote > 0 || ad.advskew > self.usual_skew || ad.bow_out;
        if self.missed(now) > TWIN {
            self.count(now);
        }
        // The announced interval of a bow-out (255 s) is no promise.
        if !ad.bow_out {
            self.interval = ad.interval;
        }
        if std::mem::take(&mut self.discounted) {
            self.mixed = now;
        }
        (self.last, self.spoke, self.counted) = (now, now, now);
        (self.yielded, self.displaced, self.unheard) = (ad.bow_out, false, false);
        self.reigned &= !ad.bow_out;
        // What crossed the first word of a rival does not say that this was not heard.
        self.contested &= now.since(self.contest) < self.interval.mul_f64(TWIN);
        self.node = node;
        self.ad = *ad;
    }

    /// An advertisement of it came that does not count. Whether it took the place of those that did: that shows that its sender
    /// goes on. Beside them anybody may have said it.
    pub(super) fn discount(&mut self, now: Timestamp) -> bool {
        self.discounted = true;
        let mixed = now.since(self.mixed) <= self.interval.mul_f64(LOST);
        let goes_on = !self.yielded && !mixed && self.missed(now) <= CARRIES_ON;
        if goes_on {
            (self.last, self.spoke) = (now, now);
            (self.contested, self.unheard) = (false, false);
        }
        goes_on
    }

    /// Age of the last advertisement that counted, in intervals.
    pub(super) fn uncounted(&self, now: Timestamp) -> f64 {
        now.since(self.counted).as_secs_f64() / self.interval.as_secs_f64()
    }

    /// Whether an advertisement from an address of the other family has the same sender: it came with the last one and
    /// says the same, its counter (FreeBSD: one for both families; OpenBSD: constant) included.
    pub(super) fn in_step(&self, now: Timestamp, addr: IpAddr, ad: &Advert) -> bool {
        let says = |c: &Advert| (c.protocol, c.advskew, c.advbase, c.demote);
        // Without a counter nothing tells that two who tie are two.
        let (Some(one), Some(other)) = (self.ad.counter, ad.counter) else {
            return false;
        };
        let apart = other.wrapping_sub(one);
        self.addr.is_ipv6() != addr.is_ipv6()
            && now.since(self.last) <= STEP
            && says(ad) == says(&self.ad)
            && apart.wrapping_add(1) <= 2
    }

    /// Whether this one's silence may be because it heard the other's advertisement.
    pub(super) fn gives_way_to(&self, now: Timestamp, rival: &Self) -> bool {
        // A better master, the one with the shorter interval (VRRP: the higher priority), wins whenever it comes. An equal one does too, unless it waited
        // for the three intervals that a crash leaves.
        let waited = now.since(self.last).as_secs_f64() >= rival.interval.as_secs_f64() * SETTLED;
        let (mine, theirs) = (self.ad.pace, rival.ad.pace);
        if self.ad.protocol == rival.ad.protocol && (theirs < mine || (theirs == mine && !waited)) {
            return true;
        }
        // When it fell silent nobody heard.
        if self.unheard {
            return false;
        }
        // Before its own next one was due (a crash leaves 3 intervals of nothing); but whoever went on advertising
        // beside the rival does not hear it or need not care.
        let begun = rival.run_start.max(rival.skew_since);
        self.missed(now) <= 1.0 && self.last <= begun + rival.interval.mul_f64(NOTICED)
    }

    /// Another advertises so that this one may fall silent because of it.
    pub(super) fn contest(&mut self, now: Timestamp) {
        if now.since(self.last_contest) > CONTEST {
            self.contest = now;
        }
        (self.contested, self.last_contest) = (true, now);
    }

    /// A rival advertises beside it.
    pub(super) fn not_alone(&mut self, now: Timestamp) {
        self.alone_since = now;
    }

    /// It is taken for the master: it reigns, once it advertised alone for longer than an election takes.
    pub(super) fn reign(&mut self) {
        let alone = self.last.since(self.alone_since).as_secs_f64();
        self.reigned |= alone >= self.interval.as_secs_f64() * SETTLED;
    }

    /// It gave way.
    pub(super) fn give_way(&mut self) {
        self.displaced = self.reigned && !self.demoted;
        (self.yielded, self.reigned, self.last_contest) = (true, false, Timestamp::MIN);
    }

    /// Whether that was no giving way: no master yields to a worse one, and the one that came said a single word and no more.
    pub(super) fn fell_beside(&self, now: Timestamp, rival: &Self) -> bool {
        let single = rival.spoke == rival.run_start && rival.missed(now) > CARRIES_ON;
        let beside = rival.run_start >= self.spoke && rival.run_start.since(self.spoke) <= self.interval;
        self.displaced && single && beside && self.ad.protocol == rival.ad.protocol && rival.ad.pace > self.ad.pace
    }

    /// It did not give way after all.
    pub(super) fn take_back(&mut self) {
        (self.yielded, self.reigned, self.displaced) = (false, true, false);
    }

    /// We were deaf for `length` until `now`: what was missed meanwhile is not missing. Nor did it give way to a `worse` one just
    /// before: that is told by times, which may have been those of a clock that was set.
    pub(super) fn forgive(&mut self, now: Timestamp, length: Duration, worse: bool) {
        self.contested = false;
        if self.displaced && worse && now.since(self.spoke) <= CONTEST {
            self.take_back();
            self.unheard = true;
        }
        if self.missed(now - length) <= OVERDUE {
            (self.last, self.unheard) = (now, true);
        } else {
            // It was missing before, and goes on to be.
            self.last = self.last + length;
        }
    }

    /// Whether it is giving way just now; who goes on beside a rival is not.
    pub(super) fn yields(&self, now: Timestamp) -> bool {
        self.contested && now.since(self.contest) <= self.interval.mul_f64(OVERDUE)
    }

    /// Age of the last advertisement in intervals of its sender.
    pub(super) fn missed(&self, now: Timestamp) -> f64 {
        now.since(self.last).as_secs_f64() / self.interval.as_secs_f64().max(0.004)
    }

    /// Whether so many intervals without an advertisement say something: as long as nothing at all is heard, of anybody (the last
    /// time was `heard`), it may be we who hear nothing.
    pub(super) fn absent(&self, now: Timestamp, intervals: f64, heard: Timestamp) -> bool {
        let missed = self.missed(now);
        let hearing = heard > self.last + self.interval.mul_f64(OVERDUE);
        missed > intervals && (hearing || missed > DEAF)
    }

    /// An advertisement came: what was missing before it was lost on the way, unless it had given way.
    fn count(&mut self, now: Timestamp) {
        let missed = self.missed(now);
        let missing = if self.yielded || self.unheard || missed >= LOST {
            0.0
        } else {
            (missed - 1.0).round().max(0.0)
        };
        self.missing += missing;
        self.lately.came_after(missing);
        self.came += 1.0;
        if self.came > MEMORY {
            (self.came, self.missing) = (self.came / 2.0, self.missing / 2.0);
        }
    }

    /// Probability that one advertisement is lost on the way, at least; before much was heard, one in a hundred.
    pub(super) fn loss(&self) -> f64 {
        // A link that loses much loses it now, whatever it did all day.
        let ever = (self.missing + 1.0) / (self.came + 100.0);
        ever.max(self.lately.missing()).clamp(LEAST_LOSS, 1.0)
    }
}
