//! What a watcher said in one run, held against the truth of that run.
//!
//! The measures are those of Chen, Toueg and Aguilera ("On the quality of service of failure detectors", IEEE
//! Transactions on Computers 51(5), 2002): detection time T_D, mistake duration T_M, mistake rate, query accuracy
//! probability P_A; beside them, what a failure detector that acts must be asked too: what it did. Judges turns and
//! deeds only; how they came about does not matter.

mod deeds;
#[cfg(test)]
mod tests;

use crate::watch::{Act, Said, Turn};
use pf_sim::Time;
use pf_sim::site::Node;
use pf_sim::truth::{Grade, Outage, Truth};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After an outage: what was in flight may still speak against the node. Saying `down` then is no mistake, not saying
/// it is none either; and a node may step back.
pub const GRACE: Duration = Duration::from_secs(2);
/// Mistakes of which the details are kept; a detector that knows nothing makes thousands.
const KEPT: usize = 8;

/// A false `down`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// When, in seconds.
    pub at: f64,
    /// About whom.
    pub node: Node,
    /// T_M: until it was taken back, or became true, or the run ended.
    pub lasted: f64,
}

/// An action that the truth does not know.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrong {
    /// When, in seconds.
    pub at: f64,
    /// Beside which node.
    pub me: Node,
    /// What.
    pub act: Act,
}

/// How one watcher did in one run. Times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// T_D of each outage that had to be found and was: from its beginning to the first `down` in it; 0 if the output
    /// was `down` already.
    pub detected: Vec<f64>,
    /// Outages that had to be found and were not while they lasted.
    pub missed: u64,
    /// Times that `down` was taken back while an outage went on that had to be found: Chen's T_D ends with the LAST turn
    /// to `down`, which only is another number where this is not 0.
    pub lapses: u64,
    /// Outages that need not be found: a node that is well and passes nothing, one that is partly broken.
    pub open: u64,
    /// Of these, how many were called `down` while they lasted.
    pub open_said: u64,
    /// False alarms: turns to `down` outside of every outage.
    pub false_alarms: u64,
    /// Of these, how many came in the time that is counted as `calm`.
    pub calm_alarms: u64,
    /// The sum of their T_M.
    pub mistaken: f64,
    /// The longest of them.
    pub worst_mistake: f64,
    /// The first of them.
    pub mistakes: Vec<Mistake>,
    /// How long `down` stood after outages (and their grace) had ended.
    pub late: f64,
    /// Wrong actions.
    pub wrong_actions: u64,
    /// Times that what moved the traffic was taken back while that was still wanted.
    pub undone: u64,
    /// The first of them.
    pub wrong: Vec<Wrong>,
    /// Actions that must happen.
    pub wanted: u64,
    /// How long each of those took that did, from when it was right; whoever moved the traffic, and however.
    pub acted: Vec<f64>,
    /// Time for which all nodes were in order, of the pair: what the rate of false alarms is over.
    pub calm: f64,
    /// Time of all nodes in which they were in order.
    pub fine: f64,
    /// Of that, with an output that said so. P_A is `accurate / fine`.
    pub accurate: f64,
    /// Time of all nodes in which the truth leaves no room.
    pub judged: f64,
    /// Of that, with the right output; other than P_A, outages count too.
    pub right: f64,
}

/// What the output about a node must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    Down,
    NotDown,
    Either,
}

fn must(truth: &Truth, node: Node, at: Time) -> Must {
    let holds = |o: &&Outage| o.node == node && o.from <= at && at < o.to;
    let mut open = truth.outages.iter().filter(holds).peekable();
    if open.peek().is_none() {
        return match truth.down(node, at, GRACE) {
            Some(_) => Must::Either,
            None => Must::NotDown,
        };
    }
    if open.any(|o| o.grade == Grade::Must) {
        Must::Down
    } else {
        Must::Either
    }
}

/// Judges a run of `length` with `nodes` nodes.
#[must_use]
pub fn score(truth: &Truth, said: &Said, nodes: usize, length: Time) -> Score {
    let mut score = Score::default();
    for node in 0..nodes {
        let turns: Vec<Turn> = said.turns.iter().filter(|t| t.node == node).copied().collect();
        score.detections(truth, node, &turns, length);
        score.mistakes(truth, node, &turns, length);
        score.accuracy(truth, node, &turns, length);
    }
    score.calm = calm(truth, length).as_secs_f64();
    score.deeds(truth, &said.deeds, length);
    score
}

/// The output at `at`, what turns exactly then included.
fn stood(turns: &[Turn], at: Time) -> bool {
    let before = turns.partition_point(|t| t.at <= at);
    before > 0 && turns[before - 1].down
}

impl Score {
    fn detections(&mut self, truth: &Truth, node: Node, turns: &[Turn], length: Time) {
        let here = |o: &&Outage| o.node == node && o.from < length;
        for outage in truth.outages.iter().filter(here) {
            let inside = || {
                turns
                    .iter()
                    .filter(|t| outage.from < t.at && t.at < outage.to.min(length))
            };
            let found = if stood(turns, outage.from) {
                Some(outage.from)
            } else {
                inside().find(|t| t.down).map(|t| t.at)
            };
            if outage.grade == Grade::May {
                self.open += 1;
                self.open_said += u64::from(found.is_some());
                continue;
            }
            match found {
                Some(at) => self.detected.push((at - outage.from).as_secs_f64()),
                None => self.missed += 1,
            }
            self.lapses += inside().filter(|t| !t.down).count() as u64;
        }
    }

    fn mistakes(&mut self, truth: &Truth, node: Node, turns: &[Turn], length: Time) {
        for (i, turn) in turns.iter().enumerate().filter(|(_, t)| t.down && t.at < length) {
            let back = turns.get(i + 1).map_or(length, |t| t.at.min(length));
            if let Some(outage) = truth.down(node, turn.at, GRACE) {
                self.late += overstayed(truth, node, outage, back).as_secs_f64();
                continue;
            }
            let became_true = truth.outages.iter().filter(|o| o.node == node && o.from > turn.at);
            let end = became_true.map(|o| o.from).min().map_or(back, |t| t.min(back));
            let lasted = (end - turn.at).as_secs_f64();
            self.false_alarms += 1;
            let elsewhere = |o: &Outage| o.from <= turn.at && turn.at < o.to + GRACE;
            self.calm_alarms += u64::from(!truth.outages.iter().any(elsewhere));
            self.mistaken += lasted;
            self.worst_mistake = self.worst_mistake.max(lasted);
            if self.mistakes.len() < KEPT {
                let at = turn.at.as_secs_f64();
                self.mistakes.push(Mistake { at, node, lasted });
            }
        }
    }

    /// Adds up the time between all moments at which the output or what it must be changes.
    fn accuracy(&mut self, truth: &Truth, node: Node, turns: &[Turn], length: Time) {
        let outages = truth.outages.iter().filter(|o| o.node == node);
        let mut moments: Vec<Time> = outages.flat_map(|o| [o.from, o.to, o.to + GRACE]).collect();
        moments.extend(turns.iter().map(|t| t.at));
        moments.extend([Time::ZERO, length]);
        moments.retain(|&t| t <= length);
        moments.sort_unstable();
        moments.dedup();
        let mut next = 0;
        let mut down = false;
        for span in moments.windows(2) {
            let &[from, to] = span else { continue };
            while let Some(turn) = turns.get(next).filter(|t| t.at <= from) {
                down = turn.down;
                next += 1;
            }
            let seconds = (to - from).as_secs_f64();
            let must = must(truth, node, from);
            if must != Must::Either {
                self.judged += seconds;
                self.right += if down == (must == Must::Down) { seconds } else { 0.0 };
            }
            if must == Must::NotDown {
                self.fine += seconds;
                self.accurate += if down { 0.0 } else { seconds };
            }
        }
    }
}

/// How much of the time from the end of an outage until `back` no outage explains.
fn overstayed(truth: &Truth, node: Node, outage: &Outage, back: Time) -> Duration {
    let mut at = outage.to + GRACE;
    let mut sum = Duration::ZERO;
    while at < back {
        if let Some(o) = truth.down(node, at, GRACE) {
            at = o.to + GRACE;
            continue;
        }
        let later = truth.outages.iter().filter(|o| o.node == node && o.from > at);
        let end = later.map(|o| o.from).min().map_or(back, |t| t.min(back));
        sum += end - at;
        at = end;
    }
    sum
}

/// Time in which no node has an outage or what is left of one.
fn calm(truth: &Truth, length: Time) -> Duration {
    let mut outages: Vec<(Time, Time)> = truth.outages.iter().map(|o| (o.from, o.to + GRACE)).collect();
    outages.sort_unstable();
    let (mut calm, mut at) = (Duration::ZERO, Time::ZERO);
    for (from, to) in outages {
        calm += from.min(length).saturating_sub(at);
        at = at.max(to);
    }
    calm + length.saturating_sub(at)
}
