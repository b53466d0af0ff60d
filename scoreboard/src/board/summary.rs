//! Many runs of one watcher, added up.

use crate::rate::Rate;
use crate::score::Score;
use std::time::Duration;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Runs.
    pub runs: u64,
    /// Simulated seconds.
    pub length: f64,
    /// Everything that is a sum in [`Score`], and all detection times, unsorted; no details of single mistakes.
    pub score: Score,
}

impl Sum {
    /// Adds a run.
    pub fn add(&mut self, length: f64, one: &Score) {
        self.runs += 1;
        self.length += length;
        let all = &mut self.score;
        all.detected.extend(&one.detected);
        all.acted.extend(&one.acted);
        all.worst_mistake = all.worst_mistake.max(one.worst_mistake);
        for (sum, more) in [
            (&mut all.missed, one.missed),
            (&mut all.open, one.open),
            (&mut all.open_said, one.open_said),
            (&mut all.lapses, one.lapses),
            (&mut all.false_alarms, one.false_alarms),
            (&mut all.calm_alarms, one.calm_alarms),
            (&mut all.wrong_actions, one.wrong_actions),
            (&mut all.wanted, one.wanted),
            (&mut all.undone, one.undone),
        ] {
            *sum += more;
        }
        for (sum, more) in [
            (&mut all.mistaken, one.mistaken),
            (&mut all.late, one.late),
            (&mut all.calm, one.calm),
            (&mut all.fine, one.fine),
            (&mut all.accurate, one.accurate),
            (&mut all.judged, one.judged),
            (&mut all.right, one.right),
        ] {
            *sum += more;
        }
    }

    /// Outages that had to be found.
    #[must_use]
    pub fn outages(&self) -> u64 {
        self.score.missed + self.score.detected.len() as u64
    }

    /// The detection time that a share of the outages that were found did not exceed (nearest rank).
    #[must_use]
    pub fn detected_within(&self, share: f64) -> Option<f64> {
        quantile(&self.score.detected, share)
    }

    /// The time that a share of the wanted actions that were done did not exceed.
    #[must_use]
    pub fn acted_within(&self, share: f64) -> Option<f64> {
        quantile(&self.score.acted, share)
    }

    /// Mean of T_M, the duration of a mistake.
    #[must_use]
    pub fn mean_mistake(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let mean = self.score.mistaken / self.score.false_alarms as f64;
        (self.score.false_alarms > 0).then_some(mean)
    }

    /// P_A, the probability that the output about a node that is in order says so at a random time. Detection is not in
    /// it, T_D tells of that.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.score.fine > 0.0).then(|| self.score.accurate / self.score.fine)
    }

    /// False alarms per year in which all nodes were in order; those about one node while another was out are not in it.
    #[must_use]
    pub fn mistake_rate(&self) -> Option<Rate> {
        Rate::new(self.score.calm_alarms, Duration::from_secs_f64(self.score.calm))
    }

    /// Wrong actions per year of all that was simulated.
    #[must_use]
    pub fn wrong_rate(&self) -> Option<Rate> {
        Rate::new(self.score.wrong_actions, Duration::from_secs_f64(self.length))
    }
}

/// So many values are needed before one in a hundred means anything.
pub const HUNDRED: usize = 100;

/// The smallest value that at least `share` of all do not exceed.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the length"
    )]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            [0.5, 0.99, 1.0].map(|q| quantile(&hundred, q)),
            [Some(50.0), Some(99.0), Some(100.0)]
        );
        let three = [3.0, 1.0, 2.0];
        assert_eq!(
            [0.0, 0.5, 0.99].map(|q| quantile(&three, q)),
            [Some(1.0), Some(2.0), Some(3.0)]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn runs_add_up() {
        let one = Score {
            detected: vec![2.0],
            missed: 1,
            false_alarms: 2,
            calm_alarms: 2,
            mistaken: 6.0,
            worst_mistake: 5.0,
            wrong_actions: 1,
            calm: 100.0,
            fine: 300.0,
            accurate: 294.0,
            ..Score::default()
        };
        let two = Score {
            detected: vec![1.0, 4.0],
            worst_mistake: 0.0,
            calm: 200.0,
            fine: 300.0,
            accurate: 300.0,
            ..Score::default()
        };
        let mut sum = Sum::default();
        sum.add(200.0, &one);
        sum.add(300.0, &two);
        assert_eq!((sum.runs, sum.length, sum.outages()), (2, 500.0, 4));
        assert_eq!(sum.detected_within(0.5), Some(2.0));
        assert_eq!(sum.mean_mistake(), Some(3.0));
        assert_eq!(sum.accuracy(), Some(0.99));
        let rate = sum.mistake_rate().unwrap();
        assert!((rate.seen - 2.0 / 300.0 * crate::rate::YEAR).abs() < 1e-6);
        assert!((sum.wrong_rate().unwrap().seen - crate::rate::YEAR / 500.0).abs() < 1e-6);
    }
}
