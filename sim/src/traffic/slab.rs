//! All flows in one slab, an index by addresses and ports, and one heap of timers.
//!
//! A timer is never taken out of the heap. Each flow knows the earliest entry that it has there; what comes up for a
//! flow that moved on is put back or dropped. The index is only ever asked, never walked, so its order cannot matter.

use super::datagram::Exchange;
use super::draw::{NEVER, Ns};
use super::tcp::{Connection, Ends, Fate};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One end of something. Nearly all are connections, so their size wastes little.
#[derive(Debug)]
pub(super) enum Flow {
    Free,
    Tcp(Connection),
    Datagrams(Exchange),
}

#[derive(Debug)]
struct Slot {
    flow: Flow,
    /// Its earliest entry in the heap.
    queued: Ns,
}

/// All flows.
#[derive(Debug)]
pub(super) struct Slab {
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashMap<u128, u32, FixedState>,
    timers: BinaryHeap<Reverse<(Ns, u32)>>,
}

impl Slab {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashMap::with_hasher(FixedState::with_seed(0)),
            timers: BinaryHeap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Keys in the index: what a test looks at for leftovers.
    #[cfg(test)]
    pub(super) fn indexed(&self) -> usize {
        self.index.len()
    }

    /// The numbers that are or were in use.
    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// When the next timer runs out, or one that was moved since.
    pub(super) fn deadline(&self) -> Ns {
        self.timers.peek().map_or(NEVER, |t| t.0.0)
    }

    /// A flow whose timer ran out, or was moved since. Settle it afterwards.
    pub(super) fn due(&mut self, now: Ns) -> Option<u32> {
        while self.deadline() <= now {
            let Reverse((at, n)) = self.timers.pop()?;
            if let Some(slot) = self.slots.get_mut(n as usize)
                && slot.queued == at
            {
                slot.queued = NEVER;
                return Some(n);
            }
        }
        None
    }

    pub(super) fn flow(&mut self, n: u32) -> Option<&mut Flow> {
        self.slots.get_mut(n as usize).map(|slot| &mut slot.flow)
    }

    pub(super) fn find(&self, key: u128) -> Option<u32> {
        self.index.get(&key).copied()
    }

    pub(super) fn enter(&mut self, n: u32, key: u128) {
        self.index.insert(key, n);
    }

    /// The protocol and ends of a flow.
    pub(super) fn ends(&self, n: u32) -> Option<(u8, Ends)> {
        match &self.slots.get(n as usize)?.flow {
            Flow::Free => None,
            Flow::Tcp(c) => Some((6, c.ends)),
            Flow::Datagrams(e) if e.ends.ports[1] == 0 => Some((1, e.ends)),
            Flow::Datagrams(e) => Some((17, e.ends)),
        }
    }

    pub(super) fn insert(&mut self, flow: Flow, key: u128) {
        let slot = Slot { flow, queued: NEVER };
        let n = if let Some(n) = self.free.pop() {
            self.slots[n as usize] = slot;
            n
        } else {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        };
        self.enter(n, key);
        self.settle(n, Fate::Lives);
    }

    /// After each call of a flow: it is forgotten, or its timer set.
    pub(super) fn settle(&mut self, n: u32, fate: Fate) {
        if fate != Fate::Lives
            && let Some((proto, ends)) = self.ends(n)
        {
            // A connection that rests has no place in the index, and its old one may be another's now.
            let key = key(proto, &ends);
            if self.index.get(&key) == Some(&n) {
                self.index.remove(&key);
            }
        }
        let Some(slot) = self.slots.get_mut(n as usize) else {
            return;
        };
        let at = match (&slot.flow, fate) {
            (Flow::Free, _) => return,
            (_, Fate::Over) => {
                *slot = Slot {
                    flow: Flow::Free,
                    queued: NEVER,
                };
                self.free.push(n);
                return;
            }
            (_, Fate::Retry(at)) => at,
            (Flow::Tcp(c), Fate::Lives) => c.deadline(),
            (Flow::Datagrams(e), Fate::Lives) => e.deadline(),
        };
        if at < slot.queued {
            slot.queued = at;
            self.timers.push(Reverse((at, n)));
        }
    }
}

/// Datagrams are found by the own port alone: the answer to a question may come from whom it was sent to at last.
pub(super) fn key(proto: u8, ends: &Ends) -> u128 {
    let own = u128::from(ends.here) << 96 | u128::from(ends.ports[0]) << 16 | u128::from(proto);
    if proto == 6 {
        own | u128::from(ends.there) << 64 | u128::from(ends.ports[1]) << 32
    } else {
        own
    }
}
