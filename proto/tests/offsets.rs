//! Every field of every full state at its documented offset, without the encoder: a marker is put there and exactly
//! that field must change. The numbers are those of the structs in the kernels' headers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

use std::net::Ipv6Addr;

use pfsync_proto::message::{Extra, FreeBsd1500, FreeBsdExtra, IfName, Scrub};
use pfsync_proto::{CreatorId, Direction, Family, Message, Packet, State, StateId, StateKeys};

/// A field: where, which octets, and what they change.
type Field = (usize, &'static [u8], fn(&mut State));

/// A frame with one state, laid out by hand.
fn frame(version: u8, code: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = match version {
        2 => vec![2, 0, code, 1],
        3 | 4 => [vec![version, 0, code, 1], vec![0; 16]].concat(),
        _ => {
            let words = if version == 6 {
                u8::try_from(body.len() / 4).unwrap()
            } else {
                0
            };
            [vec![version, 0, 0, 0], vec![0; 16], vec![code, words, 0, 1]].concat()
        }
    };
    frame.extend_from_slice(body);
    if version == 5 {
        frame.extend_from_slice(&[12, 0, 0, 1]);
    }
    if version > 4 {
        let len = u16::try_from(frame.len()).unwrap().to_be_bytes();
        frame[2..4].copy_from_slice(&len);
    }
    frame
}

fn decode(version: u8, code: u8, body: &[u8]) -> State {
    let frame = frame(version, code, body);
    let section = Packet::new_checked(&frame).unwrap().sections().next().unwrap().unwrap();
    assert_eq!((section.count, section.messages().len()), (1, 1));
    let Message::State(state) = section.messages().next().unwrap().message else {
        panic!("{section:?}")
    };
    state
}

/// `families` are the family octets, set to IPv6 so that addresses show all their octets.
fn check(version: u8, code: u8, size: usize, families: &[usize], fields: &[Field]) {
    let mut zero = vec![0; size];
    for at in families {
        zero[*at] = 24;
    }
    let plain = decode(version, code, &zero);
    for (at, octets, change) in fields {
        let mut body = zero.clone();
        body[*at..*at + octets.len()].copy_from_slice(octets);
        let mut want = plain;
        change(&mut want);
        assert_ne!(want, plain, "offset {at}: the change changes nothing");
        assert_eq!(
            decode(version, code, &body),
            want,
            "version {version} code {code} offset {at}"
        );
    }
    // The last octet belongs to the state: without it there is none. (Version 5 goes on with EOF right behind it.)
    if version != 5 {
        let cut = frame(version, code, &zero[..size - 1]);
        let section = Packet::new_checked(&cut).unwrap().sections().next().unwrap();
        assert_eq!(section.map_or(0, |section| section.messages().len()), 0);
    }
}

const NAME: &[u8] = b"vlan4094";
const ADDR: &[u8] = &[0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const LONG: &[u8] = &[1, 2, 3, 4];
const TWICE: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];
const LONG_IS: u32 = 0x0102_0304;
const TWICE_IS: u64 = 0x0102_0304_0506_0708;

fn name() -> IfName {
    let mut name = [0; 16];
    name[..8].copy_from_slice(NAME);
    IfName(name)
}

fn addr() -> Ipv6Addr {
    Ipv6Addr::from(<[u8; 16]>::try_from(ADDR).unwrap())
}

macro_rules! ends {
    ($key:ident, $field:ident, $i:literal, $value:expr) => {
        |s| {
            let StateKeys::Pair { $key, .. } = &mut s.keys else {
                panic!()
            };
            $key.$field[$i] = $value.into();
        }
    };
}

macro_rules! host {
    ($key:ident, $i:tt, $value:expr) => {
        |s| {
            let StateKeys::LanGwyExt { $key, .. } = &mut s.keys else {
                panic!()
            };
            $key.$i = $value.into();
        }
    };
}

macro_rules! freebsd {
    (|$x:ident| $change:expr) => {
        |s| {
            let Extra::FreeBsd($x) = &mut s.extra else { panic!() };
            let $x: &mut FreeBsdExtra = $x;
            $change;
        }
    };
}

macro_rules! v1500 {
    (|$x:ident| $change:expr) => {
        |s| {
            let Extra::FreeBsd(FreeBsdExtra { v1500: Some($x), .. }) = &mut s.extra else {
                panic!()
            };
            let $x: &mut FreeBsd1500 = $x;
            $change;
        }
    };
}

macro_rules! openbsd {
    ($field:ident = $value:expr) => {
        |s| {
            let Extra::OpenBsd { $field, .. } = &mut s.extra else {
                panic!()
            };
            *$field = $value;
        }
    };
}

/// Id to expire, which all have, with `core` where the peers start.
fn common(core: usize) -> Vec<Field> {
    vec![
        (0, TWICE, |s| s.key.id = StateId([1, 2, 3, 4, 5, 6, 7, 8])),
        (8, NAME, |s| s.ifname = name()),
        (core + 8, LONG, |s| s.src.seqlo = LONG_IS),
        (core + 12, LONG, |s| s.src.seqhi = LONG_IS),
        (core + 16, LONG, |s| s.src.seqdiff = LONG_IS),
        (core + 20, &[1, 2], |s| s.src.max_win = 0x102),
        (core + 22, &[1, 2], |s| s.src.mss = 0x102),
        (core + 24, &[4], |s| s.src.state = 4),
        (core + 25, &[0x87], |s| s.src.wscale = 0x87),
        (core + 32 + 8, LONG, |s| s.dst.seqlo = LONG_IS),
        (core + 32 + 12, LONG, |s| s.dst.seqhi = LONG_IS),
        (core + 32 + 16, LONG, |s| s.dst.seqdiff = LONG_IS),
        (core + 32 + 20, &[1, 2], |s| s.dst.max_win = 0x102),
        (core + 32 + 22, &[1, 2], |s| s.dst.mss = 0x102),
        (core + 32 + 24, &[4], |s| s.dst.state = 4),
        (core + 32 + 25, &[0x87], |s| s.dst.wscale = 0x87),
        (core + 64, ADDR, |s| s.rt_addr.copy_from_slice(ADDR)),
        (core + 80, LONG, |s| s.rule = Some(LONG_IS)),
        (core + 80, &[0xff; 4], |s| s.rule = None),
        (core + 84, LONG, |s| s.anchor = Some(LONG_IS)),
        (core + 88, LONG, |s| s.nat_rule = Some(LONG_IS)),
        (core + 92, LONG, |s| s.age = LONG_IS),
        (core + 96, LONG, |s| s.expire = LONG_IS),
    ]
}

const SCRUB: Scrub = Scrub {
    flags: 0x102,
    ttl: 63,
    ts_mod: LONG_IS,
};

/// Scrub part in front of the sequence numbers; version 2 may say elsewhere that it is there.
fn scrub(core: usize) -> Vec<Field> {
    vec![
        (core, &[1, 2, 63, 1, 1, 2, 3, 4], |s| s.src.scrub = Some(SCRUB)),
        (core + 32, &[1, 2, 63, 1, 1, 2, 3, 4], |s| s.dst.scrub = Some(SCRUB)),
    ]
}

/// 64-bit counters and the creator.
fn counters(at: usize) -> Vec<Field> {
    vec![
        (at, TWICE, |s| s.packets[0] = TWICE_IS),
        (at + 8, TWICE, |s| s.packets[1] = TWICE_IS),
        (at + 16, TWICE, |s| s.bytes[0] = TWICE_IS),
        (at + 24, TWICE, |s| s.bytes[1] = TWICE_IS),
        (at + 32, LONG, |s| s.key.creator = CreatorId([1, 2, 3, 4])),
    ]
}

/// Wire and stack key.
fn pair(wire: usize, stack: usize) -> Vec<Field> {
    vec![
        (wire, ADDR, ends!(wire, addr, 0, addr())),
        (wire + 16, ADDR, ends!(wire, addr, 1, addr())),
        (wire + 32, &[1, 2], ends!(wire, port, 0, 0x102_u16)),
        (wire + 34, &[1, 2], ends!(wire, port, 1, 0x102_u16)),
        (stack, ADDR, ends!(stack, addr, 0, addr())),
        (stack + 16, ADDR, ends!(stack, addr, 1, addr())),
        (stack + 32, &[1, 2], ends!(stack, port, 0, 0x102_u16)),
        (stack + 34, &[1, 2], ends!(stack, port, 1, 0x102_u16)),
    ]
}

/// lan, gwy, ext.
fn hosts() -> Vec<Field> {
    vec![
        (24, ADDR, host!(lan, 0, addr())),
        (40, &[1, 2], host!(lan, 1, 0x102_u16)),
        (48, ADDR, host!(gwy, 0, addr())),
        (64, &[1, 2], host!(gwy, 1, 0x102_u16)),
        (72, ADDR, host!(ext, 0, addr())),
        (88, &[1, 2], host!(ext, 1, 0x102_u16)),
    ]
}

/// Families, where nothing but the family octet changes as long as it stays IPv6.
fn af(at: usize) -> Vec<Field> {
    vec![
        (at, &[28], |s| s.af = Family::Inet6(28)),
        (at, &[30], |s| s.af = Family::Inet6(30)),
    ]
}

#[test]
fn version_2() {
    let fields: Vec<Field> = vec![
        (196, LONG, |s| s.packets[0] = u64::from(LONG_IS)),
        (200, LONG, |s| s.packets[1] = u64::from(LONG_IS)),
        (204, LONG, |s| s.bytes[0] = u64::from(LONG_IS)),
        (208, LONG, |s| s.bytes[1] = u64::from(LONG_IS)),
        (212, LONG, |s| s.key.creator = CreatorId([1, 2, 3, 4])),
        (217, &[17], |s| s.proto = 17),
        (218, &[2], |s| s.direction = Direction::Out),
        (219, &[1], |s| s.log = 1),
        (220, &[1], |s| s.state_flags = 1),
        (221, &[7], |s| s.timeout = 7),
        (222, &[4], |s| s.sync_flags = 4),
        (223, &[9], |s| s.updates = 9),
        (96 + 26, &[1], |s| {
            s.src.scrub = Some(Scrub {
                flags: 0,
                ttl: 0,
                ts_mod: 0,
            })
        }),
        (128 + 26, &[1], |s| {
            s.dst.scrub = Some(Scrub {
                flags: 0,
                ttl: 0,
                ts_mod: 0,
            })
        }),
    ];
    for code in [1, 2, 3] {
        check(
            2,
            code,
            224,
            &[216],
            &[common(96), scrub(96), hosts(), af(216), fields.clone()].concat(),
        );
    }
}

/// The last octets of versions 3 and 4.
fn old_tail() -> Vec<Field> {
    vec![
        (233, &[17], |s| s.proto = 17),
        (234, &[2], |s| s.direction = Direction::Out),
        (235, &[1], |s| s.log = 1),
        (236, &[1], |s| s.state_flags = 1),
        (237, &[7], |s| s.timeout = 7),
        (238, &[4], |s| s.sync_flags = 4),
        (239, &[9], |s| s.updates = 9),
    ]
}

#[test]
fn version_3() {
    let fields = [common(96), scrub(96), hosts(), counters(196), af(232), old_tail()].concat();
    for code in [1, 2, 3] {
        check(3, code, 240, &[232], &fields);
    }
}

#[test]
fn version_4_and_openbsd_4_5() {
    let fields = [common(96), scrub(96), pair(24, 60), counters(196), af(232), old_tail()].concat();
    for (version, code) in [(4, 1), (4, 2), (4, 3), (5, 1), (5, 3), (5, 6)] {
        check(version, code, 240, &[232], &fields);
    }
}

#[test]
fn freebsd_1301() {
    let tail: Vec<Field> = vec![
        (233, &[17], |s| s.proto = 17),
        (234, &[1], |s| s.direction = Direction::In),
        (237, &[1], |s| s.log = 1),
        (238, &[2], |s| s.state_flags = 2),
        (239, &[7], |s| s.timeout = 7),
        (240, &[4], |s| s.sync_flags = 4),
        (241, &[9], |s| s.updates = 9),
    ];
    let fields = [common(96), scrub(96), pair(24, 60), counters(196), af(232), tail].concat();
    for code in [1, 3, 6] {
        check(5, code, 242, &[232], &fields);
    }
}

#[test]
fn freebsd_1400() {
    let tail: Vec<Field> = vec![
        (233, &[17], |s| s.proto = 17),
        (234, &[1], |s| s.direction = Direction::In),
        (235, &[0x41, 2], |s| s.state_flags = 0x4102),
        (237, &[1], |s| s.log = 1),
        (239, &[7], |s| s.timeout = 7),
        (240, &[4], |s| s.sync_flags = 4),
        (241, &[9], |s| s.updates = 9),
        (242, &[1, 2], freebsd!(|x| x.qid = 0x102)),
        (244, &[1, 2], freebsd!(|x| x.pqid = 0x102)),
        (246, &[1, 2], freebsd!(|x| x.dnpipe = 0x102)),
        (248, &[1, 2], freebsd!(|x| x.dnrpipe = 0x102)),
        (250, &[0xff; 4], freebsd!(|x| x.rtableid = -1)),
        (254, &[3], freebsd!(|x| x.min_ttl = 3)),
        (255, &[3], freebsd!(|x| x.set_tos = 3)),
        (256, &[1, 2], freebsd!(|x| x.max_mss = 0x102)),
        (258, &[3, 4], freebsd!(|x| x.set_prio = [3, 4])),
        (260, &[3], freebsd!(|x| x.rt = 3)),
        (261, NAME, freebsd!(|x| x.rt_ifname = name())),
    ];
    let fields = [common(96), scrub(96), pair(24, 60), counters(196), af(232), tail].concat();
    for code in [13, 14] {
        check(5, code, 277, &[232], &fields);
    }
}

#[test]
fn freebsd_1500() {
    let tail: Vec<Field> = vec![
        (232, NAME, v1500!(|x| x.tagname[..8].copy_from_slice(NAME))),
        (295, &[1], v1500!(|x| x.tagname[63] = 1)),
        (296, NAME, freebsd!(|x| x.rt_ifname = name())),
        (312, NAME, v1500!(|x| x.orig_ifname = name())),
        (328, &[0xff; 4], freebsd!(|x| x.rtableid = -1)),
        (332, &[0x41, 2], |s| s.state_flags = 0x4102),
        (334, &[1, 2], freebsd!(|x| x.qid = 0x102)),
        (336, &[1, 2], freebsd!(|x| x.pqid = 0x102)),
        (338, &[1, 2], freebsd!(|x| x.dnpipe = 0x102)),
        (340, &[1, 2], freebsd!(|x| x.dnrpipe = 0x102)),
        (342, &[1, 2], freebsd!(|x| x.max_mss = 0x102)),
        (345, &[28], v1500!(|x| x.stack_af = Family::Inet6(28))),
        (346, &[2], v1500!(|x| x.rt_af = 2)),
        (347, &[17], |s| s.proto = 17),
        (348, &[17], v1500!(|x| x.stack_proto = 17)),
        (349, &[1], |s| s.log = 1),
        (350, &[7], |s| s.timeout = 7),
        (351, &[2], |s| s.direction = Direction::Out),
        (352, &[3], freebsd!(|x| x.rt = 3)),
        (353, &[3], freebsd!(|x| x.min_ttl = 3)),
        (354, &[3], freebsd!(|x| x.set_tos = 3)),
        (355, &[3, 4], freebsd!(|x| x.set_prio = [3, 4])),
    ];
    let fields = [common(96), scrub(96), pair(24, 60), counters(196), af(344), tail].concat();
    for code in [15, 16] {
        check(5, code, 360, &[344, 345], &fields);
    }
}

#[test]
fn openbsd_6() {
    let tail: Vec<Field> = vec![
        (60, &[1, 2], openbsd!(rdomain = 0x102)),
        (100, &[1, 2], openbsd!(stack_rdomain = 0x102)),
        (240, &[0xff; 4], openbsd!(rtableid = [-1, 0])),
        (244, &[0xff; 4], openbsd!(rtableid = [0, -1])),
        (248, &[1, 2], openbsd!(max_mss = 0x102)),
        (251, &[17], |s| s.proto = 17),
        (252, &[2], |s| s.direction = Direction::Out),
        (253, &[1], |s| s.log = 1),
        (254, &[3], openbsd!(rt = 3)),
        (255, &[7], |s| s.timeout = 7),
        (256, &[4], |s| s.sync_flags = 4),
        (257, &[9], |s| s.updates = 9),
        (258, &[3], openbsd!(min_ttl = 3)),
        (259, &[3], openbsd!(set_tos = 3)),
        (260, &[1, 2], |s| s.state_flags = 0x102),
        (262, &[3, 4], openbsd!(set_prio = [3, 4])),
        // A key with a family of its own does not follow the state's.
        (62, &[2], |s| {
            let StateKeys::Pair { wire, .. } = &mut s.keys else {
                panic!()
            };
            wire.addr = [[0, 0, 0, 0].into(); 2];
        }),
        (102, &[2], |s| {
            let StateKeys::Pair { stack, .. } = &mut s.keys else {
                panic!()
            };
            stack.addr = [[0, 0, 0, 0].into(); 2];
        }),
    ];
    let fields = [common(104), scrub(104), pair(24, 64), counters(204), af(250), tail].concat();
    for code in [6, 13, 14] {
        check(6, code, 264, &[250], &fields);
    }
}

/// Families: 2 is IPv4 in the first four octets; every number that some system has for IPv6 is IPv6.
#[test]
fn families() {
    let mut body = vec![0; 242];
    body[24..28].copy_from_slice(&[192, 0, 2, 1]);
    for (octet, want) in [
        (2, "192.0.2.1"),
        (24, "c000:201::"),
        (28, "c000:201::"),
        (30, "c000:201::"),
    ] {
        body[232] = octet;
        let StateKeys::Pair { wire, .. } = decode(5, 1, &body).keys else {
            panic!()
        };
        assert_eq!(wire.addr[0].to_string(), want);
    }
}
