//! A hostile host on the sync net: whatever it sends, the engine neither panics nor grows nor concludes `down`.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use pfwatch::capture::{Frame, LinkType, Net};
use pfwatch::engine::Engine;
use pfwatch::event::{Event, Health};
use pfwatch::settings::Settings;
use pfwatch::time::Timestamp;
use proptest::prelude::*;
use std::path::Path;

const ETHERNET: LinkType = LinkType(1);

/// Frames of a classic little-endian capture file.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let octets = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)).unwrap();
    let mut rest = &octets[24..];
    let mut frames = Vec::new();
    while rest.len() >= 16 {
        let n = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        frames.push(rest[16..16 + n].to_vec());
        rest = &rest[16 + n..];
    }
    frames
}

/// A frame as a mirror sends it.
fn vxlan(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + 8 + 8 + frame.len()).unwrap().to_be_bytes();
    let ip = [
        0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
    ];
    let udp = [0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0];
    [&[0; 12][..], &[8, 0], &ip, &udp, frame].concat()
}

fn feed(engine: &mut Engine, nanos: i64, net: Net, link: LinkType, data: &[u8]) -> usize {
    let at = Timestamp::from_nanos(nanos);
    let deadline = engine.next_deadline();
    if deadline < at {
        engine.idle(deadline);
    }
    let wire_len = u32::try_from(data.len()).unwrap();
    engine.frame(&Frame {
        at,
        net,
        interface: "",
        direction: None,
        link,
        data,
        wire_len,
    });
    let mut falls = 0;
    while let Some(event) = engine.poll() {
        falls += usize::from(matches!(event, Event::Verdict(v) if v.to == Health::Down));
    }
    falls
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_on_any_link_type_at_any_time_is_survived(
        inputs in prop::collection::vec(
            (any::<i64>(), prop::sample::select(vec![0_u32, 1, 12, 13, 18, 101, 108, 109, 113, 121, 228, 246, 276, 999]),
             prop::collection::vec(any::<u8>(), 0..400), any::<bool>()),
            1..60,
        )
    ) {
        let mut engine = Engine::new(Settings::default(), 1);
        for (nanos, link, data, segment) in inputs {
            let net = if segment { Net::Segment(3) } else { Net::Sync };
            feed(&mut engine, nanos, net, LinkType(link), &data);
        }
    }

    #[test]
    fn damaged_real_frames_are_survived(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..200),
        step in 0_i64..3_000_000_000, mirrored: bool,
    ) {
        let mut all = frames("golden/openbsd6.eth.pcap");
        all.extend(frames("golden/freebsd1301.eth.pcap"));
        all.extend(frames("golden/netbsd3.eth.pcap"));
        all.extend(frames("carp/carp.eth.pcap"));
        let mut engine = Engine::new(Settings::default(), 1);
        let mut now = 0;
        for (frame, octet, value) in damage {
            let mut data = all[frame.index(all.len())].clone();
            if mirrored {
                data = vxlan(&data);
            }
            // Behind the link header, so that it is still looked at.
            let i = 14 + octet.index(data.len() - 14);
            data[i] = value;
            now += step;
            feed(&mut engine, now, Net::Sync, ETHERNET, &data);
        }
    }
}

#[test]
fn invented_senders_do_not_become_nodes_without_end() {
    let frame = frames("golden/openbsd6.eth.pcap").remove(0);
    let mut engine = Engine::new(Settings::default(), 1);
    for i in 0..5_000_u32 {
        let mut forged = frame.clone();
        forged[26..30].copy_from_slice(&i.to_be_bytes());
        assert_eq!(
            feed(&mut engine, i64::from(i) * 1_000_000, Net::Sync, ETHERNET, &forged),
            0
        );
    }
    assert_eq!(engine.node_ids().count(), 32);
    assert_eq!(engine.counters().foreign, 5_000 - 32);
}

#[test]
fn replayed_frames_prove_nothing_again() {
    // An attacker records real frames and plays them again and again: nothing moves beyond what was heard.
    let all = frames("golden/life_openbsd6.raw.pcap");
    let mut engine = Engine::new(Settings::default(), 1);
    let mut now = 0;
    let mut play = |engine: &mut Engine, from: usize, to: usize| {
        for frame in &all[from..to] {
            now += 100_000_000;
            feed(engine, now, Net::Sync, LinkType(101), frame);
        }
        engine
            .counters()
            .nodes
            .iter()
            .map(|n| n.paths[0].end_to_end)
            .sum::<u64>()
    };
    let opened = play(&mut engine, 0, 7);
    let again: u64 = (0..50).map(|_| play(&mut engine, 0, 7)).last().unwrap();
    assert!(opened > 0);
    assert_eq!(again, opened, "what was heard before is no movement");
}

#[test]
fn time_that_runs_backwards_is_clamped_and_counted() {
    let frame = frames("golden/openbsd6.eth.pcap").remove(0);
    let mut engine = Engine::new(Settings::default(), 1);
    feed(&mut engine, 5_000_000_000, Net::Sync, ETHERNET, &frame);
    feed(&mut engine, 1_000_000_000, Net::Sync, ETHERNET, &frame);
    assert_eq!(engine.counters().clamped, 1);
    assert_eq!(engine.now(), Timestamp::from_nanos(5_000_000_000));
}

#[test]
fn a_capture_without_addresses_is_told_as_one_node() {
    let mut engine = Engine::new(Settings::default(), 1);
    for (i, frame) in frames("golden/openbsd6.pfsync246.pcap").iter().enumerate() {
        let nanos = i64::try_from(i).unwrap() * 1_000_000;
        feed(&mut engine, nanos, Net::Sync, LinkType(246), frame);
    }
    assert_eq!(engine.node_ids().count(), 1);
    assert!(engine.counters().nodes[0].messages["INS"] > 0);
}

#[test]
fn a_frame_from_the_far_future_does_not_take_years() {
    let frame = frames("golden/openbsd6.eth.pcap").remove(0);
    let mut engine = Engine::new(Settings::default(), 1);
    feed(&mut engine, 1_790_000_000_000_000_000, Net::Sync, ETHERNET, &frame);
    let far = Timestamp::from_nanos(i64::MAX - 1);
    let mut wakes = 0;
    while engine.next_deadline() < far {
        engine.idle(engine.next_deadline());
        wakes += 1;
        assert!(wakes < 10_000, "at {}", engine.now());
    }
}
