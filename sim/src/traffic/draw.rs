//! Numbers out of dice, and time as one integer. Inside the traffic time is nanoseconds in a `u64`: half the size of a
//! `Duration`, and there are three of them in each connection and one in each entry of the timer heap.

use crate::Time;
use crate::dice::Dice;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};
use std::time::Duration;

/// Nanoseconds since the start.
pub(super) type Ns = u64;

/// A millisecond.
pub(super) const MS: Ns = 1_000_000;
/// A second.
pub(super) const SEC: Ns = 1_000_000_000;
/// No deadline.
pub(super) const NEVER: Ns = u64::MAX;

pub(super) fn ns(t: Time) -> Ns {
    t.as_secs().saturating_mul(SEC).saturating_add(t.subsec_nanos().into())
}

pub(super) fn time(t: Ns) -> Time {
    Duration::from_nanos(t)
}

/// Seconds to nanoseconds; what is negative becomes 0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and nothing here lasts 500 years"
)]
#[expect(clippy::cast_sign_loss, reason = "`as` saturates at 0")]
pub(super) fn secs(s: f64) -> Ns {
    (s * 1e9) as u64
}

/// A number of things below four thousand million; the fraction is cut off.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
#[expect(clippy::cast_sign_loss, reason = "`as` saturates at 0")]
pub(super) fn count(x: f64) -> u32 {
    x as u32
}

/// The low half.
#[expect(clippy::cast_possible_truncation, reason = "the other half is not wanted")]
pub(super) fn low(x: u64) -> u32 {
    x as u32
}

/// The low 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "the rest is not wanted")]
pub(super) fn low16(x: u64) -> u16 {
    x as u16
}

/// Well mixed bits of two numbers (the finaliser of SplitMix64), for what must be the same each time it is asked.
pub(super) fn mix(seed: u64, n: u64) -> u64 {
    let mut x = seed
        ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(0x632b_e59b_d9b4_e019);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number in 0..1 that belongs to `n`.
pub(super) fn share_of(seed: u64, n: u64) -> f64 {
    f64::from(low(mix(seed, n) >> 32)) / 4_294_967_296.0
}

/// Dice that belong to a thing and a moment of its life, so that no other thing's life changes them.
pub(super) fn dice(seed: u64, n: u64) -> Dice {
    Dice::seed_from_u64(mix(seed, n))
}

/// Evenly between two numbers.
pub(super) fn between(dice: &mut Dice, low: f64, high: f64) -> f64 {
    low + (high - low) * dice.random::<f64>()
}

/// Exponential: without memory, so that what already ran goes on like what just began.
pub(super) fn exponential(dice: &mut Dice, mean: f64) -> f64 {
    let x: f64 = Exp1.sample(dice);
    mean * x
}

/// By a table of evenly spaced quantiles with straight lines between them. No logarithms: the platform's differ.
pub(super) fn quantile(dice: &mut Dice, table: &[f64]) -> f64 {
    at_quantile(table, dice.random())
}

/// The value at the share `u` of a table of quantiles.
pub(super) fn at_quantile(table: &[f64], u: f64) -> f64 {
    let (Some(&last), Ok(steps)) = (table.last(), u32::try_from(table.len().saturating_sub(1))) else {
        return 0.0;
    };
    let x = u * f64::from(steps);
    let i = count(x);
    let Some(&low) = table.get(i as usize) else { return last };
    let high = table.get(i as usize + 1).copied().unwrap_or(last);
    low + (high - low) * (x - f64::from(i))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_met_and_joined_by_lines() {
        let table = [1.0, 3.0, 11.0];
        for (u, x) in [(0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.75, 7.0), (1.0, 11.0)] {
            assert!((at_quantile(&table, u) - x).abs() < 1e-12, "{u}");
        }
        assert!(at_quantile(&[], 0.5).abs() < 1e-12);
    }

    #[test]
    fn time_goes_there_and_back() {
        let t = Duration::new(86_400 * 365, 123_456_789);
        assert_eq!(time(ns(t)), t);
        assert_eq!(secs(1.5), 1_500 * MS);
        assert_eq!(secs(-1.0), 0);
    }
}
