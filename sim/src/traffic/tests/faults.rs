//! Hosts that die, fall silent, vanish and attack.

use super::wire::{NOTHING, SEC, Wire};
use crate::packet::{Body, Packet, flags};
use crate::site;
use crate::traffic::people::{self, Manner};
use crate::traffic::{Fault, Kind, Load, Mix};
use std::collections::{BTreeMap, BTreeSet};

fn office(seed: u64) -> Wire {
    Wire::new(&Load::OFFICE, &Mix::standard(), &[], seed)
}

fn mute(wire: &Wire, server: usize) -> bool {
    wire.traffic
        .hosts
        .people
        .manner(people::v4(site::server(server)).unwrap())
        == Manner::Mute
}

#[test]
fn dead_servers_say_nothing_and_their_clients_retransmit() {
    for fault in [Fault::ServersDead(0.1), Fault::BusiestDead(30)] {
        let mut wire = office(1);
        wire.until(30 * SEC);
        wire.traffic.change(wire.now, &fault);
        let before = wire.log.len();
        wire.until(60 * SEC);
        let dead: BTreeSet<_> = (0..300).filter(|n| mute(&wire, *n)).map(site::server).collect();
        assert!((15..=45).contains(&dead.len()), "{fault:?}: {}", dead.len());
        let after = &wire.log[before..];
        assert!(after.iter().all(|(_, p)| !dead.contains(&p.src)), "{fault:?}");
        assert!(
            after.iter().any(|(_, p)| !site::inside(p.src)),
            "{fault:?}: the others live"
        );
        let mut syns: BTreeMap<_, u32> = BTreeMap::new();
        for (at, p, s) in wire.segments() {
            if at > 30 * SEC && s.flags == flags::SYN && dead.contains(&p.dst) {
                *syns.entry((p.src, p.dst, s.ports)).or_default() += 1;
            }
        }
        assert!(syns.values().any(|n| *n >= 3), "{fault:?}");
        let total = wire.traffic.experience().total();
        assert!(total.failed > 50, "{fault:?}: {total:?}");
        // Back again.
        let zero = if matches!(fault, Fault::ServersDead(_)) {
            Fault::ServersDead(0.0)
        } else {
            Fault::BusiestDead(0)
        };
        wire.traffic.change(wire.now, &zero);
        let before = wire.log.len();
        wire.until(70 * SEC);
        assert!(wire.log[before..].iter().any(|(_, p)| dead.contains(&p.src)));
    }
}

#[test]
fn the_busiest_server_takes_a_large_share_of_a_small_site() {
    let mut wire = Wire::new(&Load::NIGHT, &Mix::standard(), &[], 2);
    wire.until(20_000 * SEC);
    let opens: Vec<_> = wire
        .segments()
        .filter(|x| x.2.flags == flags::SYN)
        .map(|x| x.1.dst)
        .collect();
    let busiest = opens.iter().filter(|d| **d == site::server(0)).count();
    assert!(
        opens.len() > 500 && busiest * 4 > opens.len(),
        "{busiest} of {}",
        opens.len()
    );
}

#[test]
fn at_lunch_nobody_begins_anything_but_everybody_answers() {
    let mut wire = office(3);
    wire.until(60 * SEC);
    wire.traffic.change(wire.now, &Fault::Quiet(1.0));
    let tried = wire.traffic.experience().total().tried;
    let before = wire.log.len();
    wire.until(240 * SEC);
    // Only attempts that were under way: retries are dropped too.
    assert_eq!(wire.traffic.experience().total().tried, tried);
    let lunch = &wire.log[before..];
    let late = |from: u32| lunch.iter().filter(move |(at, _)| *at > from * SEC);
    assert!(late(120).any(|(_, p)| !site::inside(p.src)), "servers still push");
    assert!(late(120).any(|(_, p)| site::inside(p.src)), "and are acknowledged");
    assert!(late(120).all(|(_, p)| !matches!(p.body, Body::Tcp(s) if s.has(flags::SYN))));
    assert!(late(120).all(|(_, p)| !site::inside(p.src) || matches!(p.body, Body::Tcp(_))));
    let said = |flag| {
        let server = |p: &Packet| !site::inside(p.src) && matches!(p.body, Body::Tcp(s) if s.has(flag));
        late(120).filter(|(_, p)| server(p)).count()
    };
    assert!(said(flags::FIN) > 10 * said(flags::RST), "servers close what is idle");
    wire.traffic.change(wire.now, &Fault::Quiet(0.0));
    wire.until(260 * SEC);
    assert!(wire.traffic.experience().total().tried > tried + 100);
    assert_eq!(wire.faults, Vec::<String>::new());
}

#[test]
fn half_a_lunch_silences_half_of_the_clients() {
    let mut wire = office(4);
    wire.traffic.change(wire.now, &Fault::Quiet(0.5));
    wire.until(60 * SEC);
    let clients: BTreeSet<_> = wire
        .segments()
        .filter(|x| x.2.flags == flags::SYN)
        .map(|x| x.1.src)
        .collect();
    assert!((40..75).contains(&clients.len()), "{} of 120", clients.len());
}

#[test]
fn clients_that_are_gone_neither_say_nor_hear_anything() {
    let mut wire = office(5);
    wire.until(60 * SEC);
    wire.traffic.change(wire.now, &Fault::ClientsGone(1.0));
    let before = wire.log.len();
    wire.until(120 * SEC);
    assert!(wire.log.len() > before, "servers retransmit");
    assert!(wire.log[before..].iter().all(|(_, p)| !site::inside(p.src)));
    wire.traffic.change(wire.now, &Fault::ClientsGone(0.0));
    let before = wire.log.len();
    wire.until(180 * SEC);
    let back = &wire.log[before..];
    let resets = |p: &Packet| matches!(p.body, Body::Tcp(s) if s.flags == flags::RST);
    assert!(
        back.iter().any(|(_, p)| site::inside(p.src) && resets(p)),
        "they know nothing of what was"
    );
}

#[test]
fn a_flood_has_its_rate_and_leaves_nothing_behind() {
    let mut wire = Wire::new(&NOTHING, &Mix::standard(), &[], 6);
    wire.traffic.change(wire.now, &Fault::Flood(2_000));
    wire.until(10 * SEC);
    assert!((19_990..=20_000).contains(&wire.log.len()), "{}", wire.log.len());
    assert_eq!(wire.traffic.flows(), 0);
    let one = |f: fn(&Packet) -> std::net::IpAddr| wire.log.iter().map(|(_, p)| f(p)).collect::<BTreeSet<_>>().len();
    assert_eq!((one(|p| p.src), one(|p| p.dst)), (1, 1));
    let ports: BTreeSet<_> = wire.segments().map(|x| x.2.ports).collect();
    assert_eq!(ports.len(), wire.log.len(), "each is a new state");
    wire.traffic.change(wire.now, &Fault::Flood(0));
    wire.until(11 * SEC);
    assert!(wire.log.len() <= 20_000);
    assert_eq!(wire.traffic.experience().total().tried, 0, "an attacker is no user");
}

#[test]
fn a_forged_flood_comes_from_everywhere_and_a_scan_goes_everywhere() {
    for fault in [Fault::SpoofedFlood(1_000), Fault::Scan(1_000)] {
        let mut wire = Wire::new(&NOTHING, &Mix::standard(), &[], 7);
        wire.traffic.change(wire.now, &fault);
        wire.until(5 * SEC);
        let sent: Vec<_> = wire
            .log
            .iter()
            .filter(|(_, p)| site::inside(p.src))
            .map(|x| x.1)
            .collect();
        let from: BTreeSet<_> = sent.iter().map(|p| p.src).collect();
        let to: BTreeSet<_> = sent.iter().map(|p| p.dst).collect();
        assert!(to.len() > 1_000 && to.iter().all(|d| !site::inside(*d)), "{fault:?}");
        if matches!(fault, Fault::Scan(_)) {
            assert_eq!(from.len(), 1);
        } else {
            assert!(from.len() > 4_000, "{}", from.len());
            assert_eq!(wire.log.len(), sent.len(), "nobody answers");
        }
        assert!(wire.traffic.flows() < 60, "{}", wire.traffic.flows());
    }
}

#[test]
fn load_multiplies_the_openings() {
    let opened = |factor: f64| {
        let mut wire = Wire::new(&Load::OFFICE, &Mix::of(&[(Kind::Ntp, 1.0)]), &[], 8);
        wire.traffic.change(wire.now, &Fault::Load(factor));
        wire.until(50 * SEC);
        wire.traffic.experience().total().tried
    };
    let (one, three, none) = (opened(1.0), opened(3.0), opened(0.0));
    assert!(
        (850..1150).contains(&one) && (2700..3300).contains(&three) && none == 0,
        "{one} {three} {none}"
    );
}

#[test]
fn experience_counts_by_the_second_of_opening() {
    let mut wire = Wire::new(&Load::OFFICE, &Mix::of(&[(Kind::WebShort, 1.0)]), &[], 9);
    wire.lose = Box::new(|now, _, _| now >= 20 * SEC && now < 40 * SEC);
    wire.until(120 * SEC);
    let seconds = wire.traffic.experience().seconds();
    let sum = |range: std::ops::Range<usize>| {
        seconds[range]
            .iter()
            .fold((0, 0, 0), |(t, e, f), s| (t + s.tried, e + s.established, f + s.failed))
    };
    let (before, during, after) = (sum(0..19), sum(20..34), sum(41..90));
    assert!(before.1 * 20 > before.0 * 18, "{before:?}");
    // Who opened with more than its timeout to go felt it, who waited longer than the outage did not.
    assert!(during.2 * 10 > during.0 * 4, "{during:?}");
    assert!(after.1 * 20 > after.0 * 18, "{after:?}");
    assert!(before.0 == before.1 + before.2 && during.0 == during.1 + during.2);
}

#[test]
fn delays_are_fixed_and_the_busiest_are_near() {
    let wire = office(10);
    let all: Vec<_> = (0..300)
        .map(|n| wire.traffic.delay(site::server(n)).as_millis())
        .collect();
    assert!(all.iter().all(|d| (2..=60).contains(d)));
    assert!(all[..10].iter().all(|d| *d <= 12), "{:?}", &all[..10]);
    let far = all.iter().filter(|d| **d > 30).count();
    assert!((20..80).contains(&far), "{far}");
}

#[test]
fn who_is_at_lunch_does_not_hang_up() {
    let mut wire = Wire::of(Kind::RtpBoth, 0.5, 11);
    wire.until(40 * SEC);
    wire.traffic.change(wire.now, &Fault::Quiet(1.0));
    wire.until(100 * SEC);
    let flows = wire.traffic.flows();
    assert!(flows > 10, "{flows}");
    wire.traffic.change(wire.now, &Fault::Quiet(0.0));
    wire.until(101 * SEC);
    assert_eq!(wire.traffic.experience().total().broken, 0);
}

#[test]
fn knocking_at_dead_doors_ends_and_memory_does_not_grow_with_time() {
    let mut wire = Wire::new(&Load::BRANCH, &Mix::standard(), &[], 12);
    wire.logging = false;
    wire.traffic.change(wire.now, &Fault::ServersDead(1.0));
    let mut most = 0;
    for n in 1..=20 {
        wire.until(n * 600 * SEC);
        most = most.max(wire.traffic.flows());
    }
    assert!(most < 600, "{most}");
    wire.traffic.change(wire.now, &Fault::Load(0.0));
    wire.until(20_000 * SEC);
    assert_eq!(wire.traffic.flows(), 0);
}

#[test]
fn an_absurd_flood_is_a_flood_and_no_standstill() {
    let mut wire = Wire::new(&NOTHING, &Mix::standard(), &[], 13);
    wire.traffic.change(wire.now, &Fault::Flood(u32::MAX));
    let mut out = Vec::new();
    wire.traffic.advance(std::time::Duration::from_nanos(1000), &mut out);
    assert_eq!(out.len(), 1000);
}
