//! What became of decisions: carried out, failed and to be tried again, taken back by hand, or left by an earlier run.
//!
//! Offline nobody tells: then every decision counts as carried out, and nothing here waits or judges.

use super::{HOUR, Policy, Role, Unclear};
use crate::event::{Action, Decision, NodeId};
use crate::time::Timestamp;
use std::time::Duration;

/// Until the second try; doubles.
const AGAIN: Duration = Duration::from_secs(5);
/// Tries within an hour. What is to be taken back is tried for ever, each five minutes in the end.
const TRIES: u32 = 3;
/// An actor that has said nothing for so long is worth a word.
const LATE: Duration = Duration::from_secs(60);

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Out.
    Out,
    /// It failed, and nothing of it stands.
    Not,
    /// It failed, and something of it stands.
    Half,
}

impl From<bool> for Carried {
    fn from(out: bool) -> Self {
        if out { Self::Out } else { Self::Not }
    }
}

/// Where an earlier run was, as its ledger has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past<'a> {
    /// What it made of this node; any other role is none of ours.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
    /// The promotions of the last hour.
    pub promotions: &'a [Timestamp],
    /// When a peer was last seen to go away.
    pub away: Option<Timestamp>,
    /// It was begun to be taken back.
    pub owed: bool,
}

/// A decision whose result is awaited, and what stood before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    seq: u64,
    action: Action,
    at: Timestamp,
    before: (Role, Option<Timestamp>),
    late: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Deeds {
    open: Option<Open>,
    /// Since when what the role says is so in the kernel. Never, offline.
    carried: Option<Timestamp>,
    /// Something stands that is to be taken back, whatever that was begun for, and the role before it; unknown, where it was
    /// ours.
    owed: Option<Role>,
    failures: [Failures; 4],
    /// To be told at the next look.
    failed: Option<(u64, Action)>,
}

impl Deeds {
    /// A result is awaited.
    pub(super) fn busy(&self) -> bool {
        self.open.is_some()
    }

    /// What the role says is so in the kernel.
    pub(super) fn stands(&self) -> bool {
        self.carried.is_some()
    }

    /// Taking back has not come to its end, whatever it was begun for.
    pub(super) fn owes(&self) -> bool {
        self.owed.is_some()
    }

    pub(super) fn carried(&self) -> Option<Timestamp> {
        self.carried
    }

    /// Whether something that failed may be tried again.
    pub(super) fn may_try(&self, now: Timestamp, action: Action) -> Result<(), Unclear> {
        let f = &self.failures[action as usize];
        let since = now.since(f.last);
        let endless = action == Action::Restore;
        if f.count == 0 || (since >= HOUR && !endless) {
            return Ok(());
        }
        if f.count >= TRIES && !endless {
            return Err(Unclear::GaveUp);
        }
        let wait = AGAIN * 2_u32.saturating_pow((f.count - 1).min(6));
        if since < wait { Err(Unclear::Failed) } else { Ok(()) }
    }

    /// A word about what failed, or about a result that does not come.
    pub(super) fn word(&mut self, now: Timestamp) -> Option<String> {
        if let Some((seq, action)) = self.failed.take() {
            let (what, count) = (action.as_str(), self.failures[action as usize].count);
            let then = match action {
                Action::Fence => "it is not tried again within the hour",
                Action::Restore => "it is tried again, and still counts as our doing",
                _ if count >= TRIES => "it is not tried again within the hour",
                _ => "it is tried again a little later, if it is still called for",
            };
            return Some(format!("{what} (decision {seq}) failed; {then}"));
        }
        let open = self.open.as_mut().filter(|o| !o.late && now.since(o.at) >= LATE)?;
        open.late = true;
        let (what, seq) = (open.action.as_str(), open.seq);
        Some(format!(
            "whether {what} (decision {seq}) was carried out is not known yet; nothing else is decided until it is"
        ))
    }

    pub(super) fn age(&mut self, by: Duration, floor: Timestamp) {
        if let Some(open) = &mut self.open {
            open.at = open.at - by;
        }
        self.carried = self.carried.map(|t| (t - by).max(floor));
        for f in self.failures.iter_mut().filter(|f| f.count > 0) {
            f.last = f.last - by;
        }
    }
}

impl Policy {
    /// What became of a decision. False if no such result is awaited.
    pub fn result(&mut self, now: Timestamp, seq: u64, carried: impl Into<Carried>) -> bool {
        let carried = carried.into();
        let Some(open) = self.deeds.open.take_if(|o| o.seq == seq) else {
            return false;
        };
        self.settle_until = now + self.limits.settle;
        self.pending = None;
        let failures = &mut self.deeds.failures[open.action as usize];
        if carried == Carried::Out {
            *failures = Failures::default();
            match open.action {
                Action::Promote | Action::Demote => self.deeds.carried = Some(now),
                Action::Restore => {
                    let before = self.deeds.owed.take();
                    // In a split CARP tells no role, and what is called for may still be.
                    if self.role == Role::Unknown {
                        self.role = before.unwrap_or_default();
                    }
                }
                Action::Fence => self.fencing.begin(now),
            }
            return true;
        }
        if now.since(failures.last) >= HOUR {
            failures.count = 0;
        }
        (failures.count, failures.last) = (failures.count.saturating_add(1), now);
        self.deeds.failed = Some((seq, open.action));
        match open.action {
            Action::Fence => self.fencing.failed(),
            // It never happened: another try is no second promotion, and not ours to take back.
            Action::Promote => {
                self.promoted.pop_back();
            }
            Action::Demote => {}
            // Nor does what is tried for ever use up what may be done in an hour.
            Action::Restore => {
                self.acted.pop_back();
            }
        }
        (self.role, self.deeds.carried) = open.before;
        if carried == Carried::Half && open.action != Action::Fence {
            // Half a promotion splits the addresses between two nodes, and none of it would ever be looked at again.
            let made = match open.action {
                Action::Promote => Some(Role::Promoted),
                Action::Demote => Some(Role::Demoted),
                Action::Restore | Action::Fence => None,
            };
            let before = made.map_or(Role::Unknown, |_| open.before.0);
            self.deeds.owed.get_or_insert(before);
            if let Some(made) = made {
                (self.role, self.deeds.carried) = (made, Some(now));
            }
        }
        true
    }

    /// Goes on where an earlier run was.
    pub fn resume(&mut self, past: &Past<'_>) {
        self.promoted = past.promotions.iter().copied().collect();
        if past.role == Role::Promoted && !past.owed && !past.promotions.contains(&past.since) {
            self.promoted.push_back(past.since);
        }
        self.acted = self.promoted.clone();
        if !matches!(past.role, Role::Promoted | Role::Demoted) {
            return;
        }
        self.role = past.role;
        self.deeds.carried = Some(past.since);
        self.deeds.owed = past.owed.then_some(Role::Unknown);
        self.witnesses.resume(past.away);
    }

    /// The operator takes back what is ours. Nothing if nothing is, or while something is being carried out.
    pub fn undo(&mut self, now: Timestamp) -> Option<Decision> {
        let me = self.me?;
        if self.deeds.busy() || !matches!(self.role, Role::Promoted | Role::Demoted) {
            return None;
        }
        let reason = format!("no longer {}: the operator took it back", self.role.as_str());
        Some(self.restore(now, me, "operator", reason))
    }

    pub(super) fn restore(&mut self, now: Timestamp, me: NodeId, cause: &'static str, reason: String) -> Decision {
        let phantom = self.phantom();
        let before = (self.role, self.deeds.carried.take());
        self.role = Role::Unknown;
        let decision = self.decide(now, Action::Restore, me, (cause, reason), before);
        if self.deeds.open.is_none() {
            self.deeds.owed = None; // Nobody will tell what became of it.
        }
        if phantom {
            // What never was holds down nothing.
            self.promoted.clear();
            self.acted.clear();
        }
        decision
    }

    pub(super) fn decide(
        &mut self,
        at: Timestamp,
        action: Action,
        node: NodeId,
        (cause, reason): (&'static str, String),
        before: (Role, Option<Timestamp>),
    ) -> Decision {
        self.seq += 1;
        self.acted.push_back(at);
        self.settle_until = at + self.limits.settle;
        self.pending = None;
        let seq = self.seq;
        self.deeds.open = self.limits.live.results.then_some(Open {
            seq,
            action,
            at,
            before,
            late: false,
        });
        Decision {
            at,
            seq,
            action,
            node,
            cause,
            reason,
        }
    }
}
