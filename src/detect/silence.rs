//! Is this node's pfsync silent for longer than it ever is? Scored against its own recent gaps, not a fixed timeout.
//!
//! Used by `detect`, one per node. Gaps between frames are heavy-tailed (flush timers, full frames, lulls), so their
//! distribution is kept as counts in logarithmic bins that fade. Never says "dead": silence alone proves nothing.

use crate::time::Timestamp;
use std::time::Duration;

/// Bins of a quarter octave from 1 ms up: the last one is beyond an hour.
pub const BINS: usize = 92;
/// Frames after which a distribution means something.
const LEARNED: f64 = 30.0;
/// Counts are halved beyond this.
pub const MEMORY: f64 = 6_000.0;
/// The gap that one in this many exceeds is the node's usual longest.
const RARE: f64 = 300.0;
/// Silence is noteworthy after this multiple of the usual longest gap, and never before `FLOOR`.
const FACTOR: f64 = 1.6;
const FLOOR: Duration = Duration::from_millis(1_500);

/// Gap distribution of one node.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Last frame.
    pub last: Timestamp,
    bins: [f64; BINS],
    total: f64,
    /// Frames per second, smoothed over 20 s.
    rate: f64,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            last: Timestamp::MIN,
            bins: [0.0; BINS],
            total: 0.0,
            rate: 0.0,
        }
    }
}

impl Silence {
    /// A frame of this node.
    pub fn heard(&mut self, now: Timestamp) {
        if self.last > Timestamp::MIN {
            let gap = now.since(self.last).as_secs_f64();
            self.rate = self.rate * (-gap / 20.0).exp() + 1.0 / 20.0;
            // Frames of one flush are one event.
            if gap > 0.001 {
                self.bins[bin(gap)] += 1.0;
                self.total += 1.0;
                if self.total > MEMORY {
                    self.bins.iter_mut().for_each(|b| *b /= 2.0);
                    self.total /= 2.0;
                }
            }
        }
        self.last = now;
    }

    /// The gaps, and the frames per second.
    #[must_use]
    pub fn remember(&self, now: Timestamp) -> (Vec<f64>, f64) {
        let fading = (-self.length(now).as_secs_f64() / 20.0).exp();
        (self.bins.to_vec(), self.rate * fading)
    }

    /// Takes back what was learned once, before anything was heard. How busy it was fades as it does while it is silent.
    pub fn recall(&mut self, gaps: &[f64], rate: f64, age: Duration, weight: f64) {
        for (bin, old) in self.bins.iter_mut().zip(gaps) {
            *bin += old * weight;
        }
        self.total = self.bins.iter().sum();
        self.rate += rate * (-age.as_secs_f64() / 20.0).exp();
    }

    /// We were blind until `now`: that gap is ours.
    pub fn forgive(&mut self, now: Timestamp) {
        if self.last > Timestamp::MIN {
            self.last = now;
        }
    }

    /// How long nothing was heard.
    #[must_use]
    pub fn length(&self, now: Timestamp) -> Duration {
        if self.last == Timestamp::MIN {
            Duration::ZERO
        } else {
            now.since(self.last)
        }
    }

    /// Whether it has been silent for longer than is usual.
    #[must_use]
    pub fn unusual(&self, now: Timestamp) -> bool {
        let length = self.length(now);
        length > FLOOR && self.limit().is_some_and(|l| length > l)
    }

    /// Whether it has been silent for longer than one gap in 300 lasts.
    #[must_use]
    pub fn rare(&self, now: Timestamp) -> bool {
        let length = self.length(now);
        length > FLOOR && self.limit().is_some_and(|l| length.mul_f64(FACTOR) > l)
    }

    /// After how long silence is unusual; `None` while not learned.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        if self.total < LEARNED {
            return None;
        }
        let mut beyond = self.total / RARE;
        for i in (0..BINS).rev() {
            beyond -= self.bins[i];
            if beyond < 0.0 {
                return Some(Duration::from_secs_f64(upper(i) * FACTOR).max(FLOOR));
            }
        }
        Some(FLOOR)
    }

    /// Whether the node sent at least a frame a second until it fell silent.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.rate >= 1.0 && self.total >= LEARNED
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bins"
)]
fn bin(gap: f64) -> usize {
    ((gap / 0.001).log2() * 4.0).clamp(0.0, BINS as f64 - 1.0) as usize
}

#[expect(clippy::cast_precision_loss, reason = "small integers")]
fn upper(i: usize) -> f64 {
    0.001 * 2_f64.powf((i + 1) as f64 / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(ms: u64, n: u64) -> (Silence, Timestamp) {
        let mut s = Silence::default();
        let mut t = Timestamp::from_nanos(0);
        for _ in 0..n {
            t = t + Duration::from_millis(ms);
            s.heard(t);
        }
        (s, t)
    }

    #[test]
    fn a_busy_node_is_missed_soon_a_quiet_one_late() {
        let (busy, _) = every(300, 400);
        let (quiet, _) = every(20_000, 400);
        assert_eq!(busy.limit(), Some(FLOOR));
        assert!(busy.busy() && !quiet.busy());
        assert!(quiet.limit().unwrap() > Duration::from_secs(30));
    }

    #[test]
    fn nothing_is_said_of_a_stranger() {
        assert_eq!(every(300, 10).0.limit(), None);
    }

    #[test]
    fn our_own_blindness_is_forgiven() {
        let (mut s, t) = every(300, 400);
        let later = t + Duration::from_secs(100);
        s.forgive(later);
        assert_eq!(s.length(later), Duration::ZERO);
    }
}
