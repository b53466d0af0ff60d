//! From health to decisions: the table of design §4, for one node (`self`), without ever running anything.
//!
//! Called by the engine after every change and on its ticks. A row must hold for `confirm` before it decides; what
//! holds and is NOT acted on is said once, with its reason. No CARP segment means no role means no decision.

#[cfg(test)]
mod tests;

use crate::event::{Action, Cause, Decision, Health, NodeId, Notice};
use crate::settings::{About, Policy as Limits, Probe};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

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
    /// Nodes whose advertisements are gone from every segment.
    pub gone: Vec<bool>,
}

/// What speaks against acting in a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// So many advertisements in a row may be missing by chance.
    Chance,
    /// CARP is in sync, and what traffic says by itself is not enough.
    Evidence,
    /// Self carries a share of the traffic, and nothing has passed since: it may itself be the one that is cut off.
    OwnTraffic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Word {
    #[default]
    Unknown,
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, Default)]
struct ProbeState {
    word: Word,
    run: u32,
    last: Option<bool>,
    since: Timestamp,
    /// Last result.
    heard: Timestamp,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Promote(NodeId, Cause),
    Demote,
    Restore,
    CarpMoves(NodeId),
    NoWitness(NodeId),
    ProbeFails(NodeId),
    Foreign(NodeId),
    NotMyTurn(NodeId),
    Isolated,
    OwnTraffic,
    Unclear(NodeId, Unclear),
}

/// The state machine.
pub struct Policy {
    me: Option<NodeId>,
    limits: Limits,
    about: Vec<Probe>,
    probes: Vec<ProbeState>,
    role: Role,
    pending: Option<(Row, Timestamp)>,
    said: Option<Row>,
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
            about: probes.to_vec(),
            probes: vec![ProbeState::default(); probes.len()],
            role: Role::Unknown,
            pending: None,
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
        let (Some(state), Some(probe)) = (self.probes.get_mut(index), self.about.get(index)) else {
            return;
        };
        state.run = if state.last == Some(ok) {
            state.run.saturating_add(1)
        } else {
            1
        };
        state.last = Some(ok);
        state.heard = now;
        let word = match ok {
            true if state.run >= probe.rise.max(1) => Word::Up,
            false if state.run >= probe.fall.max(1) => Word::Down,
            _ => state.word,
        };
        if word != state.word {
            (state.word, state.since) = (word, now);
        }
    }

    fn about_self(&self) -> impl Iterator<Item = &ProbeState> {
        self.about
            .iter()
            .zip(&self.probes)
            .filter(|(p, _)| p.about == About::SelfNode)
            .map(|(_, s)| s)
    }

    fn all_up_for(&self, now: Timestamp, about: impl Fn(About) -> bool) -> bool {
        let mut any = false;
        for (_, s) in self.about.iter().zip(&self.probes).filter(|(p, _)| about(p.about)) {
            any = true;
            if s.word != Word::Up || now.since(s.since) < self.limits.recover {
                return false;
            }
        }
        any
    }

    /// Every probe about a peer is up for long enough, and one of them has seen it away: a wedged firewall answers all the
    /// while, and going back to it would be the next outage.
    fn peer_is_back(&self, now: Timestamp) -> bool {
        let promoted = self.promoted.back().copied().unwrap_or(Timestamp::MIN);
        let peers = |a: About| a != About::SelfNode;
        let mut about = self.about.iter().zip(&self.probes).filter(|(p, _)| peers(p.about));
        about.any(|(_, s)| s.since > promoted) && self.all_up_for(now, peers)
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
            Row::Restore => Duration::ZERO, // `recover` is part of the condition.
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
                now
            }
        };
        if now < since + self.patience(row) {
            return (None, None);
        }
        // A probe that answered before the trouble says nothing about now: what is dead may lie beyond both nodes, and
        // the probe has only not noticed yet.
        let answered = || self.about_self().all(|p| p.last == Some(true) && p.heard > since);
        if matches!(row, Row::Promote(..)) && !answered() {
            return (None, None);
        }
        // Nor is a node demoted by a probe that answers again, though not yet for long.
        let failing = || self.about_self().any(|p| p.word == Word::Down && p.last == Some(false));
        if row == Row::Demote && !failing() {
            return (None, None);
        }
        if let Row::Promote(peer, _) = row
            && let Some(why) = unclear(s, peer)
        {
            return (None, self.say(now, me, Row::Unclear(peer, why), name));
        }
        match row {
            Row::Promote(peer, cause) => self.promote(now, peer, cause, s, name),
            Row::Demote => {
                self.role = Role::Demoted;
                let reason = "a probe about this node is down".to_owned();
                (Some(self.decide(now, Action::Demote, me, "probe", reason)), None)
            }
            Row::Restore => {
                let reason = format!("what made this node {} is over", self.role.as_str());
                self.role = Role::Unknown;
                (Some(self.decide(now, Action::Restore, me, "recovered", reason)), None)
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
        let self_probe_down = self.about_self().any(|p| p.word == Word::Down);
        let down = |i: usize| s.health.get(i).filter(|(h, _)| *h == Health::Down);
        // In a split only the node that lost a part is worth a promotion; an old corpse is not.
        let eligible = |i: usize| i != me.index() && (s.split.is_none() || s.suspect.is_none_or(|n| n.index() == i));
        let peer_down = (0..s.health.len()).filter(|&i| eligible(i)).find_map(|i| {
            let (_, cause) = down(i)?;
            Some((NodeId(u16::try_from(i).ok()?), (*cause)?))
        });
        match self.role {
            Role::Unknown => None,
            Role::Promoted => {
                let recovered = self.promoted.len() < 2 && self.peer_is_back(now);
                (self_probe_down || recovered).then_some(Row::Restore)
            }
            Role::Demoted => {
                let peer_gone = s.gone.iter().enumerate().any(|(i, &gone)| gone && i != me.index());
                (peer_gone || self.all_up_for(now, |a| a == About::SelfNode)).then_some(Row::Restore)
            }
            Role::Primary | Role::Backup if self_probe_down => Some(Row::Demote),
            Role::Primary => down(me.index()).map(|_| Row::OwnTraffic),
            Role::Backup => match peer_down {
                Some((peer, _)) if s.gone.get(peer.index()) == Some(&true) => Some(Row::CarpMoves(peer)),
                Some((peer, _)) if s.foreign_master => Some(Row::Foreign(peer)),
                Some((peer, _)) if self_probe_down => Some(Row::ProbeFails(peer)),
                Some((peer, _)) if !first_healthy(me, s) => Some(Row::NotMyTurn(peer)),
                Some((peer, cause)) if s.split.is_some() => Some(Row::Promote(peer, cause)),
                Some((peer, cause)) => {
                    let mut probes = self.about_self().peekable();
                    let witnessed = probes.peek().is_some() || !self.limits.require_witness;
                    let blackhole = matches!(
                        cause,
                        Cause::BlackholeForward | Cause::BlackholeReverse | Cause::Unreachable
                    );
                    let good = witnessed && probes.all(|p| p.word == Word::Up) && blackhole;
                    Some(if good {
                        Row::Promote(peer, cause)
                    } else {
                        Row::NoWitness(peer)
                    })
                }
                None => s.split.map(|_| Row::Isolated),
            },
        }
    }

    fn promote(
        &mut self,
        now: Timestamp,
        peer: NodeId,
        cause: Cause,
        s: &Situation,
        name: &dyn Fn(NodeId) -> String,
    ) -> (Option<Decision>, Option<Notice>) {
        let within_the_hour = |t: &Timestamp| now.since(*t) < Duration::from_secs(3_600);
        self.promoted.retain(within_the_hour);
        self.acted.retain(within_the_hour);
        let before = u32::try_from(self.promoted.len()).unwrap_or(u32::MAX);
        let back_off = self.limits.hold_down * 2_u32.saturating_pow(before.saturating_sub(1).min(10));
        let held = self.promoted.back().is_some_and(|&t| now.since(t) < back_off);
        if held || self.acted.len() >= self.limits.max_per_hour as usize {
            return (None, None);
        }
        let witness = if s.split.is_some() {
            "CARP is unsynchronised"
        } else {
            "this node's own probes are up"
        };
        let reason = format!("{} is down ({}) and {witness}", name(peer), cause.as_str());
        self.role = Role::Promoted;
        self.promoted.push_back(now);
        (
            Some(self.decide(now, Action::Promote, peer, cause.as_str(), reason)),
            None,
        )
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
        let (node, text) = match row {
            Row::CarpMoves(p) => (
                p,
                format!(
                    "{} is gone from every segment: CARP moves by itself, nothing to do",
                    name(p)
                ),
            ),
            Row::NoWitness(p) => (
                p,
                format!(
                    "{} is down and CARP is in sync: not promoting {}, because no probe shows that traffic would \
                     get further from here",
                    name(p),
                    name(me)
                ),
            ),
            Row::ProbeFails(p) => (
                p,
                format!(
                    "{} is down, but so is a probe about {}: not promoting it",
                    name(p),
                    name(me)
                ),
            ),
            Row::Foreign(p) => (
                p,
                format!(
                    "{} is down, but an unknown host is CARP master on a segment: not promoting",
                    name(p)
                ),
            ),
            Row::NotMyTurn(p) => (
                p,
                format!("{} is down; another node comes before {}", name(p), name(me)),
            ),
            Row::Isolated => (
                me,
                "CARP is unsynchronised and no peer is down: a segment is isolated, not a node".into(),
            ),
            Row::OwnTraffic => (
                me,
                format!(
                    "traffic through {} itself is down: its upstream or its hosts, moving would not help",
                    name(me)
                ),
            ),
            Row::Unclear(p, why) => (p, {
                let why = match why {
                    Unclear::Chance => "its advertisements may be missing by chance".to_owned(),
                    Unclear::Evidence => "CARP is in sync, and what traffic says by itself may be chance".to_owned(),
                    Unclear::OwnTraffic => format!(
                        "nothing has passed through {} since CARP was torn, which may itself be cut off",
                        name(me)
                    ),
                };
                format!("{} is down: not promoting {} yet, because {why}", name(p), name(me))
            }),
            Row::Promote(..) | Row::Demote | Row::Restore => return None,
        };
        Some(Notice {
            at,
            node: Some(node),
            text,
        })
    }
}

/// Why not to act yet: a split that may heal by itself, or a pair in sync where traffic alone does not say enough.
fn unclear(s: &Situation, peer: NodeId) -> Option<Unclear> {
    let firm = s.firm.get(peer.index()) == Some(&true);
    match s.split {
        Some(_) => s.unclear,
        None if firm => None,
        None => Some(Unclear::Evidence),
    }
}

/// With more than two nodes exactly one promotes: the first that is not down.
fn first_healthy(me: NodeId, s: &Situation) -> bool {
    s.health.iter().position(|(h, _)| *h != Health::Down) == Some(me.index())
}
