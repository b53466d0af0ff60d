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

#[cfg(test)]
mod tests;

use crate::Time;
use crate::dice::{self, Dice};
use crate::packet::{Body, Packet};
use crate::pf::clock::Clock;
use crate::pf::key::{Hook, Tuple};
use crate::pf::state::State;
use crate::pf::table::Table;
use crate::pf::tcp::{Fate, tcps};
use crate::pfsync::queue::Sync;
use pfsync_proto::{Action, Clr, CreatorId, Dialect, Key, Message, StateId};
use rand::RngExt;
use std::net::IpAddr;
use std::time::Duration;

pub use crate::pf::nat::Nat;

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

    /// `pf_test`.
    fn test(&mut self, now: Time, hook: Hook, side: Side, packet: Packet) -> Option<Packet> {
        self.clock.set(now);
        // CARP and pfsync: "pass quick ... no state".
        if let Body::Other { proto, .. } = packet.body
            && (proto == 240 || proto == 112 && !self.carp_states)
        {
            return Some(packet);
        }
        let tuple = Tuple::of(hook, &packet, self.sync.echo_ports());
        let Some(slot) = self.table.find(hook, &tuple) else {
            return self.create(hook, side, packet, tuple);
        };
        let state = self.table.get_mut(slot)?;
        match state.track(hook, &packet, self.clock.uptime) {
            Fate::Drop => return None,
            Fate::Replace => {
                self.sync.remove(&mut self.table, &self.clock, slot, true);
                return None;
            }
            Fate::Pass(_) => {}
        }
        state.count(hook, packet.octets());
        let packet = if state.wire == state.stack {
            packet
        } else {
            let to = if hook == Hook::In { state.stack } else { state.wire };
            to.translate(hook, packet)
        };
        self.sync.updated(&mut self.table, &self.clock, slot);
        Some(packet)
    }

    /// A packet without a state: may it pass, and make one?
    fn create(&mut self, hook: Hook, side: Side, packet: Packet, tuple: Tuple) -> Option<Packet> {
        let ours = |address| self.config.local.contains(&address);
        let echo = matches!(packet.body, Body::Echo { .. });
        let carp = packet.proto() == 112;
        if (hook, side) == (Hook::In, Side::Outside) && !echo && !carp && !ours(packet.dst) {
            return None;
        }
        let ([src, dst], timeout) = State::opening(&packet)?;
        let nat = self
            .config
            .nat
            .filter(|nat| (hook, side) == (Hook::Out, Side::Outside) && !ours(packet.src) && nat.covers(packet.src));
        let wire = match nat {
            Some(nat) => nat.wire(&tuple, self.sync.echo_ports(), &self.table, &mut self.dice)?,
            None => tuple,
        };
        let mut state = State {
            key: self.next_key(&wire),
            direction: hook,
            side: Some(side),
            wire,
            stack: tuple,
            src,
            dst,
            timeout,
            state_flags: 0,
            creation: self.clock.uptime,
            touched: i64::from(self.clock.uptime),
            packets: [0; 2],
            bytes: [0; 2],
            // Numbers as `pfctl -vsr` would show them for such a rule set.
            rule: Some(match (hook, side) {
                (Hook::In, Side::Inside) => 6,
                (Hook::In, Side::Outside) => 7,
                (Hook::Out, _) => 8,
            }),
            pending: None,
            updates: 0,
            pfsync_time: 0,
            bucket: 0,
            deferred: false,
        };
        state.bucket = self.sync.bucket_of(&state);
        state.count(hook, packet.octets());
        while let Some(slot) = self.table.clash(&state) {
            let over = |s: &State| s.src.state >= tcps::FIN_WAIT_2 && s.dst.state >= tcps::FIN_WAIT_2;
            if !self.table.get(slot).is_some_and(over) {
                return None;
            }
            self.sync.remove(&mut self.table, &self.clock, slot, true);
        }
        let slot = self.table.insert(state)?;
        self.sync.inserted(&mut self.table, &self.clock, slot);
        let packet = if nat.is_some() {
            wire.translate(hook, packet)
        } else {
            packet
        };
        if hook == Hook::Out && self.sync.defer {
            self.hold(slot, side, packet);
            return None;
        }
        Some(packet)
    }

    /// Holds a first packet back, and tells of its state at once.
    fn hold(&mut self, slot: u32, side: Side, packet: Packet) {
        let handle = self.table.handle(slot);
        let over = self.sync.deferrals.hold(self.clock.now, handle, side, packet);
        if let Some(state) = over.and_then(|handle| self.table.at_mut(handle)) {
            state.deferred = false;
        }
        if let Some(state) = self.table.get_mut(slot) {
            state.deferred = true;
            self.sync.push(state.bucket);
        }
    }

    /// A name for a new state: a counter, on FreeBSD one for each processor with its number on top.
    fn next_key(&mut self, wire: &Tuple) -> Key {
        let cpu = match self.config.system {
            System::OpenBsd => 0,
            System::FreeBsd(_) => wire.flow_hash() / 4 % 2,
        };
        let counter = &mut self.next_id[usize::from(cpu == 1)];
        let id = match self.config.system {
            System::OpenBsd => *counter,
            System::FreeBsd(_) => *counter & ((1 << 56) - 1) | cpu << 56,
        };
        *counter = counter.wrapping_add(1);
        Key {
            id: StateId(id.to_be_bytes()),
            creator: self.config.creator,
        }
    }
}
