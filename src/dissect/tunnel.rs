//! Mirrors: which octets of a tunnelled copy are the frame that was mirrored.
//!
//! Called by `dissect` with the payloads of GRE and UDP. A switch or a hypervisor that mirrors a port to a third machine puts each
//! frame into one of these. Whoever can send to that machine can say anything in it: whether it is listened to is decided by
//! whoever captures (`capture::live`).
//!
//! ```text
//!  GRE            0 flags (checksum, routing, key, sequence number, ..., version)  2 protocol (be16)  then 4 octets for each flag
//!  ERSPAN 0x88be  type I, without a sequence number: nothing;  type II: 0 version = 1 (4 bits), VLAN (12 bits)  ...  8 frame
//!  ERSPAN 0x22eb  type III: 0 version = 2 (4 bits), VLAN (12 bits)  4 timestamp  10 P, frame type (5 bits)  11 O (lowest bit)  12 [8 if O] frame
//!  VXLAN          0 flags (0x08: there is a VNI)  4 VNI (24 bits)  8 frame
//!  GENEVE         0 version (2 bits), words of options (6 bits)  2 protocol (be16)  4 VNI  8 options, frame
//!  TZSP           0 version = 1  1 type  2 protocol (be16)  4 fields: 0 padding, 1 end, else a length and octets;  frame
//! ```

use crate::capture::LinkType;
use etherparse::{IpNumber, ip_number};

/// Ethernet inside GENEVE (`ETH_P_TEB`).
const BRIDGING: u16 = 0x6558;
const ETHERNET: LinkType = LinkType(1);
const RAW_IP: LinkType = LinkType(101);

/// A mirrored frame.
pub(super) struct Mirrored<'a> {
    pub(super) link: LinkType,
    pub(super) frame: &'a [u8],
    /// What the tunnel says of the network that it was on.
    pub(super) of: Of,
    /// The packet that carried it is whole, not a fragment.
    pub(super) whole: bool,
}

/// Where a mirrored frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Unsaid,
    /// The tag that the switch took off, if the frame has none.
    Vlan(u16),
    Vni(u32),
}

/// The frame in a payload of this IP protocol, if it is a mirror's.
pub(super) fn mirrored(proto: u8, payload: &[u8], whole: bool) -> Option<Mirrored<'_>> {
    let (link, frame, of) = match IpNumber(proto) {
        ip_number::GRE => gre(payload)?,
        ip_number::UDP => udp(payload).map(|(frame, of)| (ETHERNET, frame, of))?,
        _ => return None,
    };
    Some(Mirrored { link, frame, of, whole })
}

fn gre(payload: &[u8]) -> Option<(LinkType, &[u8], Of)> {
    let (&[f1, f0, p1, p0], rest) = payload.split_first_chunk::<4>()?;
    let flags = u16::from_be_bytes([f1, f0]);
    let [checksum, routing, key, sequence, version] =
        [0x8000, 0x4000, 0x2000, 0x1000, 0x0007].map(|bit| flags & bit != 0);
    if routing || version {
        return None;
    }
    let fields = [checksum, key, sequence].into_iter().filter(|there| *there).count();
    let rest = rest.get(4 * fields..)?;
    match u16::from_be_bytes([p1, p0]) {
        0x88be if !sequence => Some((ETHERNET, rest, Of::Unsaid)),
        0x88be => {
            let (&[v1, v0, ..], frame) = rest.split_first_chunk::<8>()?;
            (v1 >> 4 == 1).then_some((ETHERNET, frame, vlan([v1, v0])))
        }
        0x22eb => erspan_3(rest),
        _ => None,
    }
}

/// Behind the version.
fn vlan([v1, v0]: [u8; 2]) -> Of {
    Of::Vlan(u16::from_be_bytes([v1 & 0x0f, v0]))
}

fn erspan_3(rest: &[u8]) -> Option<(LinkType, &[u8], Of)> {
    let (&[version, tag, _, _, _, _, _, _, _, _, kind, options], rest) = rest.split_first_chunk::<12>()?;
    if version >> 4 != 2 {
        return None;
    }
    let frame = rest.get(if options & 1 == 1 { 8 } else { 0 }..)?;
    match kind >> 2 & 0x1f {
        0 => Some((ETHERNET, frame, vlan([version, tag]))),
        2 => Some((RAW_IP, frame, vlan([version, tag]))),
        _ => None,
    }
}

fn udp(datagram: &[u8]) -> Option<(&[u8], Of)> {
    let (&[_, _, p1, p0, ..], rest) = datagram.split_first_chunk::<8>()?;
    match u16::from_be_bytes([p1, p0]) {
        // The port of the standard, and the one that Linux had before.
        4789 | 8472 => match rest.split_first_chunk::<8>()? {
            // Of GPE, which names another protocol, there is a port of its own.
            (&[flags, _, _, _, v2, v1, v0, _], frame) if flags & 0x0c == 0x08 => Some((frame, vni([v2, v1, v0]))),
            _ => None,
        },
        6081 => match rest.split_first_chunk::<8>()? {
            (&[words, _, k1, k0, v2, v1, v0, _], rest)
                if words >> 6 == 0 && u16::from_be_bytes([k1, k0]) == BRIDGING =>
            {
                Some((rest.get(4 * usize::from(words & 0x3f)..)?, vni([v2, v1, v0])))
            }
            _ => None,
        },
        37008 => match rest.split_first_chunk::<4>()? {
            (&[1, _, 0, 1], fields) => Some((tzsp(fields)?, Of::Unsaid)),
            _ => None,
        },
        _ => None,
    }
}

fn vni([v2, v1, v0]: [u8; 3]) -> Of {
    Of::Vni(u32::from_be_bytes([0, v2, v1, v0]))
}

/// What follows the tagged fields.
fn tzsp(mut fields: &[u8]) -> Option<&[u8]> {
    loop {
        match fields {
            [1, frame @ ..] => return Some(frame),
            [0, rest @ ..] => fields = rest,
            [_, length, rest @ ..] => fields = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
