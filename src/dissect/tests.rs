//! Every link type, headers made by `etherparse`'s own builder, and random octets.

use super::*;
use etherparse::PacketBuilder;
use proptest::prelude::*;

const PAYLOAD: &[u8] = b"\x06payload";
const V4: (IpAddr, IpAddr) = (
    IpAddr::V4(std::net::Ipv4Addr::new(172, 30, 0, 1)),
    IpAddr::V4(std::net::Ipv4Addr::new(224, 0, 0, 240)),
);

fn v4(ttl: u8, proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 256];
    let builder = PacketBuilder::ipv4([172, 30, 0, 1], [224, 0, 0, 240], ttl);
    let length = builder
        .write_to_slice(&mut out, etherparse::IpNumber(proto), payload)
        .unwrap();
    out.truncate(length);
    out
}

fn v6(hop_limit: u8, proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 256];
    let mut group = [0; 16];
    (group[0], group[1], group[15]) = (0xff, 0x12, 0xf0);
    let builder = PacketBuilder::ipv6([0xfe; 16], group, hop_limit);
    let length = builder
        .write_to_slice(&mut out, etherparse::IpNumber(proto), payload)
        .unwrap();
    out.truncate(length);
    out
}

fn whole(link: u32, data: &[u8]) -> Packet<'_> {
    dissect(LinkType(link), data, u32::try_from(data.len()).unwrap())
}

fn ether(kind: &[u8], inner: &[u8]) -> Vec<u8> {
    [&[0; 12], kind, inner].concat()
}

#[test]
fn every_link_type() {
    let (ip4, ip6) = (v4(255, 240, PAYLOAD), v6(255, 240, PAYLOAD));
    let tagged = ether(&[0x88, 0xa8, 0, 7, 0x91, 0, 0, 8, 0x81, 0, 0, 9, 0x08, 0], &ip4);
    let sll = [&[0; 14][..], &[0x08, 0], &ip4].concat();
    let sll_vlan = [&[0; 14][..], &[0x81, 0, 0, 9, 0x86, 0xdd], &ip6].concat();
    let sll2 = [&[0x86, 0xdd][..], &[0; 18], &ip6].concat();
    let padded = [&ip4[..], &[0; 30]].concat();
    let with = |head: [u8; 4], ip: &[u8]| [&head[..], ip].concat();
    let enc = |family: [u8; 4], ip: &[u8]| [&family[..], &[0, 0, 0x12, 0x34, 0, 0, 0, 3], ip].concat();
    let frames = [
        (1, ether(&[0x08, 0], &ip4)),
        (1, ether(&[0x08, 0], &padded)),
        (1, ether(&[0x86, 0xdd], &ip6)),
        (1, tagged),
        (101, ip4.clone()),
        (101, ip6.clone()),
        (12, ip4.clone()),
        (14, ip6.clone()),
        (228, ip4.clone()),
        (229, ip6.clone()),
        (0, with([2, 0, 0, 0], &ip4)),
        (0, with([0, 0, 0, 2], &ip4)),
        (108, with([0, 0, 0, 24], &ip6)),
        (0, with([28, 0, 0, 0], &ip6)),
        (0, with([0, 0, 0, 30], &ip6)),
        (12, with([0, 0, 0, 2], &ip4)),
        (109, enc([2, 0, 0, 0], &ip4)),
        (109, enc([0, 0, 0, 24], &ip6)),
        (13, enc([28, 0, 0, 0], &ip6)),
        (13, enc([0, 0, 0, 2], &ip4)),
        (113, sll),
        (113, sll_vlan),
        (276, sll2),
        (18, ip4.clone()),
        (121, ip4.clone()),
        (246, ip4),
        (18, PAYLOAD.to_vec()),
        (121, PAYLOAD.to_vec()),
        (246, PAYLOAD.to_vec()),
    ];
    for (link, data) in &frames {
        let packet = whole(*link, data);
        assert_eq!(
            (packet.kind, packet.refused),
            (Kind::Pfsync(PAYLOAD), None),
            "link type {link}"
        );
        assert_eq!(packet.ip.is_none(), data == PAYLOAD);
        for length in 0..data.len() {
            let _ = whole(*link, &data[..length]);
        }
    }
    let other = Packet::new(Kind::Other, None, None);
    for (link, data) in [
        (1, ether(&[0x08, 0x06], &[0; 28])),
        (0, vec![99, 0, 0, 0, 0x45]),
        (101, vec![0x50; 40]),
    ] {
        assert_eq!(whole(link, &data), other);
    }
    for link in [117, 105, 127, 9999] {
        assert_eq!(
            whole(link, &[0; 60]),
            Packet {
                kind: Kind::Unsupported,
                ..other
            }
        );
    }
}

#[test]
fn what_the_link_layer_says_of_itself() {
    let ip = v4(255, 240, PAYLOAD);
    let tagged = |tags: &[u8]| ether(tags, &[&[0x08, 0x00][..], &ip, &[0; 9]].concat());
    let vlan = |data: &[u8]| whole(1, data).vlan;
    assert_eq!(vlan(&ether(&[0x08, 0x00], &ip)), Vlan::default());
    // Priority 7 of VLAN 10, the same on VLAN 0, and VLAN 20 in 4095.
    assert_eq!(vlan(&tagged(&[0x81, 0x00, 0xe0, 10])), Vlan::new(&[10]));
    assert_eq!(vlan(&tagged(&[0x81, 0x00, 0xe0, 0])), Vlan::default());
    let double = tagged(&[0x88, 0xa8, 0x0f, 0xff, 0x81, 0x00, 0, 20]);
    assert_eq!(vlan(&double).tags().collect::<Vec<_>>(), [4095, 20]);
    assert!(!vlan(&double).is_deeper());
    let triple = |third| tagged(&[0x88, 0xa8, 0, 9, 0x81, 0, 0, 20, 0x81, 0, 0, third]);
    assert!(vlan(&triple(1)).is_deeper() && !vlan(&triple(0)).is_deeper());
    // A copy is the same datagram, whatever the link puts around it.
    for packet in [whole(1, &double), whole(101, &ip)] {
        assert_eq!(packet.datagram, &ip[..]);
    }
    let cooked = |kind: u8| [&[0, kind], &[0; 12][..], &[0x08, 0x00], &ip].concat();
    assert_eq!(whole(113, &cooked(4)).direction, Some(Direction::Outbound));
    assert_eq!(whole(113, &cooked(0)).direction, Some(Direction::Inbound));
    assert_eq!(whole(1, &double).direction, None);
}

#[test]
fn what_the_ip_header_says() {
    let octets = v4(255, 240, PAYLOAD);
    assert_eq!(
        whole(101, &octets).ip,
        Some(Ip {
            src: V4.0,
            dst: V4.1,
            id: 0,
            ttl: 255,
            proto: 240
        })
    );
    let octets = v6(255, 112, PAYLOAD);
    let ip = whole(101, &octets).ip.unwrap();
    assert_eq!((ip.dst, ip.proto), ("ff12::f0".parse().unwrap(), 112));
}

#[test]
fn a_foreign_ttl_is_refused_but_shown() {
    for octets in [v4(254, 240, PAYLOAD), v6(64, 240, PAYLOAD)] {
        let packet = whole(101, &octets);
        assert_eq!(
            (packet.kind, packet.refused),
            (Kind::Pfsync(PAYLOAD), Some(Refusal::BadTtl))
        );
    }
    let octets = v4(1, 112, PAYLOAD);
    let packet = whole(101, &octets);
    assert_eq!(
        (packet.kind, packet.refused),
        (Kind::Proto112(PAYLOAD), Some(Refusal::BadTtl))
    );
    let mut unicast = v4(254, 240, PAYLOAD);
    unicast[16..20].copy_from_slice(&[172, 30, 0, 2]);
    assert_eq!(
        whole(101, &unicast).refused,
        Some(Refusal::BadTtl),
        "pfsync never, not even to a peer"
    );
    let octets = v4(64, 17, PAYLOAD);
    assert_eq!(whole(101, &octets).refused, None, "nobody asks that of UDP");
}

#[test]
fn carp_to_a_peer_may_come_through_routers_and_vrrp_may_not() {
    let advertisement = |version: u8| [&[version, 1, 0, 7, 0, 1], &[0; 30][..]].concat();
    let refused = |to: [u8; 4], version: u8| {
        let mut octets = v4(254, 112, &advertisement(version));
        octets[16..20].copy_from_slice(&to);
        whole(101, &octets).refused
    };
    let (peer, group) = ([10, 0, 1, 3], [224, 0, 0, 18]);
    assert_eq!(refused(peer, 0x21), None);
    assert_eq!(refused(group, 0x21), Some(Refusal::BadTtl));
    assert_eq!(refused(peer, 0x31), Some(Refusal::BadTtl), "VRRP");
    let mut six = v6(254, 112, &advertisement(0x21));
    assert_eq!(whole(101, &six).refused, Some(Refusal::BadTtl));
    six[24] = 0x20;
    assert_eq!(whole(101, &six).refused, None);
}

#[test]
fn fragments_are_refused() {
    let refused = (Kind::Pfsync(&[]), Some(Refusal::Fragment));
    for (at, value) in [(6, 0x20), (7, 1)] {
        let mut octets = v4(255, 240, PAYLOAD);
        octets[6] = 0;
        octets[at] = value;
        let packet = whole(101, &octets);
        assert_eq!((packet.kind, packet.refused), refused);
    }
    let fragment = |offset: u8, more: u8| [&[240, 0, offset, more, 0, 0, 0, 1][..], PAYLOAD].concat();
    for (offset, more) in [(0, 1), (1, 0)] {
        let octets = v6(255, 44, &fragment(offset, more));
        let packet = whole(101, &octets);
        assert_eq!((packet.kind, packet.refused), refused);
    }
    let octets = v6(255, 44, &fragment(0, 0));
    let packet = whole(101, &octets);
    assert_eq!(
        (packet.kind, packet.refused),
        (Kind::Pfsync(PAYLOAD), None),
        "an atomic fragment is whole"
    );
}

#[test]
fn extension_headers_are_passed_over() {
    let extension = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let auth = |next: u8| [&[next, 4, 0, 0][..], &[0; 20]].concat();
    let chain = [&extension(43)[..], &extension(60), &extension(51), &auth(240), PAYLOAD].concat();
    let mut octets = v6(255, 240, &chain);
    octets[6] = 0; // hop by hop first
    assert_eq!(whole(101, &octets).kind, Kind::Pfsync(PAYLOAD));
    let octets = v4(255, 51, &[&auth(112)[..], PAYLOAD].concat());
    assert_eq!(whole(101, &octets).kind, Kind::Proto112(PAYLOAD));
}

#[test]
fn lengths_that_lie() {
    // docs/wire.md section 1.1: pfsync may count the IPv6 header into the payload length.
    let mut octets = v6(255, 240, PAYLOAD);
    octets[5] += 40;
    assert_eq!(whole(101, &octets).kind, Kind::Pfsync(PAYLOAD));
    assert_eq!(whole(101, &octets).refused, None, "the frame is whole");
    // Offloading leaves the total length to the card.
    let mut octets = v4(255, 240, PAYLOAD);
    (octets[2], octets[3]) = (0, 0);
    assert_eq!(whole(101, &octets).kind, Kind::Pfsync(PAYLOAD));
}

#[test]
fn a_snapshot_length_that_cuts_is_told() {
    let octets = ether(&[0x08, 0], &v4(255, 240, PAYLOAD));
    let wire_len = u32::try_from(octets.len()).unwrap();
    let cut = dissect(LinkType(1), &octets[..octets.len() - 3], wire_len);
    assert_eq!(
        (cut.kind, cut.refused),
        (Kind::Pfsync(&PAYLOAD[..5]), Some(Refusal::Cut))
    );
    let padding_only = dissect(LinkType(1), &octets, wire_len + 4);
    assert_eq!((padding_only.kind, padding_only.refused), (Kind::Pfsync(PAYLOAD), None));
    assert_eq!(dissect(LinkType(246), PAYLOAD, 99).refused, Some(Refusal::Cut));
}

#[test]
fn connection_attempts() {
    let tcp = |flags: u8| {
        let segment = [&[0xc0, 1, 1, 0xbb][..], &[0; 8], &[0x50, flags], &[0; 6]].concat();
        v4(64, 6, &segment)
    };
    let syn = Kind::TcpSyn {
        src_port: 0xc001,
        dst_port: 443,
    };
    for (flags, kind) in [
        (0x02, syn),
        (0xc2, syn),
        (0x12, Kind::Other),
        (0x10, Kind::Other),
        (0x04, Kind::Other),
    ] {
        assert_eq!(whole(101, &tcp(flags)).kind, kind);
    }
}

proptest! {
    #[test]
    fn the_common_way_says_what_the_general_one_does(
        changes in prop::collection::vec((0..40usize, any::<u8>()), 0..4), length in 0..70usize, snapped: bool,
    ) {
        let mut octets = v4(255, 240, PAYLOAD);
        octets.resize(70, 0);
        for (at, value) in changes {
            octets[at] = value;
        }
        let octets = &octets[..length];
        if let Some(packet) = common(octets) {
            prop_assert_eq!(packet, ip(octets, snapped).0);
        }
    }

    #[test]
    fn random_octets_never_panic(
        link in prop::sample::select(vec![0u32, 1, 2, 12, 13, 14, 18, 101, 108, 109, 113, 117, 121, 228, 229, 246, 276]),
        start in prop::sample::select(vec![
            vec![], vec![0x45], vec![0x4f, 0, 0, 200], vec![0x60, 0, 0, 0, 0, 80, 0, 255], vec![0x60, 0, 0, 0, 0, 80, 44],
            vec![2, 0, 0, 0, 0x46], [vec![0; 12], vec![0x81, 0, 0, 1, 0x08, 0, 0x45]].concat(),
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
        extra in 0u32..100,
    ) {
        let data = [start, tail].concat();
        let wire_len = u32::try_from(data.len()).unwrap() + extra;
        let packet = dissect(LinkType(link), &data, wire_len);
        if let Kind::Pfsync(p) | Kind::Proto112(p) = packet.kind {
            prop_assert!(p.len() <= data.len());
        }
    }
}
