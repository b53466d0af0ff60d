//! What pf lets through, and what its states look like when they are told.

use super::*;
use flags::{ACK, SYN};
use pfsync_proto::{Direction, Endpoints, StateKeys};

fn keys(state: &Wire) -> (Endpoints, Endpoints) {
    match state.keys {
        StateKeys::Pair { wire, stack } => (wire, stack),
        StateKeys::LanGwyExt { .. } => panic!("no such keys today"),
    }
}

#[test]
fn an_insert_within_the_first_second_shows_an_established_connection_and_its_counters() {
    for system in ALL {
        let mut a = node(system, 1);
        connect(&mut a, ms(100), 40001);
        assert_eq!(a.states(), 2);
        let frames = run(&mut a, ms(1500));
        assert_eq!(count(&frames, Action::Ins), 2, "{system:?}");
        assert_eq!(count(&frames, Action::UpdC), 0);
        for (at, frame) in &frames {
            assert_eq!(*at, ms(1100));
            for state in full(frame, Action::Ins) {
                assert_eq!((state.src.state, state.dst.state, state.timeout), (4, 4, 2));
                assert_eq!((state.packets, state.bytes), ([4, 2], [4 * 52 + 300, 2 * 52 + 1200]));
                assert_eq!((state.src.seqlo, state.dst.seqlo), (1301, 10_201));
                // ack + 502 << 7
                assert_eq!((state.src.seqhi, state.dst.seqhi), (1301 + 64_256, 10_201 + 64_256));
                assert_eq!((state.proto, state.key.creator), (6, CreatorId([1, 10, 10, 26])));
                assert!((86_398..=86_400).contains(&state.expire) && state.age <= 2);
                let (wire, stack) = keys(state);
                assert_eq!(wire, stack);
                let initiator = match state.direction {
                    Direction::In => 0,
                    _ => 1,
                };
                assert_eq!((wire.addr[initiator], wire.port[initiator]), (CLIENT, 40001));
            }
        }
    }
}

#[test]
fn a_blackholed_syn_is_two_to_nothing_and_repeats_without_movement() {
    for system in ALL {
        let mut a = node(system, 1);
        let mut seen = Vec::new();
        for second in [0, 1, 3, 7, 15] {
            let now = ms(second * 1000);
            let mut frames = run(&mut a, now);
            assert!(forward(&mut a, now, Side::Inside, up(40001, SYN, 0, 0, 0)).is_some());
            frames.extend(run(&mut a, now + ms(1000)));
            seen.extend(frames.into_iter().flat_map(|(_, f)| f));
        }
        let inserts = full(&seen, Action::Ins);
        assert_eq!(inserts.len(), 2);
        assert_eq!(
            (inserts[0].src.state, inserts[0].dst.state, inserts[0].timeout),
            (2, 0, 0)
        );
        assert_eq!((inserts[0].packets, inserts[0].dst.seqlo), ([1, 0], 0));
        let updates = compressed(&seen);
        assert_eq!(updates.len(), 8, "{system:?}");
        for update in updates {
            assert_eq!((update.src.state, update.dst.state, update.timeout), (2, 0, 1));
            assert_eq!((update.src.seqlo, update.dst.seqlo), (1001, 0));
        }
    }
}

#[test]
fn udp_walks_from_one_way_to_both_ways() {
    let mut a = node(System::OpenBsd, 1);
    let mut steps = Vec::new();
    for (second, from) in [(0, CLIENT), (2, SERVER), (4, CLIENT), (6, SERVER)] {
        let now = ms(second * 1000);
        run(&mut a, now);
        let packet = if from == CLIENT {
            udp(CLIENT, SERVER, [5000, 53])
        } else {
            udp(SERVER, CLIENT, [53, 5000])
        };
        let side = if from == CLIENT { Side::Inside } else { Side::Outside };
        assert!(forward(&mut a, now, side, packet).is_some());
        for (_, frame) in run(&mut a, now + ms(1500)) {
            steps.extend(
                full(&frame, Action::Ins)
                    .iter()
                    .map(|s| (s.src.state, s.dst.state, s.timeout)),
            );
            steps.extend(compressed(&frame).iter().map(|s| (s.src.state, s.dst.state, s.timeout)));
        }
    }
    let each = [(1, 0, 6), (2, 1, 7), (2, 2, 8), (2, 2, 8)];
    assert_eq!(steps, each.map(|s| [s, s]).concat());
}

#[test]
fn pings_have_no_states_but_a_timeout_that_tells_of_the_answer() {
    for (system, ports) in [
        (System::OpenBsd, [77, 8]),
        (System::FreeBsd(Dialect::FreeBsd1301), [77, 77]),
    ] {
        let mut a = node(system, 1);
        assert!(forward(&mut a, ms(0), Side::Inside, echo(CLIENT, SERVER, true, 77)).is_some());
        let answer = echo(SERVER, CLIENT, false, 77);
        assert_eq!(forward(&mut a, ms(30), Side::Outside, answer), Some(answer));
        let frames = run(&mut a, ms(2000));
        let states: Vec<_> = frames.iter().flat_map(|(_, f)| full(f, Action::Ins)).collect();
        assert_eq!(states.len(), 2);
        for state in states {
            assert_eq!((state.src.state, state.dst.state, state.timeout), (0, 0, 10));
            assert_eq!((state.packets, state.proto), ([1, 1], 1));
            if state.direction == Direction::In {
                assert_eq!(keys(state).0.port, ports);
            }
        }
        assert_eq!(
            forward(&mut a, ms(2000), Side::Outside, echo(SERVER, CLIENT, false, 78)),
            None,
            "an answer that nobody asked for"
        );
    }
}

#[test]
fn without_a_state_only_what_opens_a_flow_from_inside_passes() {
    let mut a = node(System::OpenBsd, 1);
    let own = crate::site::address(crate::site::Net::Wan, 1);
    assert_eq!(a.input(ms(0), Side::Inside, up(1, ACK, 1, 1, 10)), None);
    assert_eq!(a.input(ms(0), Side::Inside, up(1, SYN | ACK, 0, 1, 0)), None);
    assert_eq!(a.input(ms(0), Side::Outside, down(1, ACK, 1, 1, 10)), None);
    assert_eq!(a.input(ms(0), Side::Outside, udp(SERVER, CLIENT, [53, 9])), None);
    assert_eq!(a.states(), 0);
    assert!(a.input(ms(0), Side::Outside, udp(SERVER, own, [53, 9])).is_some());
    assert!(a.input(ms(0), Side::Outside, echo(SERVER, own, true, 5)).is_some());
    assert_eq!(a.states(), 2);
    // The node answers: the same states, the other way.
    assert!(a.output(ms(1), Side::Outside, echo(own, SERVER, false, 5)).is_some());
    assert_eq!(a.states(), 2);
    let carp = Packet {
        src: own,
        dst: own,
        body: Body::Other { proto: 112, len: 36 },
    };
    assert_eq!(a.input(ms(0), Side::Outside, carp), Some(carp));
    assert_eq!(a.states(), 2);
}

#[test]
fn translation_changes_what_leaves_and_is_undone_for_what_returns() {
    for system in ALL {
        let nat = Some(Nat { to: OUTSIDE, one_in: 1 });
        let mut a = Firewall::new(Config {
            nat,
            ..config(system, 1)
        });
        let out = forward(&mut a, ms(0), Side::Inside, up(40001, SYN, 0, 0, 0)).unwrap();
        let Body::Tcp(syn) = out.body else { panic!() };
        assert_eq!((out.src, out.dst, syn.ports[1]), (OUTSIDE, SERVER, 443));
        assert!(syn.ports[0] > 50_000);
        let reply = tcp(SERVER, OUTSIDE, segment([443, syn.ports[0]], SYN | ACK, 9000, 1001, 0));
        let back = forward(&mut a, ms(5), Side::Outside, reply).unwrap();
        assert_eq!(back, down(40001, SYN | ACK, 0, 1, 0));
        let request = echo(CLIENT, SERVER, true, 3);
        let out = forward(&mut a, ms(6), Side::Inside, request).unwrap();
        let Body::Echo { id, .. } = out.body else { panic!() };
        assert!(out.src == OUTSIDE && id > 50_000);
        let back = forward(&mut a, ms(9), Side::Outside, echo(SERVER, OUTSIDE, false, id)).unwrap();
        assert_eq!(back, echo(SERVER, CLIENT, false, 3));

        let frames = run(&mut a, ms(1500));
        let states: Vec<_> = frames.iter().flat_map(|(_, f)| full(f, Action::Ins)).collect();
        let state = states
            .iter()
            .find(|s| s.direction == Direction::Out && s.proto == 6)
            .unwrap();
        let (wire, stack) = keys(state);
        assert_eq!((wire.addr, wire.port), ([SERVER, OUTSIDE], [443, syn.ports[0]]));
        assert_eq!((stack.addr, stack.port), ([SERVER, CLIENT], [443, 40001]));
        assert_eq!(state.nat_rule.is_some(), system != System::OpenBsd);
    }
}

#[test]
fn a_third_of_the_clients_is_about_a_third() {
    let nat = Nat { to: OUTSIDE, one_in: 3 };
    let covered = (0..3000).filter(|n| nat.covers(crate::site::client(*n))).count();
    assert!((900..1100).contains(&covered), "{covered}");
}

#[test]
fn the_same_ports_after_a_close_need_two_syns() {
    let mut a = node(System::OpenBsd, 1);
    close(&mut a, ms(0), 40001);
    let first = run(&mut a, ms(2000));
    assert_eq!(count(&first, Action::Ins), 2);
    let again = up(40001, SYN, 500_000, 0, 0);
    // One for the in-state, one for the out-state behind it.
    assert_eq!(forward(&mut a, ms(3000), Side::Inside, again), None);
    assert_eq!(forward(&mut a, ms(4000), Side::Inside, again), None);
    assert!(forward(&mut a, ms(6000), Side::Inside, again).is_some());
    let second = run(&mut a, ms(8000));
    assert_eq!(count(&second, Action::DelC), 2);
    assert_eq!(count(&second, Action::Ins), 2);
}
