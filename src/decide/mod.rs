//! From health to decisions: the table of docs/contract.md section 6, for one node (`self`), without ever running
//! anything.
//!
//! Called by the engine after every change and on its ticks. A row must hold for `confirm` before it decides; what
//! holds and is NOT acted on is said once, with its reason. No CARP segment means no role means no decision.

mod age;
mod deeds;
mod fence;
mod outlook;
mod pause;
mod row;
mod situation;
mod table;
#[cfg(test)]
mod tests;
mod witness;

pub use deeds::{Carried, Past};
pub use fence::Fenced;
pub use outlook::Outlook;
pub use row::Unclear;
pub use situation::{Fault, Rival, Role, Signs, Situation};

use crate::event::{Action, Cause, Decision, Health, NodeId, Notice, NoticeKind};
use crate::settings::{Policy as Limits, Probe};
use crate::time::Timestamp;
use deeds::Deeds;
use fence::Fencing;
use pause::Pause;
use row::{Back, Row};
use std::collections::VecDeque;
use std::time::Duration;
use witness::Witnesses;

const HOUR: Duration = Duration::from_secs(3_600);

/// The state machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    me: Option<NodeId>,
    limits: Limits,
    witnesses: Witnesses,
    role: Role,
    /// The same by CARP alone.
    heard: Role,
    pending: Option<(Row, Timestamp)>,
    /// Since when all probes about self answer, after what is pending began.
    reached: Option<Timestamp>,
    /// Since when the peer that is to be replaced is seen to be itself at fault.
    shown: Option<Timestamp>,
    /// Since when an observer sees nothing left of what it would have promoted for.
    over: Option<Timestamp>,
    said: Option<Row>,
    /// Actions of the last hour.
    acted: VecDeque<Timestamp>,
    settle_until: Timestamp,
    /// Promotions of the last hour.
    promoted: VecDeque<Timestamp>,
    seq: u64,
    deeds: Deeds,
    fencing: Fencing,
    pause: Pause,
}

impl Policy {
    /// For `me`, if pfwatch runs beside a node.
    #[must_use]
    pub fn new(me: Option<NodeId>, limits: &Limits, probes: &[Probe]) -> Self {
        Self {
            me,
            limits: limits.clone(),
            witnesses: Witnesses::new(probes),
            role: Role::Unknown,
            heard: Role::Unknown,
            pending: None,
            reached: None,
            shown: None,
            over: None,
            said: None,
            acted: VecDeque::new(),
            settle_until: Timestamp::MIN,
            promoted: VecDeque::new(),
            seq: 0,
            deeds: Deeds::default(),
            fencing: Fencing::default(),
            pause: Pause::default(),
        }
    }

    /// What tells roles cannot be put together with what tells health any more: nothing is decided from here on.
    pub fn retire(&mut self) {
        self.me = None;
        (self.role, self.heard) = (Role::Unknown, Role::Unknown);
    }

    /// Role now.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// As CARP alone has it, whatever was decided: one that is only said changes nothing.
    #[must_use]
    pub fn carp_role(&self) -> Role {
        self.heard
    }

    /// A probe answered or did not.
    pub fn probe(&mut self, now: Timestamp, index: usize, ok: bool) {
        self.witnesses.result(now, index, ok);
    }

    /// Each probe's state and since when, in the order of the configuration.
    pub fn probe_states(&self) -> impl Iterator<Item = (&'static str, Option<Timestamp>)> {
        self.witnesses.states()
    }

    /// When a probe about a peer last went down after it had been up: what a promotion is taken back by, once it is up again.
    #[must_use]
    pub fn peer_away(&self) -> Option<Timestamp> {
        self.witnesses.away()
    }

    /// Whether a probe about self fails just now.
    #[must_use]
    pub fn fails(&self, now: Timestamp) -> bool {
        self.witnesses.lost(now)
    }

    /// When `look` must be called again.
    #[must_use]
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.pending.map(|(row, since)| since + self.patience(row));
        due.filter(|&t| t > now)
    }

    fn patience(&self, row: Row) -> Duration {
        match row {
            Row::Demote if self.role == Role::Primary => self.limits.demote_delay.max(self.limits.confirm),
            Row::Demote if self.role == Role::Backup => Duration::ZERO,
            Row::Restore(_) => Duration::ZERO, // `recover` is part of the condition.
            Row::Fence(_) => self.limits.confirm + self.limits.fence_delay,
            _ => self.limits.confirm,
        }
    }

    /// Looks at the situation; at most one decision or notice comes out.
    pub fn look(
        &mut self,
        now: Timestamp,
        s: &Situation,
        name: &dyn Fn(NodeId) -> String,
    ) -> (Option<Decision>, Option<Notice>) {
        let Some(me) = self.me else { return (None, None) };
        self.take_role(s);
        if let Some(notice) = self.news(now, me, s, name) {
            return (None, Some(notice));
        }
        let over = self.phantom() && self.role == Role::Promoted && s.is_over(me);
        self.over = over.then(|| self.over.unwrap_or(now));
        let row = if now < self.settle_until || self.deeds.busy() {
            None
        } else {
            self.row(now, me, s)
        };
        // Not confirmed while it cannot be known whether it holds.
        let row = match (row, self.pause.over(now, &self.limits.live)) {
            (Some(_), Err(None)) => None,
            (Some(row), Err(Some(why))) if row.acts() => {
                return (None, self.say(now, me, row.held(me, why), name));
            }
            (row, _) => row,
        };
        let Some(row) = row else {
            self.pending = None;
            if s.split.is_none() && s.health.iter().all(|(h, _)| *h != Health::Down) {
                self.said = None;
            }
            return (None, None);
        };
        let since = match self.pending {
            Some((old, since)) if old == row => since,
            _ => {
                self.pending = Some((row, now));
                (self.reached, self.shown) = (None, None);
                now
            }
        };
        self.shown = match row {
            Row::Promote(peer, _) if s.fault(peer).is_shown() => self.shown.or(Some(now)),
            _ => None,
        };
        if !self.witnesses.answered_since(since) {
            self.reached = None;
        } else if self.witnesses.report() {
            self.reached.get_or_insert(now);
        }
        if now < since + self.patience(row) {
            return (None, None);
        }
        if let Some(why) = self.withheld(now, row) {
            return (None, self.say(now, me, row.held(me, why), name));
        }
        match row {
            Row::Promote(peer, cause) => match self.may_promote(now, since, (peer, cause), s) {
                Ok(()) => (Some(self.promote(now, peer, cause, s, name)), None),
                Err(None) => (None, None),
                Err(Some(why)) => (None, self.say(now, me, Row::Unclear(peer, why), name)),
            },
            // A probe that answers again demotes nobody, though not yet for long.
            Row::Demote if !self.witnesses.failing() => (None, None),
            Row::Demote if self.capped(now) => (None, self.say(now, me, Row::Unclear(me, Unclear::Cap), name)),
            Row::Demote => {
                let before = (std::mem::replace(&mut self.role, Role::Demoted), None);
                let why = ("probe", "a probe about this node is down".to_owned());
                (Some(self.decide(now, Action::Demote, me, why, before)), None)
            }
            Row::Restore(back) => {
                let reason = format!("no longer {}: {}", self.role.as_str(), back.reason());
                (Some(self.restore(now, me, back.cause(), reason)), None)
            }
            Row::Fence(peer) => match self.may_fence(now, peer, s) {
                Ok(()) => (Some(self.fence(now, peer, s, name)), None),
                Err(why) => (None, self.say(now, me, Row::Unfenced(peer, why), name)),
            },
            _ => (None, self.say(now, me, row, name)),
        }
    }

    /// What became of earlier decisions, and whether somebody is at work.
    fn news(&mut self, now: Timestamp, me: NodeId, s: &Situation, name: &dyn Fn(NodeId) -> String) -> Option<Notice> {
        self.pause.begin(now);
        let failed = self
            .deeds
            .word(now)
            .map(|text| Notice::new(now, NoticeKind::Policy, text).about(me));
        failed
            .or_else(|| self.maintenance_word(now, me))
            .or_else(|| self.watch(now, s, name))
            .or_else(|| self.verify(now, s, name))
    }

    /// Why a row that holds is not acted on, whatever it is about.
    fn withheld(&self, now: Timestamp, row: Row) -> Option<Unclear> {
        let back = match row {
            Row::Restore(back) => Some(back),
            Row::Demote | Row::Promote(..) | Row::Fence(_) => None,
            _ => return None,
        };
        // To go back to a node at which somebody works is the one thing that taking back must not do.
        if self.pause.maintenance && back.is_none_or(|b| matches!(b, Back::PeersAnswer | Back::Over)) {
            return Some(Unclear::Maintenance);
        }
        let action = match row {
            Row::Restore(_) => Action::Restore,
            Row::Demote => Action::Demote,
            _ => return None, // A promotion has more to look at first; a fencing is tried once.
        };
        self.deeds.may_try(now, action).err()
    }

    /// CARP as this node hears it; what we did ourselves stands above it, and a split leaves the role as it was.
    fn take_role(&mut self, s: &Situation) {
        if s.split.is_some() {
            return;
        }
        let heard = match s.mastership {
            (_, 0) => return,
            (mine, all) if mine == all && s.vacant => return,
            (mine, all) if mine == all => Role::Primary,
            (0, _) => Role::Backup,
            _ => return, // A transition.
        };
        self.heard = heard;
        if !matches!(self.role, Role::Promoted | Role::Demoted) {
            self.role = heard;
        }
    }

    /// What the role says was told and never done.
    fn phantom(&self) -> bool {
        self.limits.live.observes && !self.deeds.stands()
    }

    fn capped(&mut self, now: Timestamp) -> bool {
        self.acted.retain(|t| now.since(*t) < HOUR);
        self.acted.len() >= self.limits.max_per_hour as usize
    }

    fn promote(
        &mut self,
        now: Timestamp,
        peer: NodeId,
        cause: Cause,
        s: &Situation,
        name: &dyn Fn(NodeId) -> String,
    ) -> Decision {
        let witness = if s.torn(peer) {
            "CARP is unsynchronised"
        } else if self.witnesses.any() {
            "this node's own probes are up"
        } else {
            "no witness is asked for (require-witness = false)"
        };
        let fault = match s.fault(peer) {
            _ if s.torn(peer) => String::new(),
            Fault::Stuck(all, left) => {
                let left = if left == 0 { "none".into() } else { left.to_string() };
                format!(", {left} of the last {all} connections that came in left it again,")
            }
            Fault::Missing => ", its advertisements are missing on a segment,".into(),
            Fault::Untold | Fault::Unseen => String::new(),
        };
        let reason = format!("{} is down ({}){fault} and {witness}", name(peer), cause.as_str());
        let before = (std::mem::replace(&mut self.role, Role::Promoted), None);
        self.promoted.push_back(now);
        self.fencing.forget();
        self.decide(now, Action::Promote, peer, (cause.as_str(), reason), before)
    }

    fn say(&mut self, at: Timestamp, me: NodeId, row: Row, name: &dyn Fn(NodeId) -> String) -> Option<Notice> {
        if self.said == Some(row) {
            return None;
        }
        self.said = Some(row);
        let (node, text) = row.words(me, name)?;
        Some(Notice::new(at, NoticeKind::Policy, text).about(node))
    }
}
