//! How often something happens, and how sure that is.
//!
//! Called by the tables. Knows nothing of detectors.

use std::time::Duration;

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A year of 365.25 days, in seconds.
pub const YEAR: f64 = 365.25 * 86_400.0;

/// Bounds of the expected number of events, when `events` were seen: the interval of Garwood (1936), which holds the
/// truth in at least 95 % of the cases, whatever the truth is. Exact for a Poisson count, and not empty at zero: nothing
/// seen bounds the rate too.
#[must_use]
pub fn garwood(events: u64) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let twice = 2.0 * events as f64;
    let quantile = |freedom: f64, p: f64| ChiSquared::new(freedom).map_or(f64::NAN, |d| d.inverse_cdf(p) / 2.0);
    let lower = if events == 0 { 0.0 } else { quantile(twice, 0.025) };
    (lower, quantile(twice + 2.0, 0.975))
}

/// A rate per year with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// As seen.
    pub seen: f64,
    /// 95 % bounds.
    pub bounds: (f64, f64),
}

impl Rate {
    /// `events` in `time`. None if there was no time.
    #[must_use]
    pub fn new(events: u64, time: Duration) -> Option<Self> {
        let years = time.as_secs_f64() / YEAR;
        let (low, high) = garwood(events);
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let seen = events as f64 / years;
        (years > 0.0).then_some(Self {
            seen,
            bounds: (low / years, high / years),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, by: f64) {
        assert!((got - want).abs() < by, "{got} is not {want}");
    }

    /// Against published tables of exact Poisson limits (two-sided 95 %).
    #[test]
    fn intervals_are_those_of_the_tables() {
        for (events, low, high) in [
            (0, 0.0, 3.6889),
            (1, 0.0253, 5.5716),
            (2, 0.2422, 7.2247),
            (5, 1.6235, 11.6683),
            (10, 4.7954, 18.3904),
            (20, 12.2165, 30.8884),
            (100, 81.3640, 121.6268),
        ] {
            let got = garwood(events);
            close(got.0, low, 1e-4);
            close(got.1, high, 1e-4);
        }
    }

    #[test]
    fn large_counts_come_out_near_the_normal_approximation() {
        let (low, high) = garwood(1_000_000);
        close(low, 1_000_000.0 - 1.96 * 1000.0, 5.0);
        close(high, 1_000_000.0 + 1.96 * 1000.0, 5.0);
    }

    #[test]
    fn a_rate_is_per_year() {
        let decade = Duration::from_secs_f64(10.0 * YEAR);
        let rate = Rate::new(1, decade).unwrap();
        close(rate.seen, 0.1, 1e-9);
        close(rate.bounds.1, 0.55716, 1e-4);
        assert_eq!(Rate::new(0, Duration::ZERO), None);
    }
}
