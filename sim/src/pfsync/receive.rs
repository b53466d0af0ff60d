//! Payloads from other nodes: `pfsync_input` and what follows from each message.

use super::queue::{Named, Sync};
use crate::firewall::System;
use crate::pf::clock::Clock;
use crate::pf::state::{ACK_WANTED, State};
use crate::pf::table::Table;
use crate::pf::tcp::{after, tcps};
use pfsync_proto::{Action, Dialect, Key, Message, Packet, Peer, Section, State as Wire};

impl Sync {
    /// Takes a payload. What does not decode is left alone from there on, as the kernels do.
    pub(crate) fn receive(&mut self, table: &mut Table, clock: &Clock, payload: &[u8]) {
        let Ok(packet) = Packet::new_checked(payload) else {
            return;
        };
        if packet.version() != self.system.dialect().version() {
            return;
        }
        for section in packet.sections() {
            let openbsd = self.system == System::OpenBsd;
            match section {
                // OpenBSD goes on behind what it does not know; where it cannot, the walk ends by itself.
                Err(_) if openbsd => {}
                Err(_) => return,
                Ok(section) if !openbsd && section.code > self.newest_action() => return,
                Ok(section) => self.section(table, clock, &section),
            }
        }
    }

    /// The last action that a FreeBSD of this dialect knows: those above came with later releases.
    fn newest_action(&self) -> u8 {
        match self.system {
            System::FreeBsd(Dialect::FreeBsd1301) => 12,
            System::FreeBsd(Dialect::FreeBsd1400) => 14,
            _ => 16,
        }
    }

    fn section(&mut self, table: &mut Table, clock: &Clock, section: &Section<'_>) {
        // Requests of one section go out together (OpenBSD).
        let mut unknown: Vec<Message> = Vec::new();
        section.visit(|decoded| {
            if decoded.refused.is_some() {
                return;
            }
            match &decoded.message {
                Message::State(wire) if section.action == Action::Ins => {
                    self.import(table, clock, wire);
                }
                Message::State(wire) if section.action == Action::Upd => match table.find_id(&wire.key) {
                    Some(slot) => self.heard_update(table, clock, slot, [&wire.src, &wire.dst], wire.timeout),
                    None => self.import(table, clock, wire),
                },
                Message::State(wire) if section.action == Action::Del => self.forget(table, clock, wire.key),
                Message::UpdC(update) => match table.find_id(&update.key) {
                    Some(slot) => self.heard_update(table, clock, slot, [&update.src, &update.dst], update.timeout),
                    None if self.system == System::OpenBsd => unknown.push(Message::UpdReq(update.key)),
                    None => self.ask(table, clock, update.key),
                },
                Message::DelC { key, .. } => self.forget(table, clock, *key),
                Message::InsAck(key) => self.acknowledged(table, *key),
                Message::UpdReq(key) if *key == Key::default() => self.begin_answer(table, clock),
                Message::UpdReq(key) => {
                    if let Some(slot) = table.find_id(key) {
                        self.requested(table, clock, slot);
                    }
                }
                Message::Bus(bus) => self.heard_bus(clock, bus),
                Message::Clr(clr) => {
                    for slot in 0..table.slots() {
                        if table.get(slot).is_some_and(|s| s.key.creator == clr.creator) {
                            self.remove(table, clock, slot, false);
                        }
                    }
                }
                Message::State(_) | Message::Tdb(_) => {}
            }
        });
        if !unknown.is_empty() {
            // The kernel prepends one to the other: the last comes first.
            unknown.reverse();
            self.say_alone(Action::UpdReq, &unknown);
        }
    }

    /// Another node lost a state; nobody needs to be told by us.
    fn forget(&mut self, table: &mut Table, clock: &Clock, key: Key) {
        if let Some(slot) = table.find_id(&key) {
            self.remove(table, clock, slot, false);
        }
    }

    fn acknowledged(&mut self, table: &mut Table, key: Key) {
        if let Some(slot) = table.find_id(&key)
            && let Some(state) = table.get_mut(slot)
            && std::mem::take(&mut state.deferred)
        {
            self.deferrals.release(table.handle(slot));
        }
    }

    /// A state that is new here. One with the same keys stays in its way, unless that is a finished connection.
    fn import(&mut self, table: &mut Table, clock: &Clock, wire: &Wire) {
        let Some(mut state) = State::import(wire, clock.uptime, table.len()) else {
            return;
        };
        while let Some(slot) = table.clash(&state) {
            let over = |s: &State| {
                s.key != state.key
                    && s.wire.proto == 6
                    && s.src.state >= tcps::FIN_WAIT_2
                    && s.dst.state >= tcps::FIN_WAIT_2
            };
            if !table.get(slot).is_some_and(over) {
                return;
            }
            self.remove(table, clock, slot, true);
        }
        let bucket = self.bucket_of(&state);
        state.bucket = bucket;
        let key = state.key;
        if table.insert(state).is_some() && wire.state_flags & ACK_WANTED != 0 {
            self.add_name(table, clock, bucket, Named::Ack, key);
            if self.system == System::OpenBsd {
                self.push(bucket);
            } else {
                self.push_all();
            }
        }
    }

    /// What another node says about a state that we have. Whoever is behind is told.
    fn heard_update(&mut self, table: &mut Table, clock: &Clock, slot: u32, peers: [&Peer; 2], timeout: u8) {
        let handle = table.handle(slot);
        let freebsd = self.system != System::OpenBsd;
        let Some(state) = table.get_mut(slot) else {
            return;
        };
        if std::mem::take(&mut state.deferred) {
            if freebsd {
                self.deferrals.drop_packet(handle);
            } else {
                self.deferrals.release(handle);
            }
        }
        let tcp = state.wire.proto == 6;
        let [src, dst] = peers;
        let src_stale = is_behind(&state.src, src, tcp, false);
        let dst_stale = is_behind(&state.dst, dst, tcp, freebsd);
        if !src_stale {
            state.src = *src;
        }
        // FreeBSD takes over a responder that it just found to be behind, unless both are.
        if !dst_stale || freebsd && !src_stale {
            state.dst = *dst;
        }
        state.pfsync_time = clock.uptime;
        if !(src_stale && dst_stale) {
            state.touched = i64::from(clock.uptime);
            state.timeout = timeout;
        }
        if src_stale || dst_stale {
            self.updated(table, clock, slot);
            if freebsd {
                self.push_all();
            }
        }
    }
}

/// Whether `theirs` is older than `ours`: a state number or (TCP) a sequence number would go back.
fn is_behind(ours: &Peer, theirs: &Peer, tcp: bool, freebsd_responder: bool) -> bool {
    if ours.state > theirs.state {
        // Synproxy (11, 12) becomes an ordinary connection at its end.
        return !tcp || freebsd_responder || ours.state < 11 || theirs.state >= 11;
    }
    let comparable = if freebsd_responder {
        ours.state >= tcps::SYN_SENT
    } else {
        ours.state == theirs.state
    };
    tcp && comparable && after(ours.seqlo, theirs.seqlo)
}
