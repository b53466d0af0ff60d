//! What a watcher did in one run, held against what was right to do.

use super::{GRACE, KEPT, Must, Score, Wrong, must};
use crate::watch::{Act, Deed};
use pf_sim::Time;
use pf_sim::site::Node;
use pf_sim::truth::{self, Right, Truth};

impl Score {
    pub(super) fn deeds(&mut self, truth: &Truth, deeds: &[Deed], length: Time) {
        let in_time = || deeds.iter().filter(|d| d.at < length);
        self.undone += in_time().filter(|d| undoes(truth, deeds, d)).count() as u64;
        for deed in in_time().filter(|d| !allowed(truth, d)) {
            self.wrong_actions += 1;
            if self.wrong.len() < KEPT {
                self.wrong.push(Wrong {
                    at: deed.at.as_secs_f64(),
                    me: deed.me,
                    act: deed.act,
                });
            }
        }
        for right in truth.actions.iter().filter(|r| r.wanted && r.from < length) {
            self.wanted += 1;
            let fits = |d: &&Deed| right.from <= d.at && d.at < right.to && fulfils(truth, d, d.at, right);
            let first = deeds.iter().filter(fits).map(|d| d.at).min();
            self.acted.extend(first.map(|at| (at - right.from).as_secs_f64()));
        }
    }
}
/// Whether this, done and standing at `at`, is what was wanted. Traffic leaves a node that has to be found when another is
/// made master, and just as well when that node steps back.
fn fulfils(truth: &Truth, deed: &Deed, at: Time, wanted: &Right) -> bool {
    let out = must(truth, deed.me, at) == Must::Down;
    match (wanted.act, deed.act) {
        (truth::Act::Promote, Act::Promote | Act::Fence | Act::TakeOver) => !out,
        (truth::Act::Promote, Act::Demote) => out,
        (truth::Act::Demote, act) => act == Act::Demote && deed.me == wanted.node,
        _ => false,
    }
}

/// What is right for `node` at `at`. Who steps back because a ping was not answered knows that after the trouble may be over.
fn rights(truth: &Truth, node: Node, at: Time) -> impl Iterator<Item = &Right> {
    let grace = |r: &Right| match r.act {
        truth::Act::Demote => GRACE,
        truth::Act::Promote => Time::ZERO,
    };
    let holds = move |r: &&Right| r.node == node && r.from <= at && at < r.to + grace(r);
    truth.actions.iter().filter(holds)
}

/// Whether a deed takes back what is still wanted: it undoes what was last done beside that node, and nothing else.
fn undoes(truth: &Truth, deeds: &[Deed], deed: &Deed) -> bool {
    if deed.act != Act::Restore {
        return false;
    }
    let own = |d: &&Deed| d.me == deed.me && d.at <= deed.at && !matches!(d.act, Act::Restore | Act::Split);
    let Some(done) = deeds.iter().filter(own).max_by_key(|d| d.at) else {
        return false;
    };
    let wanted = |r: &&Right| r.wanted && r.from <= deed.at && deed.at < r.to;
    let mut wanted = truth.actions.iter().filter(wanted);
    wanted.any(|r| fulfils(truth, done, deed.at, r))
}

/// Whether the truth knows of a reason for this.
///
/// A promotion (or fencing, which makes the other master too) and a demotion must be in the list of what is right.
/// Where nobody is to promote because CARP moves by itself, a promotion against a node that has to be found is needless
/// but not wrong. Taking something back is never wrong; whether it came too early is counted by itself. What CARP does
/// by itself is right while the node that it takes from has an outage of any kind, whether or not helping CARP would be.
fn allowed(truth: &Truth, deed: &Deed) -> bool {
    let mut here = rights(truth, deed.me, deed.at);
    let promotes = |r: &Right| r.act == truth::Act::Promote;
    match deed.act {
        Act::Promote | Act::Fence => {
            let somebody_shall = truth
                .actions
                .iter()
                .any(|r| promotes(r) && r.from <= deed.at && deed.at < r.to);
            let must_be_found = deed.against.is_some_and(|n| must(truth, n, deed.at) == Must::Down);
            here.any(promotes) || (must_be_found && !somebody_shall)
        }
        Act::Demote => here.any(|r| r.act == truth::Act::Demote),
        Act::Restore => true,
        Act::TakeOver | Act::Split => {
            let out = deed.against.is_some_and(|n| truth.down(n, deed.at, GRACE).is_some());
            out || here.any(promotes)
        }
    }
}
