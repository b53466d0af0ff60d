//! Every family with its name, type, help and labels.
//!
//! What can be counted is there from the first scrape with zero, so that a rate sees the first event: an alert that waits for
//! a series to be born twice is late.

mod pair;
mod sensor;

use super::sheet::Sheet;
use crate::status::Status;

/// All of them.
pub(super) fn fill(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    sensor::fill(status, sheet)?;
    pair::fill(status, sheet)
}

pub(super) fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// A count as a gauge has it.
#[expect(clippy::cast_precision_loss, reason = "counts of states, far below 2^52")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
