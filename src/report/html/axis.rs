//! The one time axis of the page: where a moment stands, in percent of the width.
//!
//! Every chart and every lane uses it, so that what happened at one time stands in one line down the page.

use super::super::tell::Tale;
use super::super::tell::ticks::ticks;
use super::markup::Markup;
use crate::time::Timestamp;
use std::time::Duration;

/// A chart has at most so many columns, whatever the length of the capture.
const COLUMNS: usize = 480;
/// Labels below a chart, at most.
const LABELS: u64 = 8;

/// See the module.
pub(super) struct Axis {
    first: Timestamp,
    end: Timestamp,
    /// Columns of the report in one of ours.
    pub(super) merged: usize,
    /// Ours.
    pub(super) columns: usize,
    /// Length of one of ours.
    pub(super) step: Duration,
    /// In percent, with what they say.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Over the whole input, if there was any.
    pub(super) fn new(tale: &Tale<'_>) -> Option<Self> {
        let (first, last) = tale.report.span?;
        let step = tale.report.step;
        let have = usize::try_from(last.since(first).as_nanos() / step.as_nanos().max(1)).ok()? + 1;
        let merged = have.div_ceil(COLUMNS);
        let columns = have.div_ceil(merged);
        let step = step * u32::try_from(merged).ok()?;
        let end = first + step * u32::try_from(columns).ok()?;
        let mut axis = Self {
            first,
            end,
            merged,
            columns,
            step,
            ticks: Vec::new(),
        };
        let apart = end.since(first).as_secs().div_ceil(LABELS).max(1);
        axis.ticks = ticks(tale.clock, first, end, apart)
            .map(|(at, label)| (axis.percent(at), label))
            .collect();
        Some(axis)
    }

    /// Where it stands, 0 to 100.
    pub(super) fn percent(&self, at: Timestamp) -> f64 {
        let whole = self.end.since(self.first).as_secs_f64();
        (at.since(self.first).as_secs_f64() / whole.max(f64::MIN_POSITIVE) * 100.0).clamp(0.0, 100.0)
    }

    /// The line below a group of charts.
    pub(super) fn write(&self, m: &mut Markup, zone: &str) {
        m.element("div", &[("class", "row axis")], |m| {
            m.words("span", "label", zone);
            m.element("div", &[("class", "plot")], |m| {
                for (at, label) in &self.ticks {
                    // The last would stand out of the page.
                    let class = if *at > 93.0 { "end" } else { "" };
                    m.element("span", &[("class", class), ("style", &format!("left:{at:.3}%"))], |m| {
                        m.text(label);
                    });
                }
            });
        });
    }
}
