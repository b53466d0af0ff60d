//! Whether a node's own addresses answer, as the probes about it tell.
//!
//! Told of each answer by the engine, asked by `detect`. A node that neither answers nor tells of any traffic has lost
//! more than its pfsync; by itself an address that does not answer is nobody's proof. Round trips that go on on a path
//! prove that the probe is what is wrong: until it answers again it says nothing there.

use super::lately::Lately;
use crate::time::Timestamp;
use std::time::Duration;

/// Answers after which a probe is known to work.
const KNOWN: u32 = 5;
/// Failures in a row that are no accident.
const FAILURES: u32 = 2;
/// Results older than this say nothing about now.
pub const STALE: Duration = Duration::from_secs(5);

/// What a failure in a row is worth, in suspicion, and all of them at most: less than half of what `down` takes.
const EACH: f64 = 1.0;
const MOST: f64 = 4.0;
/// The share lost lately from which on a failure in a row is worth less.
const FEW: f64 = 0.01;

/// Round trips after which a probe that fails says nothing, and how long after its first failure they must be heard: what
/// went before is told that late.
const PROOFS: u8 = 3;
const TOLD: Duration = Duration::from_millis(1_500);

#[derive(Clone, Debug)]
struct Run {
    probe: usize,
    answers: u32,
    failures: u32,
    /// Share of the last dozen that failed, up to the last answer.
    lately: Lately,
    last: Timestamp,
    /// Its first failure in a row, and the round trips that were heard since, by path.
    since: Timestamp,
    proofs: Vec<u8>,
}

impl Run {
    fn gone(&self, now: Timestamp) -> bool {
        self.known(now) && self.failures >= FAILURES
    }

    /// Whether it used to answer, and somebody asks.
    fn known(&self, now: Timestamp) -> bool {
        self.answers >= KNOWN && now.since(self.last) <= STALE
    }

    fn void(&self, path: usize) -> bool {
        self.proofs.get(path).is_some_and(|&n| n >= PROOFS)
    }
}

/// The probes about one node.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    runs: Vec<Run>,
}

impl Reach {
    /// A probe was answered, or not.
    pub fn result(&mut self, now: Timestamp, probe: usize, ok: bool) {
        let run = match self.runs.iter_mut().position(|r| r.probe == probe) {
            Some(i) => &mut self.runs[i],
            None => {
                self.runs.push(Run {
                    probe,
                    answers: 0,
                    failures: 0,
                    lately: Lately::default(),
                    last: now,
                    since: now,
                    proofs: Vec::new(),
                });
                let last = self.runs.len() - 1;
                &mut self.runs[last]
            }
        };
        run.last = now;
        if ok {
            run.answers = run.answers.saturating_add(1);
            run.proofs.clear();
            let failed = f64::from(std::mem::take(&mut run.failures));
            run.lately.came_after(failed);
        } else {
            if run.failures == 0 {
                run.since = now;
            }
            run.failures = run.failures.saturating_add(1);
        }
    }

    /// A round trip through the node was proven on a path.
    pub fn proven(&mut self, now: Timestamp, path: usize) {
        for run in &mut self.runs {
            if run.failures > 0 && now.since(run.since) >= TOLD && !run.void(path) {
                if run.proofs.len() <= path {
                    run.proofs.resize(path + 1, 0);
                }
                run.proofs[path] += 1;
            }
        }
    }

    /// Whether an address that used to answer does not, as far as a path is concerned.
    #[must_use]
    pub fn gone(&self, now: Timestamp, path: usize) -> bool {
        self.against(now, path).next().is_some()
    }

    /// The probes that used to answer, do not, and say something about a path.
    fn against(&self, now: Timestamp, path: usize) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |r| r.gone(now) && !r.void(path))
    }

    /// Whether no address that used to answer does, and nothing passes.
    #[must_use]
    pub fn silent(&self, now: Timestamp) -> bool {
        let mut known = self.runs.iter().filter(|r| r.known(now)).peekable();
        let void = |r: &Run| r.proofs.iter().any(|&n| n >= PROOFS);
        known.peek().is_some() && known.all(|r| r.gone(now) && !void(r))
    }

    /// What that is worth beside what traffic says on a path, in suspicion: little where answers have been missing lately.
    #[must_use]
    pub fn worth(&self, now: Timestamp, path: usize) -> f64 {
        let worth = |r: &Run| {
            let clear = (r.lately.missing().max(FEW).log10() / FEW.log10()).max(0.0);
            (f64::from(r.failures) * EACH).min(MOST) * clear
        };
        self.against(now, path).map(worth).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs(s)
    }

    #[test]
    fn only_what_used_to_answer_can_be_gone_and_only_while_somebody_asks() {
        let mut r = Reach::default();
        for s in 0..3 {
            r.result(at(s), 7, false);
        }
        assert!(!r.gone(at(3), 0), "it never answered");
        for s in 3..9 {
            r.result(at(s), 7, true);
        }
        r.result(at(9), 7, false);
        assert!(!r.gone(at(9), 0), "once is an accident");
        r.result(at(10), 7, false);
        assert!(r.gone(at(10), 0));
        assert!(!r.gone(at(16), 0), "nobody asked for long");
        r.result(at(17), 7, true);
        assert!(!r.gone(at(17), 0));
    }

    #[test]
    fn the_more_fail_in_a_row_the_more_it_is_worth_and_little_where_some_are_always_lost() {
        let worth = |lost: u64, failures: u64| {
            let mut r = Reach::default();
            (0..60).for_each(|s| r.result(at(s), 7, s % lost > 0));
            (60..60 + failures).for_each(|s| r.result(at(s), 7, false));
            r.worth(at(59 + failures), 0)
        };
        assert_eq!([1, 2, 3, 9].map(|n| worth(1_000, n)), [0.0, 2.0, 3.0, 4.0]);
        assert!(worth(5, 3) < 1.5, "{}", worth(5, 3));
    }
}
