//! One node: pf with its state table, and pfsync.
//!
//! Called by the world (or by whoever has real packets at hand) with packets, payloads and the time. A packet that is
//! forwarded goes through [`Firewall::input`] and then [`Firewall::output`]; one to or from the node itself through one
//! of them. Afterwards, and after [`Firewall::advance`], [`Firewall::poll`] yields the pfsync payloads to be sent and
//! [`Firewall::release`] the packets that were held back. Never does I/O, never reads a clock.
//!
//! ```text
//!   packet --> input --> (routing) --> output --> packet        pf
//!                 |                       |
//!              in-state               out-state
//!                 '--- queue, flush -----'-----> poll           pfsync
//!   payload --> receive --> import, update, stale, request
//! ```
//!
//! The rule set is that of an ordinary gateway: everything may leave, everything may come in on the inside; on the
//! outside only echo requests and what is for the node itself; state on all of it. CARP and pfsync pass without.

mod pass;
#[cfg(test)]
mod tests;

use crate::Time;
use crate::dice::{self, Dice};
use crate::packet::Packet;
use crate::pf::clock::Clock;
use crate::pf::key::Hook;
use crate::pf::table::Table;
use crate::pfsync::queue::Sync;
use pfsync_proto::{Action, Clr, CreatorId, Dialect, Message};
use rand::RngExt;
use std::net::IpAddr;
use std::time::Duration;

pub use crate::pf::nat::{Nat, Redirect};

/// What pf and pfsync of a node are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// OpenBSD 7.4 or later: version 6, two slices.
    OpenBsd,
    /// FreeBSD: version 5 in one of its three dialects, two buckets for each of two processors.
    FreeBsd(Dialect),
}

/// What a node is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its kernel.
    pub system: System,
    /// `hostid`: who created a state.
    pub creator: CreatorId,
    /// The id of the first state; OpenBSD starts at the time pf was enabled, shifted left by 32.
    pub first_id: u64,
    /// Source translation on the outside.
    pub nat: Option<Nat>,
    /// Destination translation on the inside.
    pub redirect: Option<Redirect>,
    /// Its own addresses: packets to them may come in on the outside, packets from them are not translated.
    pub local: Vec<IpAddr>,
    /// `ifconfig pfsync0 defer`.
    pub defer: bool,
    /// MTU of pfsync0, usually 1500.
    pub mtu: usize,
    /// Dice: ports of translated connections, and how far into its second the kernel is.
    pub seed: u64,
    /// `maxupd`: a TCP state that is pending is flushed after so many further packets; 128 by default.
    pub max_updates: u32,
}

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the clients are.
    Inside,
    /// Where the upstream router is.
    Outside,
}

impl Side {
    /// The interface's name.
    #[must_use]
    pub fn interface(self) -> &'static str {
        match self {
            Self::Inside => "em1",
            Self::Outside => "em2",
        }
    }
}

/// pf and pfsync of one node.
#[derive(Debug)]
pub struct Firewall {
    config: Config,
    clock: Clock,
    table: Table,
    sync: Sync,
    dice: Dice,
    /// The next id, for each processor on FreeBSD.
    next_id: [u64; 2],
    /// When the purge looks at the table next.
    purge: Time,
    expired: Vec<u32>,
    /// The rules keep state on CARP too.
    carp_states: bool,
}

impl Firewall {
    /// A node that just booted.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut dice = dice::stream(config.seed, "firewall");
        let clock = Clock::new(Duration::from_millis(dice.random_range(0..1000)));
        Self {
            clock,
            table: Table::new(),
            sync: Sync::new(&config),
            dice,
            next_id: [config.first_id; 2],
            purge: clock.next_second(),
            expired: Vec::new(),
            carp_states: false,
            config,
        }
    }

    /// The same with a rule set that keeps state on CARP, as careless ones do: one more state per master and segment.
    #[must_use]
    pub fn keeping_carp_states(mut self, keep: bool) -> Self {
        self.carp_states = keep;
        self
    }

    /// pf on the way in at `from`; `None` = dropped.
    pub fn input(&mut self, now: Time, from: Side, packet: Packet) -> Option<Packet> {
        self.test(now, Hook::In, from, packet)
    }

    /// pf on the way out at `to`; `None` = dropped, or held back until [`Firewall::release`] yields it.
    pub fn output(&mut self, now: Time, to: Side, packet: Packet) -> Option<Packet> {
        self.test(now, Hook::Out, to, packet)
    }

    /// A pfsync payload (IP header stripped) came from another node.
    pub fn receive(&mut self, now: Time, payload: &[u8]) {
        self.clock.set(now);
        self.sync.receive(&mut self.table, &self.clock, payload);
    }

    /// When `advance` must be called at the latest. While payloads or packets wait to be fetched: now.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if self.sync.is_kicked() || !self.sync.out.is_empty() || self.sync.deferrals.is_free() {
            return Some(self.clock.now);
        }
        // The purge rests while there is nothing to purge, and may be overdue when there is again.
        self.next_timer().map(|at| at.max(self.clock.now))
    }

    fn next_timer(&self) -> Option<Time> {
        let purge = (self.table.len() > 0).then_some(self.purge);
        let sending = self.sync.sending.map(|s| s.at);
        let timers = [
            self.sync.next_timer(),
            purge,
            sending,
            self.sync.request.deadline(),
            self.sync.deferrals.next_deadline(),
        ];
        timers.into_iter().flatten().min()
    }

    /// Everything that is due until `now`, in its order.
    pub fn advance(&mut self, now: Time) {
        self.sync.run(&mut self.table, &self.clock);
        while let Some(due) = self.next_timer().filter(|at| *at <= now) {
            self.clock.set(due.max(self.clock.now));
            self.fire(due);
            self.sync.run(&mut self.table, &self.clock);
        }
        self.clock.set(now.max(self.clock.now));
    }

    fn fire(&mut self, due: Time) {
        let is_due = |at: Time| at <= due;
        if self.purge <= due {
            self.purge();
        }
        if self.sync.request.deadline().is_some_and(is_due) {
            self.sync.request_timeout(&mut self.table, &self.clock);
        }
        if self.sync.sending.is_some_and(|s| s.at <= due) {
            self.sync.answer(&mut self.table, &self.clock);
        }
        while let Some(handle) = self.sync.deferrals.expire(due) {
            if let Some(state) = self.table.at_mut(handle) {
                state.deferred = false;
            }
        }
        self.sync.fire(due);
    }

    /// Looks at a tenth of the table, and removes what has expired there: imported states too.
    fn purge(&mut self) {
        self.purge = self.clock.next_second();
        let mut expired = std::mem::take(&mut self.expired);
        self.table.expired(self.clock.uptime, &mut expired);
        for slot in expired.drain(..) {
            self.sync.remove(&mut self.table, &self.clock, slot, true);
        }
        self.expired = expired;
    }

    /// The next pfsync payload to put on the sync net. To be asked after every call that changes anything; what is
    /// flushed at once collects until then, so ask after `output`, not between `input` and `output`.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        if self.sync.is_kicked() {
            self.sync.run(&mut self.table, &self.clock);
        }
        self.sync.out.pop_front()
    }

    /// pfsync came up: asks for everything, again and again until it is told.
    pub fn request_bulk(&mut self, now: Time) {
        self.clock.set(now);
        self.sync.begin_request(&mut self.table, &self.clock);
    }

    /// Whether that is still open. The CARP demotion meanwhile (OpenBSD +32, FreeBSD +240) is the caller's.
    #[must_use]
    pub fn bulk_pending(&self) -> bool {
        self.sync.request.deadline().is_some()
    }

    /// `pfctl -F states`: all are gone; others are told to drop those that this node created.
    pub fn clear(&mut self, now: Time) {
        self.clock.set(now);
        for slot in 0..self.table.slots() {
            self.sync.remove(&mut self.table, &self.clock, slot, false);
        }
        let clr = Clr {
            ifname: crate::pf::state::name(""),
            creator: self.config.creator,
        };
        self.sync
            .say(&mut self.table, &self.clock, Action::Clr, Message::Clr(clr));
    }

    /// A first packet whose state is known elsewhere by now, or that waited 20 ms for that.
    pub fn release(&mut self) -> Option<(Side, Packet)> {
        self.sync.deferrals.pop()
    }

    /// How many states there are.
    #[must_use]
    pub fn states(&self) -> usize {
        self.table.len()
    }
}
