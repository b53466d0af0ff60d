//! Evidence of one node on one path over time, in columns of equal length.
//!
//! Fed by the report once per column from counters that only go up. How long a column is, and when two become one, is the
//! report's business.

use crate::engine::counters::PathCounters;

/// Kinds of evidence, from what proves most to what proves least.
pub const KINDS: [&str; 4] = ["end-to-end", "reverse", "forward", "attempt"];

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Series {
    columns: [Vec<u32>; KINDS.len()],
    last: [u64; KINDS.len()],
}

impl Series {
    /// One number per column, as far as there was any, of the kinds in their order.
    #[must_use]
    pub fn columns(&self) -> &[Vec<u32>; KINDS.len()] {
        &self.columns
    }

    /// Round trips.
    #[must_use]
    pub fn proven(&self) -> &[u32] {
        &self.columns[0]
    }

    /// Everything else that was tried or moved.
    #[must_use]
    pub fn unproven(&self) -> Vec<u32> {
        let [_, rest @ ..] = &self.columns;
        let length = rest.iter().map(Vec::len).max().unwrap_or(0);
        let at = |column: usize| rest.iter().filter_map(move |list| list.get(column));
        (0..length)
            .map(|c| at(c).fold(0, |a: u32, b| a.saturating_add(*b)))
            .collect()
    }

    /// Nothing ever happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(Vec::is_empty)
    }

    /// Adds what was counted since the last look to a column.
    pub(super) fn take(&mut self, column: usize, counted: &PathCounters) {
        let is = [counted.end_to_end, counted.reverse, counted.forward, counted.attempt];
        for ((list, last), is) in self.columns.iter_mut().zip(&mut self.last).zip(is) {
            let new = is.saturating_sub(std::mem::replace(last, is));
            if new == 0 {
                continue;
            }
            if list.len() <= column {
                list.resize(column + 1, 0);
            }
            list[column] = list[column].saturating_add(u32::try_from(new).unwrap_or(u32::MAX));
        }
    }

    /// Makes one column of each two.
    pub(super) fn halve(&mut self) {
        for list in &mut self.columns {
            *list = list
                .chunks(2)
                .map(|c| c.iter().fold(0, |a: u32, b| a.saturating_add(*b)))
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_counted_and_nothing_is_lost_when_columns_merge() {
        let mut series = Series::default();
        assert!(series.is_empty());
        let mut counted = PathCounters {
            end_to_end: 3,
            attempt: 1,
            ..PathCounters::default()
        };
        series.take(0, &counted);
        (counted.end_to_end, counted.forward) = (5, 2);
        series.take(2, &counted);
        assert_eq!((series.proven(), series.unproven()), (&[3, 0, 2][..], vec![1, 0, 2]));
        series.halve();
        assert_eq!((series.proven(), series.unproven()), (&[3, 2][..], vec![1, 2]));
    }
}
