//! Every family with its name, type, help and labels.
//!
//! What can be counted is there from the first scrape with zero, so that a rate sees the first event: an alert that waits for
//! a series to be born twice is late.

mod pair;
mod sensor;

use super::sheet::Sheet;
use crate::status::{Node, Status};

/// All of them.
pub(super) fn fill(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    sensor::fill(status, sheet)?;
    pair::fill(status, sheet)
}

/// The nodes that get labels of their own. Where the firewalls are named nobody else does: every address that a stranger
/// forges would be a row in each family, and kept by Prometheus for as long as it keeps anything. Where none is, the engine
/// remembers 32 senders, for ever.
pub(super) fn labelled(status: &Status) -> impl Iterator<Item = &Node> {
    status.firewalls().map(|(_, n)| n)
}

pub(super) fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// A count as a gauge has it.
#[expect(clippy::cast_precision_loss, reason = "counts of states, far below 2^52")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
