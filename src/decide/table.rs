//! Which row of the table holds, and whether a promotion that is due may be made now.

use super::row::{Back, Row};
use super::{Fault, HOUR, Policy, Role, Situation, Unclear};
use crate::event::{Action, Cause, Health, NodeId};
use crate::time::Timestamp;
use std::time::Duration;

/// What is heard of traffic may be this old: pfsync waits a second before it tells.
const OLD: Duration = Duration::from_millis(1_100);
/// Who was not answered once tries again within this long, doubling its patience.
const RETRIED: Duration = Duration::from_secs(6);
/// A probe that has not answered this long after its time is worth a word.
const SLACK: Duration = Duration::from_secs(2);

impl Policy {
    pub(super) fn row(&self, now: Timestamp, me: NodeId, s: &Situation) -> Option<Row> {
        let (own_down, recover) = (self.witnesses.down(), self.limits.recover);
        let peers = || (0..s.health.len()).filter(|&i| i != me.index());
        let alone = peers().next().is_some() && peers().all(|i| s.gone(i));
        match self.role {
            Role::Unknown => None,
            Role::Promoted | Role::Demoted if self.limits.live.observes && self.deeds.stands() => None,
            Role::Promoted | Role::Demoted if self.deeds.owes() => Some(Row::Restore(Back::Owed)),
            Role::Promoted if own_down => Some(Row::Restore(Back::OwnProbe)),
            Role::Promoted if self.phantom() => match self.over {
                Some(since) if now >= since + recover => Some(Row::Restore(Back::Over)),
                _ => self.to_fence(now, s).map(Row::Fence),
            },
            Role::Promoted => {
                let promoted = self.promoted.back().copied().unwrap_or(Timestamp::MIN);
                let back = self.promoted.len() < 2 && self.witnesses.peer_is_back(now, promoted, recover);
                if back {
                    return Some(Row::Restore(Back::PeersAnswer));
                }
                self.to_fence(now, s).map(Row::Fence)
            }
            Role::Demoted if alone => Some(Row::Restore(Back::Alone)),
            // Of two that stand back the first to recover carries: nobody has to wait for `recover` to spare the other.
            Role::Demoted if self.deeds.stands() && peers().all(|i| s.gone(i) || s.demoted(i)) => self
                .witnesses
                .recovered(now, self.limits.confirm)
                .then_some(Row::Restore(Back::BothDemoted)),
            Role::Demoted => self
                .witnesses
                .recovered(now, recover)
                .then_some(Row::Restore(Back::Recovered)),
            Role::Backup if own_down && self.cut_off(me, s) => Some(Row::CutOff),
            // With nobody else to take over, the one that is left is better than none.
            Role::Primary | Role::Backup if own_down && !alone => Some(Row::Demote),
            Role::Primary => s.is_down(me.index()).map(|_| Row::OwnTraffic),
            Role::Backup => {
                let rows = peers().filter_map(|i| self.about_peer(me, NodeId(u16::try_from(i).ok()?), s));
                // Of equals the first.
                let most = rows.reduce(|a, b| if b.rank() > a.rank() { b } else { a });
                most.or(s.split.map(|_| Row::Isolated))
            }
        }
    }

    /// This node's own port is what is dead: it misses a segment, and others carry what there is. What they carry would not
    /// pass if that segment, or what lies behind it, were dead for all; then all have to stand back alike. Who carries a share
    /// has to give that away.
    fn cut_off(&self, me: NodeId, s: &Situation) -> bool {
        let health = |i: usize| s.health.get(i).map_or(Health::Unknown, |(h, _)| *h);
        let mut peers = (0..s.health.len()).filter(|&i| i != me.index());
        let carries_nothing = matches!(health(me.index()), Health::Idle | Health::Unknown);
        (s.deaf || s.split.is_some()) && carries_nothing && peers.any(|i| health(i) == Health::Up)
    }

    /// What is to be done about a peer that is down.
    fn about_peer(&self, me: NodeId, peer: NodeId, s: &Situation) -> Option<Row> {
        let cause = s.is_down(peer.index())?;
        // In a split only the node that lost a part is worth a promotion; an old corpse is not.
        let torn = s.torn(peer);
        if s.split.is_some() && s.suspect.is_some() && !torn {
            return None;
        }
        if s.gone(peer.index()) {
            return Some(Row::CarpMoves(peer));
        }
        if s.foreign_master {
            return Some(Row::Foreign(peer));
        }
        if s.first_healthy() != Some(me.index()) {
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
    pub(super) fn may_promote(
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
        if let Err(why) = self.deeds.may_try(now, Action::Promote) {
            return Err(Some(why));
        }
        if !s.torn(peer) && cause != Cause::Unreachable && self.bulk_explains(now, s) {
            return Err(Some(Unclear::Bulk));
        }
        let firm = s.firm.get(peer.index()) == Some(&true);
        // Of an unreachable peer nothing is heard at all.
        let heard = cause != Cause::Unreachable;
        let shown = self.shown.is_some_and(|t| now >= t + self.limits.confirm);
        let at_fault = s.torn(peer) || !heard || shown;
        // Who reaches far is not cut off.
        let reaches = self.witnesses.report() && self.witnesses.up();
        if !at_fault && self.limits.require_witness {
            let why = match s.fault(peer) {
                Fault::Untold => Unclear::Untold,
                _ => Unclear::Beyond,
            };
            return Err((now >= since + self.limits.confirm + SLACK).then_some(why));
        }
        let unclear = match s.torn(peer) {
            true => s.unclear.filter(|why| *why != Unclear::OwnTraffic || !reaches),
            false => (!at_fault && !firm).then_some(Unclear::Evidence),
        };
        if unclear.is_some() {
            return Err(unclear);
        }
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
        let back_off = self.back_off(self.promoted.len());
        if self.promoted.back().is_some_and(|&t| now.since(t) < back_off) {
            return Err(Some(Unclear::HoldDown));
        }
        if self.capped(now) {
            return Err(Some(Unclear::Cap));
        }
        Ok(())
    }

    /// A bulk update announces states without fresh movement, and delays what moves; who asked for it lacks states.
    pub(super) fn bulk_explains(&self, now: Timestamp, s: &Situation) -> bool {
        s.bulk.is_some_and(|since| now.since(since) < self.limits.live.bulk)
    }
}
