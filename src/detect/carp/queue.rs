//! Which vhids are to be looked at, and when: an advertisement of one costs nothing for the others.
//!
//! Kept by `CarpView`. Each vhid stands in it once at most.

use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A network by index, and a vhid on it.
pub(super) type Key = (usize, u8);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    by_time: BTreeSet<(Timestamp, Key)>,
    by_key: BTreeMap<Key, Timestamp>,
}

impl Queue {
    /// `key` is due then and not when it was before; `None`: never.
    pub(super) fn set(&mut self, key: Key, due: Option<Timestamp>) {
        let before = match due {
            Some(due) => self.by_key.insert(key, due),
            None => self.by_key.remove(&key),
        };
        if before != due {
            if let Some(before) = before {
                self.by_time.remove(&(before, key));
            }
            self.by_time.extend(due.map(|due| (due, key)));
        }
    }

    /// The first of those that are due by `now`, taken out.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Key> {
        let &(due, key) = self.by_time.first().filter(|(due, _)| *due <= now)?;
        self.by_time.remove(&(due, key));
        self.by_key.remove(&key);
        Some(key)
    }

    /// When the first is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(due, _)| *due)
    }
}
