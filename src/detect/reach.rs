//! Whether a node's own addresses answer, as the probes about it tell.
//!
//! Told of each answer by the engine, asked by `detect`. A node that neither answers nor tells of any traffic has lost
//! more than its pfsync; by itself an address that does not answer is nobody's proof.

use crate::time::Timestamp;
use std::time::Duration;

/// Answers after which a probe is known to work.
const KNOWN: u32 = 5;
/// Failures in a row that are no accident.
const FAILURES: u32 = 2;
/// Results older than this say nothing about now.
const STALE: Duration = Duration::from_secs(5);

/// What a failure in a row is worth, in suspicion, and all of them at most: less than half of what `down` takes.
const EACH: f64 = 1.0;
const MOST: f64 = 4.0;
/// Weight of the latest result in what is lost lately, and the share from which on a failure in a row is worth less.
const LATELY: f64 = 0.08;
const FEW: f64 = 0.01;

#[derive(Clone, Copy, Debug)]
struct Run {
    probe: usize,
    answers: u32,
    failures: u32,
    /// Share of the last dozen that failed, up to the last answer.
    lately: f64,
    last: Timestamp,
}

impl Run {
    fn gone(&self, now: Timestamp) -> bool {
        self.answers >= KNOWN && self.failures >= FAILURES && now.since(self.last) <= STALE
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
                    lately: 0.0,
                    last: now,
                });
                let last = self.runs.len() - 1;
                &mut self.runs[last]
            }
        };
        run.last = now;
        if ok {
            run.answers = run.answers.saturating_add(1);
            let failed = f64::from(std::mem::take(&mut run.failures));
            run.lately += (failed / (failed + 1.0) - run.lately) * LATELY;
        } else {
            run.failures = run.failures.saturating_add(1);
        }
    }

    /// Whether an address that used to answer does not.
    #[must_use]
    pub fn gone(&self, now: Timestamp) -> bool {
        self.runs.iter().any(|r| r.gone(now))
    }

    /// What that is worth beside what traffic says, in suspicion: little where answers have been missing lately.
    #[must_use]
    pub fn worth(&self, now: Timestamp) -> f64 {
        let worth = |r: &Run| {
            let clear = (r.lately.max(FEW).log10() / FEW.log10()).max(0.0);
            (f64::from(r.failures) * EACH).min(MOST) * clear
        };
        let gone = self.runs.iter().filter(|r| r.gone(now));
        gone.map(worth).fold(0.0, f64::max)
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
        assert!(!r.gone(at(3)), "it never answered");
        for s in 3..9 {
            r.result(at(s), 7, true);
        }
        r.result(at(9), 7, false);
        assert!(!r.gone(at(9)), "once is an accident");
        r.result(at(10), 7, false);
        assert!(r.gone(at(10)));
        assert!(!r.gone(at(16)), "nobody asked for long");
        r.result(at(17), 7, true);
        assert!(!r.gone(at(17)));
    }

    #[test]
    fn the_more_fail_in_a_row_the_more_it_is_worth_and_little_where_some_are_always_lost() {
        let worth = |lost: u64, failures: u64| {
            let mut r = Reach::default();
            (0..60).for_each(|s| r.result(at(s), 7, s % lost > 0));
            (60..60 + failures).for_each(|s| r.result(at(s), 7, false));
            r.worth(at(59 + failures))
        };
        assert_eq!([1, 2, 3, 9].map(|n| worth(1_000, n)), [0.0, 2.0, 3.0, 4.0]);
        assert!(worth(5, 3) < 1.5, "{}", worth(5, 3));
    }
}
