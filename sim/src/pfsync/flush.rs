//! A bucket becomes a frame: now the states are looked at.

use super::queue::{Named, Queue, Sync};
use crate::firewall::System;
use crate::pf::clock::Clock;
use crate::pf::table::Table;
use pfsync_proto::{Action, Dialect, Message, PacketWriter};

/// One section of a frame.
#[derive(Clone, Copy, Debug)]
enum Part {
    States(Queue),
    Names(Named),
}

const OPENBSD: [Part; 5] = [
    Part::Names(Named::Ack),
    Part::States(Queue::UpdC),
    Part::Names(Named::Del),
    Part::States(Queue::Ins),
    Part::States(Queue::Upd),
];

const FREEBSD: [Part; 6] = [
    Part::States(Queue::Ins),
    Part::Names(Named::Ack),
    Part::States(Queue::Upd),
    Part::States(Queue::UpdC),
    Part::Names(Named::Del),
    Part::Names(Named::Req),
];

impl System {
    /// The dialect it sends.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::OpenBsd => Dialect::OpenBsd6,
            Self::FreeBsd(dialect) => dialect,
        }
    }

    /// The checksum of the rule set: gone from OpenBSD, the same on both nodes of a FreeBSD pair.
    pub(crate) fn md5(self) -> [u8; 16] {
        match self {
            Self::OpenBsd => [0; 16],
            Self::FreeBsd(_) => *b"\x7d\x1f\x0a\xc3\x52\x98\x44\xe6\xb1\x0c\x9e\x37\xda\x65\x20\x8f",
        }
    }
}

impl Sync {
    /// Writes the frame of a bucket that is not empty, and empties the bucket.
    pub(crate) fn flush(&mut self, table: &mut Table, clock: &Clock, index: usize) {
        let (system, states) = (self.system, table.len());
        let empty = self.empty_len();
        let Some(bucket) = self.buckets.get_mut(index) else {
            return;
        };
        let Ok(mut writer) = PacketWriter::new(&mut self.scratch, system.dialect(), system.md5()) else {
            return;
        };
        let order: &[Part] = match system {
            System::OpenBsd => &OPENBSD,
            System::FreeBsd(_) => &FREEBSD,
        };
        // The lengths were reserved when the messages were queued, so nothing fails for want of room.
        for part in order {
            match *part {
                Part::States(queue) => {
                    let Some(list) = bucket.states.get_mut(queue as usize) else {
                        continue;
                    };
                    let mut open = false;
                    for handle in list.drain(..) {
                        let Some(state) = table.at_mut(handle).filter(|s| s.pending == Some(queue)) else {
                            continue;
                        };
                        state.pending = None;
                        let (action, message) = match queue {
                            Queue::UpdC => (Action::UpdC, Message::UpdC(state.compressed())),
                            Queue::Ins => (Action::Ins, Message::State(state.export(system, clock, states))),
                            Queue::Upd => (Action::Upd, Message::State(state.export(system, clock, states))),
                        };
                        if !std::mem::replace(&mut open, true) {
                            let section = writer.section(action);
                            debug_assert!(section.is_ok());
                        }
                        let pushed = writer.push(&message);
                        debug_assert!(pushed.is_ok());
                    }
                }
                Part::Names(kind) => {
                    let Some(list) = bucket.names.get_mut(kind as usize).filter(|q| !q.is_empty()) else {
                        continue;
                    };
                    let action = match kind {
                        Named::Ack => Action::InsAck,
                        Named::Del => Action::DelC,
                        Named::Req => Action::UpdReq,
                    };
                    let section = writer.section(action);
                    debug_assert!(section.is_ok());
                    for key in list.drain(..) {
                        let pushed = writer.push(&match kind {
                            Named::Ack => Message::InsAck(key),
                            Named::Del => Message::DelC { key, states: None },
                            Named::Req => Message::UpdReq(key),
                        });
                        debug_assert!(pushed.is_ok());
                    }
                }
            }
        }
        if let Some(message) = bucket.plus.take() {
            let action = match message {
                Message::Clr(_) => Action::Clr,
                _ => Action::Bus,
            };
            let written = writer.section(action).and_then(|()| writer.push(&message));
            debug_assert!(written.is_ok());
        }
        bucket.live = [0; 3];
        bucket.len = empty;
        if system == System::OpenBsd {
            bucket.timer = None;
        }
        if !writer.is_empty() {
            let len = writer.finish();
            self.out.extend(self.scratch.get(..len).map(<[u8]>::to_vec));
        }
    }

    /// Says one thing at once: alone on OpenBSD, behind what waits in the first bucket on FreeBSD.
    pub(crate) fn say(&mut self, table: &mut Table, clock: &Clock, action: Action, message: Message) {
        if self.system == System::OpenBsd {
            self.say_alone(action, &[message]);
            return;
        }
        let size = 4 + if action == Action::Clr { 20 } else { 12 };
        let mtu = self.mtu;
        if self.buckets.first().is_some_and(|b| b.len + size > mtu) {
            self.flush(table, clock, 0);
        }
        if let Some(bucket) = self.buckets.first_mut() {
            bucket.plus = Some(message);
        }
        self.flush(table, clock, 0);
    }

    /// A frame of one section.
    pub(crate) fn say_alone(&mut self, action: Action, messages: &[Message]) {
        let Ok(mut writer) = PacketWriter::new(&mut self.scratch, self.system.dialect(), self.system.md5()) else {
            return;
        };
        let mut written = writer.section(action);
        for message in messages {
            written = written.and_then(|()| writer.push(message));
        }
        debug_assert!(written.is_ok());
        let len = writer.finish();
        self.out.extend(self.scratch.get(..len).map(<[u8]>::to_vec));
    }
}
