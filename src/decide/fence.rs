//! A promotion that did not win, and switching off the node that is in its way.
//!
//! Only what is known to have been carried out can have failed: offline nothing here ever happens. Whoever is to be switched
//! off must be seen to be broken in two ways that do not depend on each other, beside its traffic.

use super::{HOUR, Policy, Role, Situation, Unclear};
use crate::event::{Action, Cause, Decision, NodeId, Notice, NoticeKind};
use crate::time::Timestamp;
use std::time::Duration;

/// A node that has said nothing for so long is off: longer than three advertisements.
const QUIET: Duration = Duration::from_secs(5);
/// A node that was switched off falls silent within this long.
const WATCH: Duration = Duration::from_secs(30);

/// How far a fencing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fenced {
    /// It is being carried out.
    Trying,
    /// It was, and the node is watched.
    Watching(Timestamp),
    /// Its CARP and its pfsync have stopped.
    Yes,
    /// It failed, or the node goes on.
    No,
}

/// What came of a promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Promotion {
    /// Not known yet.
    #[default]
    Open,
    /// This node was master everywhere. What it loses later is another story, and nobody is switched off for that.
    Won,
    /// It was told that it was not.
    Lost,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Fencing {
    verdict: Promotion,
    /// The last fencing of each node.
    last: Vec<(NodeId, Timestamp, Fenced)>,
}

impl Fencing {
    /// A new promotion.
    pub(super) fn forget(&mut self) {
        self.verdict = Promotion::Open;
    }

    fn trying(&mut self) -> Option<&mut Fenced> {
        let mut all = self.last.iter_mut().map(|(.., how)| how);
        all.find(|how| **how == Fenced::Trying)
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        if let Some(how) = self.trying() {
            *how = Fenced::Watching(now);
        }
    }

    pub(super) fn failed(&mut self) {
        if let Some(how) = self.trying() {
            *how = Fenced::No;
        }
    }

    /// What was not heard while we were blind is not silence.
    pub(super) fn blind(&mut self, now: Timestamp) {
        for (.., how) in &mut self.last {
            if let Fenced::Watching(since) = how {
                *since = now;
            }
        }
    }

    pub(super) fn age(&mut self, by: Duration, floor: Timestamp) {
        self.last.retain_mut(|(_, at, how)| {
            *at = *at - by;
            if let Fenced::Watching(since) = how {
                *since = *since - by;
            }
            *at > floor
        });
    }
}

impl Policy {
    /// The last fencing of a node.
    #[must_use]
    pub fn fenced(&self, node: NodeId) -> Option<Fenced> {
        let mut all = self.fencing.last.iter();
        all.find(|(n, ..)| *n == node).map(|(.., how)| *how)
    }

    /// A fencing is being carried out or watched.
    #[must_use]
    pub fn fences(&self) -> bool {
        let done = |how: &Fenced| matches!(how, Fenced::Yes | Fenced::No);
        self.fencing.last.iter().any(|(.., how)| !done(how))
    }

    /// Whether this node is master everywhere, `settle` after it was made so. Says once if not, with what is in the way.
    pub(super) fn verify(&mut self, now: Timestamp, s: &Situation, name: &dyn Fn(NodeId) -> String) -> Option<Notice> {
        let (mine, all) = s.mastership;
        // Who has just begun, or was just blind, has not heard every master yet.
        let early = now < self.settle_until || self.pause.over(now, &self.limits.live).is_err();
        if self.role != Role::Promoted || !self.deeds.stands() || self.deeds.owes() || early || all == 0 {
            return None;
        }
        if mine == all {
            self.fencing.verdict = Promotion::Won;
        }
        if self.fencing.verdict != Promotion::Open {
            return None;
        }
        self.fencing.verdict = Promotion::Lost;
        let rival = |r: &super::Rival| {
            let who = r.node.map_or_else(|| "an unknown host".into(), name);
            format!("{who} is master of {}", r.place)
        };
        let rivals: Vec<_> = s.rivals.iter().map(rival).collect();
        let what = if rivals.is_empty() {
            "others".into()
        } else {
            rivals.join(", ")
        };
        let text = format!("promotion failed: master of {mine} of {all}; {what}");
        Some(Notice::new(now, NoticeKind::Policy, text).about(self.me?))
    }

    /// The node that is to be switched off, if one is.
    pub(super) fn to_fence(&self, now: Timestamp, s: &Situation) -> Option<NodeId> {
        let peer = NodeId(u16::try_from(self.limits.fence?).ok()?);
        if self.fencing.verdict != Promotion::Lost || self.deeds.busy() {
            return None;
        }
        let in_the_way = s.is_down(peer.index()).is_some() && s.signs(peer).advertises && !s.gone(peer.index());
        (Some(peer) != self.me && in_the_way && self.kinds(now, peer, s) >= 2).then_some(peer)
    }

    /// How many witnesses of different kinds speak against a node. Traffic is the verdict itself and counts as none.
    fn kinds(&self, now: Timestamp, peer: NodeId, s: &Situation) -> usize {
        let signs = s.signs(peer);
        // A split that began with our promotion is our own doing.
        let before = |since: Timestamp| self.deeds.carried().is_some_and(|carried| since < carried);
        let carp = !signs.hearsay && (signs.missing || (s.torn(peer) && s.split.is_some_and(before)));
        let probe = self.witnesses.lost_peer(now, peer);
        // Our own dead port explains both; only a probe that reaches far shows that we have none.
        let own = self.witnesses.any() && self.witnesses.up();
        let heard = if own {
            usize::from(carp) + usize::from(probe)
        } else {
            usize::from(carp || probe)
        };
        heard + usize::from(signs.canary)
    }

    /// Whether a fencing that is due may be made now.
    pub(super) fn may_fence(&mut self, now: Timestamp, peer: NodeId, s: &Situation) -> Result<(), Unclear> {
        self.fencing.last.retain(|(_, at, _)| now.since(*at) < HOUR);
        if self.fenced(peer).is_some() {
            return Err(Unclear::Fenced);
        }
        if self.witnesses.lost(now) {
            return Err(Unclear::Probe);
        }
        if self.bulk_explains(now, s) {
            return Err(Unclear::Bulk);
        }
        if self.capped(now) { Err(Unclear::Cap) } else { Ok(()) }
    }

    pub(super) fn fence(
        &mut self,
        now: Timestamp,
        peer: NodeId,
        s: &Situation,
        name: &dyn Fn(NodeId) -> String,
    ) -> Decision {
        let cause = s.is_down(peer.index()).map_or("down", Cause::as_str);
        let (mine, all) = s.mastership;
        let reason = format!(
            "{} is down ({cause}), still advertises, and the promotion failed: master of {mine} of {all}",
            name(peer)
        );
        let how = if self.limits.live.results {
            Fenced::Trying
        } else {
            Fenced::Watching(now)
        };
        self.fencing.last.push((peer, now, how));
        let before = (self.role, self.deeds.carried());
        self.decide(now, Action::Fence, peer, (cause, reason), before)
    }

    /// What became of a node that was switched off: done only when its CARP and its pfsync have stopped.
    pub(super) fn watch(&mut self, now: Timestamp, s: &Situation, name: &dyn Fn(NodeId) -> String) -> Option<Notice> {
        let watched = |f: &&mut (NodeId, Timestamp, Fenced)| matches!(f.2, Fenced::Watching(_));
        let entry = self.fencing.last.iter_mut().find(watched)?;
        let (peer, Fenced::Watching(since)) = (entry.0, entry.2) else {
            return None;
        };
        let signs = s.signs(peer);
        let last = signs.heard.map_or(since, |t| t.max(since));
        let text = if !signs.advertises && now >= last + QUIET {
            entry.2 = Fenced::Yes;
            format!("fenced: CARP and pfsync of {} have stopped", name(peer))
        } else if now >= since + WATCH {
            entry.2 = Fenced::No;
            let what = if signs.advertises {
                "it still advertises"
            } else {
                "it is still heard"
            };
            format!("not fenced: {} was to be switched off, and {what}", name(peer))
        } else {
            return None;
        };
        Some(Notice::new(now, NoticeKind::Policy, text).about(peer))
    }
}
