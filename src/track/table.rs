//! A bounded map: when it is full, the stalest of a few candidates makes room.
//!
//! Used for flows, pairs of states and hosts: everything whose keys a hostile host can invent. Seeded hashing, no
//! allocation per entry, no scan longer than `SWEEP`. Never reads a clock: entries carry their own last time.

use crate::time::Timestamp;
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash};

/// How many slots the eviction hand looks at, at most.
const SWEEP: usize = 64;

struct Slot<K, V> {
    key: K,
    value: V,
    touched: Timestamp,
}

/// A map from `K` to `V` of at most `capacity` entries.
pub struct Table<K, V> {
    index: HashTable<u32>,
    slots: Vec<Option<Slot<K, V>>>,
    free: Vec<u32>,
    hand: usize,
    /// Where the last insert went.
    last: usize,
    capacity: usize,
    hasher: SeedableRandomState,
    evictions: u64,
}

/// What `insert` did to make room.
pub struct Evicted<K, V> {
    /// The entry that had to go.
    pub key: K,
    /// Its value.
    pub value: V,
}

impl<K: Hash + Eq + Copy, V> Table<K, V> {
    /// An empty table; `seed` makes collisions unpredictable to others.
    #[must_use]
    pub fn new(capacity: usize, seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            last: 0,
            capacity: capacity.clamp(1, u32::MAX as usize),
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            evictions: 0,
        }
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Entries thrown out for want of room since the start.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    fn find(&self, key: &K) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let slots = &self.slots;
        self.index
            .find(hash, |&i| {
                slots
                    .get(i as usize)
                    .and_then(Option::as_ref)
                    .is_some_and(|s| s.key == *key)
            })
            .map(|&i| i as usize)
    }

    /// The value of `key`, marked as touched at `now`.
    pub fn get_mut(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        let i = self.find(key)?;
        let slot = self.slots.get_mut(i)?.as_mut()?;
        slot.touched = now;
        Some(&mut slot.value)
    }

    /// The value of `key`, made by `new` if it is not there yet, marked as touched at `now`.
    pub fn get_or_insert_with(&mut self, key: K, now: Timestamp, new: impl FnOnce() -> V) -> &mut V {
        let i = match self.find(&key) {
            Some(i) => i,
            None => {
                self.insert(key, new(), now);
                self.last
            }
        };
        #[expect(clippy::unwrap_used, reason = "found or inserted just above")]
        let slot = self.slots[i].as_mut().unwrap();
        slot.touched = now;
        &mut slot.value
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        Some(&self.slots.get(self.find(key)?)?.as_ref()?.value)
    }

    /// Adds an entry that is not there yet, evicting a stale one when full.
    #[expect(clippy::cast_possible_truncation, reason = "capacity is clamped to u32")]
    pub fn insert(&mut self, key: K, value: V, now: Timestamp) -> Option<Evicted<K, V>> {
        let evicted = if self.index.len() >= self.capacity {
            self.evict()
        } else {
            None
        };
        let slot = Some(Slot {
            key,
            value,
            touched: now,
        });
        let i = if let Some(i) = self.free.pop() {
            self.slots[i as usize] = slot;
            i
        } else {
            self.slots.push(slot);
            (self.slots.len() - 1) as u32
        };
        self.last = i as usize;
        let Self {
            index, slots, hasher, ..
        } = self;
        index.insert_unique(hasher.hash_one(key), i, |&j| {
            slots
                .get(j as usize)
                .and_then(Option::as_ref)
                .map_or(0, |s| hasher.hash_one(s.key))
        });
        evicted
    }

    /// Takes an entry out.
    #[expect(clippy::cast_possible_truncation, reason = "capacity is clamped to u32")]
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let i = self.find(key)?;
        let hash = self.hasher.hash_one(key);
        if let Ok(entry) = self.index.find_entry(hash, |&j| j as usize == i) {
            entry.remove();
        }
        self.free.push(i as u32);
        self.slots.get_mut(i)?.take().map(|s| s.value)
    }

    fn evict(&mut self) -> Option<Evicted<K, V>> {
        let n = self.slots.len();
        let mut stalest: Option<(Timestamp, K)> = None;
        for _ in 0..SWEEP.min(n) {
            self.hand = (self.hand + 1) % n;
            if let Some(slot) = &self.slots[self.hand]
                && stalest.is_none_or(|(t, _)| slot.touched < t)
            {
                stalest = Some((slot.touched, slot.key));
            }
        }
        let (_, key) = stalest?;
        self.evictions += 1;
        self.remove(&key).map(|value| Evicted { key, value })
    }

    /// Every entry, in slot order (which does not depend on the seed).
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().flatten().map(|s| (&s.key, &s.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_the_stalest_and_never_grows() {
        let mut t = Table::new(100, 7);
        for i in 0..10_000_u32 {
            t.insert(i, i, Timestamp::from_nanos(i64::from(i)));
            assert!(t.len() <= 100);
        }
        assert_eq!(t.evictions(), 9_900);
        assert!(t.get(&9_999).is_some() && t.get(&0).is_none());
    }

    #[test]
    fn what_is_removed_is_gone_and_its_room_is_used_again() {
        let mut t = Table::new(10, 1);
        for i in 0..10_u32 {
            t.insert(i, i * 2, Timestamp::MIN);
        }
        assert_eq!(t.remove(&4), Some(8));
        assert!(t.get(&4).is_none());
        assert!(t.insert(40, 80, Timestamp::MIN).is_none());
        assert_eq!(t.get(&40), Some(&80));
        assert_eq!(t.iter().count(), 10);
    }
}
