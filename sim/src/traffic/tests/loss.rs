//! Over a wire that loses.

use super::wire::{NOTHING, SEC, Wire};
use crate::packet::{Body, flags};
use crate::site;
use crate::traffic::{Canary, Fault, Kind, Load, Mix, Probe};
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[test]
fn syns_are_repeated_after_1_2_4_seconds_then_given_up_and_tried_anew() {
    let load = Load {
        flows_per_second: 1.0,
        clients: 50,
        servers: 20,
        daily: false,
        distance: 1.0,
    };
    let mut wire = Wire::new(&load, &Mix::of(&[(Kind::WebShort, 1.0)]), &[], 1);
    wire.lose = Box::new(|_, _, _| true);
    wire.until(60 * SEC);
    wire.traffic.change(wire.now, &Fault::Load(0.0));
    wire.until(200 * SEC);
    let mut syns: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (at, p, s) in wire.segments() {
        assert_eq!(s.flags, flags::SYN, "nothing was ever answered");
        syns.entry((p.src, p.dst, s.ports)).or_default().push((at, s.seq));
    }
    let mut longest = 0;
    for times in syns.values() {
        let numbers: BTreeSet<_> = times.iter().map(|t| t.1).collect();
        assert_eq!(numbers.len(), 1, "a repetition is the same SYN");
        for (n, pair) in times.windows(2).enumerate() {
            assert_eq!(pair[1].0 - pair[0].0, SEC * (1 << n));
        }
        longest = longest.max(times.len());
    }
    assert!(
        (4..=5).contains(&longest),
        "connect timeouts end between 4 and 20 s: {longest}"
    );
    let total = wire.traffic.experience().total();
    assert_eq!(
        (total.established, total.tried as usize),
        (0, syns.len()),
        "each attempt has a port of its own"
    );
    let pairs: BTreeMap<_, u32> = syns.keys().fold(BTreeMap::new(), |mut m, k| {
        *m.entry((k.0, k.1)).or_default() += 1;
        m
    });
    assert!(pairs.values().all(|n| *n >= 2), "everybody tries again");
}

#[test]
fn a_path_that_dies_makes_established_connections_retransmit_with_growing_pauses() {
    let dead = 40 * SEC;
    let mut wire = Wire::of(Kind::BulkDown, 2.0, 2);
    wire.lose = Box::new(move |now, _, _| now >= dead);
    wire.until(dead);
    wire.traffic.change(wire.now, &Fault::Load(0.0));
    wire.until(120 * SEC);
    let mut again: BTreeMap<_, Vec<Duration>> = BTreeMap::new();
    for (at, p, s) in wire
        .segments()
        .filter(|(at, p, s)| *at > dead && s.len > 0 && !site::inside(p.src))
    {
        again.entry((p.dst, s.ports, s.seq)).or_default().push(at);
    }
    let mut long = 0;
    for times in again.values().filter(|t| t.len() > 4) {
        long += 1;
        let pauses: Vec<_> = times.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(pauses[0] >= Duration::from_millis(200), "{pauses:?}");
        assert!(
            pauses[1..].windows(2).all(|w| w[1] == (w[0] * 2).min(60 * SEC)),
            "{pauses:?}"
        );
    }
    assert!(long > 3, "{long}");
    wire.until(4000 * SEC);
    assert!(wire.traffic.experience().total().broken > 3);
    assert_eq!(wire.traffic.flows(), 0, "in the end everybody gives up");
}

#[test]
fn transfers_come_to_their_end_though_a_tenth_is_lost() {
    for kind in [
        Kind::WebShort,
        Kind::WebKeep,
        Kind::BulkDown,
        Kind::BulkUp,
        Kind::Quic,
        Kind::Dns,
        Kind::Push,
    ] {
        let mut wire = Wire::of(kind, 1.0, 3);
        wire.lose = Box::new(|_, _, dice| dice.random::<f64>() < 0.1);
        wire.until(60 * SEC);
        wire.traffic.change(wire.now, &Fault::Load(0.0));
        wire.until(20_000 * SEC);
        let total = wire.traffic.experience().total();
        let good = f64::from(total.established) / f64::from(total.tried - wire.hopeless());
        assert!(total.tried > 20 && good > 0.95, "{kind:?}: {total:?}");
        assert!(
            f64::from(total.broken) < 0.04 * f64::from(total.tried),
            "{kind:?}: {total:?}"
        );
        assert_eq!(wire.faults, Vec::<String>::new(), "{kind:?}");
        assert_eq!(wire.traffic.flows(), 0, "{kind:?}");
    }
}

#[test]
fn a_single_loss_in_a_stream_is_repaired_without_waiting_for_the_timer() {
    let mut wire = Wire::of(Kind::WebShort, 5.0, 4);
    // The fourth data segment of each response, once.
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    wire.lose = Box::new(move |_, p, _| {
        let Body::Tcp(s) = p.body else { return false };
        if s.len != 1448 || site::inside(p.src) {
            return false;
        }
        let n = counts.entry((p.dst, s.ports)).or_default();
        *n += 1;
        *n == 6
    });
    wire.until(60 * SEC);
    let mut sent: BTreeMap<_, Vec<Duration>> = BTreeMap::new();
    for (at, p, s) in wire
        .segments()
        .filter(|(_, p, s)| s.len == 1448 && !site::inside(p.src))
    {
        sent.entry((p.dst, s.ports, s.seq)).or_default().push(at);
    }
    let twice = sent.values().filter(|t| t.len() > 1).count();
    let extra: usize = sent.values().map(|t| t.len() - 1).sum();
    assert_eq!(extra, twice, "only what was lost is sent again, and once");
    let flows = sent.keys().map(|k| (k.0, k.1)).collect::<BTreeSet<_>>().len();
    assert!(twice <= flows, "one in each connection was lost: {twice} of {flows}");
    let repeats: Vec<_> = sent.values().filter(|t| t.len() > 1).map(|t| t[1] - t[0]).collect();
    let fast = repeats.iter().filter(|d| **d < Duration::from_millis(190)).count();
    // Where less than three segments follow, only the timer can.
    assert!(
        repeats.len() > 50 && fast * 3 > repeats.len(),
        "{fast} of {}",
        repeats.len()
    );
}

#[test]
fn a_resolver_that_is_lost_is_asked_again_and_then_the_other() {
    let mut wire = Wire::of(Kind::Dns, 1.0, 5);
    wire.lose = Box::new(|_, _, _| true);
    wire.until(60 * SEC);
    wire.traffic.change(wire.now, &Fault::Load(0.0));
    wire.until(100 * SEC);
    let mut asked: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (at, p) in &wire.log {
        let Body::Udp { ports, .. } = p.body else {
            panic!("{p:?}")
        };
        asked.entry((p.src, ports)).or_default().push((*at, p.dst));
    }
    for times in asked.values() {
        let [a, b, c, d] = times[..] else { panic!("{times:?}") };
        assert_eq!([b.0 - a.0, c.0 - b.0, d.0 - c.0], [SEC, 2 * SEC, 4 * SEC]);
        assert!(a.1 != b.1 && a.1 == c.1 && b.1 == d.1);
    }
    assert_eq!(wire.traffic.experience().total().failed as usize, asked.len());
}

#[test]
fn a_half_open_connection_ends_when_the_other_host_says_that_it_knows_nothing() {
    let mut wire = Wire::new(&NOTHING, &Mix::standard(), &[], 6);
    let syn_ack = crate::packet::Segment {
        ports: [443, 50_000],
        flags: flags::SYN | flags::ACK,
        seq: 7,
        ack: 8,
        window: 100,
        ..Default::default()
    };
    let talkative = (0..10).map(site::client).find(|c| {
        let mut out = Vec::new();
        let packet = crate::packet::Packet {
            src: site::server(0),
            dst: *c,
            body: Body::Tcp(syn_ack),
        };
        wire.traffic.receive(SEC, packet, &mut out);
        matches!(out[..], [p] if matches!(p.body, Body::Tcp(s) if s.flags == flags::RST && s.seq == 8))
    });
    assert!(talkative.is_some());
    // Nobody answers for an address where nobody is.
    let mut out = Vec::new();
    let packet = crate::packet::Packet {
        src: site::server(0),
        dst: site::client(500),
        body: Body::Tcp(syn_ack),
    };
    wire.traffic.receive(SEC, packet, &mut out);
    assert_eq!(out, []);
}

#[test]
fn canaries_probe_every_second_and_notice_a_dead_path() {
    let (client, server) = (site::client(700), site::INTERNET);
    let canary = |kind| Canary {
        client,
        server,
        every: SEC,
        kind,
    };
    let mut wire = Wire::new(
        &NOTHING,
        &Mix::standard(),
        &[canary(Probe::Tcp), canary(Probe::Icmp)],
        7,
    );
    wire.lose = Box::new(|now, _, _| now >= 50 * SEC);
    wire.until(50 * SEC);
    let opens: Vec<_> = wire.segments().filter(|x| x.2.flags == flags::SYN).collect();
    assert_eq!(opens.len(), 50);
    assert!(
        opens
            .windows(2)
            .all(|w| w[1].0 - w[0].0 == SEC && w[1].2.ports[0] != w[0].2.ports[0])
    );
    assert_eq!(
        wire.segments().count(),
        50 * 6,
        "SYN, SYN|ACK, ACK, FIN, ACK or FIN, .."
    );
    let pings = wire
        .log
        .iter()
        .filter(|(_, p)| matches!(p.body, Body::Echo { request: true, .. }))
        .count();
    assert_eq!(pings, 50);
    assert_eq!(wire.traffic.experience().canaries().established, 100);
    wire.until(100 * SEC);
    let probes = wire.traffic.experience().canaries();
    assert_eq!((probes.tried, probes.established), (200, 100));
    assert!(probes.failed >= 94, "{probes:?}");
    assert_eq!(wire.traffic.experience().total().tried, 0, "a canary is no user");
}

#[test]
fn who_closed_first_acknowledges_once_more_when_that_was_lost() {
    let canary = Canary {
        client: site::client(1),
        server: site::server(0),
        every: 5 * SEC,
        kind: Probe::Tcp,
    };
    let mut wire = Wire::new(&NOTHING, &Mix::standard(), &[canary], 8);
    // SYN, ACK, FIN, ACK: the last one.
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    wire.lose = Box::new(move |_, p, _| {
        let Body::Tcp(s) = p.body else { return false };
        let n = counts.entry((p.src, s.ports)).or_default();
        *n += 1;
        site::inside(p.src) && *n == 4
    });
    wire.until(100 * SEC);
    let fins = wire
        .segments()
        .filter(|(_, p, s)| s.has(flags::FIN) && !site::inside(p.src))
        .count();
    assert!((38..=40).contains(&fins), "{fins}: said twice each, and then heard");
    assert!(wire.segments().all(|(_, _, s)| !s.has(flags::RST)));
}

#[test]
fn keepalives_that_nobody_answers_end_the_connection_and_begin_another() {
    let dead = 100 * SEC;
    let mut wire = Wire::of(Kind::Keepalive, 0.1, 9);
    wire.lose = Box::new(move |now, _, _| now >= dead);
    wire.until(300 * SEC);
    let mut probes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut resets = BTreeSet::new();
    for (at, p, s) in wire
        .segments()
        .filter(|(at, p, _)| *at > dead + SEC && site::inside(p.src))
    {
        if s.flags == flags::ACK && s.len == 0 {
            probes.entry((p.src, p.dst, s.ports)).or_default().push(at);
        } else if s.has(flags::RST) {
            resets.insert((p.src, p.dst, s.ports));
        }
    }
    let whole: Vec<_> = probes.iter().filter(|(k, _)| resets.contains(k)).collect();
    assert!(whole.len() > 50, "{}", whole.len());
    for (_, times) in &whole {
        assert_eq!(times.len(), 5);
        assert!(times.windows(2).all(|w| w[1] - w[0] == 10 * SEC));
    }
    assert!(wire.traffic.experience().total().broken as usize >= whole.len());
    let anew = wire
        .segments()
        .filter(|(at, _, s)| *at > dead + 50 * SEC && s.flags == flags::SYN)
        .count();
    assert!(anew > whole.len());
}

#[test]
fn a_forged_reset_is_believed_only_with_a_number_in_the_window() {
    let mut wire = Wire::of(Kind::Push, 0.2, 10);
    wire.until(60 * SEC);
    let syn_acks: Vec<_> = wire
        .segments()
        .filter(|x| x.2.flags == flags::SYN | flags::ACK)
        .collect();
    let forge = |wire: &mut Wire, seq: u32| {
        let mut out = Vec::new();
        for (_, mut p, s) in syn_acks.clone() {
            let reset = crate::packet::Segment {
                flags: flags::RST,
                seq: s.seq.wrapping_add(seq),
                ..s
            };
            p.body = Body::Tcp(reset);
            wire.traffic.receive(wire.now, p, &mut out);
        }
        wire.traffic.experience().total().broken
    };
    assert!(syn_acks.len() > 50);
    assert_eq!(forge(&mut wire, 100_000_000), 0);
    assert_eq!(
        forge(&mut wire, u32::MAX - 5),
        0,
        "what was acknowledged is not in the window"
    );
    assert!(forge(&mut wire, 20_000) > 40);
}
