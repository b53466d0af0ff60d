//! Where a time axis has its labels, and what they say.
//!
//! Called by the pages. Round times only, never more than asked for.

use super::words::Clock;
use crate::time::Timestamp;
use std::time::Duration;

/// Distances between labels, in seconds.
const NICE: [u64; 18] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 604_800,
];

/// Round moments between `first` and `end`, at least `apart` seconds from each other.
pub(in crate::report) fn ticks(
    clock: &Clock,
    first: Timestamp,
    end: Timestamp,
    apart: u64,
) -> impl Iterator<Item = (Timestamp, String)> {
    let distance = NICE.iter().copied().find(|n| *n >= apart).unwrap_or(apart);
    let how = match distance {
        ..60 => "%H:%M:%S",
        60..86_400 => "%H:%M",
        _ => "%m-%d",
    };
    let unit = i64::try_from(distance)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000_000);
    let next = move |at: i64| at.div_euclid(unit).saturating_add(1).saturating_mul(unit);
    let round = std::iter::successors(Some(next(first.as_nanos())), move |at| {
        // At the end of all time there is no next one.
        Some(next(*at)).filter(|n| n > at)
    });
    round
        .map(Timestamp::from_nanos)
        .take_while(move |at| *at < end)
        // Where the capture's own clock was set, it is not quite a round moment.
        .map(|at| (at, clock.format(at + Duration::from_millis(500), how)))
}
