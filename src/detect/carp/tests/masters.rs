//! Two masters of one vhid, and none.

use super::*;
use crate::event::Advertiser;

fn tenth(t: Timestamp) -> u128 {
    t.since(at(0.0)).as_millis() / 100
}

/// (since, until) in tenths of a second, and how many they are.
fn twos(lab: &Lab) -> Vec<(u128, Option<u128>, usize)> {
    let two = |e: &Event| match e {
        Event::TwoMasters { since, until, who, .. } => Some((tenth(*since), until.map(tenth), who.len())),
        _ => None,
    };
    lab.events.iter().filter_map(two).collect()
}

fn nones(lab: &Lab) -> Vec<(u128, Option<u128>)> {
    let none = |e: &Event| match e {
        Event::NoMaster { since, until, .. } => Some((tenth(*since), until.map(tenth))),
        _ => None,
    };
    lab.events.iter().filter_map(none).collect()
}

/// Each at its own pace; `b` from when to when fw2 advertises beside fw1.
fn beside(a: std::ops::Range<f64>, b: std::ops::Range<f64>) -> Lab {
    let mut lab = Lab::new();
    let mut all: Vec<(f64, NodeId, u8)> = Vec::new();
    for (range, node, skew) in [(a, A, 10), (b, B, 100)] {
        let mut t = range.start;
        while t < range.end {
            all.push((t, node, skew));
            t += 1.0 + f64::from(skew) / 256.0;
        }
    }
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    for (t, node, skew) in all {
        lab.hear(t, 0, node, &carp(1, skew, 0));
    }
    lab
}

#[test]
fn what_lost_its_master_is_vacant_until_it_has_one_or_is_given_up() {
    let mut lab = beside(0.0..10.0, 20.0..30.0);
    lab.until(29.0);
    assert!(!lab.view.vacant(at(29.0)), "another took it");
    lab.until(40.0);
    assert!(lab.view.vacant(at(40.0)));
    lab.until(70.0);
    assert!(!lab.view.vacant(at(70.0)));
}

#[test]
fn two_that_go_on_beside_each_other_are_two_masters_until_one_stops() {
    let mut lab = beside(0.0..60.0, 10.0..40.0);
    lab.until(60.0);
    assert_eq!(twos(&lab), [(100, None, 2), (100, Some(392), 2)]);
    let who = lab.events.iter().find_map(|e| match e {
        Event::TwoMasters { who, at, .. } => Some((at.since(self::at(10.0)).as_secs_f64(), who.clone())),
        _ => None,
    });
    let (after, who) = who.unwrap();
    assert!(after < 4.5, "{after}");
    let node = |a: &Advertiser| a.node;
    assert_eq!(who.iter().map(node).collect::<Vec<_>>(), [Some(A), Some(B)]);
    assert!(lab.splits().is_empty() && nones(&lab).is_empty());
    assert_eq!(
        lab.view.witness(at(60.0), B),
        Witness::default(),
        "who stops beside a better master yields"
    );
}

#[test]
fn while_another_advertises_the_same_addresses_nothing_may_come_back_for_two_intervals() {
    let mut lab = beside(0.0..30.0, 10.0..30.0);
    assert_eq!([A, B].map(|node| lab.view.deflected(node).as_millis()), [2_078, 2_781]);
    lab.until(60.0);
    assert_eq!([A, B].map(|node| lab.view.deflected(node)), [Duration::ZERO; 2]);
}

#[test]
fn a_late_advertisement_ends_nothing() {
    let mut lab = Lab::new();
    for i in 0..40_u32 {
        let t = f64::from(i);
        // Of fw2's two in a row are lost now and then.
        lab.hear(t, 0, A, &carp(1, 0, 0));
        if i > 5 && !(i % 10 == 8 || i % 10 == 9) {
            lab.hear(t + 0.3, 0, B, &carp(1, 0, 0));
        }
    }
    assert_eq!(twos(&lab).len(), 1, "{:?}", twos(&lab));
}

#[test]
fn a_failover_with_an_overlap_is_none() {
    let mut lab = beside(0.0..11.3, 10.0..30.0);
    lab.until(30.0);
    assert!(twos(&lab).is_empty() && nones(&lab).is_empty());
    // A crash: three intervals and a bit of nobody.
    let mut lab = beside(0.0..10.2, 13.6..30.0);
    lab.until(30.0);
    assert!(twos(&lab).is_empty() && nones(&lab).is_empty());
}

#[test]
fn a_stranger_beside_a_node_is_foreign_and_no_second_master() {
    let mut lab = Lab::new();
    for i in 0..30 {
        lab.hear(f64::from(i), 1, A, &carp(1, 0, 0));
        stranger(&mut lab, f64::from(i) + 0.5, 9, &carp(1, 0, 0));
        stranger(&mut lab, f64::from(i) + 0.6, 8, &carp(1, 0, 0));
    }
    assert!(twos(&lab).is_empty());
}

#[test]
fn where_nobody_is_configured_two_addresses_are_two_masters_after_a_while() {
    let heard = |hosts: [&str; 2]| {
        let mut lab = Lab::new();
        lab.view = CarpView::default().anonymous(true);
        for i in 0..30 {
            for (n, host) in hosts.iter().enumerate() {
                let ad = Carp {
                    counter: 77 * n as u64,
                    ..carp(1, 0, 0)
                };
                let t = f64::from(i) + 0.005 * n as f64;
                lab.until(t);
                lab.view
                    .advertisement(at(t), 0, host.parse().unwrap(), None, &ad, &mut lab.events);
            }
        }
        twos(&lab).len()
    };
    assert_eq!(heard(["10.0.1.2", "10.0.1.3"]), 1);
    assert_eq!(
        heard(["10.0.1.2", "198.51.100.2"]),
        0,
        "one firewall on two networks in one capture"
    );
}

#[test]
fn both_families_of_one_sender_are_one_master() {
    for known in [true, false] {
        let mut lab = Lab::new();
        lab.view = CarpView::default().anonymous(!known);
        for i in 0..30 {
            let t = f64::from(i);
            for (family, addr) in ["10.0.1.2".parse().unwrap(), link_local(A)].into_iter().enumerate() {
                let ad = Carp {
                    counter: 1000 + 2 * i as u64 + family as u64,
                    ..carp(1, 0, 0)
                };
                lab.until(t);
                let node = known.then_some(A).filter(|_| family == 0);
                lab.view.advertisement(at(t), 0, addr, node, &ad, &mut lab.events);
            }
        }
        assert!(twos(&lab).is_empty(), "{known}");
        assert_eq!(lab.view.vhids[&(0, 1)].sources.len(), 1);
    }
}

#[test]
fn a_vhid_that_had_a_master_and_has_none_is_said_from_the_first_that_was_missing() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    lab.reign(A, &[0], 0, 11.0, 30.0);
    assert_eq!(nones(&lab), [(110, None)]);
    let nobodys = lab.events.iter().find_map(|e| match e {
        Event::Master {
            master: None, since, ..
        } => Some(tenth(*since)),
        _ => None,
    });
    assert_eq!(nobodys, Some(110), "one absence has one beginning");
    lab.reign(A, &[0, 1], 0, 30.0, 34.0);
    assert_eq!(nones(&lab), [(110, None), (110, Some(300))]);
}

#[test]
fn a_vhid_that_nobody_ever_led_is_missed_by_nobody() {
    let mut lab = Lab::new();
    lab.hear(0.0, 0, A, &carp(1, 0, 0));
    lab.hear(1.0, 0, A, &carp(1, 0, 0));
    for i in 0..20 {
        stranger(&mut lab, f64::from(i), 9, &carp(2, 0, 0));
    }
    lab.until(60.0);
    assert!(nones(&lab).is_empty());
}

#[test]
fn what_was_missed_while_we_were_blind_makes_neither_two_masters_nor_none() {
    let mut lab = beside(0.0..10.2, 13.6..20.0);
    lab.until(22.0);
    lab.view.forgive(at(22.0), Duration::ZERO);
    lab.reign(B, &[0], 100, 22.5, 40.0);
    assert!(twos(&lab).is_empty() && nones(&lab).is_empty(), "{:?}", lab.events);
}

#[test]
fn what_comes_back_to_its_sender_is_named_once_per_network_and_counted() {
    let mut lab = Lab::new();
    lab.view = CarpView::new(vec!["lan".into()]);
    for i in 0..10 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        lab.view
            .reflected(at(f64::from(i)), (0, 1), (A, "fw1"), &mut lab.events);
        lab.view
            .reflected(at(f64::from(i)), (0, 2), (A, "fw1"), &mut lab.events);
    }
    let told: Vec<_> = lab.events.iter().filter(|e| matches!(e, Event::Notice(_))).collect();
    let [Event::Notice(told)] = told[..] else {
        panic!("{told:?}")
    };
    assert!(
        told.text
            .starts_with("fw1's own advertisements of lan vhid 1 come back"),
        "{}",
        told.text
    );
    assert_eq!((lab.view.reflections(0, 1), lab.view.reflections(1, 1)), (10, 0));
    assert!(twos(&lab).is_empty());
}

#[test]
fn a_lost_advertisement_of_one_of_two_masters_tears_no_pair() {
    let mut lab = Lab::new();
    for i in 0..60_u32 {
        let t = f64::from(i);
        lab.hear(t, 1, A, &carp(1, 0, 0));
        if i != 30 {
            lab.hear(t, 0, A, &carp(1, 0, 0));
        }
        if i > 10 {
            lab.hear(t + 0.5, 0, B, &carp(1, 0, 0));
        }
    }
    assert_eq!(twos(&lab).len(), 1);
    assert!(lab.splits().is_empty() && !lab.view.robbed(A), "{:?}", lab.splits());
}

#[test]
fn two_masters_of_one_vhid_hide_no_segment_that_is_lost() {
    let mut lab = Lab::new();
    for i in 0..60_u32 {
        let t = f64::from(i);
        lab.hear(t, 0, A, &carp(1, 0, 0));
        if i > 10 {
            lab.hear(t + 0.5, 0, B, &carp(1, 100, 0));
        }
        if i < 30 {
            lab.hear(t, 1, A, &carp(1, 0, 0));
        } else if i >= 33 {
            lab.hear(t + 0.4, 1, B, &carp(1, 100, 0));
        }
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(Some(A)));
    assert!(lab.view.torn(at(lab.now), A, Timestamp::MIN));
}

/// fw2 advertises segment 1 beside fw1 from `beside` on; fw1 falls silent there after 60 s, and goes on on segment 0.
fn one_of_two_stops(beside: f64) -> Lab {
    let mut lab = Lab::new();
    let mut all: Vec<(f64, usize, NodeId, u8)> = Vec::new();
    for i in 0..120 {
        let t = f64::from(i);
        all.push((t, 0, A, 0));
        all.extend((i <= 60).then_some((t, 1, A, 0)));
        let t = beside + 1.39 * t;
        all.extend((t < 120.0).then_some((t, 1, B, 100)));
    }
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    for (t, segment, node, skew) in all {
        lab.hear(t, segment, node, &carp(1, skew, 0));
    }
    lab
}

#[test]
fn when_one_of_two_masters_falls_silent_the_other_is_master_from_then_on_and_the_pair_is_torn() {
    for beside in [3.4, 20.4, 55.4, 58.4] {
        let lab = one_of_two_stops(beside);
        assert_eq!(lab.splits(), [Some(60.0)], "{beside}");
        let masters = lab.events.iter().filter_map(|e| match e {
            Event::Master {
                segment: 1,
                at,
                since,
                master,
                ..
            } if *since > self::at(0.0) => Some((tenth(*since), tenth(*at) - tenth(*since), *master)),
            _ => None,
        });
        let [(since, after, master)] = masters.collect::<Vec<_>>()[..] else {
            panic!("{beside}: {:?}", lab.events);
        };
        assert_eq!((since, master), (600, Some("10.0.0.11".parse().unwrap())), "{beside}");
        assert!(after < 31, "{beside}: {after}");
        let split = lab.view.split().unwrap();
        assert_eq!(split.suspect, Some(A), "{beside}");
        assert!(
            lab.view.robbed(A) && lab.view.torn(at(lab.now), A, Timestamp::MIN),
            "{beside}"
        );
    }
}

#[test]
fn who_gives_both_segments_back_tears_no_pair_however_long_it_took_to_know() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    // fw2 on both, at paces of its own; then fw1 comes back, and fw2 says one more on either.
    for i in 0..20 {
        let t = 13.4 + 1.39 * f64::from(i);
        lab.hear(t, 0, B, &carp(1, 100, 0));
        lab.hear(t + 0.3, 1, B, &carp(1, 100, 0));
    }
    let back = lab.now + 0.2;
    lab.reign(A, &[0, 1], 0, back, back + 30.0);
    assert_eq!(lab.view.mastership(A), (2, 2));
    assert!(lab.splits().is_empty(), "{:?}", lab.splits());
}
