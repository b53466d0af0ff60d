//! From health to decisions: the table of design §4, for one node (`self`), without ever running anything.
//!
//! Called by the engine after every change and on its ticks. A row must hold for `confirm` before it decides; what
//! holds and is NOT acted on is said once, with its reason. No CARP segment means no role means no decision.

mod row;
#[cfg(test)]
mod tests;
mod witness;

pub use row::Unclear;

use crate::event::{Action, Cause, Decision, Health, NodeId, Notice};
use crate::settings::{Policy as Limits, Probe};
use crate::time::Timestamp;
use row::{Back, Row};
use std::collections::VecDeque;
use std::time::Duration;
use witness::Witnesses;

const HOUR: Duration = Duration::from_secs(3_600);
/// What is heard of traffic may be this old: pfsync waits a second before it tells.
const OLD: Duration = Duration::from_millis(1_100);
/// Who was not answered once tries again within this long, doubling its patience.
const RETRIED: Duration = Duration::from_secs(6);
/// A probe that has not answered this long after its time is worth a word.
const SLACK: Duration = Duration::from_secs(2);

/// What this node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// No CARP heard: observe only.
    #[default]
    Unknown,
    /// Master on all segments.
    Primary,
    /// Master on none.
    Backup,
    /// We made it master.
    Promoted,
    /// We made it less attractive.
    Demoted,
}

impl Role {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Promoted => "promoted",
            Self::Demoted => "demoted",
        }
    }
}

/// What policy looks at, collected by the engine.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Vhids of which self is master, of how many that have a master.
    pub mastership: (usize, usize),
    /// The pair has different masters since.
    pub split: Option<Timestamp>,
    /// The node that lost a part in that split.
    pub suspect: Option<NodeId>,
    /// Why that split is no reason to act, for now.
    pub unclear: Option<Unclear>,
    /// A master that belongs to no configured node.
    pub foreign_master: bool,
    /// Worst health on a critical path and its cause, per node.
    pub health: Vec<(Health, Option<Cause>)>,
    /// Nodes whose `down` needs no witness besides traffic: in sync, a lost advertisement or ping is none.
    pub firm: Vec<bool>,
    /// The last try through each node that failed, and the last that got through, where it is down.
    pub tries: Vec<(Timestamp, Timestamp)>,
    /// Nodes whose advertisements are gone from every segment.
    pub gone: Vec<bool>,
}

impl Situation {
    /// The pair is split, and this node is the one that lost a part.
    fn torn(&self, peer: NodeId) -> bool {
        self.split.is_some() && self.suspect == Some(peer)
    }
}

/// The state machine.
pub struct Policy {
    me: Option<NodeId>,
    limits: Limits,
    witnesses: Witnesses,
    role: Role,
    pending: Option<(Row, Timestamp)>,
    /// Since when all probes about self answer, after what is pending began.
    reached: Option<Timestamp>,
    said: Option<Row>,
    /// Actions of the last hour.
    acted: VecDeque<Timestamp>,
    settle_until: Timestamp,
    /// Promotions of the last hour.
    promoted: VecDeque<Timestamp>,
    seq: u64,
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
            pending: None,
            reached: None,
            said: None,
            acted: VecDeque::new(),
            settle_until: Timestamp::MIN,
            promoted: VecDeque::new(),
            seq: 0,
        }
    }

    /// Role now.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// A probe answered or did not.
    pub fn probe(&mut self, now: Timestamp, index: usize, ok: bool) {
        self.witnesses.result(now, index, ok);
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
        let row = if now < self.settle_until {
            None
        } else {
            self.row(now, me, s)
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
                self.reached = None;
                now
            }
        };
        if !self.witnesses.answered_since(since) {
            self.reached = None;
        } else if self.witnesses.report() {
            self.reached.get_or_insert(now);
        }
        if now < since + self.patience(row) {
            return (None, None);
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
                self.role = Role::Demoted;
                let reason = "a probe about this node is down".to_owned();
                (Some(self.decide(now, Action::Demote, me, "probe", reason)), None)
            }
            Row::Restore(back) => {
                let reason = format!("no longer {}: {}", self.role.as_str(), back.reason());
                self.role = Role::Unknown;
                (Some(self.decide(now, Action::Restore, me, back.cause(), reason)), None)
            }
            _ => (None, self.say(now, me, row, name)),
        }
    }

    /// CARP as this node hears it; what we did ourselves stands above it, and a split leaves the role as it was.
    fn take_role(&mut self, s: &Situation) {
        if matches!(self.role, Role::Promoted | Role::Demoted) || s.split.is_some() {
            return;
        }
        self.role = match s.mastership {
            (_, 0) => self.role,
            (mine, all) if mine == all => Role::Primary,
            (0, _) => Role::Backup,
            _ => self.role, // A transition.
        };
    }

    fn row(&self, now: Timestamp, me: NodeId, s: &Situation) -> Option<Row> {
        let (own_down, recover) = (self.witnesses.down(), self.limits.recover);
        let peers = || (0..s.health.len()).filter(|&i| i != me.index());
        let alone = peers().next().is_some() && peers().all(|i| s.gone.get(i) == Some(&true));
        match self.role {
            Role::Unknown => None,
            Role::Promoted if own_down => Some(Row::Restore(Back::OwnProbe)),
            Role::Promoted => {
                let promoted = self.promoted.back().copied().unwrap_or(Timestamp::MIN);
                let back = self.promoted.len() < 2 && self.witnesses.peer_is_back(now, promoted, recover);
                back.then_some(Row::Restore(Back::PeersAnswer))
            }
            Role::Demoted if alone => Some(Row::Restore(Back::Alone)),
            Role::Demoted => self
                .witnesses
                .recovered(now, recover)
                .then_some(Row::Restore(Back::Recovered)),
            // With nobody else to take over, the one that is left is better than none.
            Role::Primary | Role::Backup if own_down && !alone => Some(Row::Demote),
            Role::Primary => is_down(s, me.index()).map(|_| Row::OwnTraffic),
            Role::Backup => {
                let rows = peers().filter_map(|i| self.about_peer(me, NodeId(u16::try_from(i).ok()?), s));
                // Of equals the first.
                let most = rows.reduce(|a, b| if b.rank() > a.rank() { b } else { a });
                most.or(s.split.map(|_| Row::Isolated))
            }
        }
    }

    /// What is to be done about a peer that is down.
    fn about_peer(&self, me: NodeId, peer: NodeId, s: &Situation) -> Option<Row> {
        let cause = is_down(s, peer.index())?;
        // In a split only the node that lost a part is worth a promotion; an old corpse is not.
        let torn = s.torn(peer);
        if s.split.is_some() && s.suspect.is_some() && !torn {
            return None;
        }
        if s.gone.get(peer.index()) == Some(&true) {
            return Some(Row::CarpMoves(peer));
        }
        if s.foreign_master {
            return Some(Row::Foreign(peer));
        }
        if first_healthy(s) != Some(me.index()) {
            return Some(Row::NotMyTurn(peer));
        }
        let blackhole = matches!(
            cause,
            Cause::BlackholeForward | Cause::BlackholeReverse | Cause::Unreachable
        );
        let witnessed = self.witnesses.any() || !self.limits.require_witness;
        Some(if torn || (blackhole && witnessed && self.witnesses.up()) {
            Row::Promote(peer, cause)
        } else {
            Row::NoWitness(peer)
        })
    }

    /// Whether a promotion that is due may be made now; if not, why, where that is worth a word.
    fn may_promote(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        (peer, cause): (NodeId, Cause),
        s: &Situation,
    ) -> Result<(), Option<Unclear>> {
        if !self.witnesses.answered_since(since) {
            let late = now >= since + self.limits.confirm + SLACK;
            return Err(late.then_some(Unclear::Probe));
        }
        let firm = s.firm.get(peer.index()) == Some(&true);
        // Who reaches far is not cut off.
        let reaches = self.witnesses.report() && self.witnesses.up();
        let unclear = match s.torn(peer) {
            true => s.unclear.filter(|why| *why != Unclear::OwnTraffic || !reaches),
            false => (!firm).then_some(Unclear::Evidence),
        };
        if unclear.is_some() {
            return Err(unclear);
        }
        // Of an unreachable peer nothing is heard at all.
        let heard = cause != Cause::Unreachable;
        if heard && let Some(reached) = self.reached {
            let (failed, worked) = s.tries.get(peer.index()).copied().unwrap_or((now, Timestamp::MIN));
            // Before this node reached far an outage beyond both is as likely, one that is over now.
            if failed < reached + OLD {
                return Err((now >= since + self.limits.confirm + SLACK * 2).then_some(Unclear::Flap));
            }
            if worked >= since + OLD && now < worked + RETRIED {
                return Err(Some(Unclear::Answers));
            }
        }
        self.promoted.retain(|t| now.since(*t) < HOUR);
        let before = u32::try_from(self.promoted.len()).unwrap_or(u32::MAX);
        let back_off = self.limits.hold_down * 2_u32.saturating_pow(before.saturating_sub(1).min(10));
        if self.promoted.back().is_some_and(|&t| now.since(t) < back_off) {
            return Err(Some(Unclear::HoldDown));
        }
        if self.capped(now) {
            return Err(Some(Unclear::Cap));
        }
        Ok(())
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
        let reason = format!("{} is down ({}) and {witness}", name(peer), cause.as_str());
        self.role = Role::Promoted;
        self.promoted.push_back(now);
        self.decide(now, Action::Promote, peer, cause.as_str(), reason)
    }

    fn decide(&mut self, at: Timestamp, action: Action, node: NodeId, cause: &'static str, reason: String) -> Decision {
        self.seq += 1;
        self.acted.push_back(at);
        self.settle_until = at + self.limits.settle;
        self.pending = None;
        Decision {
            at,
            seq: self.seq,
            action,
            node,
            cause,
            reason,
        }
    }

    fn say(&mut self, at: Timestamp, me: NodeId, row: Row, name: &dyn Fn(NodeId) -> String) -> Option<Notice> {
        if self.said == Some(row) {
            return None;
        }
        self.said = Some(row);
        let (node, text) = row.words(me, name)?;
        Some(Notice {
            at,
            node: Some(node),
            text,
        })
    }
}

fn is_down(s: &Situation, node: usize) -> Option<Cause> {
    s.health.get(node).filter(|(h, _)| *h == Health::Down)?.1
}

/// With more than two nodes exactly one promotes: the first that is not down.
fn first_healthy(s: &Situation) -> Option<usize> {
    s.health.iter().position(|(h, _)| *h != Health::Down)
}
