//! What the scenarios after reports are said to hold.

use super::*;
use crate::frame::{CARP, PFSYNC};
use crate::site::Net;
use pfsync_proto::{Carp, Message, Packet, State, StateKeys};
use std::net::IpAddr;

const NETS: [Net; 2] = [Net::Lan, Net::Wan];

fn built(name: &str, seed: u64) -> (Setup, crate::truth::Truth) {
    Scenario::find(name).unwrap().build(LoadName::Office, seed)
}

/// Frames of a protocol: when, where, by which node, octets.
fn frames(heard: &[Heard], proto: u8) -> impl Iterator<Item = (Time, Net, usize, &[u8])> {
    heard.iter().filter_map(move |h| match h {
        Heard::Frame { at, net, octets } if octets[23] == proto => {
            let first = if *net == Net::Sync { 1 } else { 2 };
            Some((*at, *net, usize::from(octets[29] - first), octets.as_slice()))
        }
        _ => None,
    })
}

/// When a node advertised on a network.
fn ads(heard: &[Heard], net: Net, node: usize) -> Vec<Time> {
    let all = frames(heard, CARP).filter(|(_, n, by, _)| (*n, *by) == (net, node));
    all.map(|(at, ..)| at).collect()
}

fn run(setup: Setup) -> (World, Vec<Heard>) {
    let mut world = World::new(setup);
    let heard = std::iter::from_fn(|| world.next()).collect();
    (world, heard)
}

/// Share of what was opened between these times that was answered.
fn answered(world: &World, from: Time, to: Time) -> f64 {
    let all = (0..).map(Time::from_secs).zip(world.experience().seconds());
    let inside = all.filter(|(at, _)| (from..to).contains(at));
    let (tried, answered) = inside.fold((0, 0), |(t, a), (_, s)| (t + s.tried, a + s.established));
    f64::from(answered) / f64::from(tried)
}

#[test]
fn at_boot_both_advertise_at_once_and_yield_once_or_twice_on_one_segment_or_both() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..=24 {
        let (setup, truth) = Scenario::find("boot-tie").unwrap().build(LoadName::Branch, seed);
        assert!(truth.outages.is_empty() && truth.actions.is_empty());
        let (world, heard) = run(setup.lasting(Time::from_secs(100)));
        let ties = NETS.map(|net| {
            let [first, second] = [0, 1].map(|node| ads(&heard, net, node));
            for (tie, at) in second.iter().zip(&first) {
                assert!(tie.abs_diff(*at) < Time::from_millis(60), "{seed}: {tie:?} is no tie");
            }
            // It yielded, too: its next advertisement came after three intervals.
            assert!(second.is_empty() || first[1] - first[0] > Time::from_secs(3), "{seed}");
            assert_eq!(world.masters(net, 1), [0], "{seed}");
            second.len()
        });
        let demoted = frames(&heard, CARP).take(2).all(|(.., octets)| {
            let ad = Carp::decode(&octets[34..70]).unwrap();
            ad.advskew == 240 || ad.demote >= 128
        });
        assert!(demoted, "{seed}");
        seen.insert(ties);
    }
    let wanted = [[0, 1], [0, 2], [1, 0], [1, 1], [2, 0], [2, 2]];
    assert_eq!(seen, wanted.into());
}

#[test]
fn who_won_at_boot_is_master_of_both_when_it_dies() {
    for seed in 1..=8 {
        let (setup, truth) = built("boot-crash", seed);
        let outage = truth.outages[0];
        assert!(outage.from < Time::from_secs(80), "{:?}", outage.from);
        let mut world = World::new(setup);
        while world.next().is_some_and(|h| h.at() < outage.from - SECOND / 2) {}
        for net in NETS {
            assert_eq!(world.masters(net, 1), [0], "{seed}");
        }
    }
}

#[test]
fn both_are_masters_of_one_segment_at_their_own_paces_and_traffic_mostly_flows() {
    for (name, net, other) in [
        ("two-masters", Net::Lan, Net::Wan),
        ("two-masters-outside", Net::Wan, Net::Lan),
    ] {
        for seed in [1, 2] {
            let (setup, truth) = built(name, seed);
            let two = truth.two_masters[0];
            assert_eq!((two.net, truth.outages.len()), (net, 0));
            let (mut world, mut heard) = (World::new(setup), Vec::new());
            while let Some(h) = world.next().filter(|h| h.at() < two.to) {
                heard.push(h);
            }
            let middle = |node, net| {
                let all = ads(&heard, net, node).into_iter();
                all.filter(|at| *at > two.from + 5 * SECOND).count()
            };
            let length = (two.to - two.from - 5 * SECOND).as_secs_f64();
            for (node, interval) in [(0, 1.0 + 10.0 / 256.0), (1, 1.0 + 100.0 / 256.0)] {
                let wanted = length / interval;
                assert!((middle(node, net) as f64 - wanted).abs() < 2.0, "{name} {seed}: {node}");
            }
            assert_eq!(middle(1, other), 0, "{name} {seed}");
            let share = answered(&world, two.from + 4 * SECOND, two.to - 5 * SECOND);
            assert!(share > 0.7, "{name} {seed}: {share}");
            // It ends when it is heard again.
            while world.next().is_some() {}
            assert_eq!(world.masters(net, 1), [0]);
        }
    }
}

#[test]
fn reflected_advertisements_come_back_to_their_sender_as_they_were() {
    let (setup, _) = built("carp-reflected", 1);
    let end = setup.length;
    let span = setup.faults[0].0..setup.faults[3].0;
    for (vantage, copies) in [(None, 2), (Some(0), 2), (Some(1), 1)] {
        let (world, heard) = run(Setup {
            vantage,
            ..setup.clone()
        });
        let mut last: Option<(Time, &[u8])> = None;
        let mut pairs = 0;
        let mut all = 0;
        let inside = frames(&heard, CARP).filter(|(at, net, ..)| *net == Net::Lan && span.contains(at));
        for (at, _, _, octets) in inside {
            all += 1;
            if last.is_some_and(|(before, first)| first == octets && at - before < Time::from_millis(1)) {
                pairs += 1;
            }
            last = Some((at, octets));
        }
        assert_eq!(pairs * 2, if copies == 2 { all } else { 0 }, "{vantage:?}");
        assert!(all > 20 * copies, "{vantage:?}: {all}");
        assert_eq!((world.masters(Net::Lan, 1), world.now() <= end), (vec![0], true));
    }
}

/// All full states on the sync net, from a time on.
fn states(heard: &[Heard], from: Time) -> Vec<State> {
    let mut states = Vec::new();
    for (.., octets) in frames(heard, PFSYNC).filter(|(at, ..)| *at > from) {
        let total = 14 + usize::from(u16::from_be_bytes([octets[16], octets[17]]));
        for section in Packet::new_checked(&octets[34..total]).unwrap().sections() {
            for message in section.unwrap().messages() {
                if let Message::State(state) = message.message {
                    states.push(state);
                }
            }
        }
    }
    states
}

#[test]
fn a_proxy_answers_while_the_port_is_dead_and_its_states_are_told_as_a_kernel_does() {
    for (name, own) in [
        ("proxy-outside-port-dead", false),
        ("own-proxy-outside-port-dead", true),
    ] {
        for seed in [1, 2, 3, 7] {
            let (setup, truth) = built(name, seed);
            let proxy: IpAddr = setup.proxy.unwrap().address(0);
            assert_eq!(proxy == IpAddr::from([127, 0, 0, 1]), !own);
            let dead = truth.outages[0].from;
            let setup = setup.lasting(dead + 20 * SECOND);
            let (_, heard) = run(setup);
            let (mut ended, mut passed) = (0, 0);
            for state in states(&heard, dead + 2 * SECOND) {
                let StateKeys::Pair { wire, stack } = state.keys else {
                    continue;
                };
                if wire.port[1] != 80 {
                    continue;
                }
                assert_eq!(
                    (stack.addr, stack.port[1]),
                    ([wire.addr[0], proxy], 3128),
                    "{name} {seed}"
                );
                assert_eq!(state.direction, pfsync_proto::Direction::In, "none leaves");
                ended += 1;
                passed += usize::from(state.packets[1] > 0 || state.dst.state >= 4);
            }
            assert!(ended > 50 && passed * 2 > ended, "{name} {seed}: {passed} of {ended}");
        }
    }
}

#[test]
fn a_proxy_that_hangs_answers_nobody_and_the_others_are_served() {
    let (setup, truth) = built("proxy-hangs", 1);
    assert!(truth.outages.is_empty());
    let (from, to) = (setup.faults[0].0, setup.faults[1].0);
    let (world, heard) = run(setup);
    let share = answered(&world, from + 2 * SECOND, to - 2 * SECOND);
    assert!((0.3..0.75).contains(&share), "{share}");
    assert!(states(&heard, Time::ZERO).len() > 100);
}
