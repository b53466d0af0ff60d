//! What is under way: a heap of small keys beside a slab of events, so that nothing is allocated per packet.

use crate::Time;
use crate::heard::Target;
use crate::packet::Packet;
use crate::site::{Net, Node};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Something that arrives.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A packet of a host at the switch of a segment, for the shared MAC there.
    Forward(Net, Packet),
    /// A packet at the host that has its destination address.
    Host(Packet),
    /// A pfsync or CARP frame at a node's port.
    Frame(Net, Node, Arc<Vec<u8>>),
    /// A frame of a node that the switch sends back to it.
    Reflection(Net, Node, Arc<Vec<u8>>),
    /// A packet that the proxy of a node sends.
    Proxy(Node, Packet),
    /// A node pings all its targets.
    Probe(Node),
    /// What became of a ping is known.
    Answer(Node, Target, bool),
}

/// Events by time, then by the order in which they were put.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    slab: Vec<Option<Event>>,
    free: Vec<u32>,
    serial: u64,
}

/// Low bits of an order: the place in the slab. 16 million events under way, 10^12 in a run.
const PLACE: u32 = 24;

impl Queue {
    /// `event` happens at `at`.
    pub(super) fn put(&mut self, at: Time, event: Event) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slab.push(None);
            u32::try_from(self.slab.len() - 1).unwrap_or(u32::MAX)
        });
        if place >> PLACE != 0 {
            // Sixteen million packets in flight: the network drops, as networks do.
            return;
        }
        if let Some(slot) = self.slab.get_mut(place as usize) {
            *slot = Some(event);
            self.serial += 1;
            self.heap
                .push(Reverse((nanos(at), self.serial << PLACE | u64::from(place))));
        }
    }

    /// When the next one happens.
    pub(super) fn next(&self) -> u64 {
        self.heap.peek().map_or(u64::MAX, |Reverse((at, _))| *at)
    }

    /// The next one.
    pub(super) fn take(&mut self) -> Option<Event> {
        let Reverse((_, order)) = self.heap.pop()?;
        let place = u32::try_from(order & ((1 << PLACE) - 1)).unwrap_or(0);
        self.free.push(place);
        self.slab.get_mut(place as usize)?.take()
    }
}

/// Times are compared millions of times: as one number.
pub(super) fn nanos(at: Time) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

/// Never, where there is no deadline.
pub(super) fn deadline(at: Option<Time>) -> u64 {
    at.map_or(u64::MAX, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_as_put() {
        let mut queue = Queue::default();
        for round in 0..3 {
            for (at, node) in [(5, 0), (3, 1), (5, 2), (3, 3), (4, 4)] {
                queue.put(Time::from_secs(at + round), Event::Probe(node));
            }
            let order: Vec<Node> = std::iter::from_fn(|| match queue.take() {
                Some(Event::Probe(node)) => Some(node),
                _ => None,
            })
            .collect();
            assert_eq!(order, [1, 3, 4, 0, 2]);
            assert_eq!((queue.next(), queue.slab.len()), (u64::MAX, 5), "places are used again");
        }
    }
}
