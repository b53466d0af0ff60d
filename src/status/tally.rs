//! How often actions and hooks ran, how that ended and how long it took, since the daemon started.
//!
//! Told by the daemon's loop of each result once. The snapshot has the last of them, these are the sums.

use super::ActionResult;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Upper bounds in seconds: from an ifconfig(8) that answers at once to the longest that a fence agent is given.
pub const BOUNDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Actions that are told apart. There are five; a sixth kind of result is a mistake that must not grow for ever.
const MOST: usize = 16;

/// One kind of action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Those that did what they were for.
    pub ok: u64,
    /// Those that did not.
    pub failed: u64,
    /// How long they took in all, in seconds.
    pub seconds: f64,
    /// How many took at most so long, for each of `BOUNDS`: those of the bound before among them.
    pub within: Vec<u64>,
}

impl Tally {
    /// Nothing ran yet.
    #[must_use]
    pub fn none() -> Self {
        Self {
            within: vec![0; BOUNDS.len()],
            ..Self::default()
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tallies {
    all: BTreeMap<String, Tally>,
}

impl Tallies {
    /// Counts a result.
    pub fn add(&mut self, result: &ActionResult) {
        if self.all.len() >= MOST && !self.all.contains_key(&result.action) {
            return;
        }
        let tally = self.all.entry(result.action.clone()).or_insert_with(Tally::none);
        let count = if result.ok { &mut tally.ok } else { &mut tally.failed };
        *count += 1;
        tally.seconds += result.seconds.max(0.0);
        for (n, bound) in tally.within.iter_mut().zip(BOUNDS) {
            *n += u64::from(result.seconds <= bound);
        }
    }

    /// All of them, by action.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, Tally> {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(ok: bool, seconds: f64) -> ActionResult {
        ActionResult {
            action: "notify".into(),
            ok,
            seconds,
            ..ActionResult::default()
        }
    }

    #[test]
    fn results_are_summed_and_those_of_a_bound_are_among_those_of_the_next() {
        let mut tallies = Tallies::default();
        for (ok, seconds) in [(true, 0.02), (false, 3.0), (true, 99.0)] {
            tallies.add(&result(ok, seconds));
        }
        let tally = &tallies.all()["notify"];
        assert_eq!((tally.ok, tally.failed), (2, 1));
        assert!((tally.seconds - 102.02).abs() < 1e-9);
        assert_eq!(tally.within, [0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn no_more_kinds_than_there_can_be() {
        let mut tallies = Tallies::default();
        for n in 0..100 {
            let action = n.to_string();
            tallies.add(&ActionResult {
                action,
                ..result(true, 1.0)
            });
        }
        assert_eq!(tallies.all().len(), MOST);
    }
}
