//! VRRP of a node is a witness as CARP is.

use super::*;
use pfsync_proto::Vrrp;

fn vrrp(vrid: u8, prio: u8, centiseconds: u16) -> Vrrp {
    Vrrp {
        version: 3,
        vrid,
        prio,
        naddr: 1,
        auth_type: 0,
        adver_int: centiseconds,
        cksum_ok: true,
    }
}

fn say(lab: &mut Lab, t: f64, segment: usize, node: NodeId, ad: &Vrrp) {
    lab.until(t);
    let host = u8::try_from(10 * segment + node.index()).unwrap();
    let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
    lab.view
        .advertisement(at(t), segment, addr, Some(node), ad, &mut lab.events);
}

#[test]
fn a_lost_segment_splits_a_pair_that_speaks_vrrp_on_one_side() {
    let mut lab = Lab::new();
    for i in 0..20 {
        let t = f64::from(i);
        lab.hear(t, 0, A, &carp(1, 0, 0));
        if i <= 10 {
            say(&mut lab, t, 1, A, &vrrp(1, 245, 100));
        }
        if i >= 14 {
            say(&mut lab, t + 0.4, 1, B, &vrrp(1, 155, 100));
        }
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(Some(A)));
    assert_eq!(lab.splits(), vec![Some(14.4)]);
    assert_eq!(lab.view.protocol(1, 1), Some(Protocol::Vrrp3));
    assert_eq!(lab.view.protocol(0, 1), Some(Protocol::Carp));
}

#[test]
fn centiseconds_are_the_interval_and_a_crash_is_known_after_three() {
    let mut lab = Lab::new();
    for i in 0..100 {
        say(&mut lab, f64::from(i) * 0.1, 0, A, &vrrp(1, 200, 10));
    }
    lab.until(10.25);
    let w = lab.view.witness(at(10.25), A);
    assert_eq!((w.held, w.gone), (1, 1));
    assert!((3.0..4.0).contains(&w.missed), "{}", w.missed);
}

#[test]
fn priority_0_is_a_bow_out() {
    let mut lab = Lab::new();
    for i in 0..10 {
        say(&mut lab, f64::from(i), 0, A, &vrrp(1, 200, 100));
    }
    say(&mut lab, 9.5, 0, A, &vrrp(1, 0, 100));
    assert_eq!(lab.view.witness(at(14.0), A).held, 0);
}

#[test]
fn a_higher_priority_takes_over_and_a_lower_one_does_not() {
    let yields = |prio: u8| {
        let mut lab = Lab::new();
        for i in 0..10 {
            say(&mut lab, f64::from(i), 0, A, &vrrp(1, 200, 100));
        }
        // It comes late: the next one of fw1 was overdue.
        for i in 0..6 {
            say(&mut lab, 10.5 + f64::from(i), 0, B, &vrrp(1, prio, 100));
        }
        lab.view.witness(at(15.6), A).held == 0
    };
    assert!(yields(220));
    assert!(!yields(100));
}

#[test]
fn a_lowered_priority_is_a_demotion() {
    let mut lab = Lab::new();
    for i in 0..10 {
        say(&mut lab, f64::from(i), 0, A, &vrrp(1, 200, 100));
    }
    say(&mut lab, 10.0, 0, A, &vrrp(1, 15, 100));
    assert!(lab.view.demoted(at(10.0), A));
}

#[test]
fn a_node_that_speaks_both_on_one_number_is_judged_by_the_first() {
    let mut lab = Lab::new();
    for i in 0..10 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        say(&mut lab, f64::from(i) + 0.3, 0, A, &vrrp(1, 0, 100));
    }
    assert_eq!(lab.view.protocol(0, 1), Some(Protocol::Carp));
    assert_eq!(lab.view.mastership(A), (1, 1));
}
