//! What pfwatch did not do as it should, run by run: where to look first.

use super::Job;
use super::faster::OURS;
use super::raw::Line;
use crate::score::Score;
use std::collections::BTreeMap;

/// Runs that are mentioned.
const MENTIONED: usize = 50;

/// One sentence for each run in which it missed something, was wrong, or took back what was wanted.
pub(super) fn wrongs(jobs: &[Job], lines: &BTreeMap<Job, Line>) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut more = 0;
    for (job, line) in jobs.iter().filter_map(|job| Some((job, lines.get(job)?))) {
        let ours = OURS
            .iter()
            .find_map(|name| line.detectors.iter().find(|d| d.name == *name));
        let words = ours.map(|d| words(&d.score)).unwrap_or_default();
        if words.is_empty() {
            continue;
        }
        if sentences.len() < MENTIONED {
            let words = words.join("; ");
            sentences.push(format!("{} at {}, seed {}: {words}", job.scenario, job.load, job.seed));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        sentences.push(format!("and {more} runs more"));
    }
    sentences
}

fn words(score: &Score) -> Vec<String> {
    let mut words = Vec::new();
    if score.missed > 0 {
        words.push(format!("{} missed", score.missed));
    }
    for m in &score.mistakes {
        words.push(format!("fw{} down at {:.1} s for {:.1} s", m.node + 1, m.at, m.lasted));
    }
    for w in &score.wrong {
        let act = format!("{:?}", w.act).to_lowercase();
        words.push(format!("wrong {act} beside fw{} at {:.1} s", w.me + 1, w.at));
    }
    if score.undone > 0 {
        words.push(format!("{} taken back too early", score.undone));
    }
    let idle = score.wanted.saturating_sub(score.acted.len() as u64);
    if idle > 0 {
        words.push(format!("{idle} wanted and not done"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Mistake, Wrong};
    use crate::watch::Act;

    #[test]
    fn everything_that_was_wrong_is_in_one_sentence() {
        let score = Score {
            missed: 1,
            mistakes: vec![Mistake {
                at: 12.34,
                node: 0,
                lasted: 5.0,
            }],
            wrong: vec![Wrong {
                at: 13.0,
                me: 1,
                act: Act::Promote,
            }],
            undone: 1,
            wanted: 2,
            acted: vec![1.0],
            ..Score::default()
        };
        let wanted = "1 missed; fw1 down at 12.3 s for 5.0 s; wrong promote beside fw2 at 13.0 s; 1 taken back too early; \
                      1 wanted and not done";
        assert_eq!(words(&score).join("; "), wanted);
        assert!(words(&Score::default()).is_empty());
    }
}
