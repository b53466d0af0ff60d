//! What a packet looks like at a hook: `pf_state_key`.
//!
//! Index 0 is the far side of the interface, 1 the near side. So a packet on its way in has its source at 0, one on its
//! way out has its destination there, and both directions of a flow give the same tuple at the same interface.

use crate::packet::{Body, Packet};
use pfsync_proto::Endpoints;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Which way through pf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// `PF_IN`.
    In,
    /// `PF_OUT`.
    Out,
}

/// Addresses, ports and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuple {
    pub(crate) addr: [IpAddr; 2],
    pub(crate) port: [u16; 2],
    pub(crate) proto: u8,
}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.addr {
            [IpAddr::V4(a), IpAddr::V4(b)] => {
                state.write_u64(u64::from(a.to_bits()) << 32 | u64::from(b.to_bits()));
            }
            [a, b] => {
                state.write_u128(bits(a));
                state.write_u128(bits(b));
            }
        }
        let [p, q] = self.port;
        state.write_u64(u64::from(p) << 32 | u64::from(q) << 16 | u64::from(self.proto));
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(a.to_bits()),
        IpAddr::V6(a) => a.to_bits(),
    }
}

/// How a kernel fills the ports of an ICMP state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EchoPorts {
    /// The id at the side that asks, the type at the side that answers (OpenBSD, FreeBSD 15).
    IdAndType,
    /// The id on both sides (FreeBSD 13 and before).
    IdTwice,
}

impl Tuple {
    /// The tuple of `packet` at `hook`.
    #[inline]
    pub(crate) fn of(hook: Hook, packet: &Packet, echo: EchoPorts) -> Self {
        let [source, destination] = match packet.body {
            Body::Tcp(segment) => segment.ports,
            Body::Udp { ports, .. } => ports,
            Body::Echo { request, id, .. } => {
                let other = match echo {
                    EchoPorts::IdTwice => id,
                    // ICMP_ECHO, ICMP6_ECHO_REQUEST
                    EchoPorts::IdAndType if packet.src.is_ipv4() => 8,
                    EchoPorts::IdAndType => 128,
                };
                if request { [id, other] } else { [other, id] }
            }
            Body::Other { .. } => [0, 0],
        };
        let proto = packet.proto();
        match hook {
            Hook::In => Self {
                addr: [packet.src, packet.dst],
                port: [source, destination],
                proto,
            },
            Hook::Out => Self {
                addr: [packet.dst, packet.src],
                port: [destination, source],
                proto,
            },
        }
    }

    /// `packet` with the addresses and ports of this tuple, going the way of `hook`.
    pub(crate) fn translate(&self, hook: Hook, packet: Packet) -> Packet {
        let ([far, near], [far_port, near_port]) = (self.addr, self.port);
        let (src, dst, ports) = match hook {
            Hook::In => (far, near, [far_port, near_port]),
            Hook::Out => (near, far, [near_port, far_port]),
        };
        let body = match packet.body {
            Body::Tcp(mut segment) => {
                segment.ports = ports;
                Body::Tcp(segment)
            }
            Body::Udp { len, .. } => Body::Udp { ports, len },
            Body::Echo { request, len, .. } => {
                let [source, destination] = ports;
                let id = if request { source } else { destination };
                Body::Echo { request, id, len }
            }
            other @ Body::Other { .. } => other,
        };
        Packet { src, dst, body }
    }

    /// As pfsync writes it.
    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints {
            addr: self.addr,
            port: self.port,
        }
    }

    /// A hash that both directions and both interfaces of an untranslated flow share, as the network card's does.
    pub(crate) fn flow_hash(&self) -> u64 {
        let ([a, b], [p, q]) = (self.addr, self.port);
        let x = bits(a) ^ bits(b);
        #[expect(clippy::cast_possible_truncation, reason = "folding")]
        let folded = (x ^ (x >> 64)) as u64 ^ u64::from(p ^ q) << 40 ^ u64::from(self.proto) << 56;
        // A multiplication mixes upwards only: the callers look at low bits.
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed >> 32
    }
}
