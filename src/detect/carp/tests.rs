//! Mastership, yielding and splits, told by advertisements at literal times.

mod crowd;
mod deaf;
mod election;
mod masters;
mod refused;
mod vrrp;

use super::*;
use pfsync_proto::Carp;
use std::net::Ipv4Addr;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(1_790_000_000_000_000_000) + Duration::from_secs_f64(seconds)
}

fn carp(vhid: u8, advskew: u8, demote: u8) -> Carp {
    Carp {
        vhid,
        advskew,
        advbase: 1,
        demote,
        authlen: 7,
        counter: 1,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    }
}

/// A view that is told (time, segment, node, advertisement) and looked at each 10 ms in between.
struct Lab {
    view: CarpView,
    events: Vec<Event>,
    now: f64,
}

impl Lab {
    fn new() -> Self {
        let (view, events, now) = (CarpView::default(), Vec::new(), 0.0);
        Self { view, events, now }
    }

    fn until(&mut self, t: f64) {
        while self.now + 0.01 <= t {
            self.now += 0.01;
            self.view.settle(at(self.now), &mut self.events);
        }
    }

    fn hear(&mut self, t: f64, segment: usize, node: NodeId, carp: &Carp) {
        self.until(t);
        let host = u8::try_from(10 * segment + node.index()).unwrap();
        let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
        self.view
            .advertisement(at(t), segment, addr, Some(node), carp, &mut self.events);
    }

    /// `node` advertises vhid 1 on the segments each 1 s, first at `from`.
    fn reign(&mut self, node: NodeId, segments: &[usize], skew: u8, from: f64, to: f64) {
        let mut t = from;
        while t < to {
            for &s in segments {
                self.hear(t, s, node, &carp(1, skew, 0));
            }
            t += 1.0 + f64::from(skew) / 256.0;
        }
    }

    fn splits(&self) -> Vec<Option<f64>> {
        let since = |e: &Event| match e {
            Event::Unsynchronised { since, .. } => {
                Some(since.map(|t| (t.since(at(0.0)).as_secs_f64() * 10.0).round() / 10.0))
            }
            _ => None,
        };
        self.events.iter().filter_map(since).collect()
    }
}

#[test]
fn a_crash_is_absence_without_yielding() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    lab.until(12.3);
    let w = lab.view.witness(at(12.3), A);
    assert_eq!((w.held, w.segments, w.gone, w.present), (2, 2, 2, 0));
    assert!((2.2..2.4).contains(&w.missed));
    lab.reign(B, &[0, 1], 100, 13.4, 20.0);
    assert_eq!(lab.view.mastership(B), (2, 2));
    assert_eq!(
        lab.view.witness(at(20.0), A).gone,
        2,
        "its death is not forgotten because another took over"
    );
    assert!(lab.splits().is_empty());
}

#[test]
fn a_planned_failover_is_yielding() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for s in [0, 1] {
        lab.hear(11.0, s, A, &carp(1, 0, 128));
        lab.hear(11.02, s, B, &carp(1, 100, 0));
    }
    lab.reign(B, &[0, 1], 100, 12.4, 30.0);
    assert_eq!(lab.view.witness(at(30.0), A), Witness::default());
    assert_eq!(lab.view.mastership(B), (2, 2));
    assert!(lab.splits().is_empty());
}

#[test]
fn a_better_master_takes_over_whenever_it_comes() {
    let mut lab = Lab::new();
    lab.reign(B, &[0, 1], 100, 0.0, 10.0);
    lab.reign(A, &[0, 1], 0, 11.9, 20.0);
    assert_eq!(lab.view.mastership(A), (2, 2));
    assert_eq!(lab.view.witness(at(20.0), B).held, 0);
}

#[test]
fn who_hears_a_better_master_is_on_its_way_out_until_that_is_settled() {
    let mut lab = Lab::new();
    lab.reign(B, &[0, 1], 100, 0.0, 10.0);
    let moves = |lab: &Lab| lab.view.moves(at(lab.now));
    assert!(!moves(&lab));
    lab.hear(10.0, 0, A, &carp(1, 0, 0));
    assert!(moves(&lab));
    lab.reign(A, &[0, 1], 0, 11.0, 14.0);
    assert!(!moves(&lab));
}

#[test]
fn who_is_master_of_another_vhid_carries_a_share() {
    let mut lab = Lab::new();
    // vhid 1 is fw1's and vhid 2 is fw2's, until fw1 is not heard on segment 1 any more.
    for i in 0..30 {
        let t = f64::from(i);
        for segment in [0, 1] {
            if segment == 0 || i < 20 {
                lab.hear(t, segment, A, &carp(1, 0, 0));
            }
            lab.hear(t + 0.1, segment, B, &carp(2, 0, 0));
            assert!(!lab.view.shares(B) || i >= 23);
        }
        if i >= 23 {
            lab.hear(t + 0.2, 1, B, &carp(1, 100, 0));
        }
    }
    assert_eq!(lab.view.split().and_then(|s| s.suspect), Some(A));
    assert!(lab.view.shares(B) && !lab.view.shares(A));
}

#[test]
fn who_goes_on_beside_a_rival_gives_way_to_nobody() {
    let mut lab = Lab::new();
    lab.reign(B, &[0, 1], 100, 0.0, 10.0);
    let mut moving = 0;
    for i in 0..200_u32 {
        let t = 10.0 + f64::from(i) * 0.05;
        lab.hear(t, 0, A, &carp(1, 0, 0));
        if i % 28 == 0 {
            lab.hear(t, 0, B, &carp(1, 100, 0));
        }
        moving += u32::from(lab.view.moves(at(t)));
    }
    assert!(moving < 40, "{moving}");
}

#[test]
fn a_bow_out_ends_mastership_at_once() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 5.1);
    let leaving = Carp {
        advbase: 255,
        advskew: 255,
        bow_out: true,
        ..carp(1, 255, 0)
    };
    lab.hear(5.5, 0, A, &leaving);
    assert_eq!(lab.view.witness(at(9.0), A).held, 0);
}

fn link_local(node: NodeId) -> IpAddr {
    IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1 + node.0])
}

/// Both families, microseconds apart; FreeBSD counts each, OpenBSD has a constant cookie. `known`: in the node's `local`.
fn dual(lab: &mut Lab, t: f64, segment: usize, node: NodeId, skew: u8, known: bool) {
    let second = at(t).since(at(0.0)).as_secs();
    for (family, delay) in [(0, 0.0), (1, 0.000_05)] {
        let tick = if segment == 0 { 0 } else { 2 * second + family };
        let ad = Carp {
            counter: 1_000_000 * u64::from(1 + node.0) + tick,
            ..carp(1, skew, 0)
        };
        if family == 0 {
            lab.hear(t, segment, node, &ad);
        } else {
            let (addr, node) = (link_local(node), known.then_some(node));
            lab.view
                .advertisement(at(t + delay), segment, addr, node, &ad, &mut lab.events);
        }
    }
}

#[test]
fn both_address_families_of_a_node_are_one_source() {
    for known in [true, false] {
        let mut lab = Lab::new();
        for i in 0..20 {
            dual(&mut lab, f64::from(i), 0, A, 0, known);
            dual(&mut lab, f64::from(i), 1, A, 0, known);
        }
        // The port of segment 1 dies, later the whole node.
        for i in 20..40 {
            dual(&mut lab, f64::from(i), 0, A, 0, known);
            if i >= 23 {
                dual(&mut lab, f64::from(i) + 0.4, 1, B, 100, known);
            }
        }
        assert_eq!(
            lab.view.split().map(|s| s.suspect),
            Some(Some(A)),
            "v6 in local: {known}"
        );
        assert!(!lab.view.foreign_master());
        lab.until(42.0);
        let w = lab.view.witness(at(42.0), A);
        assert_eq!((w.held, w.present, w.gone), (2, 0, 2), "it crashed and did not yield");
        let told = |e: &&Event| matches!(e, Event::Notice(_));
        assert_eq!(lab.events.iter().filter(told).count(), 0, "{:?}", lab.events);
    }
}

#[test]
fn an_address_that_was_a_stranger_becomes_the_nodes() {
    let mut lab = Lab::new();
    // The first IPv4 advertisement is lost.
    let alone = Carp {
        counter: 1_000_000,
        ..carp(1, 0, 0)
    };
    lab.view
        .advertisement(at(0.0), 0, link_local(A), None, &alone, &mut lab.events);
    for i in 1..10 {
        dual(&mut lab, f64::from(i), 0, A, 0, false);
    }
    assert_eq!(lab.view.vhids[&(0, 1)].sources.len(), 1);
    lab.until(12.5);
    let w = lab.view.witness(at(12.5), A);
    assert_eq!((w.held, w.gone), (1, 1), "and does not contest itself");
}

#[test]
fn loss_is_not_hidden_by_the_other_address_family() {
    let lost = |two: bool| {
        let mut lab = Lab::new();
        for i in (0..200).filter(|i| i % 5 != 0) {
            if two {
                dual(&mut lab, f64::from(i), 0, A, 0, false);
            } else {
                lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
            }
        }
        lab.view.gravity(A)
    };
    assert!((lost(true) - lost(false)).abs() < 1e-9);
}

#[test]
fn a_deaf_second_master_makes_nobody_yield() {
    let mut lab = Lab::new();
    for i in 0..30 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        if i > 5 {
            lab.hear(f64::from(i) + 0.5, 0, B, &carp(1, 100, 0));
        }
    }
    lab.until(33.0);
    let w = lab.view.witness(at(33.0), A);
    assert_eq!(
        (w.held, w.gone),
        (1, 1),
        "its death is no yielding: it never cared for the other"
    );
}

#[test]
fn losing_one_segment_splits_the_pair_and_names_the_loser() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for i in 0..8 {
        lab.hear(11.0 + f64::from(i), 0, A, &carp(1, 0, 0));
        if i >= 3 {
            lab.hear(11.4 + f64::from(i), 1, B, &carp(1, 100, 0));
        }
    }
    let split = lab.view.split().unwrap();
    assert_eq!(split.suspect, Some(A));
    assert_eq!(lab.splits(), vec![Some(14.4)]);
    // The port heals: A preempts.
    for i in 0..6 {
        lab.hear(19.0 + f64::from(i), 0, A, &carp(1, 0, 0));
        lab.hear(19.5 + f64::from(i), 1, A, &carp(1, 0, 0));
    }
    assert_eq!(lab.splits(), vec![Some(14.4), None]);
    assert!(lab.view.split().is_none());
}

#[test]
fn a_split_on_a_segment_that_loses_advertisements_takes_longer_to_stand() {
    // Torn from the tenth second on; before, on the second segment, one in `n` is lost.
    let stands = |n: usize, answered: Timestamp| {
        let mut lab = Lab::new();
        for i in 0..30_u32 {
            lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
            if i < 15 && !(i as usize + 3).is_multiple_of(n) {
                lab.hear(f64::from(i), 1, A, &carp(1, 0, 0));
            }
            if i >= 18 {
                lab.hear(f64::from(i) + 0.4, 1, B, &carp(1, 100, 0));
            }
            if lab.view.torn(at(lab.now), A, answered) {
                return i;
            }
        }
        u32::MAX
    };
    assert_eq!((stands(1_000, at(17.0)), stands(7, at(17.0))), (19, 26));
    assert_eq!(stands(1_000, at(17.1)), 26, "a port that answers is not dead");
}

#[test]
fn load_sharing_is_no_split_and_does_not_become_one_by_a_failover() {
    let mut lab = Lab::new();
    let both = |lab: &mut Lab, t: f64| {
        for s in [0, 1] {
            lab.hear(t, s, A, &carp(1, 0, 0));
            lab.hear(t + 0.1, s, B, &carp(2, 0, 0));
        }
    };
    (0..20).for_each(|i| both(&mut lab, f64::from(i)));
    // A dies, B takes everything for a while, A comes back to its own.
    for i in 23..60 {
        for s in [0, 1] {
            lab.hear(f64::from(i), s, B, &carp(2, 0, 0));
            lab.hear(f64::from(i) + 0.2, s, B, &carp(1, 100, 0));
        }
    }
    (60..90).for_each(|i| both(&mut lab, f64::from(i)));
    assert!(lab.splits().is_empty(), "{:?}", lab.splits());
    assert!(lab.view.split().is_none());
}

#[test]
fn two_masters_at_once_do_not_flap() {
    let mut lab = Lab::new();
    for i in 0..30 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        if i > 5 {
            lab.hear(f64::from(i) + 0.5, 0, B, &carp(1, 0, 0));
        }
    }
    let changes = lab.events.iter().filter(|e| matches!(e, Event::Master { .. })).count();
    assert_eq!(changes, 1, "{:?}", lab.events);
}

#[test]
fn strangers_are_shown_and_are_no_witness() {
    let mut view = CarpView::default();
    let mut events = Vec::new();
    for i in 0..20 {
        let addr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
        view.advertisement(at(f64::from(i)), 0, addr, None, &carp(9, 0, 0), &mut events);
    }
    assert!(
        !view.informs() && !view.foreign_master(),
        "another pair on the same net is no business of ours"
    );
    assert_eq!(view.witness(at(20.0), A), Witness::default());
    let notices = events.iter().filter(|e| matches!(e, Event::Notice(_))).count();
    assert_eq!(notices, 1);
}

#[test]
fn a_stranger_that_takes_one_of_our_vhids_is_a_foreign_master() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 5.0);
    assert!(!lab.view.foreign_master());
    for i in 9..15 {
        let addr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
        lab.view
            .advertisement(at(f64::from(i)), 0, addr, None, &carp(1, 100, 0), &mut lab.events);
    }
    assert!(lab.view.foreign_master());
}

fn stranger(lab: &mut Lab, t: f64, host: u8, ad: &Carp) {
    lab.until(t);
    let addr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
    lab.view.advertisement(at(t), 1, addr, None, ad, &mut lab.events);
}

#[test]
fn one_forged_frame_hides_no_split() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    stranger(
        &mut lab,
        10.9,
        9,
        &Carp {
            advbase: 255,
            ..carp(1, 0, 0)
        },
    );
    for i in 11..18 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        if i >= 14 {
            lab.hear(f64::from(i) + 0.4, 1, B, &carp(1, 100, 0));
        }
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(Some(A)));
    assert!(!lab.view.foreign_master());
}

#[test]
fn who_goes_on_forging_hides_no_split_either() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for i in 11..18 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        stranger(&mut lab, f64::from(i) + 0.1, 9, &carp(1, 0, 0));
        if i >= 14 {
            lab.hear(f64::from(i) + 0.4, 1, B, &carp(1, 100, 0));
        }
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(Some(A)));
    assert!(!lab.view.foreign_master(), "a node is heard there: that one counts");
}

#[test]
fn a_pair_that_was_torn_before_we_came_is_told_once() {
    let mut lab = Lab::new();
    lab.view = CarpView::new(vec!["lan".into(), "wan".into()]);
    for i in 0..60 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        lab.hear(f64::from(i) + 0.4, 1, B, &carp(1, 100, 0));
    }
    let told: Vec<_> = lab
        .events
        .iter()
        .filter_map(|e| match e {
            Event::Notice(n) => Some((n.at.since(at(0.0)).as_secs(), n.text.as_str())),
            _ => None,
        })
        .collect();
    let text = "lan vhid 1 and wan vhid 1 have different masters and never had the same: load sharing, or torn since \
                before pfwatch started";
    assert_eq!(told, vec![(10, text)]);
    assert!(lab.splits().is_empty());
}

#[test]
fn a_failover_as_we_begin_is_not_taken_for_load_sharing() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 1.1);
    for i in 1..60 {
        lab.hear(f64::from(i), 1, B, &carp(1, 100, 0));
        if i >= 4 {
            lab.hear(f64::from(i) + 0.1, 0, B, &carp(1, 100, 0));
        }
    }
    assert!(
        !lab.events.iter().any(|e| matches!(e, Event::Notice(_))),
        "{:?}",
        lab.events
    );
}
