//! Who is master, and what users feel of it.

use super::*;

/// Share served while nothing is wrong: some bookmarks are old, and some people try those again and again.
const WELL: f64 = 0.9;

#[test]
fn a_steady_pair_serves() {
    let (world, heard) = run(pair(120));
    let total = world.experience().total();
    assert!(
        f64::from(total.established) > 0.95 * f64::from(total.tried),
        "{total:?}"
    );
    assert_eq!(world.masters(Net::Lan, 1), [0]);
    assert_eq!(world.masters(Net::Wan, 1), [0]);
    assert!(ads(&heard, Net::Lan).iter().all(|(_, node, _)| *node == 0));
    // 10/256 on top of a second.
    assert_eq!(ads(&heard, Net::Wan).len(), 116);
}

#[test]
fn a_crash_is_taken_over_and_connections_live_on() {
    let (world, heard) = run(pair(150).with(s(60), Fault::Crash(0)));
    let took = first_ad(&heard, Net::Lan, 1, s(60)) - s(60);
    // Counted from the last advertisement, which was at most 1.04 s before.
    assert!((2.3..3.4).contains(&took.as_secs_f64()), "{took:?}");
    assert!(served(&world, 65, 120) > WELL, "{}", served(&world, 65, 120));
    let broken: u32 = world.experience().seconds()[60..].iter().map(|s| s.broken).sum();
    let before = world.experience().seconds()[..60]
        .iter()
        .map(|s| s.established)
        .sum::<u32>();
    assert!(f64::from(broken) < 0.03 * f64::from(before), "{broken} of {before}");
    assert_eq!(world.masters(Net::Wan, 1), [1]);
}

#[test]
fn a_dead_wan_port_splits_the_pair_and_kills_the_service() {
    let setup = pair(160)
        .with(s(50), dead(0, Net::Wan))
        .with(s(100), whole(0, Net::Wan));
    let mut world = World::new(setup);
    until(&mut world, s(60));
    assert_eq!(world.masters(Net::Lan, 1), [0]);
    assert_eq!(world.masters(Net::Wan, 1), [0, 1]);
    until(&mut world, s(110));
    assert_eq!(world.masters(Net::Wan, 1), [0]);
    while world.next().is_some() {}
    assert!(served(&world, 51, 70) < 0.2, "{}", served(&world, 51, 70));
    assert!(served(&world, 105, 140) > WELL, "{}", served(&world, 105, 140));
}

#[test]
fn a_cut_sync_link_hurts_nobody() {
    let (world, heard) = run(pair(120).with(s(30), dead(0, Net::Sync)));
    assert!(served(&world, 5, 90) > WELL);
    let last = frames(&heard, PFSYNC)
        .filter(|(_, _, src, _)| *src == 1)
        .last()
        .unwrap()
        .0;
    assert!(last <= s(30), "{last:?}");
}

#[test]
fn a_wedged_node_stays_master_and_serves_nobody() {
    let setup = pair(160).with(s(50), Fault::Wedge(0)).with(s(100), Fault::Unwedge(0));
    let (world, heard) = run(setup);
    assert!(ads(&heard, Net::Wan).iter().all(|(_, node, _)| *node == 0));
    assert!(served(&world, 51, 70) < 0.2, "{}", served(&world, 51, 70));
    assert!(served(&world, 105, 140) > WELL);
}

#[test]
fn a_frozen_node_is_replaced_and_comes_back() {
    let (world, heard) = run(pair(60).with(s(20), Fault::Freeze(0, s(10))));
    let all = ads(&heard, Net::Lan);
    assert!(
        all.iter()
            .all(|(at, node, _)| *node == 1 || !(s(20) < *at && *at < s(30)))
    );
    assert!(first_ad(&heard, Net::Lan, 1, s(20)) < s(24));
    let back = first_ad(&heard, Net::Lan, 0, s(20));
    assert!(s(30) <= back && back < s(31), "{back:?}");
    assert_eq!(world.masters(Net::Lan, 1), [0]);
}

#[test]
fn a_planned_demotion_hands_over_at_once() {
    let setup = pair(80)
        .with(s(20), Fault::Demote(0, 50))
        .with(s(40), Fault::Demote(0, -50));
    let (world, heard) = run(setup);
    for net in [Net::Lan, Net::Wan] {
        assert!(first_ad(&heard, net, 1, s(20)) - s(20) < Time::from_millis(1));
        assert!(first_ad(&heard, net, 0, s(40)) < s(42));
    }
    let demoted = ads(&heard, Net::Lan).iter().find(|(at, ..)| *at >= s(20)).unwrap().2;
    assert_eq!((demoted.demote, demoted.advskew), (50, 10));
    assert!(served(&world, 5, 60) > WELL);
    assert_eq!(world.masters(Net::Lan, 1), [0]);
}

#[test]
fn a_booting_node_learns_the_states_before_it_takes_back() {
    let setup = pair(180).with(s(60), Fault::Crash(0)).with(s(100), Fault::Boot(0));
    let mut world = World::new(setup);
    until(&mut world, s(105));
    assert_eq!(world.masters(Net::Lan, 1), [1], "one frame in 20 ms takes its time");
    let mut heard = Vec::new();
    while world.masters(Net::Lan, 1) != [0] && world.now() < s(140) {
        heard.extend(world.next());
    }
    assert!(
        world.states(0) * 10 > world.states(1) * 9,
        "{} {}",
        world.states(0),
        world.states(1)
    );
    heard.extend(until(&mut world, s(150)));
    assert!(first_ad(&heard, Net::Wan, 0, s(100)) < s(130));
    assert_eq!(
        (world.masters(Net::Lan, 1), world.masters(Net::Wan, 1)),
        (vec![0], vec![0])
    );
    while world.next().is_some() {}
    assert!(served(&world, 105, 150) > WELL);
    let broken: u32 = world.experience().seconds()[99..].iter().map(|s| s.broken).sum();
    assert!(broken <= 10, "{broken}");
}

#[test]
fn three_nodes_follow_each_other() {
    let mut setup = pair(120).with(s(40), Fault::Crash(0)).with(s(70), Fault::Crash(1));
    setup.nodes.push(setup.nodes[1]);
    setup.nodes[2].advskew = 200;
    let mut world = World::new(setup);
    until(&mut world, s(60));
    assert_eq!(world.masters(Net::Wan, 1), [1]);
    until(&mut world, s(90));
    assert_eq!(world.masters(Net::Wan, 1), [2]);
    while world.next().is_some() {}
    assert!(served(&world, 76, 100) > WELL, "{}", served(&world, 76, 100));
}

#[test]
fn shared_load_and_split_paths_serve_too() {
    for (vhids, asymmetric, masters) in [(2, false, [0, 0]), (1, true, [0, 1])] {
        let mut setup = pair(80);
        (setup.vhids, setup.asymmetric) = (vhids, asymmetric);
        let (world, _) = run(setup);
        assert_eq!(world.masters(Net::Lan, 1), masters[..1]);
        assert_eq!(world.masters(Net::Wan, 1), masters[1..]);
        assert_eq!(world.masters(Net::Lan, 2), [1][..usize::from(vhids) - 1]);
        let share = served(&world, 5, 60);
        // Answers that come before the other node heard of the state are lost, and the first packet sent again.
        assert!(share > if asymmetric { 0.5 } else { WELL }, "{vhids}: {share}");
    }
}

#[test]
fn freebsd_pairs_work_in_all_their_dialects() {
    use pfsync_proto::Dialect::{FreeBsd1301, FreeBsd1400, FreeBsd1500};
    for dialect in [FreeBsd1301, FreeBsd1400, FreeBsd1500] {
        let setup = Setup::pair(System::FreeBsd(dialect), Load::OFFICE, 2)
            .lasting(s(100))
            .with(s(30), Fault::Demote(0, 240));
        let (world, heard) = run(setup);
        assert!(served(&world, 5, 80) > WELL, "{dialect:?}");
        assert!(first_ad(&heard, Net::Lan, 1, s(30)) - s(30) < Time::from_millis(1));
        let demoted = ads(&heard, Net::Lan).iter().find(|(at, ..)| *at >= s(30)).unwrap().2;
        assert_eq!((demoted.demote, demoted.advskew), (0, 240));
        assert!(frames(&heard, PFSYNC).all(|(_, _, _, payload)| payload[0] == 5));
    }
}

#[test]
fn a_dead_upstream_is_nobodys_fault_and_nobodys_service() {
    let setup = pair(120).with(s(40), Fault::Upstream(Loss::ALL));
    let (world, heard) = run(setup);
    assert!(served(&world, 41, 60) < 0.05);
    assert!(ads(&heard, Net::Wan).iter().all(|(_, node, _)| *node == 0));
}
