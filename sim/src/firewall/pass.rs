//! A packet goes through pf: it finds its state, or makes one, or is dropped.

use super::{Firewall, Side, System};
use crate::Time;
use crate::packet::{Body, Packet};
use crate::pf::key::{Hook, Tuple};
use crate::pf::state::State;
use crate::pf::tcp::{Fate, tcps};
use pfsync_proto::{Key, StateId};

impl Firewall {
    /// `pf_test`.
    pub(super) fn test(&mut self, now: Time, hook: Hook, side: Side, packet: Packet) -> Option<Packet> {
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
        let packet = state.translate(hook, packet);
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
        let redirect = self
            .config
            .redirect
            .filter(|rule| (hook, side) == (Hook::In, Side::Inside) && rule.covers(&tuple));
        let mut state = State {
            key: self.next_key(&wire),
            direction: hook,
            side: Some(side),
            wire,
            stack: redirect.map_or(tuple, |rule| rule.stack(&tuple)),
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
        let packet = state.translate(hook, packet);
        let slot = self.table.insert(state)?;
        self.sync.inserted(&mut self.table, &self.clock, slot);
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
