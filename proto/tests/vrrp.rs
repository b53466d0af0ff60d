//! VRRP of both versions over both families: values, checksums, damage, and the way back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod common;

use std::net::IpAddr;
use std::time::Duration;

use pfsync_proto::{EncodeError, Ends, ErrorKind, Proto112, Vrrp};
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn v4() -> Ends {
    (ip("10.0.1.2"), ip("224.0.0.18"))
}

fn v6() -> Ends {
    (ip("fe80::2"), ip("ff02::12"))
}

const GOOD: Vrrp = Vrrp {
    version: 3,
    vrid: 9,
    prio: 200,
    naddr: 1,
    auth_type: 0,
    adver_int: 100,
    cksum_ok: true,
};

fn written(vrrp: &Vrrp, addresses: &[IpAddr], ends: Option<Ends>) -> Vec<u8> {
    let mut buf = vec![0xa5; 4200];
    let length = vrrp.encode(addresses, ends, &mut buf).unwrap();
    buf.truncate(length);
    buf
}

fn read(octets: &[u8], ends: Option<Ends>) -> Vrrp {
    match Proto112::decode(octets, ends) {
        Ok(Proto112::Vrrp(vrrp)) => vrrp,
        other => panic!("{other:?}"),
    }
}

/// Octets laid out by hand: 10.0.1.2 > 224.0.0.18, vrid 9, priority 200, 1 s, one address 10.0.1.1.
#[test]
fn an_advertisement_laid_out_by_hand() {
    // 3109 + c801 + 0064 + 0a00 + 0101 = 1_046f, folded 0470, complement fb8f. With the ends, 0a00 + 0102 + e000 + 0012,
    // protocol and length, 0070 + 000c, it is f000, complement 0fff.
    let alone = [0x31, 9, 200, 1, 0, 100, 0xfb, 0x8f, 10, 0, 1, 1];
    assert_eq!(
        read(&alone, Some(v4())),
        GOOD,
        "RFC 9568 and others leave the ends out over IPv4"
    );
    let mut covered = alone;
    (covered[6], covered[7]) = (0x0f, 0xff);
    assert_eq!(read(&covered, Some(v4())), GOOD, "RFC 5798 covers them");
    assert!(!read(&covered, Some((ip("10.0.1.3"), ip("224.0.0.18")))).cksum_ok);
    assert!(!read(&covered, None).cksum_ok);
    assert_eq!(written(&GOOD, &[ip("10.0.1.1")], Some(v4())), covered);
    assert_eq!(written(&GOOD, &[ip("10.0.1.1")], None), alone);
}

#[test]
fn routers_of_others_write_the_checksums_that_are_expected() {
    let (link, frames) = common::frames("carp/vrrp-control.pcap");
    let (mut four, mut six) = (0, 0);
    for frame in &frames {
        let (_, payload) = common::payload(link, frame);
        let ip = &frame[14..];
        let ends: Ends = if ip[0] >> 4 == 6 {
            six += 1;
            let part = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&ip[at..at + 16]).unwrap());
            (part(8), part(24))
        } else {
            four += 1;
            let part = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&ip[at..at + 4]).unwrap());
            (part(12), part(16))
        };
        let vrrp = read(payload, Some(ends));
        assert!(vrrp.cksum_ok && vrrp.interval() == Duration::from_secs(10), "{vrrp:?}");
    }
    assert!(four > 4 && six > 1, "{four} {six}");
}

#[test]
fn over_ipv6_only_the_ends_tell_whether_the_checksum_is_right() {
    let two = [ip("fe80::1"), ip("2001:db8::1")];
    let octets = written(&GOOD, &two, Some(v6()));
    assert_eq!(octets.len(), 8 + 2 * 16);
    assert_eq!(read(&octets, Some(v6())), Vrrp { naddr: 2, ..GOOD });
    assert!(!read(&octets, Some((ip("fe80::3"), ip("ff02::12")))).cksum_ok);
    assert!(!read(&octets, Some(v4())).cksum_ok);
    let without = written(&GOOD, &two, None);
    assert!(!read(&without, Some(v6())).cksum_ok, "over IPv6 nobody leaves them out");
    assert!(!read(&octets, Some((ip("fe80::2"), ip("224.0.0.18")))).cksum_ok);
}

#[test]
fn octets_behind_are_tolerated_and_not_summed() {
    for (version, ends, address) in [(2, v4(), "10.0.1.1"), (3, v4(), "10.0.1.1"), (3, v6(), "fe80::1")] {
        let vrrp = Vrrp { version, ..GOOD };
        let octets = written(&vrrp, &[ip(address)], Some(ends));
        assert_eq!(read(&octets, Some(ends)), vrrp);
        assert_eq!(read(&[octets, vec![7; 9]].concat(), Some(ends)), vrrp);
    }
}

#[test]
fn every_damaged_octet_is_noticed() {
    for (vrrp, ends, address) in [
        (
            Vrrp {
                version: 2,
                auth_type: 1,
                ..GOOD
            },
            v4(),
            "10.0.1.1",
        ),
        (GOOD, v4(), "10.0.1.1"),
        (GOOD, v6(), "2001:db8::1"),
    ] {
        let octets = written(&vrrp, &[ip(address)], Some(ends));
        for at in 0..octets.len() {
            let mut damaged = octets.clone();
            damaged[at] ^= 0x10;
            match Proto112::decode(&damaged, Some(ends)) {
                Ok(Proto112::Vrrp(vrrp)) => assert!(!vrrp.cksum_ok, "octet {at}"),
                Ok(other) => panic!("{other:?}"),
                Err(error) => assert!(
                    matches!(error.kind, ErrorKind::Badver | ErrorKind::Badlen),
                    "octet {at}"
                ),
            }
        }
        for cut in 0..octets.len() {
            let got = Proto112::decode(&octets[..cut], Some(ends));
            match cut {
                0..8 => assert_eq!(got.unwrap_err().kind, ErrorKind::Hdrops),
                8..12 => assert_eq!(got.map_err(|e| (e.kind, e.offset)), Err((ErrorKind::Badlen, 3))),
                _ => {}
            }
        }
    }
    assert_eq!(
        Vrrp::decode(&[0x41; 60], None).map_err(|e| e.kind),
        Err(ErrorKind::Badver)
    );
    assert_eq!(
        Vrrp::decode(&[0x31; 7], None).map_err(|e| e.kind),
        Err(ErrorKind::Hdrops)
    );
}

#[test]
fn intervals_never_are_zero_and_are_bounded() {
    let interval = |version, adver_int| {
        Vrrp {
            version,
            adver_int,
            ..GOOD
        }
        .interval()
    };
    assert_eq!(interval(3, 100), Duration::from_secs(1));
    assert_eq!(interval(3, 1), Duration::from_millis(10));
    assert_eq!(interval(3, 4095), Duration::from_millis(40_950));
    assert_eq!(interval(2, 3), Duration::from_secs(3));
    assert_eq!(
        (interval(2, 0), interval(3, 0)),
        (Duration::from_secs(1), Duration::from_secs(1))
    );
    // The upper four bits of the field are reserved.
    let mut octets = written(&GOOD, &[], None);
    octets[4] = 0xf0;
    assert_eq!(read(&octets, None).adver_int, 100);
}

#[test]
fn the_better_a_master_is_the_sooner_it_is_missed() {
    let down = |version, prio, adver_int| {
        Vrrp {
            version,
            prio,
            adver_int,
            ..GOOD
        }
        .master_down()
    };
    assert_eq!(down(3, 255, 100), Duration::from_secs(3) + Duration::from_secs(1) / 256);
    assert_eq!(down(3, 128, 200), Duration::from_secs(7), "3 x 2 s and half of one");
    assert_eq!(
        down(2, 128, 2),
        Duration::from_millis(6500),
        "version 2 counts the skew in seconds"
    );
    assert_eq!(down(3, 0, 100), Duration::from_secs(4));
    assert!(Vrrp { prio: 0, ..GOOD }.bow_out() && !GOOD.bow_out());
}

#[test]
fn what_a_version_cannot_hold_is_not_written() {
    let mut buf = [0; 64];
    let mut write = |vrrp: Vrrp, addresses: &[IpAddr]| vrrp.encode(addresses, None, &mut buf);
    let (a, b) = (ip("10.0.1.1"), ip("fe80::1"));
    for (vrrp, addresses) in [
        (Vrrp { version: 4, ..GOOD }, vec![a]),
        (
            Vrrp {
                adver_int: 4096,
                ..GOOD
            },
            vec![a],
        ),
        (
            Vrrp {
                version: 2,
                adver_int: 256,
                ..GOOD
            },
            vec![a],
        ),
        (Vrrp { version: 2, ..GOOD }, vec![b]),
        (GOOD, vec![a, b]),
        (GOOD, vec![a; 256]),
    ] {
        assert_eq!(write(vrrp, &addresses), Err(EncodeError::Range), "{vrrp:?}");
    }
    assert_eq!(write(GOOD, &[a; 15]), Err(EncodeError::Full));
    assert_eq!(write(GOOD, &[a; 14]), Ok(64));
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        version in 2u8..4, vrid: u8, prio: u8, auth: u8, adver_int in 0u16..4096, count in 0usize..256, over6: bool,
    ) {
        let (auth_type, adver_int) = if version == 2 { (auth, adver_int & 0xff) } else { (0, adver_int) };
        let ends = if over6 { v6() } else { v4() };
        let address = if over6 && version == 3 { ip("fe80::1") } else { ip("10.0.1.1") };
        let vrrp = Vrrp { version, vrid, prio, naddr: u8::try_from(count).unwrap(), auth_type, adver_int, cksum_ok: true };
        let octets = written(&vrrp, &vec![address; count], Some(ends));
        prop_assert_eq!(Proto112::decode(&octets, Some(ends)), Ok(Proto112::Vrrp(vrrp)));
    }

    #[test]
    fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..64), first in prop::sample::select(vec![0x21_u8, 0x31, 0]), six: bool) {
        let mut octets = octets;
        if let Some(slot) = octets.first_mut() {
            *slot = first;
        }
        if let Ok(Proto112::Vrrp(vrrp)) = Proto112::decode(&octets, Some(if six { v6() } else { v4() })) {
            prop_assert!(vrrp.interval() >= Duration::from_millis(10) && vrrp.master_down() <= Duration::from_secs(1024));
        }
    }
}
