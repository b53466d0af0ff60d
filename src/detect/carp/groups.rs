//! Which vhids belong together, and when they have different masters.
//!
//! Vhids that once had one common master are a group; one that is torn is what a dead port leaves behind.

use super::{CarpView, Split};
use crate::event::Event;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Different masters for longer than this are a condition, not a transition.
pub(super) const UNSYNC_AFTER: Duration = Duration::from_secs(1);
/// A vhid whose master stood this long has found its place.
const SETTLED: Duration = Duration::from_secs(3);

impl CarpView {
    pub(super) fn regroup(&mut self, now: Timestamp) {
        let mut per_segment = BTreeMap::<usize, u32>::new();
        for (segment, _) in self.vhids.keys() {
            *per_segment.entry(*segment).or_default() += 1;
        }
        // With several vhids on one segment (load sharing) a later common master is a failover, not a bond.
        let simple = per_segment.values().all(|&n| n == 1);
        let settled: Vec<_> = self
            .vhids
            .iter()
            .filter(|(_, v)| now.since(v.master_since) >= SETTLED)
            .filter_map(|(k, v)| Some((*k, v.master_source()?.node?, v.group)))
            .collect();
        for &(key, node, group) in &settled {
            let mate = settled
                .iter()
                .find(|(k, n, g)| *k != key && *n == node && g.is_some() && *g != group);
            let group = match (group, mate) {
                (Some(mine), Some(&(_, _, Some(theirs)))) if simple => Some(mine.min(theirs)),
                (Some(mine), _) => Some(mine),
                (None, Some(&(_, _, theirs))) => theirs,
                (None, None) => {
                    self.groups.push(None);
                    Some(self.groups.len() - 1)
                }
            };
            if let Some(v) = self.vhids.get_mut(&key) {
                v.group = group;
            }
        }
        for (i, common) in self.groups.iter_mut().enumerate() {
            let mut nodes = self
                .vhids
                .values()
                .filter(|v| v.group == Some(i))
                .map(|v| v.master_source()?.node);
            if let Some(Some(first)) = nodes.next()
                && nodes.all(|n| n == Some(first))
            {
                *common = Some(first);
            }
        }
    }

    pub(super) fn compare(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        let mut split = None;
        for (i, common) in self.groups.iter().enumerate() {
            let of_group = || self.vhids.values().filter(|v| v.group == Some(i));
            let masters: Vec<_> = of_group().filter_map(|v| v.master_source()?.node).collect();
            if masters.windows(2).any(|w| w[0] != w[1]) {
                // Onset: when the first vhid left the common master.
                let since = of_group()
                    .filter(|v| v.master_source().and_then(|s| s.node) != *common)
                    .map(|v| v.master_since)
                    .min()
                    .unwrap_or(now);
                // Who gave a vhid away by himself lost nothing.
                let suspect = common.filter(|&node| of_group().any(|v| v.robs(node)));
                split = Some(Split { since, suspect });
                break;
            }
        }
        match (&mut self.split, split) {
            (Some(old), Some(_)) => {
                if !self.reported && now.since(old.since) >= UNSYNC_AFTER {
                    self.reported = true;
                    out.push(Event::Unsynchronised {
                        at: now,
                        since: Some(old.since),
                    });
                }
            }
            (None, Some(_)) => self.split = split,
            (Some(_), None) => {
                self.split = None;
                if std::mem::take(&mut self.reported) {
                    out.push(Event::Unsynchronised { at: now, since: None });
                }
            }
            (None, None) => {}
        }
    }
}
