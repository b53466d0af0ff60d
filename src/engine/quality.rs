//! Whether what is heard is fit to judge by: what is wrong with it, how much of it, and what to do about that.
//!
//! Counted while frames come in, put into words when somebody asks. Every face (analysis, status, `doctor`, metrics, notices) takes
//! both from here. An analysis adds what only its files know, such as times that cannot be.

use super::Engine;
use super::aside::{Proto, Reason};
use super::counters::{Counters, PathCounters};
use crate::capture::GapCause;
use crate::event::{NodeId, NoticeKind};
use crate::time::{Timestamp, spell};
use std::time::Duration;

/// Nothing more can be judged where so much of the pfsync is unfit.
pub(super) const MOST: f64 = 0.9;
/// So many cut frames leave too few whole ones: what is missing may be in the cut part.
pub(super) const HALF: f64 = 0.5;
/// Occurrences after which a problem is told.
const TOLD: u64 = 10;
/// A problem that was not met for so long is over.
const CURRENT: Duration = Duration::from_secs(300);
/// A capture begins inside an outage if so many tries got nothing for so long before anything ever passed.
const TRIES: u64 = 20;
const LATE: Duration = Duration::from_secs(10);

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Problem {
    /// Frames of which only the beginning was kept.
    Cut,
    /// Copies of what was heard just before.
    Duplicate,
    /// The clock of the capturing host stepped.
    ClockStep,
    /// Frames with a time that the frames behind them contradict.
    OutOfLine,
    /// pfsync that passed a router.
    Ttl,
    /// VRRP, and no CARP of any node.
    Vrrp,
    /// CARP of others, and none of any node.
    Foreign,
    /// Frames that the kernel dropped.
    Dropped,
    /// Times during which nothing could be heard.
    Gap,
    /// All frames have the same time.
    NoTime,
    /// The capture begins inside what may be an outage.
    LateStart,
    /// pfsync that cannot be read for other reasons.
    Unread,
    /// CARP of a node that came and did not count.
    Refused,
    /// No pfsync of any node that it is about.
    NoPfsync,
    /// Files that end inside a record, or are damaged.
    Truncated,
    /// pfsync that says what was said long before.
    Repeated,
}

impl Problem {
    /// All of them, for those who show zeros too.
    pub const ALL: [Self; 16] = [
        Self::Cut,
        Self::Duplicate,
        Self::ClockStep,
        Self::OutOfLine,
        Self::Ttl,
        Self::Vrrp,
        Self::Foreign,
        Self::Dropped,
        Self::Gap,
        Self::NoTime,
        Self::LateStart,
        Self::Unread,
        Self::Refused,
        Self::NoPfsync,
        Self::Truncated,
        Self::Repeated,
    ];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Duplicate => "duplicate",
            Self::ClockStep => "clock-step",
            Self::OutOfLine => "out-of-line",
            Self::Ttl => "ttl",
            Self::Vrrp => "vrrp",
            Self::Foreign => "foreign",
            Self::Dropped => "dropped",
            Self::Gap => "gap",
            Self::NoTime => "no-time",
            Self::LateStart => "late-start",
            Self::Unread => "unread",
            Self::Refused => "refused",
            Self::NoPfsync => "no-pfsync",
            Self::Truncated => "truncated",
            Self::Repeated => "repeated",
        }
    }

    /// What it is called here that a frame does not count for that reason, if it is the frame that is unfit.
    pub(super) const fn of(reason: Reason) -> Option<Self> {
        match reason {
            Reason::Ttl => Some(Self::Ttl),
            Reason::Cut => Some(Self::Cut),
            Reason::Fragment | Reason::Version | Reason::Damaged | Reason::Checksum | Reason::Tags => {
                Some(Self::Unread)
            }
            Reason::Peer | Reason::Vrrp | Reason::Password | Reason::OnSync | Reason::Elsewhere | Reason::Stranger => {
                None
            }
        }
    }
}

/// How often a problem was met, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// For the first time.
    pub first: Timestamp,
    /// For the last time.
    pub last: Timestamp,
}

/// A problem with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which.
    pub kind: Problem,
    /// How many frames, or times.
    pub count: u64,
    /// Of all that could have it, 0..=1; where that means something.
    pub share: Option<f64>,
    /// When it was met first.
    pub first: Option<Timestamp>,
    /// When it was met last.
    pub last: Option<Timestamp>,
    /// What is wrong and what to do about it, one sentence without its full stop.
    pub detail: String,
    /// Because of it nothing can be judged, as long as nothing was proven all the same.
    pub fatal: bool,
    /// Of this node alone nothing can be said, whatever was proven of others; then it is fatal, too.
    pub node: Option<String>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// What is wrong, the gravest first.
    pub problems: Vec<Found>,
    /// Something was proven all the same.
    proven: bool,
    /// And that a node was down.
    down: bool,
}

impl Quality {
    /// Whether what was heard is fit to judge by.
    #[must_use]
    pub fn judged(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why nothing can be judged.
    #[must_use]
    pub fn why_not(&self) -> Option<&Found> {
        // Without times a round trip proves nothing either, and one of strangers, or of another node, says nothing of this one.
        let whatever =
            |p: &Found| matches!(p.kind, Problem::NoTime | Problem::NoPfsync | Problem::Truncated) || p.node.is_some();
        let holds = |p: &&Found| p.fatal && (!self.proven || whatever(p));
        self.problems.iter().find(holds).filter(|_| !self.down)
    }

    /// Adds what somebody else found; it takes the place of what was found of the same kind.
    pub fn add(&mut self, found: Found) {
        self.problems.retain(|p| p.kind != found.kind);
        self.problems.push(found);
        self.problems.sort_by_key(|p| (!p.fatal, p.kind));
    }

    /// Whether a problem was met lately.
    #[must_use]
    pub fn is_current(&self, kind: Problem, now: Timestamp) -> bool {
        let lately = |p: &Found| p.last.is_none_or(|t| now.since(t) <= CURRENT);
        self.problems.iter().any(|p| p.kind == kind && lately(p))
    }
}

impl Counters {
    /// Counts a problem; how often it was met before.
    pub(super) fn problem(&mut self, kind: Problem, now: Timestamp) -> u64 {
        let tally = self.problems.entry(kind).or_insert(Tally {
            count: 0,
            first: now,
            last: now,
        });
        tally.count += 1;
        tally.last = now;
        tally.count - 1
    }
}

impl Engine {
    /// Counts a problem with a frame, and tells it when it is no single event any more.
    pub(super) fn problem(&mut self, now: Timestamp, kind: Problem) {
        if self.counters.problem(kind, now) + 1 == TOLD
            && let Some(found) = self.quality().problems.into_iter().find(|p| p.kind == kind)
        {
            self.notice(now, NoticeKind::Quality, found.detail);
        }
    }

    /// What is wrong with what was heard so far.
    #[must_use]
    pub fn quality(&self) -> Quality {
        let c = &self.counters;
        let mut quality = Quality {
            problems: Vec::new(),
            proven: c.nodes.iter().flat_map(|n| &n.paths).any(|p| p.end_to_end > 0),
            down: self.proven_down,
        };
        let pfsync = [self.cut(), self.routed(), self.unread()].map(|found| self.of_nodes(found));
        let frames = pfsync.into_iter().chain([self.copies(), self.refused()]);
        let absent = [self.vrrp_instead(), self.foreign_instead(), self.late_start()];
        let blind = [self.dropped(), self.stepped(), self.gaps()];
        let all = frames.chain(absent).chain(blind);
        all.flatten().for_each(|found| quality.add(found));
        quality
    }

    /// What was counted of frames, as a share of `all`; fatal from `fatal` on.
    fn share_of(&self, kind: Problem, all: u64, fatal: f64, detail: impl Fn(u64, u64) -> String) -> Option<Found> {
        let tally = *self.counters.problems.get(&kind)?;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = tally.count as f64 / all.max(tally.count) as f64;
        Some(Found {
            kind,
            count: tally.count,
            share: Some(share),
            first: Some(tally.first),
            last: Some(tally.last),
            detail: detail(tally.count, all),
            fatal: share >= fatal,
            node: None,
        })
    }

    fn cut(&self) -> Option<Found> {
        self.share_of(Problem::Cut, self.counters.pfsync, HALF, |n, all| {
            format!(
                "{n} of {all} pfsync frames are cut by the snapshot length, so that what they said is not known and they count as \
                 nothing: record whole frames (tcpdump -s 0)"
            )
        })
    }

    fn copies(&self) -> Option<Found> {
        let all = self.counters.pfsync + self.counters.carp;
        self.share_of(Problem::Duplicate, all, f64::INFINITY, |n, all| {
            format!(
                "{n} of {all} frames are copies, heard again (a mirror port of both directions, `any` over a bond, or two captures \
                 of the same net): each counts once"
            )
        })
    }

    fn routed(&self) -> Option<Found> {
        self.share_of(Problem::Ttl, self.counters.pfsync, MOST, |n, all| {
            let ttl = self.counters.routed_ttl;
            format!(
                "{n} of {all} pfsync frames came with a TTL of {ttl} instead of 255: they passed a router, or somebody forged them, \
                 and are refused as the kernels do; capture on the sync link itself"
            )
        })
    }

    fn unread(&self) -> Option<Found> {
        self.share_of(Problem::Unread, self.counters.pfsync, MOST, |n, all| {
            let kinds = self.counters.errors.keys().map(|k| k.as_str());
            let kinds: Vec<&str> = kinds
                .filter(|k| !["badttl", "badval", "fragment"].contains(k))
                .collect();
            format!(
                "{n} of {all} pfsync frames cannot be read ({}): `pfwatch decode` shows what is wrong with each",
                kinds.join(", ")
            )
        })
    }

    fn refused(&self) -> Option<Found> {
        let (node, reason, ttl) = self.counters.refused?;
        self.share_of(Problem::Refused, self.counters.carp, f64::INFINITY, |n, all| {
            format!(
                "{n} of {all} CARP frames, the last of {}, do not count, and show at most that their sender lives: they were {}",
                self.label(node),
                reason.clause(Proto::Carp, ttl)
            )
        })
    }

    fn vrrp_instead(&self) -> Option<Found> {
        let detail = "VRRP is heard and no CARP of any node, so that nothing is known of who is master: if the nodes speak VRRPv3, \
                      put their own addresses in `local`";
        self.instead_of_carp(Problem::Vrrp, detail)
    }

    fn foreign_instead(&self) -> Option<Found> {
        let detail = "CARP is heard, but from no address that is in the `local` of one node alone, so that nothing is known of who \
                      is master: put each node's own addresses there";
        self.instead_of_carp(Problem::Foreign, detail)
    }

    fn instead_of_carp(&self, kind: Problem, detail: &str) -> Option<Found> {
        let tally = self.counters.problems.get(&kind).filter(|_| !self.carp.informs())?;
        Some(plain(
            kind,
            tally.count,
            Some(tally.first),
            Some(tally.last),
            detail.into(),
        ))
    }

    fn late_start(&self) -> Option<Found> {
        let late = |n: NodeId| {
            let paths = &self.counters.nodes.get(n.index())?.paths;
            let (path, p) = paths.iter().enumerate().find(|(_, p)| self.begins_inside(p))?;
            Some((p, self.counters.first_passed.get(path).copied().flatten()))
        };
        let (node, (p, passed)) = self.node_ids().find_map(|n| Some((n, late(n)?)))?;
        let tries = p.failed_before;
        let until = match passed {
            Some(_) => "before anything passed",
            None => "and nothing ever passed",
        };
        let detail = format!(
            "this begins inside what may be an outage: {tries} tries through {} came to nothing from the start {until}, and of hosts \
             that never worked little can be said; record from before it, if you can",
            self.label(node)
        );
        Some(plain(Problem::LateStart, tries, p.first_failed, passed, detail))
    }

    /// Whether tries on a path failed from our beginning on, before anything passed through anybody, and nothing passed here for
    /// long: where the other node has what this one does not answer, nothing is out.
    fn begins_inside(&self, p: &PathCounters) -> bool {
        let Some(first) = p.first_failed else { return false };
        let long = p.first_end_to_end.unwrap_or(self.now).since(first) >= LATE;
        p.failed_before >= TRIES && long && first.since(self.began) < LATE
    }

    fn dropped(&self) -> Option<Found> {
        let &(times, _, lost) = self.counters.gaps.get(&GapCause::KernelDrop)?;
        let n = lost.max(times);
        let detail =
            format!("the kernel dropped {n} frames, because they were read too slowly: what is missing may be in them");
        Some(self.tallied(Problem::Dropped, n, detail))
    }

    fn stepped(&self) -> Option<Found> {
        let steps = [GapCause::ClockStep, GapCause::ClocksApart].map(|cause| self.counters.gaps.get(&cause));
        let times = steps.into_iter().flatten().map(|gap| gap.0).sum();
        let detail = format!("the clock stepped {}: around that nothing is judged", often(times));
        (times > 0).then(|| self.tallied(Problem::ClockStep, times, detail))
    }

    fn gaps(&self) -> Option<Found> {
        let all = self
            .counters
            .gaps
            .iter()
            .filter(|(cause, _)| of_gap(**cause) == Problem::Gap);
        let (times, length) = all.fold((0, Duration::ZERO), |(n, l), (_, gap)| (n + gap.0, l + gap.1));
        let detail = format!(
            "nothing could be heard {}, for {} in all: nobody is blamed for that",
            often(times),
            spell(length)
        );
        (times > 0).then(|| self.tallied(Problem::Gap, times, detail))
    }

    /// With the times that were counted.
    fn tallied(&self, kind: Problem, count: u64, detail: String) -> Found {
        let tally = self.counters.problems.get(&kind);
        plain(kind, count, tally.map(|t| t.first), tally.map(|t| t.last), detail)
    }
}

/// What our blindness is called here.
pub(super) const fn of_gap(cause: GapCause) -> Problem {
    match cause {
        GapCause::KernelDrop => Problem::Dropped,
        GapCause::ClockStep | GapCause::ClocksApart => Problem::ClockStep,
        _ => Problem::Gap,
    }
}

/// Without a share.
pub(super) fn plain(
    kind: Problem,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    detail: String,
) -> Found {
    Found {
        kind,
        count,
        share: None,
        first,
        last,
        detail,
        fatal: false,
        node: None,
    }
}

fn often(times: u64) -> String {
    match times {
        1 => "once".into(),
        n => format!("{n} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_proves_nothing_without_times_and_a_down_wins_over_all() {
        let why = |kind, proven, down| {
            let mut quality = Quality {
                proven,
                down,
                ..Quality::default()
            };
            quality.add(Found {
                fatal: true,
                ..plain(kind, 1, None, None, String::new())
            });
            !quality.judged()
        };
        assert!(why(Problem::Cut, false, false) && !why(Problem::Cut, true, false));
        assert!(why(Problem::NoTime, true, false));
        assert!(!why(Problem::NoTime, true, true) && !why(Problem::Cut, false, true));
    }
}
