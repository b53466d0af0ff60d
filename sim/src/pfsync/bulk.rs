//! Bulk updates: a node that comes up asks for everything, and another tells it.
//!
//! Both families are stubborn in their own way. OpenBSD's request is a frame of its own, repeated every 2 s; an answer
//! that is only an END (empty table) does not end it. FreeBSD's request goes with the first bucket (in the kernels of
//! 1301 only when something else flushes that) and is repeated every 5 s.

use super::queue::Sync;
use crate::Time;
use crate::firewall::System;
use crate::pf::clock::Clock;
use crate::pf::table::Table;
use crate::pf::timeout::LIMIT;
use pfsync_proto::{Action, Bus, BusStatus, Key, Message, PacketWriter};
use std::time::Duration;

/// `PFSYNC_MAX_BULKTRIES`.
const TRIES: u32 = 12;
/// Between two frames of an answer: OpenBSD, and one tick of FreeBSD.
const PACE: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(1);

/// Where our own request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// None, or done.
    Idle,
    /// Sent (or queued) and not answered; asked again at `at`.
    Sent { tries: u32, since: u32, at: Time },
    /// The answer began; given up at `at`.
    Bulk { tries: u32, since: u32, at: Time },
}

/// An answer on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    /// The slot to go on with, and the first that did not exist when it began.
    next: u32,
    end: u32,
    /// Uptime when the request came.
    received: u32,
    pub(crate) at: Time,
}

impl Request {
    pub(crate) fn deadline(self) -> Option<Time> {
        match self {
            Self::Idle => None,
            Self::Sent { at, .. } | Self::Bulk { at, .. } => Some(at),
        }
    }
}

impl Sync {
    fn retry(&self) -> Duration {
        Duration::from_secs(if self.system == System::OpenBsd { 2 } else { 5 })
    }

    /// How long an answer may take: frames for a full table at the pace of the answer, and some more.
    fn patience(&self) -> Duration {
        let frames = LIMIT / ((self.mtu - self.empty_len()) / self.state_size()).max(1);
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        match self.system {
            System::OpenBsd => Duration::from_secs(u64::from((frames / 50).max(1)) * 4),
            System::FreeBsd(_) => Duration::from_secs(4) + TICK * frames,
        }
    }

    /// pfsync came up.
    pub(crate) fn begin_request(&mut self, table: &mut Table, clock: &Clock) {
        self.ask_for_all(table, clock);
        self.request = Request::Sent {
            tries: 0,
            since: clock.uptime,
            at: clock.now + self.retry(),
        };
    }

    fn ask_for_all(&mut self, table: &mut Table, clock: &Clock) {
        if self.system == System::OpenBsd {
            self.say_alone(Action::UpdReq, &[Message::UpdReq(Key::default())]);
        } else {
            self.ask(table, clock, Key::default());
        }
    }

    /// The request's timer fired.
    pub(crate) fn request_timeout(&mut self, table: &mut Table, clock: &Clock) {
        let (Request::Sent { tries, since, .. } | Request::Bulk { tries, since, .. }) = self.request else {
            return;
        };
        let openbsd = self.system == System::OpenBsd;
        let again = if openbsd { tries + 1 < TRIES } else { tries < TRIES };
        // OpenBSD asks once more when an answer breaks off, but does not wait for it.
        let wait = again && !(openbsd && matches!(self.request, Request::Bulk { .. }));
        if again {
            self.ask_for_all(table, clock);
        }
        self.request = if wait {
            Request::Sent {
                tries: tries + 1,
                since,
                at: clock.now + self.retry(),
            }
        } else {
            Request::Idle
        };
    }

    /// A BUS came.
    pub(crate) fn heard_bus(&mut self, clock: &Clock, bus: &Bus) {
        let openbsd = self.system == System::OpenBsd;
        match (self.request, bus.status) {
            (Request::Sent { tries, since, .. }, BusStatus::Start) => {
                let at = clock.now + self.patience();
                self.request = Request::Bulk { tries, since, at };
            }
            (Request::Bulk { tries, since, .. }, BusStatus::Start) if !openbsd => {
                let at = clock.now + self.patience();
                self.request = Request::Bulk { tries, since, at };
            }
            (Request::Bulk { .. }, BusStatus::End) if openbsd => self.request = Request::Idle,
            // The end of an answer to somebody else's earlier request does not count.
            (Request::Sent { since, .. } | Request::Bulk { since, .. }, BusStatus::End)
                if !openbsd && i64::from(clock.uptime) - i64::from(bus.endtime) >= i64::from(since) =>
            {
                self.request = Request::Idle;
            }
            _ => {}
        }
    }

    /// Somebody asked for everything.
    pub(crate) fn begin_answer(&mut self, table: &mut Table, clock: &Clock) {
        let mut sending = Sending {
            next: 0,
            end: table.slots(),
            received: clock.uptime,
            at: clock.now + TICK,
        };
        match self.system {
            System::FreeBsd(_) => {
                self.sending = Some(sending);
                self.bus(table, clock, BusStatus::Start, 0);
            }
            // One answer at a time.
            System::OpenBsd if self.sending.is_some() => {}
            System::OpenBsd => {
                let some = self.skip_free(table, &mut sending);
                self.sending = Some(sending);
                self.answer_openbsd(table, clock, some.then_some(BusStatus::Start));
            }
        }
    }

    /// The next frame of the answer.
    pub(crate) fn answer(&mut self, table: &mut Table, clock: &Clock) {
        match self.system {
            System::OpenBsd => self.answer_openbsd(table, clock, None),
            System::FreeBsd(_) => self.answer_freebsd(table, clock),
        }
    }

    fn bus(&mut self, table: &mut Table, clock: &Clock, status: BusStatus, endtime: u32) {
        let creator = self.creator;
        self.say(
            table,
            clock,
            Action::Bus,
            Message::Bus(Bus {
                creator,
                endtime,
                status,
            }),
        );
    }

    /// Moves to the next state; says whether there is one.
    fn skip_free(&self, table: &Table, sending: &mut Sending) -> bool {
        while sending.next < sending.end && table.get(sending.next).is_none() {
            sending.next += 1;
        }
        sending.next < sending.end
    }

    /// A frame of its own: START where it begins, as many states as fit, END where it ends.
    fn answer_openbsd(&mut self, table: &Table, clock: &Clock, start: Option<BusStatus>) {
        let Some(mut sending) = self.sending.take() else {
            return;
        };
        let (system, creator, states) = (self.system, self.creator, table.len());
        let space = self.scratch.len();
        let bus = |status| {
            Message::Bus(Bus {
                creator,
                endtime: 0,
                status,
            })
        };
        let mut more = self.skip_free(table, &mut sending);
        let Ok(mut writer) = PacketWriter::new(&mut self.scratch, system.dialect(), system.md5()) else {
            return;
        };
        let mut written = Ok(());
        if let Some(status) = start {
            written = writer.section(Action::Bus).and_then(|()| writer.push(&bus(status)));
        }
        if more {
            written = written.and_then(|()| writer.section(Action::Upd));
        }
        debug_assert!(written.is_ok());
        while let Some(state) = table.get(sending.next).filter(|_| more) {
            if writer
                .push(&Message::State(state.export(system, clock, states)))
                .is_err()
            {
                break;
            }
            sending.next += 1;
            while sending.next < sending.end && table.get(sending.next).is_none() {
                sending.next += 1;
            }
            more = sending.next < sending.end;
        }
        let done = !more && writer.len() + 16 <= space;
        if done {
            let written = writer
                .section(Action::Bus)
                .and_then(|()| writer.push(&bus(BusStatus::End)));
            debug_assert!(written.is_ok());
        } else {
            sending.at = clock.now + PACE;
            self.sending = Some(sending);
        }
        let len = writer.finish();
        self.out.extend(self.scratch.get(..len).map(<[u8]>::to_vec));
    }

    /// Queues states that have nothing pending and that the asker did not bring itself, until a frame is full.
    fn answer_freebsd(&mut self, table: &mut Table, clock: &Clock) {
        let Some(mut sending) = self.sending.take() else {
            return;
        };
        // The table may have grown: FreeBSD walks its hash as it is.
        while sending.next < table.slots() {
            let wanted = table
                .get(sending.next)
                .is_some_and(|s| s.pending.is_none() && s.pfsync_time <= sending.received);
            if wanted && self.requested(table, clock, sending.next) {
                // It will begin with the same state again.
                sending.at = clock.now + TICK;
                self.sending = Some(sending);
                return;
            }
            sending.next += 1;
        }
        let endtime = clock.uptime.saturating_sub(sending.received);
        self.bus(table, clock, BusStatus::End, endtime);
    }
}
