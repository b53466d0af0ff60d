//! Link layers: which octets of a frame are the IP packet.
//!
//! Called by `dissect` only. Numbers are those of libpcap's LINKTYPE list, and the raw DLT numbers that the BSDs' own
//! tcpdump writes into files (reference: wire.md 1).

use crate::capture::LinkType;

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

/// Takes the link layer off.
#[inline]
pub(super) fn strip(link: LinkType, data: &[u8]) -> Inner<'_> {
    match link.0 {
        1 => ether_type(data, 12),
        // BSD loopback. 12 is raw IP everywhere but on OpenBSD, where it is loopback; the first octet tells.
        0 | 108 => loopback(data),
        12 if data.first() == Some(&0) => loopback(data),
        12 | 14 | 101 | 228 | 229 => Inner::Ip(data),
        18 | 121 | 246 => pfsync(data),
        // Linux "cooked": the protocol comes last in the 16 octets of version 1 and first in the 20 of version 2.
        113 => ether_type(data, 14),
        276 => match data.first_chunk::<2>() {
            Some(kind) => by_ether_type(u16::from_be_bytes(*kind), data.get(20..).unwrap_or(&[])),
            None => Inner::Other,
        },
        _ => Inner::Unsupported,
    }
}

/// `at` is where the Ethernet type stands; what it names follows.
#[inline]
fn ether_type(data: &[u8], at: usize) -> Inner<'_> {
    match data.get(at..).and_then(<[u8]>::split_first_chunk::<2>) {
        Some((kind, rest)) => by_ether_type(u16::from_be_bytes(*kind), rest),
        None => Inner::Other,
    }
}

#[inline]
fn by_ether_type(mut kind: u16, mut rest: &[u8]) -> Inner<'_> {
    loop {
        match kind {
            0x0800 | 0x86dd => return Inner::Ip(rest),
            // VLAN tags, as many as there are: two octets of tag, then the next type.
            0x8100 | 0x88a8 | 0x9100 => match rest.split_first_chunk::<4>() {
                Some((&[_, _, k1, k0], inner)) => (kind, rest) = (u16::from_be_bytes([k1, k0]), inner),
                None => return Inner::Other,
            },
            _ => return Inner::Other,
        }
    }
}

/// The address family in network order, or in the order of the host that captured: families are small numbers.
fn loopback(data: &[u8]) -> Inner<'_> {
    let Some((family, rest)) = data.split_first_chunk::<4>() else {
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
