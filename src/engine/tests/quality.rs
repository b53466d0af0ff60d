//! What is wrong with what is heard: what it is called, what it still proves, and whether anything can be judged.

use super::super::quality::{Found, Problem};
use super::*;
use crate::capture::file::{FileInput, FileSource};
use crate::capture::{Direction, Input, Source};

const SYNC: [u8; 4] = [172, 30, 0, 1];

fn found(engine: &Engine, kind: Problem) -> Option<Found> {
    engine.quality().problems.into_iter().find(|p| p.kind == kind)
}

/// An empty frame of version 6, from fw1, with this identification and TTL.
fn sync(id: u16, ttl: u8) -> Vec<u8> {
    let mut pfsync = [0; 20];
    (pfsync[0], pfsync[3]) = (6, 20);
    let mut octets = ip(SYNC, 240, &pfsync);
    octets[4..6].copy_from_slice(&id.to_be_bytes());
    octets[8] = ttl;
    octets
}

#[test]
fn a_copy_is_counted_and_says_nothing_more() {
    let mut engine = pair(&[], false);
    for i in 0..20_u16 {
        for copy in [0.0, 0.003] {
            feed(&mut engine, f64::from(i) + copy, Net::Sync, &sync(100 + i, 255));
        }
    }
    assert_eq!(engine.counters.nodes[0].frames, 20);
    let copies = found(&engine, Problem::Duplicate).unwrap();
    assert_eq!((copies.count, copies.share), (20, Some(0.5)));
    assert!(engine.quality().judged());
    let told = notices(&mut engine);
    assert_eq!(told.len(), 1, "once: {told:?}");
    assert!(told[0].contains("heard again"), "{told:?}");
}

#[test]
fn pfsync_that_a_capture_of_everything_brings_twice_counts_once() {
    let mut engine = pair(&[], false);
    for i in 0..20_u16 {
        for net in [Net::Sync, Net::Segment(0)] {
            // With an identification, and as FreeBSD sends it.
            feed(&mut engine, f64::from(i), net, &sync((100 + i) * (i % 2), 255));
        }
    }
    assert_eq!(engine.counters.nodes[0].frames, 20);
}

#[test]
fn what_passed_a_router_is_refused_and_the_ttl_is_why_nothing_can_be_judged() {
    let mut engine = pair(&[], false);
    for i in 0..20 {
        feed(&mut engine, f64::from(i), Net::Sync, &sync(i, 254));
    }
    let quality = engine.quality();
    let why = quality.why_not().unwrap();
    assert!(
        why.kind == Problem::Ttl && why.detail.contains("a TTL of 254"),
        "{why:?}"
    );
    for i in 0..20 {
        feed(&mut engine, 30.0 + f64::from(i), Net::Sync, &sync(i, 255));
    }
    assert!(engine.quality().judged(), "half of it is fit");
}

#[test]
fn cut_frames_prove_nothing_and_whole_ones_do() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/golden/life_openbsd6.raw.pcap");
    let passed = |cut: usize| {
        let inputs = [FileInput::new(path, Net::Sync)];
        let mut source = FileSource::open(&inputs);
        let mut engine = Engine::new(Settings::default(), 1);
        while let Ok(Input::Frame(frame)) = source.next(Timestamp::MAX) {
            let data = &frame.data[..frame.data.len() - cut];
            engine.frame(&Frame { data, ..frame });
        }
        let of_path = |p: &counters::PathCounters| p.end_to_end;
        let nodes = &engine.counters.nodes;
        let proven: u64 = nodes.iter().flat_map(|n| &n.paths).map(of_path).sum();
        (proven, nodes[0].frames, engine.quality())
    };
    let (proven, whole_frames, quality) = passed(0);
    assert!(proven > 5 && quality.judged());
    let (proven, frames, quality) = passed(1);
    assert_eq!((proven, frames), (0, whole_frames), "its sender lives");
    let why = quality.why_not().unwrap();
    assert!(
        why.kind == Problem::Cut && why.detail.contains("tcpdump -s 0"),
        "{why:?}"
    );
}

#[test]
fn whose_frames_are_cut_is_neither_well_nor_idle() {
    let health = |missing: usize| {
        let mut engine = Engine::new(Settings::default(), 1);
        for i in 0..60 {
            let mut pfsync = [0; 24];
            (pfsync[0], pfsync[3], pfsync[23]) = (6, 24, i);
            let octets = ip(SYNC, 240, &pfsync);
            let data = &octets[..octets.len() - missing];
            let wire_len = u32::try_from(octets.len()).unwrap();
            let frame = Frame::whole(at(f64::from(i) / 2.0), Net::Sync, LinkType(101), data);
            engine.frame(&Frame { wire_len, ..frame });
        }
        engine.node_health(NodeId(0)).0
    };
    assert_eq!((health(0), health(2)), (Health::Idle, Health::Unknown));
}

#[test]
fn the_same_vhid_on_two_vlans_is_two() {
    let mut engine = pair(&[], false);
    for i in 0..3_u8 {
        for (vlan, node) in [(10, 1), (20, 2)] {
            let octets = ip([10, 0, 0, node], 112, &carp(1, u64::from(i), &[]).encode());
            let tagged = [&[0; 12][..], &[0x81, 0, 0, vlan, 8, 0], &octets].concat();
            engine.frame(&Frame::whole(at(f64::from(i)), Net::Segment(0), LinkType(1), &tagged));
        }
    }
    let mut masters = Vec::new();
    while let Some(event) = engine.poll() {
        if let Event::Master { segment, master, .. } = event {
            masters.push((engine.segment_name(segment).to_owned(), master));
        }
    }
    let node = |n| Some(IpAddr::from([10, 0, 0, n]));
    assert_eq!(
        masters,
        [("lan.10".to_owned(), node(1)), ("lan.20".to_owned(), node(2))]
    );
}

/// What differs in the third tag alone would look like two masters of one network.
#[test]
fn carp_within_more_tags_than_are_told_apart_does_not_count_and_is_said() {
    let mut engine = pair(&[], false);
    for (second, node) in (0..10_u8).flat_map(|s| [(s, 1), (s, 2)]) {
        let tags = [0x88, 0xa8, 0, 5, 0x81, 0, 0, 100, 0x81, 0, 0, node, 8, 0];
        let inner = ip([10, 0, 0, node], 112, &carp(1, 1, &[]).encode());
        let data = [&[0; 12][..], &tags, &inner].concat();
        let frame = Frame::whole(at(f64::from(second)), Net::Segment(0), LinkType(1), &data);
        engine.frame(&frame);
    }
    assert!(!engine.carp.informs());
    let refused = found(&engine, Problem::Refused).unwrap();
    assert_eq!(refused.count, 20);
    assert!(refused.detail.contains("three VLAN tags or more"), "{}", refused.detail);
}

#[test]
fn blindness_of_ours_is_told_with_its_time() {
    let mut engine = pair(&[], false);
    feed(&mut engine, 0.0, Net::Sync, &sync(1, 255));
    engine.gap(at(9.0), Duration::from_secs(4), GapCause::KernelDrop, 17);
    engine.gap(at(60.0), Duration::from_secs(2), GapCause::Stall, 0);
    let dropped = found(&engine, Problem::Dropped).unwrap();
    assert_eq!((dropped.count, dropped.first), (17, Some(at(9.0))));
    assert!(found(&engine, Problem::Gap).unwrap().detail.contains("once, for 2.0 s"));
    let quality = engine.quality();
    assert!(quality.judged() && quality.is_current(Problem::Gap, at(90.0)));
    assert!(!quality.is_current(Problem::Gap, at(400.0)));
}

#[test]
fn what_comes_back_to_its_sender_is_named_and_no_copy_of_a_mirror() {
    let heard = |own_interfaces: bool, direction: Option<Direction>| {
        let mut engine = pair(&[], false);
        engine.settings.own_interfaces = own_interfaces;
        for i in 0..3_u8 {
            let mut octets = ip([10, 0, 0, 2], 112, &carp(1, 7, &[]).encode());
            octets[5] = 1 + i;
            let frame = |copy: f64| Frame::whole(at(f64::from(i) + copy), Net::Segment(0), LinkType(101), &octets);
            engine.frame(&frame(0.0));
            engine.frame(&Frame {
                direction,
                ..frame(0.001)
            });
        }
        let told = notices(&mut engine).iter().filter(|n| n.contains("come back")).count();
        let copies = found(&engine, Problem::Duplicate).map_or(0, |f| f.count);
        (engine.carp.reflections(0, 1), told, copies)
    };
    assert_eq!(heard(true, None), (3, 1, 0));
    assert_eq!(heard(false, Some(Direction::Inbound)), (3, 1, 0));
    assert_eq!(heard(false, None), (0, 0, 3), "a mirror port shows it twice as well");
    assert_eq!(heard(true, Some(Direction::Outbound)), (0, 0, 3), "a bond and its port");
}

/// A frame of version 6 from 172.30.0.N with this body.
fn told(node: u8, body: &[u8]) -> Vec<u8> {
    let mut pfsync = vec![0; 20];
    (pfsync[0], pfsync[3]) = (6, u8::try_from(20 + body.len()).unwrap());
    pfsync.extend(body);
    ip([172, 30, 0, node], 240, &pfsync)
}

#[test]
fn what_strangers_send_is_counted_and_nothing_is_concluded_from_it() {
    let health = |mut engine: Engine| {
        for i in 0..60 {
            feed(&mut engine, f64::from(i) / 2.0, Net::Sync, &told(7, &[0, 0, 0, 0, i]));
        }
        let stranger = engine.node_ids().last().unwrap();
        (
            engine.counters.nodes[stranger.index()].frames,
            engine.node_health(stranger).0,
        )
    };
    assert_eq!(health(pair(&[], false)), (60, Health::Unknown));
    assert_eq!(health(Engine::new(Settings::default(), 1)), (60, Health::Idle));
}

#[test]
fn an_unknown_action_that_says_how_long_it_is_does_not_make_a_frame_unread() {
    let unread = |body: &[u8]| {
        let mut engine = pair(&[], false);
        feed(&mut engine, 0.0, Net::Sync, &told(1, body));
        found(&engine, Problem::Unread).map_or(0, |f| f.count)
    };
    let unknown = [99, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    let request = [&[5, 3, 0, 1][..], &[0; 12]].concat();
    assert_eq!(unread(&[&unknown[..], &request].concat()), 0);
    assert_eq!(unread(&[&request[..], &unknown].concat()), 0);
    assert_eq!(unread(&unknown), 1, "nothing else is in it");
    assert_eq!(
        unread(&[&request[..], &[99, 0, 0, 2], &request].concat()),
        1,
        "the rest is lost"
    );
}
