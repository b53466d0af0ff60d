//! What waits to be said: per state at most one pending message, in slices (OpenBSD) or buckets (FreeBSD).
//!
//! Content is sampled when a bucket is flushed, not here. A bucket is flushed when the next message would not fit its
//! frame any more, when its timer fires a second after the first message, or when somebody pushes it.

use super::bulk::{Request, Sending};
use super::defer::Deferrals;
use crate::Time;
use crate::firewall::{Config, System};
use crate::pf::clock::Clock;
use crate::pf::key::EchoPorts;
use crate::pf::state::State;
use crate::pf::table::{Handle, Table};
use pfsync_proto::{CreatorId, Dialect, Key, Message};
use std::collections::VecDeque;

/// `PFSYNC_S_*`: which message is pending for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Ins,
    Upd,
    UpdC,
}

/// What is queued by name because no state needs to be looked at any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Ack,
    Del,
    Req,
}

/// A slice or bucket.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// Octets of the frame if it were flushed now, with the IP header.
    pub(crate) len: usize,
    pub(crate) timer: Option<Time>,
    /// Flush at the next opportunity.
    pub(crate) push: bool,
    /// Notes of states, by [`Queue`]. Those that left the queue again stay and are skipped.
    pub(crate) states: [Vec<Handle>; 3],
    /// How many of those are still queued.
    pub(crate) live: [usize; 3],
    /// By [`Named`].
    pub(crate) names: [Vec<Key>; 3],
    /// One message that goes at the end, at once (FreeBSD).
    pub(crate) plus: Option<Message>,
}

/// pfsync of one node.
#[derive(Debug)]
pub(crate) struct Sync {
    pub(crate) system: System,
    pub(crate) creator: CreatorId,
    pub(crate) mtu: usize,
    max_updates: u32,
    pub(crate) defer: bool,
    pub(crate) buckets: Vec<Bucket>,
    /// Some bucket was pushed.
    kicked: bool,
    /// Payloads on their way.
    pub(crate) out: VecDeque<Vec<u8>>,
    pub(crate) scratch: Vec<u8>,
    pub(crate) request: Request,
    pub(crate) sending: Option<Sending>,
    pub(crate) deferrals: Deferrals,
}

/// `PFSYNC_NSLICES`, and two buckets for each of two processors.
const SLICES: usize = 2;
const BUCKETS: usize = 4;

impl Sync {
    pub(crate) fn new(config: &Config) -> Self {
        let count = match config.system {
            System::OpenBsd => SLICES,
            System::FreeBsd(_) => BUCKETS,
        };
        let mtu = config.mtu.clamp(576, 9000);
        let mut sync = Self {
            system: config.system,
            creator: config.creator,
            mtu,
            max_updates: config.max_updates,
            defer: config.defer,
            buckets: std::iter::repeat_with(Bucket::default).take(count).collect(),
            kicked: false,
            out: VecDeque::new(),
            scratch: vec![0; mtu - 20],
            request: Request::Idle,
            sending: None,
            deferrals: Deferrals::default(),
        };
        let empty = sync.empty_len();
        for bucket in &mut sync.buckets {
            bucket.len = empty;
        }
        sync
    }

    /// `PFSYNC_MINPKT`: IP header, pfsync header and, on FreeBSD, the EOF section.
    pub(crate) fn empty_len(&self) -> usize {
        if self.system == System::OpenBsd { 40 } else { 44 }
    }

    /// Octets of a full state.
    pub(crate) fn state_size(&self) -> usize {
        match self.system {
            System::OpenBsd => 264,
            System::FreeBsd(Dialect::FreeBsd1301) => 242,
            System::FreeBsd(Dialect::FreeBsd1400) => 277,
            System::FreeBsd(_) => 360,
        }
    }

    pub(crate) fn size(&self, queue: Queue) -> usize {
        match queue {
            Queue::Ins | Queue::Upd => self.state_size(),
            Queue::UpdC => 84,
        }
    }

    /// Where the messages of a state wait: by flow on OpenBSD, by id on FreeBSD.
    pub(crate) fn bucket_of(&self, state: &State) -> u8 {
        let number = match self.system {
            System::OpenBsd => state.wire.flow_hash(),
            System::FreeBsd(_) => u64::from_be_bytes(state.key.id.0),
        };
        u8::try_from(number % self.buckets.len() as u64).unwrap_or(0)
    }

    /// How the system fills the ports of ICMP states.
    pub(crate) fn echo_ports(&self) -> EchoPorts {
        match self.system {
            System::FreeBsd(Dialect::FreeBsd1301 | Dialect::FreeBsd1400) => EchoPorts::IdTwice,
            _ => EchoPorts::IdAndType,
        }
    }

    /// The next flush timer.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.buckets.iter().filter_map(|b| b.timer).min()
    }

    /// Whether [`Sync::run`] has something to do.
    pub(crate) fn is_kicked(&self) -> bool {
        self.kicked
    }

    /// `pfsync_insert_state`: pf made a state.
    pub(crate) fn inserted(&mut self, table: &mut Table, clock: &Clock, slot: u32) {
        let Some(bucket) = table.get(slot).map(|s| s.bucket) else {
            return;
        };
        self.arm_if_empty(bucket, clock);
        self.add_state(table, clock, slot, Queue::Ins);
    }

    /// `pfsync_update_state`: a packet passed by a state, or another node was behind.
    #[inline]
    pub(crate) fn updated(&mut self, table: &mut Table, clock: &Clock, slot: u32) {
        let openbsd = self.system == System::OpenBsd;
        if !openbsd && table.get(slot).is_some_and(|s| s.deferred) {
            // The initiator tried again: the packet that was held for the acknowledgement may go too.
            self.deferrals.release(table.handle(slot));
        }
        let Some(state) = table.get_mut(slot) else {
            return;
        };
        state.deferred &= openbsd;
        let (bucket, recent) = (state.bucket, clock.uptime.saturating_sub(state.pfsync_time) < 2);
        let mut push = recent;
        match state.pending {
            None => {
                self.arm_if_empty(bucket, clock);
                self.add_state(table, clock, slot, Queue::UpdC);
            }
            // OpenBSD does not count while an insert is pending.
            Some(Queue::Ins) if openbsd => {}
            Some(_) if state.wire.proto == 6 => {
                state.updates += 1;
                push |= state.updates >= self.max_updates;
            }
            Some(_) => {}
        }
        if push {
            self.push(bucket);
        }
    }

    /// `pfsync_update_state_req`: somebody asked for a state. Says whether its frame is full now.
    pub(crate) fn requested(&mut self, table: &mut Table, clock: &Clock, slot: u32) -> bool {
        let Some(state) = table.get(slot) else {
            return false;
        };
        let bucket = state.bucket;
        match state.pending {
            // Already being said.
            Some(Queue::Ins | Queue::Upd) => {
                if self.system == System::OpenBsd {
                    self.push(bucket);
                }
            }
            Some(Queue::UpdC) | None => {
                self.take_state(table, slot);
                self.add_state(table, clock, slot, Queue::Upd);
                self.push(bucket);
            }
        }
        let used = self.buckets.get(usize::from(bucket)).map_or(0, |b| b.len);
        self.mtu.saturating_sub(used) < self.state_size()
    }

    /// Takes a state out of the table and says so, if `announce` and the world knows of it.
    pub(crate) fn remove(&mut self, table: &mut Table, clock: &Clock, slot: u32, announce: bool) {
        let Some(state) = table.get(slot) else {
            return;
        };
        let (key, bucket) = (state.key, state.bucket);
        let unknown = state.pending == Some(Queue::Ins);
        if state.deferred && self.system != System::OpenBsd {
            self.deferrals.drop_packet(table.handle(slot));
        }
        if announce {
            self.arm_if_empty(bucket, clock);
        }
        self.take_state(table, slot);
        table.remove(slot);
        if announce && !unknown {
            self.add_name(table, clock, bucket, Named::Del, key);
        }
    }

    /// Asks for a state by the first bucket (FreeBSD). The kernels of 1301 push nothing and start no timer: the request
    /// waits there for company, and what is queued behind it waits too, because the bucket is not empty any more
    /// (seen in captures/freebsd-pair). Later ones push.
    pub(crate) fn ask(&mut self, table: &mut Table, clock: &Clock, key: Key) {
        let asked = |b: &Bucket| b.names.get(Named::Req as usize).is_some_and(|q| q.contains(&key));
        if self.buckets.first().is_some_and(asked) {
            return;
        }
        self.add_name(table, clock, 0, Named::Req, key);
        if self.system != System::FreeBsd(Dialect::FreeBsd1301) {
            self.push(0);
        }
    }

    /// Flush this bucket as soon as the kernel comes to it.
    pub(crate) fn push(&mut self, bucket: u8) {
        if let Some(bucket) = self.buckets.get_mut(usize::from(bucket)) {
            bucket.push = true;
            self.kicked = true;
        }
    }

    pub(crate) fn push_all(&mut self) {
        for bucket in &mut self.buckets {
            bucket.push = true;
        }
        self.kicked = true;
    }

    /// Flushes what was pushed. On FreeBSD an empty bucket stays pushed and is flushed with the next one.
    pub(crate) fn run(&mut self, table: &mut Table, clock: &Clock) {
        if !std::mem::take(&mut self.kicked) {
            return;
        }
        let (empty, sticky) = (self.empty_len(), self.system != System::OpenBsd);
        for index in 0..self.buckets.len() {
            let Some(bucket) = self.buckets.get_mut(index) else {
                continue;
            };
            if !bucket.push {
                continue;
            }
            let some = bucket.len > empty;
            bucket.push = sticky && !some;
            if some {
                self.flush(table, clock, index);
            }
        }
    }

    /// Pushes the buckets whose second is over.
    pub(crate) fn fire(&mut self, now: Time) {
        for bucket in &mut self.buckets {
            if bucket.timer.is_some_and(|at| at <= now) {
                bucket.timer = None;
                bucket.push = true;
                self.kicked = true;
            }
        }
    }
}
