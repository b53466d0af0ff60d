//! From the simulator's time to the stamps of the capturing host, whose clock may jump.

use crate::time::Timestamp;
use pf_sim::Time;
use pf_sim::fault::Fault;
use pf_sim::setup::Setup;

/// The wall clock of the host that captures.
pub(super) struct WallClock {
    epoch: i64,
    /// When it jumped, and by how many nanoseconds.
    steps: Vec<(Time, i64)>,
}

impl WallClock {
    /// As the scenario has it.
    pub(super) fn new(setup: &Setup) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "steps of hours")]
        let step = |(at, fault): &(Time, Fault)| match fault {
            Fault::ClockStep(seconds) => Some((*at, (seconds * 1e9) as i64)),
            _ => None,
        };
        Self {
            epoch: setup.epoch,
            steps: setup.faults.iter().filter_map(step).collect(),
        }
    }

    /// The latest that it showed up to `at`: where a clock was set back, a reader's time stands still until it is made up.
    pub(super) fn latest(&self, at: Time) -> Timestamp {
        let before = |when: Time| self.at(when.saturating_sub(Time::from_nanos(1)));
        let jumps = self.steps.iter().filter(|(when, _)| *when <= at);
        jumps.map(|(when, _)| before(*when)).fold(self.at(at), Timestamp::max)
    }

    /// What it shows.
    pub(super) fn at(&self, at: Time) -> Timestamp {
        let jumped: i64 = self
            .steps
            .iter()
            .filter(|(when, _)| *when <= at)
            .map(|(_, by)| by)
            .sum();
        Timestamp::from_nanos(self.epoch.saturating_add(jumped)) + at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_sim::scenario::{LoadName, Scenario};

    #[test]
    fn a_clock_jumps_and_time_does_not() {
        for (name, jump) in [("clock-forward", 3_600_i64), ("clock-back", -3_600), ("steady", 0)] {
            let (setup, _) = Scenario::find(name).unwrap().build(LoadName::Branch, 1);
            let clock = WallClock::new(&setup);
            let shown = |at: Time| (clock.at(at).as_nanos() - setup.epoch) / 1_000_000_000;
            assert_eq!(
                (shown(Time::from_secs(100)), shown(Time::from_secs(500))),
                (100, 500 + jump),
                "{name}"
            );
            assert_eq!(clock.latest(Time::from_secs(100)), clock.at(Time::from_secs(100)));
            let latest = clock.latest(Time::from_secs(500));
            assert_eq!(latest, clock.at(Time::from_secs(500)).max(latest), "{name}");
            assert!(latest >= clock.at(Time::from_secs(400)), "{name}");
        }
    }
}
