//! The state table: slots that are reused, three indexes, and the purge that looks at a part of it every second.
//!
//! Everything that is walked is walked by slot: the order of the indexes never shows.

use super::key::{Hook, Tuple};
use super::state::State;
use super::timeout::{INTERVAL, LIMIT};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pfsync_proto::Key;

/// A slot that held a state when it was noted; stale when the state is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    state: Option<State>,
}

/// All states of a node.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    wire: HashMap<Tuple, u32, FixedState>,
    stack: HashMap<Tuple, u32, FixedState>,
    ids: HashMap<Key, u32, FixedState>,
    /// Where the purge goes on.
    cursor: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        let hasher = || FixedState::with_seed(0x7066);
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            wire: HashMap::with_hasher(hasher()),
            stack: HashMap::with_hasher(hasher()),
            ids: HashMap::with_hasher(hasher()),
            cursor: 0,
        }
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// How many slots there are, used or not.
    pub(crate) fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// The state that a packet belongs to.
    #[inline]
    pub(crate) fn find(&self, hook: Hook, tuple: &Tuple) -> Option<u32> {
        match hook {
            Hook::In => self.wire.get(tuple),
            Hook::Out => self.stack.get(tuple),
        }
        .copied()
    }

    /// The state with this name.
    #[inline]
    pub(crate) fn find_id(&self, key: &Key) -> Option<u32> {
        self.ids.get(key).copied()
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&State> {
        self.slots.get(slot as usize)?.state.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut State> {
        self.slots.get_mut(slot as usize)?.state.as_mut()
    }

    /// A note of a slot's state.
    pub(crate) fn handle(&self, slot: u32) -> Handle {
        let generation = self.slots.get(slot as usize).map_or(0, |s| s.generation);
        Handle { slot, generation }
    }

    /// The state that was noted, if it is still there.
    #[inline]
    pub(crate) fn at_mut(&mut self, handle: Handle) -> Option<&mut State> {
        let slot = self.slots.get_mut(handle.slot as usize)?;
        if slot.generation == handle.generation {
            slot.state.as_mut()
        } else {
            None
        }
    }

    /// States that stand in the way of a new one: another with one of its keys, or with its name.
    pub(crate) fn clash(&self, state: &State) -> Option<u32> {
        let by_key = self.wire.get(&state.wire).or_else(|| self.stack.get(&state.stack));
        by_key.or_else(|| self.ids.get(&state.key)).copied()
    }

    /// Adds a state that clashes with none; `None` when the limit is reached.
    pub(crate) fn insert(&mut self, state: State) -> Option<u32> {
        if self.len() >= LIMIT {
            return None;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = self.slots();
                self.slots.push(Slot {
                    generation: 0,
                    state: None,
                });
                slot
            }
        };
        self.wire.insert(state.wire, slot);
        self.stack.insert(state.stack, slot);
        self.ids.insert(state.key, slot);
        self.slots.get_mut(slot as usize)?.state = Some(state);
        Some(slot)
    }

    /// Takes a state out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<State> {
        let place = self.slots.get_mut(slot as usize)?;
        let state = place.state.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot);
        self.wire.remove(&state.wire);
        self.stack.remove(&state.stack);
        self.ids.remove(&state.key);
        Some(state)
    }

    /// Looks at the next part of the table, as pf does once a second, and notes what has expired.
    pub(crate) fn expired(&mut self, uptime: u32, found: &mut Vec<u32>) {
        let (all, states) = (self.slots.len(), self.len());
        for _ in 0..(1 + all / INTERVAL).min(all) {
            let slot = self.cursor;
            self.cursor = (slot + 1) % all;
            if let Some(state) = self.slots.get(slot).and_then(|s| s.state.as_ref())
                && state.left(uptime, states) == 0
            {
                found.push(u32::try_from(slot).unwrap_or(u32::MAX));
            }
        }
    }
}
