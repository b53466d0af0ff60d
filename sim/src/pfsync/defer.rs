//! `defer`: the first packet that leaves by a new state waits until another node knows the state.

use crate::Time;
use crate::firewall::Side;
use crate::packet::Packet;
use crate::pf::table::Handle;
use std::collections::VecDeque;
use std::time::Duration;

/// Longest wait.
pub(crate) const LONGEST: Duration = Duration::from_millis(20);
/// Most packets held at a time; the oldest goes when one more comes.
const MOST: usize = 128;

#[derive(Debug)]
struct Held {
    until: Time,
    state: Handle,
    side: Side,
    packet: Packet,
}

/// Packets held back, and those that may go.
#[derive(Debug, Default)]
pub(crate) struct Deferrals {
    held: VecDeque<Held>,
    free: VecDeque<(Side, Packet)>,
}

impl Deferrals {
    /// Holds a packet. Answers the state whose packet had to go for it.
    pub(crate) fn hold(&mut self, now: Time, state: Handle, side: Side, packet: Packet) -> Option<Handle> {
        let over = (self.held.len() >= MOST).then(|| self.oldest()).flatten();
        self.held.push_back(Held {
            until: now + LONGEST,
            state,
            side,
            packet,
        });
        over
    }

    fn oldest(&mut self) -> Option<Handle> {
        let held = self.held.pop_front()?;
        self.free.push_back((held.side, held.packet));
        Some(held.state)
    }

    fn take(&mut self, state: Handle) -> Option<Held> {
        let at = self.held.iter().position(|held| held.state == state)?;
        self.held.remove(at)
    }

    /// The state is known elsewhere: its packet may go.
    pub(crate) fn release(&mut self, state: Handle) {
        if let Some(held) = self.take(state) {
            self.free.push_back((held.side, held.packet));
        }
    }

    /// The packet is not wanted any more.
    pub(crate) fn drop_packet(&mut self, state: Handle) {
        self.take(state);
    }

    /// When the next packet has waited long enough.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.held.front().map(|held| held.until)
    }

    /// Lets the next packet go whose wait is over; answers its state.
    pub(crate) fn expire(&mut self, now: Time) -> Option<Handle> {
        if self.next_deadline()? > now {
            return None;
        }
        self.oldest()
    }

    /// A packet that may go.
    pub(crate) fn pop(&mut self) -> Option<(Side, Packet)> {
        self.free.pop_front()
    }

    /// Whether [`Deferrals::pop`] has one.
    pub(crate) fn is_free(&self) -> bool {
        !self.free.is_empty()
    }
}
