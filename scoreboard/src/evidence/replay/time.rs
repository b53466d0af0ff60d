//! Moments of a replay: slots of 50 ms, and what they are to the world and to the detector.

use super::super::wheel::Slot;
use pf_sim::Time;
use pfwatch::time::Timestamp;
use std::time::Duration;

/// Everything is told at multiples of this: what is told within one such moment came in one flush, for which the
/// detector waits as long.
pub(super) const SLOT: Duration = Duration::from_millis(50);
pub(super) const MS: u32 = 50;
pub(super) const SECOND: Slot = 20;
/// Slots end here.
pub const UNTIL: Time = Duration::from_millis(MS as u64 * Slot::MAX as u64);

pub(super) fn slot(t: Time) -> Slot {
    Slot::try_from(t.as_millis() / SLOT.as_millis()).unwrap_or(Slot::MAX)
}

pub(super) fn at(slot: Slot) -> Time {
    SLOT * slot
}

pub(super) fn stamp(t: Time) -> Timestamp {
    Timestamp::from_nanos(i64::try_from(t.as_nanos()).unwrap_or(i64::MAX))
}

/// The first slot that is not before `t`.
pub(super) fn slot_of(t: Timestamp) -> Slot {
    let slot = i64::try_from(SLOT.as_nanos()).unwrap_or(1);
    Slot::try_from(t.as_nanos().div_euclid(slot) + i64::from(t.as_nanos().rem_euclid(slot) > 0)).unwrap_or(Slot::MAX)
}
