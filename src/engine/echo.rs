//! A node's own advertisement that came back to it: known by being a copy that came in where it had gone out.
//!
//! Asked about copies before they are dropped. Without a direction it is a copy like others, of a mirror port perhaps.

use super::Engine;
use crate::capture::{Direction, Frame, Net};
use crate::dissect::{Kind, Packet};
use crate::time::Timestamp;
use pfsync_proto::Proto112;

impl Engine {
    /// Whether that is so of a copy; then it is told.
    pub(super) fn came_back(&mut self, now: Timestamp, frame: &Frame<'_>, packet: &Packet<'_>) -> bool {
        let (Kind::Proto112(payload), Some(ip), Some(me)) = (packet.kind, packet.ip, self.me()) else {
            return false;
        };
        // Whoever captures on the node's own interface sees what leaves once; the second time it came in.
        let here = self.settings.own_interfaces && frame.net != Net::Sync;
        let inbound = match packet.direction.or(frame.direction) {
            Some(direction) => direction == Direction::Inbound,
            None => here,
        };
        if !inbound || self.by_local.get(&ip.src) != Some(&me) {
            return false;
        }
        let vhid = match Proto112::decode(payload, Some(ip.ends())) {
            Ok(Proto112::Carp(carp)) => carp.vhid,
            Ok(Proto112::Vrrp(vrrp)) => vrrp.vrid,
            Err(_) => return false,
        };
        let Some(network) = self.network(now, frame, packet.vlan) else {
            return false;
        };
        let name = self.label(me);
        let key = (network, vhid);
        self.carp.reflected(now, key, (me, &name), &mut self.scratch);
        self.events.extend(self.scratch.drain(..));
        true
    }
}
