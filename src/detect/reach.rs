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

#[derive(Clone, Copy, Debug)]
struct Run {
    probe: usize,
    answers: u32,
    failures: u32,
    last: Timestamp,
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
                    last: now,
                });
                let last = self.runs.len() - 1;
                &mut self.runs[last]
            }
        };
        run.last = now;
        if ok {
            run.answers = run.answers.saturating_add(1);
            run.failures = 0;
        } else {
            run.failures = run.failures.saturating_add(1);
        }
    }

    /// Whether an address that used to answer does not.
    #[must_use]
    pub fn gone(&self, now: Timestamp) -> bool {
        let gone = |r: &Run| r.answers >= KNOWN && r.failures >= FAILURES && now.since(r.last) <= STALE;
        self.runs.iter().any(gone)
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
}
