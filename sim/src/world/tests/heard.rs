//! What the watcher hears of it.

use super::*;
use crate::heard::{Blindness, Target};
use pfsync_proto::{Packet, Section};

/// Whether all sections of a payload decode, and all that a receiver would look at is as it should be.
fn decodes(payload: &[u8]) -> bool {
    let whole = |s: Section| s.messages().all(|m| m.refused.is_none());
    Packet::new_checked(payload).is_ok_and(|p| p.sections().all(|s| s.is_ok_and(whole)))
}

#[test]
fn every_sync_frame_decodes() {
    let (_, heard) = run(pair(120));
    let count = frames(&heard, PFSYNC).count();
    assert!(count > 100, "{count}");
    for (at, net, _, payload) in frames(&heard, PFSYNC) {
        assert!(net == Net::Sync && decodes(payload), "{at:?} {payload:x?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    let setup = |seed| {
        let mut setup = pair(60)
            .with(
                s(20),
                Fault::Port(0, Net::Wan, Way::In, Loss { share: 0.1, burst: 3.0 }),
            )
            .with(s(30), Fault::HostileSync(20))
            .with(s(40), Fault::CaptureDrops(0.2));
        setup.seed = seed;
        setup
    };
    let first = run(setup(1)).1;
    assert!(first == run(setup(1)).1);
    assert!(first != run(setup(2)).1);
}

#[test]
fn packets_have_the_identification_that_the_kernels_give_them() {
    for (system, none) in [
        (OPENBSD, false),
        (System::FreeBsd(pfsync_proto::Dialect::FreeBsd1400), true),
    ] {
        let (_, heard) = run(Setup::pair(system, Load::OFFICE, 1).lasting(s(120)));
        let mut ids: Vec<u16> = heard
            .iter()
            .filter_map(|h| match h {
                Heard::Frame { octets, net, .. } if octets[29] == if *net == Net::Sync { 1 } else { 2 } => {
                    Some(u16::from_be_bytes([octets[18], octets[19]]))
                }
                _ => None,
            })
            .collect();
        assert!(ids.len() > 500);
        assert!(ids.iter().all(|id| (*id == 0) == none), "{system:?}");
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len() == all, !none, "none comes again soon");
    }
}

#[test]
fn unicast_goes_to_the_peer() {
    let mut setup = pair(60);
    setup.unicast = true;
    let (_, heard) = run(setup);
    let mut seen = 0;
    for h in &heard {
        if let Heard::Frame {
            octets, net: Net::Sync, ..
        } = h
        {
            assert_eq!(octets[30..34], [172, 16, 0, 3 - octets[29]]);
            seen += 1;
        }
    }
    assert!(seen > 50);
}

/// Answers by pinging node and target after a time: how many good, how many not.
fn pings(heard: &[Heard], after: Time, who: Node, whom: Target) -> (usize, usize) {
    let of = |good: bool| {
        heard
            .iter()
            .filter(|h| matches!(h, Heard::Ping { at, node, target, ok } if *at > after && *node == who && *target == whom && *ok == good))
            .count()
    };
    (of(true), of(false))
}

#[test]
fn pings_follow_the_faults() {
    let after = s(21);
    let run = |fault| run(pair(41).with(s(20), fault)).1;

    let heard = run(Fault::Crash(1));
    assert_eq!(pings(&heard, after, 0, Target::Peer(1, Net::Lan)), (0, 20));
    assert_eq!(pings(&heard, after, 0, Target::Gateway), (20, 0));
    assert_eq!(
        pings(&heard, after, 1, Target::Gateway),
        (0, 0),
        "the dead tell nothing"
    );

    let heard = run(dead(0, Net::Wan));
    assert_eq!(pings(&heard, after, 0, Target::Internet), (0, 20));
    assert_eq!(pings(&heard, after, 1, Target::Peer(0, Net::Wan)), (0, 20));
    assert_eq!(pings(&heard, after, 1, Target::Peer(0, Net::Lan)), (20, 0));

    let heard = run(Fault::Upstream(Loss::ALL));
    assert_eq!(pings(&heard, after, 1, Target::Internet), (0, 20));
    assert_eq!(pings(&heard, after, 1, Target::Gateway), (20, 0));
    assert_eq!(pings(&heard, after, 1, Target::Inside), (20, 0));

    let heard = run(dead(0, Net::Lan));
    assert_eq!(pings(&heard, after, 0, Target::Inside), (0, 20));
    assert_eq!(pings(&heard, after, 0, Target::Internet), (20, 0));
    assert_eq!(pings(&heard, after, 1, Target::Inside), (20, 0));
}

#[test]
fn the_switch_of_the_clients_is_gone_when_all_of_them_are() {
    let after = s(21);
    for (share, answers) in [(1.0, (0, 20)), (0.9, (20, 0))] {
        let heard = run(pair(41).with(s(20), Fault::ClientsGone(share))).1;
        for node in 0..2 {
            assert_eq!(pings(&heard, after, node, Target::Inside), answers, "{share}");
            assert_eq!(pings(&heard, after, node, Target::Peer(1 - node, Net::Lan)), (20, 0));
        }
    }
    let back = pair(41)
        .with(s(10), Fault::ClientsGone(1.0))
        .with(s(20), Fault::ClientsGone(0.0));
    assert_eq!(pings(&run(back).1, after, 0, Target::Inside), (20, 0));
}

#[test]
fn a_watcher_on_a_node_is_deaf_with_its_port() {
    let watched = |fault| {
        let mut setup = pair(60).with(s(30), fault);
        setup.vantage = Some(1);
        run(setup).1
    };
    let count = |heard: &[Heard], node: u8| {
        frames(heard, CARP)
            .filter(|(at, net, src, _)| *net == Net::Lan && *src == node + 2 && *at > s(35))
            .count()
    };
    let heard = watched(Fault::Load(1.0));
    assert_eq!((count(&heard, 0), count(&heard, 1)), (24, 0));
    // It hears itself shout into the void.
    let heard = watched(dead(1, Net::Lan));
    assert_eq!((count(&heard, 0), count(&heard, 1)), (0, 18));
    // From the mirror port it is the other way round.
    let heard = run(pair(60).with(s(30), dead(1, Net::Lan))).1;
    assert_eq!((count(&heard, 0), count(&heard, 1)), (24, 0));
}

#[test]
fn a_watcher_dies_and_rises_with_its_node() {
    let mut setup = pair(60).with(s(20), Fault::Crash(1)).with(s(40), Fault::Boot(1));
    setup.vantage = Some(1);
    let (_, heard) = run(setup);
    assert!(heard.iter().all(|h| !(s(20) < h.at() && h.at() < s(40))));
    let gap = heard.iter().find(|h| {
        matches!(
            h,
            Heard::Gap {
                cause: Blindness::Stall,
                ..
            }
        )
    });
    assert_eq!(gap.map(Heard::at), Some(s(40)));
    assert!(heard.iter().any(|h| h.at() > s(41)));
}

#[test]
fn blindness_is_told() {
    let setup = pair(60)
        .with(s(10), Fault::Stall(s(3)))
        .with(s(20), Fault::ClockStep(-3600.0))
        .with(s(30), Fault::CaptureDrops(0.5))
        .with(s(40), Fault::CaptureDrops(0.0));
    let (_, heard) = run(setup);
    let gaps = |why: Blindness| {
        heard
            .iter()
            .filter(|h| matches!(h, Heard::Gap { cause, .. } if *cause == why))
            .count()
    };
    assert_eq!((gaps(Blindness::Stall), gaps(Blindness::Clock)), (1, 1));
    assert!((8..=11).contains(&gaps(Blindness::Drops)));
    assert!(heard.iter().all(|h| !(s(10) < h.at() && h.at() < s(13))));
}

#[test]
fn an_intruder_is_heard_and_endured() {
    let (world, heard) = run(pair(90).with(s(20), Fault::HostileSync(50)));
    let foreign = frames(&heard, PFSYNC).filter(|(_, _, src, _)| *src == 66).count();
    assert!((1500..2000).contains(&foreign), "{foreign}");
    let broken = frames(&heard, PFSYNC).filter(|(.., p)| !decodes(p)).count();
    assert!(broken > 500, "{broken}");
    assert_eq!(world.masters(Net::Lan, 1), [0]);
}

/// Nobody does anything for a minute.
fn silent() -> Setup {
    let mut setup = pair(60);
    setup.load.flows_per_second = 0.0;
    setup
}

#[test]
fn states_of_carp_and_pings_make_noise_from_both_nodes_when_users_sleep() {
    assert_eq!(frames(&run(silent()).1, PFSYNC).count(), 0);
    let (mut carp, mut ping) = (silent(), silent());
    carp.carp_states = true;
    ping.ping_states = true;
    for setup in [carp, ping] {
        let heard = run(setup).1;
        for node in [1, 2] {
            let count = frames(&heard, PFSYNC).filter(|(_, _, src, _)| *src == node).count();
            assert!((30..200).contains(&count), "{node}: {count}");
        }
        assert!(heard.iter().all(|h| !matches!(h, Heard::Ping { ok: false, .. })));
    }
}

#[test]
fn a_planned_reboot_says_goodbye_on_openbsd() {
    let setup = pair(40).with(s(20), Fault::Boot(0));
    let (_, heard) = run(setup);
    let all = ads(&heard, Net::Lan);
    let goodbye = all.iter().find(|(_, _, ad)| ad.bow_out).expect("no bow-out");
    assert_eq!((goodbye.0, goodbye.1), (s(20), 0));
    assert!(first_ad(&heard, Net::Lan, 1, s(20)) - s(20) < Time::from_millis(1));
    let asked = frames(&heard, PFSYNC)
        .find(|(at, _, src, _)| *at >= s(20) && *src == 1)
        .unwrap();
    let actions: Vec<_> = Packet::new_checked(asked.3)
        .unwrap()
        .sections()
        .map(|s| s.unwrap().action)
        .collect();
    assert_eq!(actions, [pfsync_proto::Action::UpdReq]);
}
