//! Two nodes: what one learns from the other, and what they say to each other about it.

use super::*;
use flags::{ACK, SYN};

fn pair(system: System) -> (Firewall, Firewall) {
    (node(system, 1), node(system, 2))
}

fn by(said: &[(Time, u8, Vec<Said>)], node: u8) -> Vec<Said> {
    said.iter()
        .filter(|(_, from, _)| *from == node)
        .flat_map(|(_, _, frame)| frame.clone())
        .collect()
}

#[test]
fn a_connection_goes_on_through_the_other_node_and_is_told_at_once() {
    for system in ALL {
        let nat = Some(Nat { to: OUTSIDE, one_in: 1 });
        let mut a = Firewall::new(Config {
            nat,
            ..config(system, 1)
        });
        let mut b = Firewall::new(Config {
            nat,
            ..config(system, 2)
        });
        let out = forward(&mut a, ms(0), Side::Inside, up(40001, SYN, 0, 0, 0)).unwrap();
        let Body::Tcp(syn) = out.body else { panic!() };
        let said = run_pair(&mut a, &mut b, ms(5000));
        assert_eq!(by(&said, 2), [], "a backup that learns has nothing to say");
        assert_eq!(b.states(), 2);
        // The reply enters the other node: the state is found by its tuple, whoever made it.
        let reply = tcp(SERVER, OUTSIDE, segment([443, syn.ports[0]], SYN | ACK, 9000, 1001, 0));
        let back = forward(&mut b, ms(5000), Side::Outside, reply);
        assert_eq!(back, Some(down(40001, SYN | ACK, 0, 1, 0)));
        // Imported 4 s ago: no hurry yet.
        assert_eq!(sent(&mut b).len(), 0);
        let said = run_pair(&mut a, &mut b, ms(6000));
        let updates = by(&said, 2);
        assert_eq!(compressed(&updates).len(), 2);
        for update in compressed(&updates) {
            assert_eq!((update.src.state, update.dst.state), (4, 2));
            assert_eq!(update.key.creator, CreatorId([1, 10, 10, 26]));
        }
        // The first node was just told, so it tells at once what it sees now.
        assert!(forward(&mut a, ms(6100), Side::Inside, up(40001, ACK, 1, 1, 0)).is_some());
        let at_once = sent(&mut a);
        assert_eq!(at_once.iter().flatten().count(), 2, "{system:?}");
        assert_eq!(compressed(&at_once[0])[0].dst.state, 4);
    }
}

#[test]
fn counters_begin_anew_on_the_other_node() {
    let (mut a, mut b) = pair(System::OpenBsd);
    connect(&mut a, ms(0), 40001);
    run_pair(&mut a, &mut b, ms(5000));
    assert!(forward(&mut b, ms(5000), Side::Inside, up(40001, ACK, 301, 1201, 0)).is_some());
    b.receive(ms(5001), &ask_for(&b));
    let said: Vec<Said> = sent(&mut b).concat();
    let state = full(&said, Action::Upd)[0];
    assert_eq!((state.packets[0] + state.packets[1], state.src.state), (1, 4));
    assert!(state.age >= 4, "the age is taken over");
}

/// A request for the first state of a node.
fn ask_for(node: &Firewall) -> Vec<u8> {
    let key = node.table.get(0).unwrap().key;
    let mut buffer = [0; 100];
    let dialect = node.config.system.dialect();
    let mut writer = pfsync_proto::PacketWriter::new(&mut buffer, dialect, [0; 16]).unwrap();
    writer.section(Action::UpdReq).unwrap();
    writer.push(&Message::UpdReq(key)).unwrap();
    let len = writer.finish();
    buffer[..len].to_vec()
}

#[test]
fn whoever_is_behind_is_answered_with_what_is_known() {
    for system in ALL {
        let (mut a, mut b) = pair(system);
        connect(&mut a, ms(0), 40001);
        run_pair(&mut a, &mut b, ms(3000));
        // The first node goes on, and what it says is lost.
        for _ in 0..2 {
            let more = up(40001, ACK, 301, 1201, 800);
            assert!(forward(&mut a, ms(4000), Side::Inside, more).is_some());
            let ack = down(40001, ACK, 1201, 1101, 0);
            assert!(forward(&mut a, ms(4001), Side::Outside, ack).is_some());
        }
        assert!(!run(&mut a, ms(9000)).is_empty());
        // The second sees a late retransmission and tells of its old knowledge.
        let old = up(40001, ACK, 1, 1, 300);
        assert!(forward(&mut b, ms(9000), Side::Inside, old).is_some());
        run(&mut b, ms(9100));
        b.advance(ms(10_100));
        let payloads: Vec<_> = std::iter::from_fn(|| b.poll()).collect();
        assert!(!payloads.is_empty());
        for payload in &payloads {
            a.receive(ms(10_100), payload);
        }
        let answer: Vec<Said> = sent(&mut a).concat();
        let updates = compressed(&answer);
        assert_eq!(updates.len(), 2, "{system:?}");
        for update in updates {
            assert_eq!((update.src.seqlo, update.src.state), (2101, 4));
        }
    }
}

#[test]
fn freebsd_takes_back_a_responder_that_openbsd_defends() {
    for (system, goes_back) in [(System::OpenBsd, false), (System::FreeBsd(Dialect::FreeBsd1400), true)] {
        let (mut a, mut b) = pair(system);
        connect(&mut a, ms(0), 40001);
        run_pair(&mut a, &mut b, ms(3000));
        let data = down(40001, ACK, 1201, 301, 700);
        assert!(forward(&mut a, ms(4000), Side::Outside, data).is_some());
        run(&mut a, ms(9000));
        let key = a.table.get(0).unwrap().key;
        assert_eq!(a.table.get(0).unwrap().dst.seqlo, 10_901);
        assert!(forward(&mut b, ms(9000), Side::Inside, up(40001, ACK, 1, 1, 300)).is_some());
        b.advance(ms(10_100));
        while let Some(payload) = b.poll() {
            a.receive(ms(10_100), &payload);
        }
        let answer: Vec<Said> = sent(&mut a).concat();
        let told = compressed(&answer).into_iter().find(|u| u.key == key).unwrap();
        assert_eq!(told.dst.seqlo, if goes_back { 10_201 } else { 10_901 }, "{system:?}");
    }
}

#[test]
fn an_update_for_an_unknown_state_is_asked_about_and_answered_in_full() {
    for system in ALL {
        let (mut a, mut b) = pair(system);
        connect(&mut a, ms(0), 40001);
        // The inserts are lost.
        run(&mut a, ms(5000));
        assert!(forward(&mut a, ms(5000), Side::Inside, up(40001, ACK, 301, 1201, 10)).is_some());
        let said = run_pair(&mut a, &mut b, ms(6000));
        if system == System::FreeBsd(Dialect::FreeBsd1301) {
            // The request waits in the first bucket until that is flushed for another reason.
            assert_eq!(by(&said, 2), []);
            for n in 0..4 {
                assert!(b.input(ms(6000), Side::Inside, udp(CLIENT, SERVER, [n, 53])).is_some());
            }
            run_pair(&mut a, &mut b, ms(7000));
            assert_eq!(b.states(), 4, "the timer of a bucket that is not empty is not started");
            for n in 0..20 {
                assert!(
                    b.input(ms(7000), Side::Inside, udp(CLIENT, SERVER, [100 + n, 53]))
                        .is_some()
                );
            }
            run_pair(&mut a, &mut b, ms(8500));
            assert_eq!(b.states(), 26);
        } else {
            let asked = by(&said, 2);
            assert_eq!(actions(&asked)[0], Action::UpdReq);
            assert_eq!(full(&by(&said, 1), Action::Upd).len(), 2);
            assert_eq!(b.states(), 2, "{system:?}");
        }
    }
}

#[test]
fn imported_states_expire_and_are_told_of_by_both() {
    let (mut a, mut b) = pair(System::OpenBsd);
    assert!(forward(&mut a, ms(0), Side::Inside, udp(CLIENT, SERVER, [9, 53])).is_some());
    let mut payloads = Vec::new();
    a.advance(ms(1000));
    payloads.extend(std::iter::from_fn(|| a.poll()));
    for payload in &payloads {
        b.receive(ms(1000), payload);
    }
    assert_eq!(b.states(), 2);
    let alone = run(&mut b, ms(90_000));
    assert_eq!(count(&alone, Action::DelC), 2);
    // Together, whoever is first spares the other the trouble.
    let (mut a, mut b) = pair(System::OpenBsd);
    assert!(forward(&mut a, ms(0), Side::Inside, udp(CLIENT, SERVER, [9, 53])).is_some());
    let said = run_pair(&mut a, &mut b, ms(90_000));
    let gone = said
        .iter()
        .flat_map(|(_, _, f)| f)
        .filter(|(a, _)| *a == Action::DelC)
        .count();
    assert!((2..=4).contains(&gone), "{gone}");
    assert_eq!((a.states(), b.states()), (0, 0));
}

#[test]
fn a_delete_is_taken_over_without_a_word() {
    for system in ALL {
        let (mut a, mut b) = pair(system);
        close(&mut a, ms(0), 40001);
        run_pair(&mut a, &mut b, ms(3000));
        assert_eq!(b.states(), 2);
        let again = up(40001, SYN, 90_000, 0, 0);
        assert_eq!(forward(&mut a, ms(4000), Side::Inside, again), None);
        let said = run_pair(&mut a, &mut b, ms(6000));
        assert_eq!(actions(&by(&said, 1)), [Action::DelC]);
        assert_eq!(by(&said, 2), []);
        assert_eq!((a.states(), b.states()), (1, 1), "{system:?}");
    }
}

#[test]
fn a_cleared_node_takes_its_own_states_from_the_other() {
    for system in ALL {
        let (mut a, mut b) = pair(system);
        connect(&mut a, ms(0), 40001);
        connect(&mut b, ms(0), 40002);
        run_pair(&mut a, &mut b, ms(3000));
        assert_eq!((a.states(), b.states()), (4, 4));
        a.clear(ms(3000));
        let said = exchange(&mut a, &mut b, ms(3000));
        assert_eq!(actions(&said[0].2), [Action::Clr]);
        assert_eq!((a.states(), b.states()), (0, 2), "{system:?}");
    }
}

#[test]
fn a_first_packet_waits_for_the_acknowledgement_or_for_20_ms() {
    for system in ALL {
        let deferring = |n| {
            Firewall::new(Config {
                defer: true,
                ..config(system, n)
            })
        };
        let (mut a, mut b) = (deferring(1), deferring(2));
        assert_eq!(forward(&mut a, ms(0), Side::Inside, up(40001, SYN, 0, 0, 0)), None);
        assert_eq!(a.release(), None);
        let said = exchange(&mut a, &mut b, ms(1));
        let inserts = by(&said, 1);
        let flagged = full(&inserts, Action::Ins);
        assert!(flagged.iter().any(|s| s.state_flags == 0x10 && s.packets == [1, 0]));
        assert_eq!(actions(&by(&said, 2)), [Action::InsAck], "{system:?}");
        assert_eq!(a.release(), Some((Side::Outside, up(40001, SYN, 0, 0, 0))));
        assert_eq!(a.release(), None);
        // Nobody answers.
        assert_eq!(forward(&mut a, ms(5000), Side::Inside, up(40002, SYN, 0, 0, 0)), None);
        sent(&mut a);
        assert!(a.next_deadline().unwrap() <= ms(5020));
        run(&mut a, ms(5019));
        assert_eq!(a.release(), None);
        a.advance(ms(5020));
        assert_eq!(a.release(), Some((Side::Outside, up(40002, SYN, 0, 0, 0))));
    }
}

#[test]
fn an_older_freebsd_loses_what_it_does_not_know_and_keeps_asking() {
    let mut a = node(System::FreeBsd(Dialect::FreeBsd1500), 1);
    let mut b = node(System::FreeBsd(Dialect::FreeBsd1301), 2);
    connect(&mut a, ms(0), 40001);
    run_pair(&mut a, &mut b, ms(3000));
    assert_eq!(b.states(), 0);
    // The newer understands the older.
    connect(&mut b, ms(3000), 40002);
    run_pair(&mut a, &mut b, ms(6000));
    assert_eq!(a.states(), 4);
    let mut c = node(System::OpenBsd, 3);
    connect(&mut a, ms(6000), 40003);
    run_pair(&mut a, &mut c, ms(8000));
    assert_eq!(c.states(), 0, "another version");
}

#[test]
fn the_same_packets_give_the_same_octets() {
    let story = || {
        let nat = Some(Nat { to: OUTSIDE, one_in: 2 });
        let mut a = Firewall::new(Config {
            nat,
            ..config(System::OpenBsd, 1)
        });
        let mut octets = Vec::new();
        for n in 0..2000_u16 {
            let now = ms(u64::from(n) * 7);
            a.advance(now);
            let client = crate::site::client(usize::from(n % 50));
            let packet = udp(client, SERVER, [n % 300, 53]);
            forward(&mut a, now, Side::Inside, packet);
            octets.extend(std::iter::from_fn(|| a.poll()).flatten());
        }
        octets
    };
    assert_eq!(story(), story());
}
