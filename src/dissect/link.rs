//! Link layers: which octets of a frame are the IP packet.
//!
//! Called by `dissect` only. Numbers are those of libpcap's LINKTYPE list, and the raw DLT numbers that the BSDs' own
//! tcpdump writes into files (docs/wire.md section 1.2).

use crate::capture::{Direction, LinkType, Vlan};

/// What is behind the link layer.
pub(super) enum Inner<'a> {
    /// An IP packet of either version, or so the link layer says.
    Ip(&'a [u8]),
    /// A pfsync header: the capture has no IP layer.
    Pfsync(&'a [u8]),
    /// Not IP, or too short to tell.
    Other,
    /// A link type that we cannot read.
    Unsupported,
}

/// What the link layer says of itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Label {
    pub(super) vlan: Vlan,
    pub(super) direction: Option<Direction>,
}

/// Takes the link layer off.
#[inline]
pub(super) fn strip<'a>(link: LinkType, data: &'a [u8], label: &mut Label) -> Inner<'a> {
    match link.0 {
        1 => ether_type(data, 12, label),
        // BSD loopback. 12 is raw IP everywhere but on OpenBSD, where it is loopback; the first octet tells.
        0 | 108 => family(data, 4),
        12 if data.first() == Some(&0) => family(data, 4),
        12 | 14 | 101 | 228 | 229 => Inner::Ip(data),
        18 | 121 | 246 => pfsync(data),
        // enc(4), and under the number that OpenBSD's own tcpdump writes: family, SPI, flags.
        109 | 13 => family(data, 12),
        // Linux "cooked": the protocol comes last in the 16 octets of version 1 and first in the 20 of version 2.
        113 => {
            label.direction = cooked(data.get(1));
            ether_type(data, 14, label)
        }
        276 => match data.first_chunk::<2>() {
            Some(kind) => {
                label.direction = cooked(data.get(10));
                by_ether_type(u16::from_be_bytes(*kind), data.get(20..).unwrap_or(&[]), label)
            }
            None => Inner::Other,
        },
        _ => Inner::Unsupported,
    }
}

/// `at` is where the Ethernet type stands; what it names follows.
#[inline]
fn ether_type<'a>(data: &'a [u8], at: usize, label: &mut Label) -> Inner<'a> {
    match data.get(at..).and_then(<[u8]>::split_first_chunk::<2>) {
        Some((kind, rest)) => by_ether_type(u16::from_be_bytes(*kind), rest, label),
        None => Inner::Other,
    }
}

/// The packet type of Linux "cooked": 4 is what this host sends, the others came in.
fn cooked(kind: Option<&u8>) -> Option<Direction> {
    kind.map(|k| {
        if *k == 4 {
            Direction::Outbound
        } else {
            Direction::Inbound
        }
    })
}

#[inline]
fn by_ether_type<'a>(mut kind: u16, mut rest: &'a [u8], label: &mut Label) -> Inner<'a> {
    loop {
        match kind {
            0x0800 | 0x86dd => return Inner::Ip(rest),
            // VLAN tags, as many as there are: two octets of tag, then the next type.
            0x8100 | 0x88a8 | 0x9100 => match rest.split_first_chunk::<4>() {
                Some((&[t1, t0, k1, k0], inner)) => {
                    label.vlan.push(u16::from_be_bytes([t1, t0]));
                    (kind, rest) = (u16::from_be_bytes([k1, k0]), inner);
                }
                None => return Inner::Other,
            },
            _ => return Inner::Other,
        }
    }
}

/// The address family in network order, or in the order of the host that captured: families are small numbers. IP starts
/// at `ip`.
fn family(data: &[u8], ip: usize) -> Inner<'_> {
    let (Some(family), Some(rest)) = (data.first_chunk::<4>(), data.get(ip..)) else {
        return Inner::Other;
    };
    let family = u32::from_le_bytes(*family).min(u32::from_be_bytes(*family));
    match family {
        // AF_INET6 is 24 on OpenBSD and NetBSD, 28 on FreeBSD, 30 on macOS, 10 on Linux.
        2 | 10 | 24 | 28 | 30 => Inner::Ip(rest),
        _ => Inner::Other,
    }
}

/// `DLT_PFSYNC` starts at the pfsync header, on OpenBSD since 7.4 at the IPv4 header in front of it. Versions of pfsync
/// are 2 to 6, so the two cannot be confused.
fn pfsync(data: &[u8]) -> Inner<'_> {
    match data {
        [0x45..=0x4f, _, _, _, _, _, _, _, _, 240, ..] => Inner::Ip(data),
        _ => Inner::Pfsync(data),
    }
}
