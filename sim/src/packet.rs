//! A packet as far as pf looks at it. Payload is a length, not octets.

use std::net::IpAddr;

/// TCP flags as in the header.
pub mod flags {
    /// No more data.
    pub const FIN: u8 = 0x01;
    /// Opens.
    pub const SYN: u8 = 0x02;
    /// Breaks off.
    pub const RST: u8 = 0x04;
    /// Acknowledges.
    pub const ACK: u8 = 0x10;
}

/// An IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// What it carries.
    pub body: Body,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// TCP.
    Tcp(Segment),
    /// UDP.
    Udp {
        /// Source and destination.
        ports: [u16; 2],
        /// Octets of payload.
        len: u16,
    },
    /// ICMP or ICMPv6 echo.
    Echo {
        /// Request rather than reply.
        request: bool,
        /// Identifier.
        id: u16,
        /// Octets of payload.
        len: u16,
    },
    /// Any other protocol.
    Other {
        /// IP protocol number.
        proto: u8,
        /// Octets of payload.
        len: u16,
    },
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Source and destination.
    pub ports: [u16; 2],
    /// See [`flags`].
    pub flags: u8,
    /// First sequence number.
    pub seq: u32,
    /// Acknowledgement, where ACK is set.
    pub ack: u32,
    /// The window as in the header (not yet shifted).
    pub window: u16,
    /// The window scale option; only with SYN.
    pub wscale: Option<u8>,
    /// The MSS option; only with SYN.
    pub mss: Option<u16>,
    /// Octets of payload.
    pub len: u16,
}

impl Segment {
    /// Whether this flag is set.
    #[must_use]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Sequence space that it takes: payload, SYN and FIN.
    #[must_use]
    pub fn space(&self) -> u32 {
        u32::from(self.len) + u32::from(self.has(flags::SYN)) + u32::from(self.has(flags::FIN))
    }
}

impl Packet {
    /// The IP protocol number.
    #[must_use]
    pub fn proto(&self) -> u8 {
        match self.body {
            Body::Tcp(_) => 6,
            Body::Udp { .. } => 17,
            Body::Echo { .. } if self.src.is_ipv6() => 58,
            Body::Echo { .. } => 1,
            Body::Other { proto, .. } => proto,
        }
    }

    /// Octets with the IP header, as pf counts them.
    #[must_use]
    pub fn octets(&self) -> u64 {
        let ip = if self.src.is_ipv6() { 40 } else { 20 };
        ip + match self.body {
            Body::Tcp(s) => 20 + 12 + u64::from(s.len),
            Body::Udp { len, .. } | Body::Echo { len, .. } => 8 + u64::from(len),
            Body::Other { len, .. } => u64::from(len),
        }
    }
}
