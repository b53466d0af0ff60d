//! Link and IP layers: from a captured frame to the payload that speaks pfsync or CARP, through one mirror if need be.
//!
//! Called once per frame by the engine and by `decode`. A pure function of the octets: copies nothing, allocates nothing,
//! keeps nothing and never panics; what it cannot read it says so. Checksums are not looked at, because captures taken
//! on the sender have none yet. What the payload means is the business of `pfsync-proto`.

mod link;
mod tunnel;

use crate::capture::{Direction, LinkType, Vlan};
use etherparse::{LaxIpSlice, LenSource, ip_number};
use pfsync_proto::{DecodeError, Ends, ErrorKind, Proto112};
use std::net::IpAddr;
use tunnel::{Mirrored, Of};

/// IP protocol of pfsync.
pub const PROTO_PFSYNC: u8 = 240;
/// IP protocol of CARP, and of VRRP.
pub const PROTO_CARP: u8 = 112;
const PROTO_TCP: u8 = ip_number::TCP.0;

/// What the IP header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Identification; 0 in IPv6, which has none.
    pub id: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Protocol of the payload, behind all extension headers.
    pub proto: u8,
}

impl Ip {
    /// Who sends it to whom.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        (self.src, self.dst)
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A pfsync payload, starting at its header and trimmed to the IP length.
    Pfsync(&'a [u8]),
    /// A payload of protocol 112 (CARP or VRRP), trimmed to the IP length.
    Proto112(&'a [u8]),
    /// A TCP segment that opens a connection: SYN without ACK.
    TcpSyn {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
    },
    /// Anything else, including what is too short to tell.
    Other,
    /// A link type that we cannot read.
    Unsupported,
}

/// Why a receiver would not take this pfsync or CARP packet. It must not be used, only shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// TTL or hop limit is not 255: it may come from beyond the link. The payload is given nevertheless. CARP to a peer's
    /// address is not refused for that.
    BadTtl,
    /// A fragment: the payload is empty, because there is nothing to interpret.
    Fragment,
    /// The snapshot length cut the payload: what is given is its beginning, which may be decoded up to the cut.
    Cut,
}

impl From<Refusal> for DecodeError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadTtl => Self::new(ErrorKind::Badttl, 0, "ttl is not 255"),
            Refusal::Fragment => Self::new(ErrorKind::Fragment, 0, "an ip fragment"),
            Refusal::Cut => Self::new(ErrorKind::Badlen, 0, "cut by the snapshot length").unless(true),
        }
    }
}

/// A dissected frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// None where the capture has no IP header (`DLT_PFSYNC`), or no IP.
    pub ip: Option<Ip>,
    /// On which VLAN.
    pub vlan: Vlan,
    /// Which way it went, where the link layer tells.
    pub direction: Option<Direction>,
    /// The IP datagram without the padding of the link (or what there is instead of one): the same in every copy of it.
    pub datagram: &'a [u8],
    /// It came inside a tunnel, as mirrors send it; all of this is about what was inside.
    pub mirrored: bool,
    /// In that there was another one, which is not looked into.
    pub nested: bool,
    /// What it carries.
    pub kind: Kind<'a>,
    /// Why it must not be used.
    pub refused: Option<Refusal>,
}

impl<'a> Packet<'a> {
    /// Of which nothing else is known.
    #[must_use]
    pub fn new(kind: Kind<'a>, ip: Option<Ip>, refused: Option<Refusal>) -> Self {
        Self {
            ip,
            vlan: Vlan::default(),
            direction: None,
            datagram: &[],
            mirrored: false,
            nested: false,
            kind,
            refused,
        }
    }

    fn labelled(self, label: link::Label) -> Self {
        let link::Label { vlan, direction } = label;
        Self {
            vlan,
            direction,
            ..self
        }
    }
}

/// Dissects the octets `data` of a frame that was `wire_len` octets long.
#[must_use]
#[inline]
pub fn dissect(link: LinkType, data: &[u8], wire_len: u32) -> Packet<'_> {
    let snapped = wire_len as usize > data.len();
    let mut label = link::Label::default();
    let packet = match link::strip(link, data, &mut label) {
        link::Inner::Ip(octets) => match common(octets) {
            Some(packet) => packet,
            None => match ip(octets, snapped) {
                (_, Some(copy)) => return mirror(&copy),
                (packet, None) => packet,
            },
        },
        link::Inner::Pfsync(payload) => Packet {
            datagram: payload,
            ..Packet::new(Kind::Pfsync(payload), None, snapped.then_some(Refusal::Cut))
        },
        link::Inner::Other => Packet::new(Kind::Other, None, None),
        link::Inner::Unsupported => Packet::new(Kind::Unsupported, None, None),
    };
    packet.labelled(label)
}

/// What a mirror made a copy of, as if it had been captured where the mirror stands. What is mirrored in that is not looked at.
fn mirror<'a>(copy: &Mirrored<'a>) -> Packet<'a> {
    let mut label = link::Label::default();
    let packet = match link::strip(copy.link, copy.frame, &mut label) {
        link::Inner::Ip(octets) => common(octets).unwrap_or_else(|| {
            let (packet, deeper) = ip(octets, falls_short(octets));
            let nested = deeper.is_some();
            Packet { nested, ..packet }
        }),
        _ => Packet::new(Kind::Other, None, None),
    };
    match copy.of {
        Of::Vlan(tag) if label.vlan == Vlan::default() => label.vlan.push(tag),
        Of::Vni(vni) => label.vlan = label.vlan.within(vni),
        _ => {}
    }
    let packet = packet.labelled(label);
    // The first fragment shows what it is a part of.
    let (kind, refused) = match packet.kind {
        Kind::Pfsync(_) if !copy.whole => (Kind::Pfsync(&[]), Some(Refusal::Fragment)),
        Kind::Proto112(_) if !copy.whole => (Kind::Proto112(&[]), Some(Refusal::Fragment)),
        kind => (kind, packet.refused),
    };
    Packet {
        mirrored: true,
        kind,
        refused,
        ..packet
    }
}

/// Mirrors cut frames and do not say so. A payload length that counts the IPv6 header, too, is pfsync's (docs/wire.md
/// section 1.1).
fn falls_short(octets: &[u8]) -> bool {
    let there = octets.len();
    match *octets {
        [0x40..=0x4f, _, l1, l0, ..] => usize::from(u16::from_be_bytes([l1, l0])) > there,
        [0x60..=0x6f, _, _, _, l1, l0, ..] => {
            let said = usize::from(u16::from_be_bytes([l1, l0]));
            said + 40 > there && said != there
        }
        _ => false,
    }
}

/// The packets that come by the million: pfsync as a firewall sends it, in an IPv4 header of 20 octets, whole, with a
/// TTL of 255. Half the time of the general way, with which a test holds it together.
#[inline]
fn common(octets: &[u8]) -> Option<Packet<'_>> {
    let &[
        0x45,
        _,
        l1,
        l0,
        i1,
        i0,
        flags,
        0,
        255,
        PROTO_PFSYNC,
        _,
        _,
        ref addresses @ ..,
    ] = octets.first_chunk::<20>()?
    else {
        return None;
    };
    if flags & 0x3f != 0 {
        return None;
    }
    let datagram = octets.get(..usize::from(u16::from_be_bytes([l1, l0])))?;
    let payload = datagram.get(20..)?;
    let [s3, s2, s1, s0, d3, d2, d1, d0] = *addresses;
    let ip = Ip {
        src: IpAddr::from([s3, s2, s1, s0]),
        dst: IpAddr::from([d3, d2, d1, d0]),
        id: u16::from_be_bytes([i1, i0]),
        ttl: 255,
        proto: PROTO_PFSYNC,
    };
    Some(Packet {
        datagram,
        ..Packet::new(Kind::Pfsync(payload), Some(ip), None)
    })
}

/// Lax, because a total length of 0 (offloading) or one that counts too much (IPv6 from pfsync, docs/wire.md section
/// 1.1) must not hide a packet: then the length of the frame counts. Beside the packet comes what a mirror put into it.
fn ip(octets: &[u8], snapped: bool) -> (Packet<'_>, Option<Mirrored<'_>>) {
    let Ok((slice, _)) = LaxIpSlice::from_slice(octets) else {
        return (Packet::new(Kind::Other, None, None), None);
    };
    let (src, dst, id, ttl, length) = match &slice {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                header.identification(),
                header.ttl(),
                usize::from(header.total_len()),
            )
        }
        LaxIpSlice::Ipv6(v6) => {
            let header = v6.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                0,
                header.hop_limit(),
                header.slice().len() + usize::from(header.payload_length()),
            )
        }
    };
    let body = slice.payload();
    let ip = Ip {
        src,
        dst,
        id,
        ttl,
        proto: body.ip_number.0,
    };
    let (payload, refused) = if body.fragmented {
        (&[][..], Some(Refusal::Fragment))
    } else if ttl != 255 && !to_peer(&ip, body.payload) {
        (body.payload, Some(Refusal::BadTtl))
    } else if snapped && body.len_source == LenSource::Slice {
        (body.payload, Some(Refusal::Cut))
    } else {
        (body.payload, None)
    };
    let (kind, refused) = match ip.proto {
        PROTO_PFSYNC => (Kind::Pfsync(payload), refused),
        PROTO_CARP => (Kind::Proto112(payload), refused),
        PROTO_TCP if !body.fragmented => (tcp(payload), None),
        _ => (Kind::Other, None),
    };
    let packet = Packet {
        datagram: octets.get(..length).filter(|_| length > 0).unwrap_or(octets),
        ..Packet::new(kind, Some(ip), refused)
    };
    (packet, tunnel::mirrored(ip.proto, body.payload, !body.fragmented))
}

/// CARP to a peer (`carppeer`) may come through routers: no kernel looks at its TTL. Whether it counts is for those to say who
/// know the nodes. VRRP has no such thing.
fn to_peer(ip: &Ip, payload: &[u8]) -> bool {
    let carp = || matches!(Proto112::decode(payload, None), Ok(Proto112::Carp(_)));
    ip.proto == PROTO_CARP && !ip.dst.is_multicast() && carp()
}

/// Only flags and ports: a snapshot length of 96 leaves no room for options.
fn tcp(segment: &[u8]) -> Kind<'_> {
    match segment.first_chunk::<14>() {
        Some(&[s1, s0, d1, d0, .., flags]) if flags & 0x12 == 0x02 => Kind::TcpSyn {
            src_port: u16::from_be_bytes([s1, s0]),
            dst_port: u16::from_be_bytes([d1, d0]),
        },
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests;
