//! Mirrored frames: each kind of tunnel over both families, and what is wrong with some.

use crate::capture::{LinkType, Vlan};
use crate::dissect::{Kind, Packet, Refusal, dissect};
use etherparse::PacketBuilder;
use proptest::prelude::*;

const PAYLOAD: &[u8] = b"\x06payload";
const GRE: u8 = 47;
const UDP: u8 = 17;

fn ip(six: bool, ttl: u8, proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; payload.len() + 40];
    let proto = etherparse::IpNumber(proto);
    let written = if six {
        PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], ttl).write_to_slice(&mut out, proto, payload)
    } else {
        PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], ttl).write_to_slice(&mut out, proto, payload)
    };
    out.truncate(written.unwrap());
    out
}

fn ether(inner: &[u8]) -> Vec<u8> {
    let kind: [u8; 2] = if inner[0] >> 4 == 6 { [0x86, 0xdd] } else { [0x08, 0x00] };
    [&[0; 12][..], &kind, inner].concat()
}

fn tagged(tag: u8, inner: &[u8]) -> Vec<u8> {
    let frame = ether(inner);
    [&frame[..12], &[0x81, 0, 0, tag], &frame[12..]].concat()
}

fn udp(port: u16, head: &[u8], frame: &[u8]) -> Vec<u8> {
    let [p1, p0] = port.to_be_bytes();
    [&[0xc0, 1, p1, p0, 0, 0, 0, 0], head, frame].concat()
}

fn gre(flags: u8, protocol: u16, head: &[u8], frame: &[u8]) -> Vec<u8> {
    let [p1, p0] = protocol.to_be_bytes();
    [&[flags, 0, p1, p0], head, frame].concat()
}

const ERSPAN_2: &[u8] = &[0, 0, 0, 9, 0x10, 30, 0, 1, 0, 0, 0, 5];
const ERSPAN_3: &[u8] = &[0, 0, 0, 9, 0x20, 30, 0, 1, 0, 0, 0, 5, 0, 0, 0x80, 0];
const GENEVE: &[u8] = &[2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// Every tunnel that we know around `frame`: the IP protocol of it, and its payload.
fn tunnels(frame: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let long = [&[0, 0, 0, 9, 0x20, 30, 0, 1, 0, 0, 0, 5, 0, 0, 0x80, 1], &[7; 8][..]].concat();
    let keyed = [&[0xaa, 0xbb, 0, 0, 0, 0, 0, 1], ERSPAN_2].concat();
    vec![
        (GRE, gre(0, 0x88be, &[], frame)),
        (GRE, gre(0x10, 0x88be, ERSPAN_2, frame)),
        (GRE, gre(0xb0, 0x88be, &keyed, frame)),
        (GRE, gre(0x10, 0x22eb, ERSPAN_3, frame)),
        (GRE, gre(0x10, 0x22eb, &long, frame)),
        (UDP, udp(4789, &[8, 0, 0, 0, 0, 0, 7, 0], frame)),
        (UDP, udp(8472, &[0x88, 0, 0, 0, 0, 0, 7, 0], frame)),
        (UDP, udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 7, 0], frame)),
        (UDP, udp(6081, GENEVE, frame)),
        (UDP, udp(37008, &[1, 0, 0, 1, 1], frame)),
        (
            UDP,
            udp(37008, &[1, 0, 0, 1, 0, 10, 1, 0xc4, 0, 13, 4, 1, 1, 1, 1, 1], frame),
        ),
    ]
}

fn whole(data: &[u8]) -> Packet<'_> {
    dissect(LinkType(1), data, u32::try_from(data.len()).unwrap())
}

#[test]
fn every_mirror_shows_what_it_mirrors() {
    let pfsync = ip(false, 255, 240, PAYLOAD);
    for (outer6, ttl) in [(false, 64), (true, 3)] {
        for (proto, payload) in tunnels(&tagged(30, &pfsync)) {
            let frame = ether(&ip(outer6, ttl, proto, &payload));
            let packet = whole(&frame);
            assert_eq!(
                (packet.kind, packet.refused),
                (Kind::Pfsync(PAYLOAD), None),
                "{payload:02x?}"
            );
            assert_eq!(
                packet.vlan.within(0),
                Vlan::new(&[30]),
                "once, though ERSPAN has it, too"
            );
            assert_eq!(packet.datagram, pfsync);
            assert_eq!((packet.ip.map(|ip| ip.ttl), packet.mirrored), (Some(255), true));
            for length in 0..frame.len() {
                let _ = whole(&frame[..length]);
            }
        }
    }
    // ERSPAN III may carry IP without Ethernet.
    let mut bare = ERSPAN_3.to_vec();
    bare[14] = 2 << 2;
    let frame = ether(&ip(
        false,
        64,
        GRE,
        &gre(0x10, 0x22eb, &bare, &ip(true, 255, 112, PAYLOAD)),
    ));
    assert_eq!(whole(&frame).kind, Kind::Proto112(PAYLOAD));
}

#[test]
fn what_a_tunnel_says_of_the_network_tells_networks_apart() {
    let frame = ether(&ip(false, 255, 240, PAYLOAD));
    let told = tunnels(&frame).into_iter().map(|(proto, payload)| {
        let vlan = whole(&ether(&ip(false, 64, proto, &payload))).vlan;
        (vlan.tags().next(), vlan.vni())
    });
    let (none, erspan, vni) = ((None, None), (Some(30), None), (None, Some(7)));
    let expected = [none, erspan, erspan, erspan, erspan, vni, vni, vni, vni, none, none];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_mirrored_is_judged_as_if_it_had_been_captured() {
    let judged = |inner: &[u8], cut: usize| {
        let frame = ether(inner);
        let (proto, payload) = tunnels(&frame[..frame.len() - cut]).swap_remove(5);
        let frame = ether(&ip(false, 64, proto, &payload));
        let packet = whole(&frame);
        (packet.kind != Kind::Other, packet.refused)
    };
    assert_eq!(judged(&ip(false, 254, 240, PAYLOAD), 0), (true, Some(Refusal::BadTtl)));
    assert_eq!(
        judged(&ip(false, 255, 240, PAYLOAD), 1),
        (true, Some(Refusal::Cut)),
        "by the mirror"
    );
    assert_eq!(judged(&ip(true, 255, 240, PAYLOAD), 1), (true, Some(Refusal::Cut)));
    let mut counted = ip(true, 255, 240, PAYLOAD);
    counted[5] += 40;
    assert_eq!(
        judged(&counted, 0),
        (true, None),
        "a payload length with the header in it"
    );
    let mut fragment = ip(false, 255, 240, PAYLOAD);
    fragment[6] = 0x20;
    assert_eq!(judged(&fragment, 0), (true, Some(Refusal::Fragment)));
}

#[test]
fn one_level_and_no_more() {
    let pfsync = ether(&ip(false, 255, 240, PAYLOAD));
    let (proto, once) = tunnels(&pfsync).swap_remove(5);
    for (outer, twice) in tunnels(&ether(&ip(false, 64, proto, &once))) {
        let frame = ether(&ip(false, 64, outer, &twice));
        assert_eq!((whole(&frame).kind, whole(&frame).nested), (Kind::Other, true));
    }
}

#[test]
fn of_a_fragmented_tunnel_it_is_told_that_it_is_one() {
    let pfsync = ip(false, 255, 240, PAYLOAD);
    for (proto, payload) in tunnels(&ether(&pfsync)) {
        let mut outer = ip(false, 64, proto, &payload);
        (outer[6], outer[7]) = (0x20, 0);
        let frame = ether(&outer);
        let packet = whole(&frame);
        assert_eq!(
            (packet.kind, packet.refused),
            (Kind::Pfsync(&[]), Some(Refusal::Fragment))
        );
    }
    let other = udp(53, &[0; 8], &ether(&pfsync));
    let mut outer = ip(false, 64, UDP, &other);
    outer[6] = 0x20;
    assert_eq!(whole(&ether(&outer)).refused, None, "no tunnel that we know");
}

#[test]
fn what_only_looks_like_a_mirror_is_none() {
    let frame = ether(&ip(false, 255, 240, PAYLOAD));
    for (proto, payload) in [
        (GRE, gre(0x40, 0x88be, &[], &frame)),
        (GRE, [&[0, 1, 0x88, 0xbe], &frame[..]].concat()),
        (GRE, gre(0, 0x0800, &[], &frame[14..])),
        (GRE, gre(0x10, 0x88be, ERSPAN_3, &frame)),
        (GRE, gre(0x10, 0x22eb, &[0; 16], &frame)),
        (UDP, udp(4790, &[8, 0, 0, 0, 0, 0, 7, 0], &frame)),
        (UDP, udp(4789, &[0; 8], &frame)),
        (UDP, udp(4789, &[0x0c, 0, 0, 3, 0, 0, 7, 0], &frame)),
        (UDP, udp(6081, &[0x40, 0, 0x65, 0x58, 0, 0, 7, 0], &frame)),
        (UDP, udp(6081, &[0, 0, 0x08, 0x00, 0, 0, 7, 0], &frame)),
        (UDP, udp(37008, &[1, 0, 0, 0x12, 1], &frame)),
        (UDP, udp(37008, &[2, 0, 0, 1, 1], &frame)),
        (UDP, udp(37008, &[1, 0, 0, 1, 10, 255], &[])),
        (1, udp(4789, &[8, 0, 0, 0, 0, 0, 7, 0], &frame)),
    ] {
        assert_eq!(
            whole(&ether(&ip(false, 64, proto, &payload))).kind,
            Kind::Other,
            "{payload:02x?}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_in_a_tunnel_panics(
        which in 0..11_usize, octets in prop::collection::vec(any::<u8>(), 0..80),
        changes in prop::collection::vec((0..60_usize, any::<u8>()), 0..4), six: bool,
    ) {
        let (proto, mut payload) = tunnels(&octets).swap_remove(which);
        for (at, value) in changes {
            if let Some(octet) = payload.get_mut(at) {
                *octet = value;
            }
        }
        let frame = ether(&ip(six, 64, proto, &payload));
        let packet = whole(&frame);
        if let Kind::Pfsync(p) | Kind::Proto112(p) = packet.kind {
            prop_assert!(p.len() <= octets.len() + 60);
        }
    }
}
