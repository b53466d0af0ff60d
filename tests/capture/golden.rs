//! What dissection makes of real layouts: the same payloads whatever they were captured on.

use crate::{Seen, read};
use pfwatch::capture::LinkType;
use pfwatch::dissect::{Kind, Packet, Refusal, dissect};

macro_rules! golden {
    ($name:literal) => {
        read(include_bytes!(concat!("../../captures/", $name))).0
    };
}

fn packet(seen: &Seen) -> Packet<'_> {
    dissect(LinkType(seen.link), &seen.data, seen.wire_len)
}

fn payloads(seen: &[Seen]) -> Vec<&[u8]> {
    let payload = |s| match packet(s) {
        Packet {
            kind: Kind::Pfsync(payload),
            refused: None,
            ..
        } => payload,
        other => panic!("{other:?}"),
    };
    seen.iter().map(payload).collect()
}

#[test]
fn the_same_payloads_in_every_encapsulation() {
    let (ether, raw) = (golden!("golden/openbsd6.eth.pcap"), golden!("golden/openbsd6.raw.pcap"));
    let pfsync = golden!("golden/openbsd6.pfsync246.pcap");
    assert_eq!([ether[0].link, raw[0].link, pfsync[0].link], [1, 101, 246]);
    assert!(!ether.is_empty());
    assert_eq!(payloads(&ether), payloads(&raw));
    assert_eq!(payloads(&ether), payloads(&pfsync));
    assert!(payloads(&ether).iter().all(|p| p[0] == 6));
    assert!(
        ether
            .iter()
            .all(|s| packet(s).ip.is_some_and(|ip| ip.ttl == 255 && ip.proto == 240))
    );
    assert!(pfsync.iter().all(|s| packet(s).ip.is_none()));

    let (ether, raw) = (
        golden!("golden/freebsd1301.eth.pcap"),
        golden!("golden/freebsd1301.raw.pcap"),
    );
    assert_eq!(payloads(&ether), payloads(&raw));
    assert!(payloads(&ether).iter().all(|p| p[0] == 5));
    assert!(payloads(&golden!("golden/netbsd3.eth.pcap")).iter().all(|p| p[0] == 3));
}

#[test]
fn malformed_packets() {
    let seen = golden!("golden/malformed_openbsd6.raw.pcap");
    for (i, s) in seen.iter().enumerate() {
        let packet = packet(s);
        match i {
            21 => {
                assert_eq!(packet.refused, Some(Refusal::BadTtl));
                assert!(matches!(packet.kind, Kind::Pfsync([6, ..])), "shown nevertheless");
                assert_eq!(packet.ip.unwrap().ttl, 254);
            }
            22 => assert_eq!((packet.kind, packet.ip.unwrap().proto), (Kind::Other, 241)),
            23 => assert_eq!(
                (packet.kind, packet.refused),
                (Kind::Pfsync(&[]), Some(Refusal::Fragment))
            ),
            _ => assert!(
                matches!(
                    packet,
                    Packet {
                        kind: Kind::Pfsync(_),
                        refused: None,
                        ..
                    }
                ),
                "{i}: {packet:?}"
            ),
        }
    }
    let Kind::Pfsync(options) = packet(&seen[25]).kind else {
        panic!()
    };
    assert_eq!(options[0], 6, "behind the IPv4 options");
    let Kind::Pfsync(trimmed) = packet(&seen[24]).kind else {
        panic!()
    };
    assert!(trimmed.len() + 20 < seen[24].data.len(), "the IP length counts");
}

#[test]
fn carp_is_protocol_112() {
    let seen = golden!("carp/carp.eth.pcap");
    assert!(!seen.is_empty());
    let carp = seen
        .iter()
        .filter(|s| matches!(packet(s).kind, Kind::Proto112(p) if !p.is_empty()));
    assert!(carp.count() * 2 > seen.len());
}
