//! Room in a bucket: how long its frame is by now, and when its second is over.

use super::queue::{Bucket, Named, Queue, Sync};
use crate::firewall::System;
use crate::pf::clock::Clock;
use crate::pf::table::Table;
use pfsync_proto::Key;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

impl Sync {
    /// FreeBSD starts the second when pf comes to an empty bucket.
    pub(crate) fn arm_if_empty(&mut self, bucket: u8, clock: &Clock) {
        let empty = self.empty_len();
        if self.system != System::OpenBsd
            && let Some(bucket) = self.buckets.get_mut(usize::from(bucket))
            && bucket.len == empty
        {
            bucket.timer = Some(clock.now + SECOND);
        }
    }

    /// OpenBSD starts the second whenever something is queued and none runs.
    fn arm_if_idle(&mut self, bucket: usize, clock: &Clock) {
        if self.system == System::OpenBsd
            && let Some(bucket) = self.buckets.get_mut(bucket)
        {
            bucket.timer.get_or_insert(clock.now + SECOND);
        }
    }

    /// Reserves `size` octets, and a subheader if the queue is empty; flushes first if that does not fit.
    fn reserve(&mut self, table: &mut Table, clock: &Clock, index: usize, empty: bool, size: usize) {
        let mtu = self.mtu;
        let need = size + if empty { 4 } else { 0 };
        let full = self.buckets.get(index).is_some_and(|b| b.len + need > mtu);
        if full {
            self.flush(table, clock, index);
        }
        if let Some(bucket) = self.buckets.get_mut(index) {
            bucket.len += if full { size + 4 } else { need };
        }
    }

    pub(crate) fn add_state(&mut self, table: &mut Table, clock: &Clock, slot: u32, queue: Queue) {
        let handle = table.handle(slot);
        let Some(index) = table.get(slot).map(|s| usize::from(s.bucket)) else {
            return;
        };
        let none = |b: &Bucket| b.live.get(queue as usize) == Some(&0);
        let empty = self.buckets.get(index).is_none_or(none);
        self.reserve(table, clock, index, empty, self.size(queue));
        if let Some(bucket) = self.buckets.get_mut(index)
            && let (Some(list), Some(live)) = (
                bucket.states.get_mut(queue as usize),
                bucket.live.get_mut(queue as usize),
            )
        {
            list.push(handle);
            *live += 1;
        }
        if let Some(state) = table.get_mut(slot) {
            state.pending = Some(queue);
            state.updates = 0;
        }
        self.arm_if_idle(index, clock);
    }

    /// Takes a state out of its queue, if it is in one.
    pub(crate) fn take_state(&mut self, table: &mut Table, slot: u32) {
        let Some(state) = table.get_mut(slot) else {
            return;
        };
        let Some(queue) = state.pending.take() else {
            return;
        };
        let index = usize::from(state.bucket);
        let size = self.size(queue);
        if let Some(bucket) = self.buckets.get_mut(index)
            && let Some(live) = bucket.live.get_mut(queue as usize)
        {
            *live -= 1;
            bucket.len -= size + if *live == 0 { 4 } else { 0 };
        }
    }

    pub(crate) fn add_name(&mut self, table: &mut Table, clock: &Clock, bucket: u8, kind: Named, key: Key) {
        let index = usize::from(bucket);
        let none = |b: &Bucket| b.names.get(kind as usize).is_none_or(Vec::is_empty);
        let empty = self.buckets.get(index).is_none_or(none);
        self.reserve(table, clock, index, empty, 12);
        if let Some(bucket) = self.buckets.get_mut(index)
            && let Some(list) = bucket.names.get_mut(kind as usize)
        {
            list.push(key);
        }
        self.arm_if_idle(index, clock);
    }
}
