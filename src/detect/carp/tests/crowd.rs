//! Many vhids, many sources: invented ones, and all that there can be.

use super::*;

#[test]
fn memory_is_bounded_under_invented_vhids_and_sources() {
    let mut view = CarpView::default();
    let mut events = Vec::new();
    for i in 0..100_000_u32 {
        let addr = IpAddr::V4(Ipv4Addr::from(i));
        let vhid = u8::try_from(i % 251).unwrap();
        view.advertisement(
            at(0.0),
            usize::try_from(i % 7).unwrap(),
            addr,
            None,
            &carp(vhid, 0, 0),
            &mut events,
        );
        events.clear();
    }
    assert!(view.vhids.len() <= 7 * 256);
    assert!(view.vhids.values().all(|v| v.sources.len() <= MAX_SOURCES));
}

#[test]
fn invented_sources_and_vhids_push_no_node_out() {
    let mut lab = Lab::new();
    lab.reign(A, &[1], 0, 0.0, 3.1);
    for i in 0..=254 {
        stranger(&mut lab, 3.2, i, &carp(1, 0, 0));
        stranger(&mut lab, 3.2, i, &carp(i, 0, 0));
    }
    lab.until(3.5);
    assert_eq!(lab.view.witness(at(3.5), A).present, 1);
    lab.hear(3.5, 1, A, &carp(200, 0, 0));
    assert!(lab.view.vhids[&(1, 200)].ours(), "there is room for a node's");
}

/// All vhids of `segments` networks, which advertise seldom.
fn all_vhids(segments: usize) -> Lab {
    let mut lab = Lab::new();
    for segment in 0..segments {
        for vhid in 0..=255 {
            let ad = Carp {
                advbase: 255,
                ..carp(vhid, 0, 0)
            };
            let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
            lab.view
                .advertisement(at(0.0), segment, addr, Some(A), &ad, &mut lab.events);
        }
    }
    lab
}

#[test]
fn all_vhids_of_all_networks_are_followed_and_those_that_are_not_due_cost_nothing() {
    let mut lab = all_vhids(64);
    assert_eq!(lab.view.vhids.len(), 64 * 256);
    lab.view.settle(at(4.0), &mut lab.events);
    assert_eq!(lab.view.groups.len(), 1, "one master, one group");
    assert_eq!(
        lab.view.queue.pop(at(300.0)),
        None,
        "nothing is due before an advertisement is overdue"
    );
    // Only that one is looked at anew.
    lab.hear(300.0, 0, A, &carp(1, 0, 0));
    assert_eq!(lab.view.queue.next(), Some(at(300.0) + Duration::from_secs_f64(1.31)));
}

#[test]
fn what_moves_among_many_is_looked_at_together_a_moment_later() {
    let mut lab = all_vhids(1);
    lab.view.settle(at(4.0), &mut lab.events);
    lab.hear(4.005, 1, A, &carp(1, 0, 0));
    assert_eq!(
        lab.view.next_deadline(at(4.005)),
        Some(at(4.01)),
        "put off, not forgotten"
    );
}

#[test]
fn too_many_sources_of_a_vhid_are_said_once() {
    let mut lab = Lab::new();
    for host in 0..40 {
        stranger(&mut lab, 1.0, host, &carp(1, 0, 0));
    }
    let told = |e: &&Event| matches!(e, Event::Notice(n) if n.kind == NoticeKind::Limit);
    assert_eq!(lab.events.iter().filter(told).count(), 1);
}
