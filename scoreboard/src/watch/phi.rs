//! The phi-accrual detector (Hayashibara and others, SRDS 2004) on pfsync arrivals, as it is usually built.
//!
//! Times between arrivals are taken for normally distributed; phi is -log10 of the probability that the next one comes
//! later than now; at 8 the node is taken for dead. Window and details as in Akka and Pekko: the last 1000 intervals; the
//! history starts with an estimate of 1 s (pfsync's own timer) and a quarter of it either way; a standard deviation below
//! 100 ms is taken for 100 ms, because with a smaller one a scheduler's hiccup is a death; the interval that ends a
//! suspicion is not learned. How long silence may be is what it is supposed to find out; as that is not how it is shipped,
//! it is there a second time with the pause of 3 s on top of the mean that Akka grants by default.
//!
//! Looks at nodes on duty, and acts, as the fixed timeout does.

use super::silence::Timers;
use super::{Said, Watch};
use crate::pair::Pair;
use crate::scene::{Duty, Scene, Sound};
use pf_sim::Time;
use pf_sim::heard::Heard;
use statrs::distribution::{ContinuousCDF, Normal};
use std::collections::VecDeque;
use std::time::Duration;

/// Suspicion at which a node is taken for dead.
const THRESHOLD: f64 = 8.0;
/// Intervals that are remembered.
const WINDOW: usize = 1000;
/// No node is more regular than this.
const MIN_DEVIATION: f64 = 0.1;
/// What is believed before anything is known.
const FIRST: Duration = Duration::from_secs(1);

/// The last intervals; sums in whole nanoseconds, so that nothing drifts however long a run is.
#[derive(Clone, Debug)]
pub struct Window {
    intervals: VecDeque<u64>,
    sum: u128,
    squares: u128,
}

impl Default for Window {
    fn default() -> Self {
        let mut window = Self {
            intervals: VecDeque::with_capacity(WINDOW),
            sum: 0,
            squares: 0,
        };
        window.push(FIRST - FIRST / 4);
        window.push(FIRST + FIRST / 4);
        window
    }
}

impl Window {
    /// Learns.
    pub fn push(&mut self, interval: Duration) {
        if self.intervals.len() == WINDOW
            && let Some(old) = self.intervals.pop_front()
        {
            self.sum -= u128::from(old);
            self.squares -= u128::from(old) * u128::from(old);
        }
        let new = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        self.intervals.push_back(new);
        self.sum += u128::from(new);
        self.squares += u128::from(new) * u128::from(new);
    }

    /// Mean and standard deviation in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds in, microseconds matter")]
    pub fn normal(&self) -> (f64, f64) {
        let n = self.intervals.len() as u128;
        // n^2 times the variance, still in whole numbers.
        let spread = (n * self.squares).saturating_sub(self.sum * self.sum);
        let deviation = (spread as f64).sqrt() / n as f64 / 1e9;
        (self.sum as f64 / n as f64 / 1e9, deviation.max(MIN_DEVIATION))
    }

    /// Suspicion when nothing came for `silent`.
    #[must_use]
    pub fn phi(&self, silent: Duration) -> f64 {
        let (mean, deviation) = self.normal();
        Normal::new(mean, deviation).map_or(0.0, |n| -n.sf(silent.as_secs_f64()).log10())
    }
}

/// How many standard deviations beyond the mean make the threshold.
fn reach() -> f64 {
    Normal::standard().inverse_cdf(1.0 - 10_f64.powf(-THRESHOLD))
}

/// `acceptable-heartbeat-pause` of Akka and Pekko.
const PAUSE: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub struct Phi {
    name: &'static str,
    reach: f64,
    /// Granted beyond the mean.
    pause: Duration,
    windows: Vec<Window>,
    /// The last arrival of each node in its duty.
    last: Vec<Option<Time>>,
    timers: Timers,
}

impl Phi {
    /// For these nodes.
    #[must_use]
    pub fn new(pair: &Pair) -> Self {
        Self::with("phi-accrual 8", Duration::ZERO, pair)
    }

    /// With the pause that it is shipped with.
    #[must_use]
    pub fn patient(pair: &Pair) -> Self {
        Self::with("phi-accrual 8 + 3 s", PAUSE, pair)
    }

    fn with(name: &'static str, pause: Duration, pair: &Pair) -> Self {
        Self {
            name,
            reach: reach(),
            pause,
            windows: vec![Window::default(); pair.nodes()],
            last: vec![None; pair.nodes()],
            timers: Timers::new(pair.nodes()),
        }
    }
}

impl Watch for Phi {
    fn name(&self) -> &str {
        self.name
    }

    fn advance(&mut self, to: Time, _: &Scene) {
        self.timers.advance(to);
    }

    fn heard(&mut self, heard: &Heard, scene: &Scene) {
        let at = heard.at();
        match scene.sound() {
            Sound::Pfsync(node) if scene.duty(node) == Duty::On => {
                if let Some(last) = self.last[node]
                    && !self.timers.said().is_down(node)
                {
                    self.windows[node].push(at.saturating_sub(last));
                }
                self.last[node] = Some(at);
                let (mean, deviation) = self.windows[node].normal();
                let patience = self.pause + Duration::from_secs_f64(mean + self.reach * deviation);
                self.timers.heard(at, node, at + patience);
            }
            _ => {
                for node in (0..scene.pair().nodes()).filter(|&n| scene.duty(n) == Duty::Off) {
                    self.last[node] = None;
                }
                self.timers.other(heard, scene);
            }
        }
    }

    fn said(&self) -> &Said {
        self.timers.said()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, by: f64) {
        assert!((got - want).abs() < by, "{got} is not {want}");
    }

    #[test]
    fn the_first_estimate_is_a_second_and_a_quarter_either_way() {
        let (mean, deviation) = Window::default().normal();
        close(mean, 1.0, 1e-12);
        close(deviation, 0.25, 1e-12);
    }

    /// By hand: 0.8, 1.0 and 1.3 s after the two of the estimate: mean (0.75 + 1.25 + 0.8 + 1.0 + 1.3) / 5 = 1.02,
    /// variance (0.0729 + 0.0529 + 0.0484 + 0.0004 + 0.0784) / 5 = 0.0506.
    #[test]
    fn mean_deviation_and_phi_by_hand() {
        let mut window = Window::default();
        for ms in [800, 1000, 1300] {
            window.push(Duration::from_millis(ms));
        }
        let (mean, deviation) = window.normal();
        close(mean, 1.02, 1e-12);
        close(deviation, 0.0506_f64.sqrt(), 1e-12);
        // At the mean half of all are still to come; two deviations later 2.275 %, three 0.135 %, six 9.866e-10.
        let at = |d: f64| window.phi(Duration::from_secs_f64(mean + d * deviation));
        close(at(0.0), 0.5_f64.log10().abs(), 1e-6);
        close(at(2.0), -0.022_750_13_f64.log10(), 1e-5);
        close(at(3.0), -0.001_349_898_f64.log10(), 1e-5);
        close(at(6.0), -9.865_876e-10_f64.log10(), 1e-4);
    }

    #[test]
    fn the_threshold_is_five_point_six_deviations_away() {
        close(reach(), 5.612_001, 1e-5);
    }

    #[test]
    fn regular_arrivals_have_the_smallest_deviation_and_old_ones_are_forgotten() {
        let mut window = Window::default();
        for _ in 0..WINDOW {
            window.push(Duration::from_millis(200));
        }
        let (mean, deviation) = window.normal();
        close(mean, 0.2, 1e-12);
        close(deviation, MIN_DEVIATION, 1e-12);
    }
}
