//! What is said of things that are not there, told by frames.

use super::{Wanted, Why, why};
use crate::capture::{Frame, GapCause, LinkType, Net};
use crate::engine::Engine;
use crate::engine::quality::Problem;
use crate::event::{Event, Health, NodeId};
use crate::settings::{Node, Segment, Settings};
use crate::time::Timestamp;
use pfsync_proto::Carp;
use std::net::IpAddr;
use std::time::Duration;

const FW1: NodeId = NodeId(0);
const FW2: NodeId = NodeId(1);

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(1_790_000_000_000_000_000) + Duration::from_secs_f64(seconds)
}

const ADVERTISEMENT: Carp = Carp {
    vhid: 1,
    advskew: 0,
    advbase: 1,
    demote: 0,
    authlen: 7,
    counter: 1,
    hmac: [0; 20],
    cksum_ok: true,
    bow_out: false,
};

/// fw1 and fw2 (172.30.0.N; 10.0.S.N on segments S = lan, wan), with the shared addresses 10.0.S.9.
fn pair() -> Engine {
    let node = |i: u8| Node {
        name: format!("fw{i}"),
        addresses: vec![IpAddr::from([172, 30, 0, i])],
        is_self: i == 2,
        local: [i, 9]
            .iter()
            .flat_map(|h| (0..2).map(|s| IpAddr::from([10, 0, s, *h])))
            .collect(),
    };
    let segment = |name: &str| Segment {
        name: name.into(),
        password: None,
        vlan: None,
    };
    let settings = Settings {
        nodes: vec![node(1), node(2)],
        segments: vec![segment("lan"), segment("wan")],
        ..Settings::default()
    };
    Engine::new(settings, 1)
}

struct Sent<'a> {
    net: Net,
    from: [u8; 4],
    proto: u8,
    ttl: u8,
    payload: &'a [u8],
    /// Octets that the snapshot length cut off.
    cut: usize,
}

fn hear(engine: &mut Engine, t: f64, sent: &Sent<'_>) {
    let length = u16::try_from(20 + sent.payload.len()).unwrap().to_be_bytes();
    let mut octets = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, sent.ttl, sent.proto, 0, 0];
    octets.extend(sent.from);
    octets.extend([224, 0, 0, 18]);
    octets.extend(sent.payload);
    engine.frame(&Frame {
        data: &octets[..octets.len() - sent.cut],
        ..Frame::whole(at(t), sent.net, LinkType(101), &octets)
    });
}

fn pfsync(engine: &mut Engine, t: f64, from: [u8; 4], ttl: u8) {
    // Version 6, nothing but an end of file: the shortest that is whole.
    let mut payload = vec![6, 0, 0, 24];
    payload.extend([0; 16]);
    payload.extend([12, 0, 0, 0]);
    let net = Net::Sync;
    let payload = &payload;
    hear(
        engine,
        t,
        &Sent {
            net,
            from,
            proto: 240,
            ttl,
            payload,
            cut: 0,
        },
    );
}

fn advertise(engine: &mut Engine, t: f64, net: Net, from: [u8; 4], change: impl Fn(&mut Vec<u8>, &mut u8)) {
    let (mut payload, mut ttl) = (ADVERTISEMENT.encode().to_vec(), 255);
    change(&mut payload, &mut ttl);
    let (proto, cut) = (112, 0);
    let payload = &payload;
    hear(
        engine,
        t,
        &Sent {
            net,
            from,
            proto,
            ttl,
            payload,
            cut,
        },
    );
}

fn said(engine: &Engine, wanted: Wanted) -> String {
    why(engine, wanted, None).map_or_else(String::new, |why| why.clause())
}

#[test]
fn what_never_came_has_no_explanation() {
    let mut engine = pair();
    pfsync(&mut engine, 0.0, [172, 30, 0, 1], 255);
    for wanted in [
        Wanted::Pfsync(Some(FW2)),
        Wanted::Carp(None, None),
        Wanted::Carp(Some(FW1), Some(0)),
    ] {
        assert_eq!(why(&engine, wanted, None), None, "{wanted:?}");
    }
}

#[test]
fn pfsync_that_was_routed_is_told_of_the_node_that_sends_it() {
    let mut engine = pair();
    for i in 0..3 {
        pfsync(&mut engine, f64::from(i), [172, 30, 0, 1], 255);
        pfsync(&mut engine, f64::from(i), [172, 30, 0, 2], 254);
    }
    assert_eq!(why(&engine, Wanted::Pfsync(Some(FW1)), None), None);
    let text = said(&engine, Wanted::Pfsync(Some(FW2)));
    assert!(
        text.starts_with("3 frames from 172.30.0.2 were refused, as pf refuses them, for a TTL of 254 instead of 255"),
        "{text}"
    );
    // A node that was heard until then.
    assert!(why(&engine, Wanted::Pfsync(Some(FW2)), Some(at(1.5))).is_some());
    assert_eq!(why(&engine, Wanted::Pfsync(Some(FW2)), Some(at(2.5))), None);
}

#[test]
fn pfsync_from_an_address_that_no_node_has_is_told() {
    let mut engine = pair();
    pfsync(&mut engine, 0.0, [172, 30, 0, 1], 255);
    pfsync(&mut engine, 0.0, [172, 30, 0, 7], 255);
    let text = said(&engine, Wanted::Pfsync(Some(FW2)));
    assert!(
        text.starts_with("172.30.0.7 sends it and stands in no [[node]]"),
        "{text}"
    );
}

#[test]
fn advertisements_that_do_not_count_are_told_by_what_is_wrong_with_them() {
    type Change = fn(&mut Vec<u8>, &mut u8);
    let lan = Net::Segment(0);
    let cases: [(Net, [u8; 4], Change, &str); 5] = [
        (lan, [10, 0, 0, 1], |_, ttl| *ttl = 64, "TTL of 64"),
        (lan, [10, 0, 0, 1], |octets, _| octets[6] ^= 1, "wrong checksum"),
        (lan, [10, 0, 0, 1], |octets, _| octets.truncate(9), "damaged"),
        (Net::Sync, [10, 0, 0, 1], |_, _| {}, "[[segment]]"),
        (
            lan,
            [10, 0, 0, 5],
            |_, _| {},
            "it comes from 10.0.0.5, in `local` of no node alone",
        ),
    ];
    for (net, from, change, expected) in cases {
        let mut engine = pair();
        advertise(&mut engine, 0.0, net, from, change);
        let text = said(&engine, Wanted::Carp(Some(FW1), Some(0)));
        assert!(text.contains(expected), "{expected}: {text}");
        // Nothing of it was on the other segment, but CARP on the sync net may be meant for any.
        let wan = why(&engine, Wanted::Carp(Some(FW1), Some(1)), None);
        assert_eq!(wan.is_some(), net == Net::Sync, "{expected}");
    }
}

/// What is said of fw1, which is heard for 20 s and whose CARP is from then on as `later` sends it, and pfsync no more.
fn silent_with(later: impl Fn(&mut Engine, f64, u8)) -> (bool, bool, String) {
    let mut engine = pair();
    for i in 0..400_u32 {
        let t = f64::from(i) * 0.1;
        pfsync(&mut engine, t, [172, 30, 0, 2], 255);
        if i < 200 {
            pfsync(&mut engine, t, [172, 30, 0, 1], 255);
        }
        for segment in (0..2).filter(|_| i.is_multiple_of(10)) {
            let net = Net::Segment(usize::from(segment));
            match i < 200 {
                true => advertise(&mut engine, t, net, [10, 0, segment, 1], |_, _| {}),
                false => later(&mut engine, t, segment),
            }
        }
    }
    let (mut down, mut nobody) = (false, false);
    while let Some(event) = engine.poll() {
        down |= matches!(event, Event::Verdict(ref v) if v.to == Health::Down);
        nobody |= matches!(event, Event::NoMaster { .. });
    }
    let refused = engine
        .quality()
        .problems
        .into_iter()
        .find(|p| p.kind == Problem::Refused);
    (down, nobody, refused.map_or_else(String::new, |p| p.detail))
}

#[test]
fn a_node_whose_advertisements_are_refused_is_neither_gone_nor_is_nobody_master() {
    type Change = fn(&mut Vec<u8>, &mut u8);
    let cases: [(Change, &str); 3] = [
        (|_, ttl| *ttl = 254, "for a TTL of 254"),
        (|octets, _| octets[6] ^= 1, "for a wrong checksum"),
        (|octets, _| octets.truncate(9), "damaged"),
    ];
    for (change, expected) in cases {
        let (down, nobody, said) = silent_with(|engine, t, s| {
            advertise(engine, t, Net::Segment(usize::from(s)), [10, 0, s, 1], change);
        });
        assert!(!down && !nobody, "{expected}");
        assert!(said.contains(expected) && said.contains("of fw1"), "{expected}: {said}");
    }
    let payload = [0x21, 1, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0];
    let (down, nobody, said) = silent_with(|engine, t, s| {
        let sent = Sent {
            net: Net::Segment(usize::from(s)),
            from: [10, 0, s, 1],
            proto: 112,
            ttl: 255,
            payload: &payload,
            cut: 4,
        };
        hear(engine, t, &sent);
    });
    assert!(
        !down && !nobody && said.contains("cut by the snapshot length"),
        "{said}"
    );
    assert_eq!(silent_with(|_, _, _| {}), (true, true, String::new()));
}

#[test]
fn of_carp_to_one_address_that_was_routed_the_address_is_the_reason() {
    let mut engine = pair();
    let mut octets = vec![0x45, 0, 0, 56, 0, 0, 0, 0, 64, 112, 0, 0, 10, 0, 0, 1, 10, 0, 0, 77];
    octets.extend(ADVERTISEMENT.encode());
    engine.frame(&Frame::whole(at(0.0), Net::Segment(0), LinkType(101), &octets));
    let text = said(&engine, Wanted::Carp(Some(FW1), Some(0)));
    assert!(
        text.contains("carppeer") && text.contains("`local`") && !text.contains("as pf"),
        "{text}"
    );
}

#[test]
fn frames_that_are_cut_are_told_with_the_remedy() {
    let mut engine = pair();
    let payload = [6, 0, 0, 200, 0, 0, 0, 0];
    let sent = Sent {
        net: Net::Sync,
        from: [172, 30, 0, 1],
        proto: 240,
        ttl: 255,
        payload: &payload,
        cut: 4,
    };
    hear(&mut engine, 0.0, &sent);
    let text = said(&engine, Wanted::Pfsync(None));
    assert!(
        text.contains("cut by the snapshot length") && text.contains("-s 0"),
        "{text}"
    );
}

#[test]
fn what_pfsync0_does_not_show_and_what_we_missed_is_told() {
    let mut engine = pair();
    engine.gap(at(1.0), Duration::from_secs(1), GapCause::KernelDrop, 7);
    assert_eq!(
        why(&engine, Wanted::Pfsync(Some(FW1)), None),
        Some(Why::Blind(Duration::from_secs(1)))
    );
    let data = [6, 0, 0, 24];
    engine.frame(&Frame::whole(at(1.0), Net::Sync, LinkType(246), &data));
    assert_eq!(why(&engine, Wanted::Pfsync(Some(FW1)), None), Some(Why::Tap));
}

#[test]
fn whoever_invents_senders_pushes_out_no_node() {
    let mut engine = pair();
    for i in 0..200 {
        pfsync(&mut engine, f64::from(i), [192, 0, 2, u8::try_from(i).unwrap()], 64);
    }
    assert_eq!(engine.counters().aside.iter().count(), 64);
    pfsync(&mut engine, 200.0, [172, 30, 0, 2], 254);
    let text = said(&engine, Wanted::Pfsync(Some(FW2)));
    assert!(text.contains("172.30.0.2") && text.contains("TTL of 254"), "{text}");
}
