//! Loss over one direction of a port or path: a good and a bad state, whose stays give the mean burst.

use crate::dice::Dice;
use crate::fault::Loss;
use rand::RngExt;

/// The loss process of one direction.
#[derive(Clone, Debug)]
pub struct Link {
    dice: Dice,
    loss: Loss,
    bad: bool,
}

impl Link {
    /// Loses nothing yet.
    #[must_use]
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            loss: Loss::NONE,
            bad: false,
        }
    }

    /// From now on it loses like this.
    pub fn set(&mut self, loss: Loss) {
        self.loss = loss;
        self.bad = false;
    }

    /// Whether the next packet gets through.
    pub fn pass(&mut self) -> bool {
        let Loss { share, burst } = self.loss;
        if share <= 0.0 {
            return true;
        }
        if share >= 1.0 {
            return false;
        }
        if burst <= 1.0 {
            return self.dice.random::<f64>() >= share;
        }
        // Mean stay in the bad state is `burst`; the way into it is as likely as keeps `share` of the packets bad.
        // A share too high for the burst to be that short stretches the burst: one good packet in between at least.
        let burst = burst.max(share / (1.0 - share));
        let leave = 1.0 / burst;
        let enter = leave * share / (1.0 - share);
        self.bad = self.dice.random::<f64>() < if self.bad { 1.0 - leave } else { enter };
        !self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::stream;

    /// Share lost and mean run of losses.
    fn measure(share: f64, burst: f64) -> (f64, f64) {
        let mut link = Link::new(stream(7, "link"));
        link.set(Loss { share, burst });
        let passed: Vec<bool> = (0..200_000).map(|_| link.pass()).collect();
        let lost = passed.iter().filter(|p| !**p).count();
        let runs = passed.windows(2).filter(|w| w[0] && !w[1]).count().max(1);
        (lost as f64 / passed.len() as f64, lost as f64 / runs as f64)
    }

    #[test]
    fn share_and_burst_are_as_asked() {
        for (share, burst, run_of) in [
            (0.02, 5.0, 5.0),
            (0.1, 20.0, 20.0),
            (0.5, 3.0, 3.0),
            (0.3, 1.0, 1.0 / 0.7),
        ] {
            let (got, run) = measure(share, burst);
            assert!((got - share).abs() < 0.15 * share, "{share} {burst}: {got}");
            assert!((run - run_of).abs() < 0.15 * run_of, "{share} {burst}: {run}");
        }
    }

    #[test]
    fn a_high_share_needs_longer_bursts() {
        let (got, run) = measure(0.9, 2.0);
        assert!((got - 0.9).abs() < 0.02, "{got}");
        assert!(run > 8.0, "{run}");
    }

    #[test]
    fn none_and_all() {
        assert_eq!(measure(0.0, 1.0).0, 0.0);
        assert_eq!(measure(1.0, 1.0).0, 1.0);
    }
}
