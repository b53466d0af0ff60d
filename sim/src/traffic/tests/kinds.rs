//! Over a perfect wire every kind of flow comes to its end and is forgotten.

use super::wire::{SEC, Wire};
use crate::packet::{Body, flags};
use crate::site;
use crate::traffic::{Fault, Kind, Load, Mix};
use std::time::Duration;

/// Opens for a while, then waits until all must be over.
fn play(kind: Kind, seed: u64) -> Wire {
    let mut wire = Wire::of(kind, 0.5, seed);
    // Those in the ramp live for minutes; enough of them for a picture.
    wire.until(100 * SEC);
    wire.traffic.change(wire.now, &Fault::Load(0.0));
    wire.until(20_000 * SEC);
    wire
}

#[test]
fn every_kind_comes_to_its_end() {
    for kind in Kind::ALL.into_iter().filter(|k| *k != Kind::Probe) {
        let wire = play(kind, 1);
        assert!(wire.is_clean(), "{kind:?}: something is left");
        assert_eq!(wire.faults, Vec::<String>::new(), "{kind:?}");
        let total = wire.traffic.experience().total();
        if kind == Kind::RtpOut {
            assert_eq!(total.tried, 0, "nobody waits for an answer");
            assert!(wire.log.len() > 1000);
            continue;
        }
        assert!(total.tried >= 20, "{kind:?}: {total:?}");
        assert_eq!(total.established + total.failed, total.tried, "{kind:?}: {total:?}");
        assert_eq!(total.broken, 0, "{kind:?}: {total:?}");
        if kind != Kind::Ping {
            assert_eq!(total.failed, wire.hopeless(), "{kind:?}: {total:?}");
        }
        assert!(wire.traffic.experience().last_completion().is_some(), "{kind:?}");
    }
}

#[test]
fn nothing_is_sent_twice_without_need() {
    let wire = play(Kind::BulkDown, 2);
    let down = wire.segments().filter(|(_, p, s)| s.len > 0 && !site::inside(p.src));
    let mut seen = std::collections::BTreeSet::new();
    let (mut n, mut twice) = (0, 0);
    for (_, p, s) in down {
        n += 1;
        twice += usize::from(!seen.insert((p.dst, s.ports, s.seq)));
    }
    assert!(n > 5000 && twice == 0, "{twice} of {n}");
}

#[test]
fn windows_are_scaled_only_if_both_can() {
    let load = Load {
        flows_per_second: 20.0,
        clients: 400,
        servers: 50,
        daily: false,
        distance: 1.0,
    };
    let mut wire = Wire::new(&load, &Mix::of(&[(Kind::WebShort, 1.0)]), &[], 3);
    wire.until(30 * SEC);
    let offers: Vec<_> = wire
        .segments()
        .filter(|x| x.2.flags == flags::SYN)
        .map(|x| x.2.wscale)
        .collect();
    assert!(offers.contains(&None) && offers.contains(&Some(7)) && offers.contains(&Some(8)));
    assert_eq!(wire.faults, Vec::<String>::new());
}

#[test]
fn acknowledgements_are_delayed_but_not_for_long() {
    let wire = play(Kind::BulkUp, 4);
    let data = wire
        .segments()
        .filter(|(_, p, s)| s.len > 0 && site::inside(p.src))
        .count();
    let acks = wire
        .segments()
        .filter(|(_, p, s)| s.len == 0 && !site::inside(p.src))
        .count();
    assert!(acks * 2 > data && acks * 10 < data * 9, "{acks} for {data}");
}

#[test]
fn telephones_send_at_their_pace_and_are_echoed() {
    let wire = play(Kind::RtpBoth, 5);
    let (mut to, mut from) = (0_u32, 0_u32);
    for (_, packet) in &wire.log {
        assert!(matches!(packet.body, Body::Udp { len: 172, .. }));
        if site::inside(packet.src) { to += 1 } else { from += 1 }
    }
    assert_eq!(to, from);
    let calls = wire.traffic.experience().total().tried;
    let each = to / calls;
    assert!((1000..4500).contains(&each), "{each} packets a call");
}

#[test]
fn keepalives_come_every_minute_or_so_and_are_answered() {
    let mut wire = Wire::of(Kind::Keepalive, 0.02, 6);
    wire.until(1500 * SEC);
    let (start, rest): (Vec<_>, Vec<_>) = wire.segments().partition(|(_, _, s)| s.has(flags::SYN) || s.len > 0);
    assert!(start.len() > 50 && rest.len() > 500, "{} {}", start.len(), rest.len());
    let mut last = std::collections::BTreeMap::new();
    let mut gaps = 0;
    for (at, p, s) in wire.segments().filter(|(_, p, _)| site::inside(p.src)) {
        let gap: Duration = at - last.insert((p.src, p.dst, s.ports), at).unwrap_or(at);
        assert!(gap < 62 * SEC, "{gap:?}");
        gaps += usize::from(gap > 25 * SEC);
    }
    assert!(gaps > 200, "{gaps}");
}

#[test]
fn the_same_seed_gives_the_same_packets() {
    let run = |seed| {
        let mut wire = Wire::new(&Load::OFFICE, &Mix::standard(), &[], seed);
        wire.until(20 * SEC);
        wire.log
    };
    let (a, b) = (run(7), run(7));
    assert!(a.len() > 1000 && a == b);
    assert_ne!(a, run(8));
}

#[test]
fn all_of_it_together_keeps_the_rules_and_settles() {
    let mut wire = Wire::new(&Load::OFFICE, &Mix::standard(), &[], 9);
    wire.logging = false;
    wire.until(60 * SEC);
    let (after_one, sent) = (wire.traffic.flows(), wire.sent);
    wire.until(240 * SEC);
    let after_four = wire.traffic.flows();
    assert_eq!(wire.faults, Vec::<String>::new());
    let ratio = after_four as f64 / after_one as f64;
    assert!((0.75..1.35).contains(&ratio), "{after_one} then {after_four}");
    assert!(sent > 10_000);
    let total = wire.traffic.experience().total();
    let share = f64::from(total.failed) / f64::from(total.tried);
    assert!((0.002..0.08).contains(&share), "{total:?}");
    assert_eq!(total.broken, 0, "{total:?}");
}
