//! One state: what pf keeps of a flow at one interface, and how it goes over the wire and comes back.

use super::clock::Clock;
use super::key::{Hook, Tuple};
use super::tcp::{self, Fate};
use super::timeout::{self, pftm};
use crate::firewall::{Side, System};
use crate::packet::{Body, Packet};
use crate::pfsync::queue::Queue;
use pfsync_proto::message::{Extra, FreeBsd1500, FreeBsdExtra, IfName};
use pfsync_proto::{Dialect, Direction, Family, Key, Peer, State as Wire, StateKeys, UpdC};
use std::net::IpAddr;

/// `PFSTATE_ACK`: the sender holds a packet until this state is acknowledged.
pub(crate) const ACK_WANTED: u16 = 0x10;

/// `struct pf_state`.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// Id and creator.
    pub(crate) key: Key,
    /// Which way the first packet went.
    pub(crate) direction: Hook,
    /// Where it was created; imported states do not know.
    pub(crate) side: Option<Side>,
    /// As on the wire of the interface, found by packets on their way in.
    pub(crate) wire: Tuple,
    /// As inside the host, found by packets on their way out.
    pub(crate) stack: Tuple,
    pub(crate) src: Peer,
    pub(crate) dst: Peer,
    /// `PFTM_*`.
    pub(crate) timeout: u8,
    pub(crate) state_flags: u16,
    /// Uptime at creation.
    pub(crate) creation: u32,
    /// Uptime of the last packet that counts for the lifetime; before boot for states that were imported late.
    pub(crate) touched: i64,
    /// In the creation direction, and against it.
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
    pub(crate) rule: Option<u32>,
    /// What pfsync has to say about it.
    pub(crate) pending: Option<Queue>,
    /// Packets since it is pending.
    pub(crate) updates: u32,
    /// Uptime when pfsync last brought something about it.
    pub(crate) pfsync_time: u32,
    /// Which slice or bucket it belongs to.
    pub(crate) bucket: u8,
    /// A packet of it is held back.
    pub(crate) deferred: bool,
}

impl State {
    /// The peers and the timeout that a first packet makes; `None` if it may not make a state.
    pub(crate) fn opening(packet: &Packet) -> Option<([Peer; 2], u8)> {
        use crate::packet::flags::{ACK, SYN};
        let single = [
            Peer {
                state: 1,
                ..Peer::default()
            },
            Peer::default(),
        ];
        match packet.body {
            Body::Tcp(segment) if segment.has(SYN) && !segment.has(ACK) => {
                Some((tcp::open(&segment), pftm::TCP_FIRST_PACKET))
            }
            Body::Tcp(_) | Body::Echo { request: false, .. } => None,
            Body::Udp { .. } => Some((single, pftm::UDP_FIRST_PACKET)),
            Body::Echo { .. } => Some(([Peer::default(); 2], pftm::ICMP_FIRST_PACKET)),
            Body::Other { .. } => Some((single, pftm::OTHER_FIRST_PACKET)),
        }
    }

    /// A packet of this state went through `hook`. Moves the trackers, not the counters.
    #[inline]
    pub(crate) fn track(&mut self, hook: Hook, packet: &Packet, uptime: u32) -> Fate {
        let (from, to) = if hook == self.direction {
            (&mut self.src, &mut self.dst)
        } else {
            (&mut self.dst, &mut self.src)
        };
        let fate = match &packet.body {
            Body::Tcp(segment) => tcp::track(from, to, segment),
            Body::Echo { .. } => Fate::Pass(Some(pftm::ICMP_ERROR_REPLY)),
            Body::Udp { .. } => Fate::Pass(Some(talk(from, to, [pftm::UDP_SINGLE, pftm::UDP_MULTIPLE]))),
            Body::Other { .. } => Fate::Pass(Some(talk(from, to, [pftm::OTHER_SINGLE, pftm::OTHER_MULTIPLE]))),
        };
        if let Fate::Pass(Some(timeout)) = fate {
            self.timeout = timeout;
            self.touched = i64::from(uptime);
        }
        fate
    }

    /// Counts a packet that passed.
    #[inline]
    pub(crate) fn count(&mut self, hook: Hook, octets: u64) {
        let way = usize::from(hook != self.direction);
        if let (Some(packets), Some(bytes)) = (self.packets.get_mut(way), self.bytes.get_mut(way)) {
            *packets += 1;
            *bytes += octets;
        }
    }

    /// A packet of this state as it is behind `hook`.
    #[inline]
    pub(crate) fn translate(&self, hook: Hook, packet: Packet) -> Packet {
        if self.wire == self.stack {
            return packet;
        }
        let to = if hook == Hook::In { self.stack } else { self.wire };
        to.translate(hook, packet)
    }

    /// Seconds left in a table of `states`.
    pub(crate) fn left(&self, uptime: u32, states: usize) -> u32 {
        let end = self.touched + i64::from(timeout::seconds(self.timeout, states));
        u32::try_from(end - i64::from(uptime)).unwrap_or(0)
    }

    /// The compressed update.
    pub(crate) fn compressed(&self) -> UpdC {
        UpdC {
            key: self.key,
            src: self.src,
            dst: self.dst,
            expire: 0,
            timeout: self.timeout,
            updates: None,
        }
    }

    /// The full state as `system` writes it.
    pub(crate) fn export(&self, system: System, clock: &Clock, states: usize) -> Wire {
        let translated = self.wire != self.stack;
        let af = match (self.wire.addr, system) {
            ([IpAddr::V4(_), _], _) => Family::Inet,
            (_, System::OpenBsd) => Family::Inet6(24),
            (_, System::FreeBsd(_)) => Family::Inet6(28),
        };
        Wire {
            key: self.key,
            // Floating states belong to no interface.
            ifname: name("all"),
            keys: StateKeys::Pair {
                wire: self.wire.endpoints(),
                stack: self.stack.endpoints(),
            },
            src: self.src,
            dst: self.dst,
            rt_addr: [0; 16],
            rule: self.rule,
            anchor: None,
            nat_rule: (translated && system != System::OpenBsd).then_some(0),
            age: clock.uptime.saturating_sub(self.creation),
            expire: self.left(clock.uptime, states),
            packets: self.packets,
            bytes: self.bytes,
            af,
            proto: self.wire.proto,
            direction: match self.direction {
                Hook::In => Direction::In,
                Hook::Out => Direction::Out,
            },
            log: 0,
            timeout: self.timeout,
            state_flags: self.state_flags | if self.deferred { ACK_WANTED } else { 0 },
            sync_flags: 0,
            updates: 0,
            extra: self.extra(system, af),
        }
    }

    fn extra(&self, system: System, af: Family) -> Extra {
        match system {
            System::OpenBsd => Extra::OpenBsd {
                rdomain: 0,
                stack_rdomain: 0,
                // The destination's side carries the routing table of the rule, the other none.
                rtableid: match self.direction {
                    Hook::In => [-1, 0],
                    Hook::Out => [0, -1],
                },
                max_mss: 0,
                rt: 0,
                min_ttl: 0,
                set_tos: 0,
                set_prio: [0; 2],
            },
            System::FreeBsd(Dialect::FreeBsd1301) => Extra::None,
            System::FreeBsd(dialect) => Extra::FreeBsd(FreeBsdExtra {
                rtableid: -1,
                qid: 0,
                pqid: 0,
                dnpipe: 0,
                dnrpipe: 0,
                max_mss: 0,
                rt: 0,
                min_ttl: 0,
                set_tos: 0,
                set_prio: [0; 2],
                rt_ifname: IfName([0; 16]),
                v1500: (dialect == Dialect::FreeBsd1500).then(|| FreeBsd1500 {
                    tagname: [0; 64],
                    orig_ifname: name(self.side.map_or("all", Side::interface)),
                    stack_af: af,
                    rt_af: 0,
                    stack_proto: self.wire.proto,
                }),
            }),
        }
    }

    /// The state of a message from another node. Counters are not taken over. `None` for what cannot be one.
    pub(crate) fn import(message: &Wire, uptime: u32, states: usize) -> Option<Self> {
        let StateKeys::Pair { wire, stack } = message.keys else {
            return None;
        };
        let tuple = |e: pfsync_proto::Endpoints| Tuple {
            addr: e.addr,
            port: e.port,
            proto: message.proto,
        };
        let direction = match message.direction {
            Direction::In => Hook::In,
            Direction::Out => Hook::Out,
            Direction::Unknown(_) => return None,
        };
        // What the sender says is left; the rest of the lifetime is in the past.
        let spent = if message.expire == 0 {
            0
        } else {
            i64::from(timeout::seconds(message.timeout, states)) - i64::from(message.expire)
        };
        Some(Self {
            key: message.key,
            direction,
            side: None,
            wire: tuple(wire),
            stack: tuple(stack),
            src: message.src,
            dst: message.dst,
            timeout: message.timeout,
            state_flags: message.state_flags & !ACK_WANTED,
            creation: uptime.saturating_sub(message.age),
            touched: i64::from(uptime) - spent,
            packets: [0; 2],
            bytes: [0; 2],
            rule: message.rule,
            pending: None,
            updates: 0,
            pfsync_time: uptime,
            bucket: 0,
            deferred: false,
        })
    }
}

/// UDP and unknown protocols: who spoke, and who was answered. The timeout follows.
fn talk(from: &mut Peer, to: &mut Peer, [single, multiple]: [u8; 2]) -> u8 {
    from.state = from.state.max(1);
    if to.state == 1 {
        to.state = 2;
    }
    if from.state == 2 && to.state == 2 {
        multiple
    } else {
        single
    }
}

/// A name as in a message.
pub(crate) fn name(text: &str) -> IfName {
    let mut octets = [0; 16];
    for (slot, octet) in octets.iter_mut().zip(text.bytes().take(15)) {
        *slot = octet;
    }
    IfName(octets)
}
