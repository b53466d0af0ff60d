//! A node that comes up and wants to know everything.

use super::*;
use pfsync_proto::{BusStatus, Key};

/// A node that has been busy: 60 states and nothing pending.
fn busy(system: System) -> Firewall {
    let mut a = node(system, 1);
    for port in 0..30 {
        connect(&mut a, ms(0), 40_000 + port);
    }
    run(&mut a, ms(5000));
    assert_eq!(a.states(), 60);
    a
}

/// Delivers until nothing is left to say before `end`.
fn talk(a: &mut Firewall, b: &mut Firewall, end: Time) -> Vec<(Time, u8, Vec<Said>)> {
    run_pair(a, b, end)
}

fn statuses(said: &[(Time, u8, Vec<Said>)]) -> Vec<(u8, BusStatus)> {
    let mut all = Vec::new();
    for (_, from, frame) in said {
        for (_, message) in frame {
            if let Message::Bus(bus) = message {
                all.push((*from, bus.status));
            }
        }
    }
    all
}

#[test]
fn openbsd_tells_everything_at_its_pace() {
    let (mut a, mut b) = (busy(System::OpenBsd), node(System::OpenBsd, 2));
    b.request_bulk(ms(6000));
    assert!(b.bulk_pending());
    let said = talk(&mut a, &mut b, ms(9000));
    assert_eq!(said[0].2, [(Action::UpdReq, Message::UpdReq(Key::default()))]);
    assert_eq!(statuses(&said), [(1, BusStatus::Start), (1, BusStatus::End)]);
    let frames: Vec<_> = said.iter().filter(|(_, from, _)| *from == 1).collect();
    assert_eq!(frames.len(), 12, "five states a frame");
    assert_eq!(actions(&frames[0].2), [Action::Bus, Action::Upd]);
    assert_eq!(actions(&frames[11].2), [Action::Upd, Action::Bus]);
    assert!(frames.windows(2).all(|w| w[1].0 - w[0].0 == ms(20)));
    assert_eq!(b.states(), 60);
    assert!(!b.bulk_pending());
}

#[test]
fn freebsd_tells_everything_in_ticks_once_it_hears_the_request() {
    for system in &ALL[1..] {
        let (mut a, mut b) = (busy(*system), node(*system, 2));
        b.request_bulk(ms(6000));
        let mut said = talk(&mut a, &mut b, ms(8000));
        let own = if *system == System::FreeBsd(Dialect::FreeBsd1301) {
            assert!(said.is_empty(), "the request waits for company: {said:?}");
            // Some traffic of its own fills the bucket that the request is in.
            for n in 0..40 {
                assert!(b.input(ms(8000), Side::Inside, udp(CLIENT, SERVER, [n, 53])).is_some());
            }
            said = talk(&mut a, &mut b, ms(9500));
            40
        } else {
            0
        };
        assert_eq!(
            statuses(&said),
            [(1, BusStatus::Start), (1, BusStatus::End)],
            "{system:?}"
        );
        assert_eq!(b.states(), 60 + own, "{system:?}");
        assert!(!b.bulk_pending());
        let updates: Vec<_> = said
            .iter()
            .filter(|(_, from, _)| *from == 1)
            .flat_map(|(_, _, f)| full(f, Action::Upd))
            .filter(|s| s.proto == 6)
            .collect();
        assert!(updates.len() >= 60);
        assert!(updates.iter().all(|s| (s.src.state, s.dst.state) == (4, 4)));
    }
}

#[test]
fn nobody_answers_and_the_request_is_given_up() {
    let mut b = node(System::OpenBsd, 2);
    b.request_bulk(ms(1000));
    let frames = run(&mut b, ms(24_999));
    assert_eq!(count(&frames, Action::UpdReq), 12);
    assert!(b.bulk_pending());
    run(&mut b, ms(25_000));
    assert!(!b.bulk_pending());
    let mut b = node(System::FreeBsd(Dialect::FreeBsd1400), 2);
    b.request_bulk(ms(1000));
    run(&mut b, ms(65_999));
    assert!(b.bulk_pending());
    run(&mut b, ms(66_000));
    assert!(!b.bulk_pending());
}

#[test]
fn the_end_of_an_empty_table_does_not_satisfy_openbsd() {
    let (mut a, mut b) = (node(System::OpenBsd, 1), node(System::OpenBsd, 2));
    b.request_bulk(ms(0));
    let said = talk(&mut a, &mut b, ms(1000));
    assert_eq!(statuses(&said), [(1, BusStatus::End)]);
    assert!(b.bulk_pending());
    talk(&mut a, &mut b, ms(30_000));
    assert!(!b.bulk_pending());
}
