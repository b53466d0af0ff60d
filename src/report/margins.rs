//! How close each node came to a false alarm, per UTC day: collected while an analysis goes on.
//!
//! Fed by the report once per column, rendered by `json` and `text`. The engine remembers the last days only, so that a
//! look per column misses none. Bounded: of too many days those that came closest are kept.

use crate::engine::Engine;
use crate::event::{Near, NodeId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Days of nodes on paths, at most.
const MOST: usize = 4096;

/// A day of a node on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Days since 1970.
    pub day: i64,
    /// Who.
    pub node: NodeId,
    /// Where.
    pub path: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Margins {
    closest: BTreeMap<Spot, Near>,
    seen: BTreeMap<(NodeId, usize), u32>,
    /// Days that were left out.
    pub left_out: u64,
}

impl Margins {
    /// By day, node and path.
    pub fn iter(&self) -> impl Iterator<Item = (&Spot, &Near)> {
        self.closest.iter()
    }

    /// Takes what is new.
    pub(super) fn look(&mut self, engine: &Engine) {
        for node in engine.node_ids() {
            for path in 0..engine.path_count() {
                let Some(closest) = engine.path_health(node, path).map(|h| &h.closest) else {
                    continue;
                };
                let is = closest.revision();
                if self.seen.insert((node, path), is) != Some(is) {
                    closest.days().iter().for_each(|near| self.take(node, path, near));
                }
            }
        }
    }

    /// Takes what is going on when the input ends, too: it was not `down`, as far as anybody knows.
    pub(super) fn finish(&mut self, engine: &Engine) {
        self.look(engine);
        for node in engine.node_ids() {
            for path in 0..engine.path_count() {
                let climbing = engine.path_health(node, path).and_then(|h| h.closest.climbing());
                if let Some(near) = climbing {
                    self.take(node, path, near);
                }
            }
        }
    }

    fn take(&mut self, node: NodeId, path: usize, near: &Near) {
        let day = near.day();
        let place = self.closest.entry(Spot { day, node, path });
        let known = place.or_insert_with(|| near.clone());
        if near.share() > known.share() {
            *known = near.clone();
        }
        if self.closest.len() > MOST {
            let widest = self.closest.iter().min_by(|a, b| a.1.share().total_cmp(&b.1.share()));
            if let Some(spot) = widest.map(|(spot, _)| *spot) {
                self.closest.remove(&spot);
                self.left_out += 1;
            }
        }
    }
}

/// `2026-11-20`, in UTC; days that no calendar has are counted.
#[must_use]
pub fn day(near: &Near) -> String {
    let day = near.day();
    let date = i32::try_from(day).ok().and_then(|day| {
        Timestamp::UNIX_EPOCH
            .checked_add(SignedDuration::from_hours(i64::from(day) * 24))
            .ok()
    });
    date.map_or_else(|| day.to_string(), |t| t.strftime("%Y-%m-%d").to_string())
}
