//! When a node speaks, and in which order.

use super::*;
use flags::{ACK, SYN};

/// A steady conversation: data from the client, acknowledged, every `every` ms.
fn chatter(firewall: &mut Firewall, port: u16, from: u64, to: u64, every: u64) -> Vec<(Time, Vec<Said>)> {
    let mut all = Vec::new();
    let (mut now, mut seq) = (from, 301);
    while now < to {
        all.extend(run(firewall, ms(now)));
        for (side, packet) in [
            (Side::Inside, up(port, ACK, seq, 1201, 10)),
            (Side::Outside, down(port, ACK, 1201, seq + 10, 0)),
        ] {
            assert!(forward(firewall, ms(now), side, packet).is_some());
        }
        all.extend(sent(firewall).into_iter().map(|f| (ms(now), f)));
        (now, seq) = (now + every, seq + 10);
    }
    all
}

#[test]
fn a_steady_flow_is_told_once_a_second() {
    for system in ALL {
        let mut a = node(system, 1);
        connect(&mut a, ms(0), 40001);
        run(&mut a, ms(5000));
        let mut frames = chatter(&mut a, 40001, 5000, 15_000, 100);
        frames.extend(run(&mut a, ms(17_000)));
        // Ten seconds, or nine: each begins with the first packet after the flush.
        let updates = count(&frames, Action::UpdC);
        assert!((18..=20).contains(&updates), "{system:?} {updates}");
        for (_, frame) in &frames {
            assert_eq!(actions(frame), [Action::UpdC]);
        }
        // OpenBSD: both states of an untranslated flow are in one slice.
        let together = frames.iter().filter(|(_, f)| f.len() == 2).count();
        assert_eq!(together > 0, system == System::OpenBsd);
        assert!(
            frames
                .windows(2)
                .all(|w| w[0].0 == w[1].0 || w[1].0 - w[0].0 >= ms(1000)),
            "{system:?}"
        );
    }
}

#[test]
fn the_hundred_and_twenty_eighth_further_packet_flushes_at_once() {
    for system in ALL {
        let mut a = node(system, 1);
        connect(&mut a, ms(0), 40001);
        run(&mut a, ms(5000));
        let mut at = None;
        for n in 0..200_u64 {
            let now = ms(5000 + n);
            assert!(forward(&mut a, now, Side::Inside, up(40001, ACK, 301, 1201, 0)).is_some());
            if !sent(&mut a).is_empty() {
                at = at.or(Some(n));
            }
        }
        assert_eq!(at, Some(128), "{system:?}");
        // UDP is not hurried.
        let mut a = node(system, 1);
        for n in 0..500_u64 {
            assert!(forward(&mut a, ms(n), Side::Inside, udp(CLIENT, SERVER, [7, 7])).is_some());
            assert!(sent(&mut a).is_empty());
        }
    }
}

#[test]
fn a_frame_that_is_full_goes_before_its_time_and_fits_the_mtu() {
    for system in ALL {
        let mut a = node(system, 1);
        for port in 0..40 {
            assert!(forward(&mut a, ms(10), Side::Inside, up(40_000 + port, SYN, 0, 0, 0)).is_some());
        }
        let mut early = 0;
        while let Some(payload) = a.poll() {
            assert!(payload.len() <= 1480, "{}", payload.len());
            // No further state would have fitted.
            assert!(payload.len() + 360 > 1480);
            early += full(&decode(&payload), Action::Ins).len();
        }
        let late = count(&run(&mut a, ms(1200)), Action::Ins);
        assert_eq!(early + late, 80, "{system:?}");
        assert!((1..=20).contains(&late), "{system:?} {late}");
    }
}

#[test]
fn a_state_that_dies_before_it_was_told_is_never_told() {
    let mut a = node(System::OpenBsd, 1);
    assert!(forward(&mut a, ms(0), Side::Inside, up(40001, SYN, 0, 0, 0)).is_some());
    a.clear(ms(500));
    let frames = run(&mut a, ms(9000));
    assert_eq!(frames.len(), 1);
    assert_eq!(actions(&frames[0].1), [Action::Clr]);
    assert_eq!(a.states(), 0);
    // Closed and opened again within the first second: only what is there at the end is told.
    let mut a = node(System::OpenBsd, 1);
    close(&mut a, ms(5000), 40001);
    for _ in 0..2 {
        assert_eq!(
            forward(&mut a, ms(5100), Side::Inside, up(40001, SYN, 90_000, 0, 0)),
            None
        );
    }
    assert!(forward(&mut a, ms(5200), Side::Inside, up(40001, SYN, 90_000, 0, 0)).is_some());
    let frames = run(&mut a, ms(8000));
    assert_eq!((count(&frames, Action::Ins), count(&frames, Action::DelC)), (2, 0));
}

#[test]
fn a_state_that_expires_is_told_within_the_interval_of_the_purge() {
    for system in ALL {
        let mut a = node(system, 1);
        assert!(forward(&mut a, ms(0), Side::Inside, udp(CLIENT, SERVER, [9, 53])).is_some());
        let frames = run(&mut a, ms(90_000));
        let gone: Vec<_> = frames
            .iter()
            .filter(|(_, f)| f.iter().any(|(a, _)| *a == Action::DelC))
            .map(|(t, _)| *t)
            .collect();
        assert_eq!(count(&frames, Action::DelC), 2);
        assert!(gone.iter().all(|t| *t > ms(59_000) && *t < ms(73_000)), "{gone:?}");
        assert_eq!((a.states(), a.next_deadline()), (0, None));
    }
}

#[test]
fn sections_come_in_the_order_of_the_system() {
    for (system, order) in [
        (System::OpenBsd, vec![Action::UpdC, Action::DelC, Action::Ins]),
        (
            System::FreeBsd(Dialect::FreeBsd1301),
            vec![Action::Ins, Action::UpdC, Action::DelC, Action::UpdReq],
        ),
    ] {
        let mut a = node(system, 1);
        // Everything in one frame: the states of one bucket.
        connect(&mut a, ms(0), 40001);
        assert!(forward(&mut a, ms(0), Side::Inside, udp(CLIENT, SERVER, [9, 53])).is_some());
        run(&mut a, ms(58_000));
        // The UDP states are purged some time after 60 s; keep everything else busy at that time.
        let mut seen = Vec::new();
        for half in 116..150 {
            let now = ms(half * 500);
            seen.extend(run(&mut a, now));
            assert!(forward(&mut a, now, Side::Inside, up(40001, ACK, 301, 1201, 0)).is_some());
            let port = 41_000 + u16::try_from(half).unwrap();
            assert!(forward(&mut a, now, Side::Inside, up(port, SYN, 0, 0, 0)).is_some());
            if system != System::OpenBsd && half == 118 {
                a.request_bulk(now);
            }
        }
        let place = |action| order.iter().position(|a| *a == action).unwrap();
        for (_, frame) in &seen {
            let places: Vec<_> = actions(frame).into_iter().map(place).collect();
            assert!(places.is_sorted(), "{places:?}");
        }
        for action in order {
            assert!(count(&seen, action) > 0, "{system:?} {action}");
        }
    }
}
