//! Advertisements that do not count, in place of those that did and beside them.

use super::*;

/// One of fw1 that does not count.
fn refuse(lab: &mut Lab, t: f64, segment: usize) -> bool {
    lab.until(t);
    let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(10 * segment).unwrap()));
    let whose = lab.view.discount(at(t), (segment, 1), addr, Some(A), &mut lab.events);
    whose.is_some()
}

fn nobody(lab: &Lab) -> bool {
    lab.events
        .iter()
        .any(|e| matches!(e, Event::NoMaster { .. } | Event::Master { master: None, .. }))
}

#[test]
fn whose_advertisements_are_refused_from_some_moment_on_goes_on() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for i in 11..60 {
        assert!(
            refuse(&mut lab, f64::from(i), 0) && refuse(&mut lab, f64::from(i), 1),
            "{i}"
        );
    }
    let w = lab.view.witness(at(59.1), A);
    assert_eq!((w.held, w.present, w.gone), (2, 2, 0));
    assert!(!nobody(&lab));
    // When these cease as well, it is gone.
    lab.until(62.3);
    assert!(lab.view.witness(at(62.3), A).gone_everywhere());
}

#[test]
fn what_is_refused_beside_good_ones_or_after_a_pause_hides_no_absence() {
    let mut lab = Lab::new();
    for i in 0..20 {
        lab.reign(A, &[0, 1], 0, f64::from(i), f64::from(i) + 0.1);
        refuse(&mut lab, f64::from(i) + 0.5, 0);
    }
    for i in 20..24 {
        assert!(!refuse(&mut lab, f64::from(i) + 0.5, 0), "{i}");
    }
    assert!(lab.view.witness(at(lab.now), A).gone_everywhere());
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    assert!(!refuse(&mut lab, 12.5, 0));
}

#[test]
fn who_advertises_beside_one_that_is_refused_is_a_second_master() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for i in 11..30 {
        refuse(&mut lab, f64::from(i), 0);
        refuse(&mut lab, f64::from(i), 1);
        lab.hear(f64::from(i) + 0.4, 0, B, &carp(1, 0, 0));
    }
    assert!(lab.events.iter().any(|e| matches!(e, Event::TwoMasters { .. })));
}

#[test]
fn who_changes_from_one_protocol_to_the_other_is_never_missing() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 10.1);
    for i in 11..30 {
        lab.until(f64::from(i));
        let vrrp = Advert {
            protocol: Protocol::Vrrp3,
            ..Advert::from(&carp(1, 0, 0))
        };
        let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0));
        lab.view
            .advertisement(at(f64::from(i)), 0, addr, Some(A), vrrp, &mut lab.events);
    }
    assert_eq!(lab.view.protocol(0, 1), Some(Protocol::Vrrp3));
    assert!(!nobody(&lab), "{:?}", lab.events);
}
