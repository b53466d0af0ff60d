//! Ethernet and IPv4 around pfsync and CARP, as the kernels send them (docs/wire.md sections 1 and 7).

use crate::site::{Net, Node, address};
use pfsync_proto::Carp;
use std::net::{IpAddr, Ipv4Addr};

/// The group of pfsync.
pub const PFSYNC_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 240);
/// The group of CARP.
pub const CARP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Protocol number of pfsync.
pub const PFSYNC: u8 = 240;
/// Protocol number of CARP.
pub const CARP: u8 = 112;
/// IPTOS_LOWDELAY.
pub const LOW_DELAY: u8 = 0x10;
/// DSCP 56, the default of FreeBSD since 13.
pub const NETWORK_CONTROL: u8 = 0xe0;

const ETHERNET: usize = 14;
const IP: usize = 20;
/// Shorter frames are padded by the sender's card.
const SHORTEST: usize = 60;

/// Both ends on a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Source MAC.
    pub mac: [u8; 6],
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address; the MAC follows from it.
    pub dst: Ipv4Addr,
}

/// MAC of the card of a node.
#[must_use]
pub fn mac(net: Net, node: Node) -> [u8; 6] {
    let card = match net {
        Net::Lan => 1,
        Net::Wan => 2,
        Net::Sync => 3,
    };
    [2, 0, 0x5e, 0x10, card, u8::try_from(node + 1).unwrap_or(u8::MAX)]
}

/// A node's own address as the frame wants it.
#[must_use]
pub fn own(net: Net, node: Node) -> Ipv4Addr {
    match address(net, node) {
        IpAddr::V4(a) => a,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

/// A pfsync frame of a node to the group, or to its `syncpeer`.
#[must_use]
pub fn pfsync(node: Node, peer: Option<Node>, id: u16, payload: &[u8]) -> Vec<u8> {
    let dst = peer.map_or(PFSYNC_GROUP, |p| own(Net::Sync, p));
    let ends = Ends {
        mac: mac(Net::Sync, node),
        src: own(Net::Sync, node),
        dst,
    };
    let to = peer.map_or_else(|| group_mac(dst), |p| mac(Net::Sync, p));
    frame(to, ends, (PFSYNC, LOW_DELAY), id, payload)
}

/// A CARP advertisement of a node, from the MAC that goes with the vhid.
#[must_use]
pub fn carp(net: Net, node: Node, tos: u8, id: u16, carp: &Carp) -> Vec<u8> {
    let ends = Ends {
        mac: [0, 0, 0x5e, 0, 1, carp.vhid],
        src: own(net, node),
        dst: CARP_GROUP,
    };
    frame(group_mac(CARP_GROUP), ends, (CARP, tos), id, &carp.encode())
}

/// Where frames to a multicast group go.
#[must_use]
pub fn group_mac(group: Ipv4Addr) -> [u8; 6] {
    let [_, b, c, d] = group.octets();
    [1, 0, 0x5e, b & 0x7f, c, d]
}

/// The frame: TTL 255, DF.
#[must_use]
pub fn frame(to: [u8; 6], ends: Ends, (proto, tos): (u8, u8), id: u16, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(IP + payload.len()).unwrap_or(u16::MAX);
    let [id_high, id_low] = id.to_be_bytes();
    let [total_high, total_low] = total.to_be_bytes();
    let mut ip = [0; IP];
    ip[..10].copy_from_slice(&[0x45, tos, total_high, total_low, id_high, id_low, 0x40, 0, 255, proto]);
    ip[12..16].copy_from_slice(&ends.src.octets());
    ip[16..].copy_from_slice(&ends.dst.octets());
    let sum = checksum(&ip).to_be_bytes();
    ip[10..12].copy_from_slice(&sum);

    let mut octets = Vec::with_capacity((ETHERNET + IP + payload.len()).max(SHORTEST));
    octets.extend_from_slice(&to);
    octets.extend_from_slice(&ends.mac);
    octets.extend_from_slice(&[8, 0]);
    octets.extend_from_slice(&ip);
    octets.extend_from_slice(payload);
    octets.resize(octets.len().max(SHORTEST), 0);
    octets
}

fn checksum(header: &[u8; IP]) -> u16 {
    let (words, _) = header.as_chunks::<2>();
    let sum: u32 = words.iter().map(|w| u32::from(u16::from_be_bytes(*w))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pfsync_proto::strip_ip;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|o| format!("{o:02x}")).collect()
    }

    #[test]
    fn a_pfsync_frame_as_in_the_reference() {
        let octets = pfsync(0, None, 0x1234, &[6; 20]);
        assert_eq!(
            hex(&octets),
            "01005e0000f002005e1003010800\
             4510002812344000fff0"
                .to_owned()
                + &hex(&octets[24..26])
                + "ac100001e00000f0"
                + &"06".repeat(20)
                + &"00".repeat(6)
        );
        assert_eq!(strip_ip(&octets[ETHERNET..54]), [6; 20]);
        // RFC 1071: the sum over a header with its checksum is all ones.
        assert_eq!(checksum(octets[ETHERNET..ETHERNET + IP].try_into().unwrap()), 0);
    }

    #[test]
    fn a_unicast_peer_gets_its_own_mac() {
        let octets = pfsync(1, Some(0), 1, &[6; 40]);
        assert_eq!(octets[..6], mac(Net::Sync, 0));
        assert_eq!(octets[30..34], [172, 16, 0, 1]);
    }

    #[test]
    fn an_advertisement_comes_from_the_shared_mac_and_the_own_address() {
        let ad = Carp {
            vhid: 3,
            advskew: 100,
            advbase: 1,
            demote: 0,
            authlen: 7,
            counter: 5,
            hmac: [9; 20],
            cksum_ok: true,
            bow_out: false,
        };
        let octets = carp(Net::Wan, 1, LOW_DELAY, 7, &ad);
        assert_eq!(hex(&octets[..14]), "01005e00001200005e0001030800");
        assert_eq!(octets[26..30], [198, 51, 100, 3]);
        assert_eq!((octets[22], octets[23], octets.len()), (255, 112, 70));
        assert_eq!(Carp::decode(&octets[34..]), Ok(ad));
    }
}
