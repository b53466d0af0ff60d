//! The table of docs/contract.md section 6, row by row.

mod acting;

use super::*;
use crate::settings::{About, Policy as Limits};

const ME: NodeId = NodeId(1);
const T0: Timestamp = Timestamp::from_nanos(1_000_000_000_000);

fn at(seconds: f64) -> Timestamp {
    T0 + Duration::from_secs_f64(seconds)
}

fn down(cause: Cause) -> (Health, Option<Cause>) {
    (Health::Down, Some(cause))
}

fn backup() -> Situation {
    Situation {
        mastership: (0, 2),
        health: vec![(Health::Up, None), (Health::Idle, None)],
        firm: vec![true; 2],
        faults: vec![Fault::Stuck(9, 0); 2],
        gone: vec![false; 2],
        ..Situation::default()
    }
}

fn probe(about: About) -> Probe {
    Probe {
        name: "p".into(),
        about,
        fall: 3,
        rise: 2,
    }
}

/// Looks every 100 ms for `seconds`; all decisions with their delay.
fn run(policy: &mut Policy, s: &Situation, from: f64, seconds: f64) -> Vec<(Action, f64)> {
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    let mut out = Vec::new();
    let mut t = from;
    while t <= from + seconds {
        if let (Some(d), _) = policy.look(at(t), s, &name) {
            out.push((d.action, (t * 10.0).round() / 10.0));
        }
        t += 0.1;
    }
    out
}

#[test]
fn who_is_master_of_all_that_has_a_master_is_not_primary_while_another_vhid_has_none() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let only = |vacant| Situation {
        mastership: (1, 1),
        vacant,
        ..backup()
    };
    run(&mut p, &only(true), 2.0, 3.0);
    assert_eq!((p.role(), p.carp_role()), (Role::Backup, Role::Backup));
    run(&mut p, &only(false), 5.1, 1.0);
    assert_eq!(p.role(), Role::Primary);
}

#[test]
fn an_unsynchronised_backup_promotes_itself_past_a_dead_peer_once_confirmed() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    assert!(run(&mut p, &backup(), 0.0, 1.0).is_empty());
    let s = Situation {
        mastership: (1, 2),
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        health: vec![down(Cause::BlackholeForward), (Health::Suspect, None)],
        ..backup()
    };
    assert_eq!(run(&mut p, &s, 3.0, 600.0), vec![(Action::Promote, 4.0)]);
    assert_eq!(p.role(), Role::Promoted);
    // Whatever was decided: in the split CARP is as it was before.
    assert_eq!(p.carp_role(), Role::Backup);
    let won = Situation {
        mastership: (2, 2),
        ..backup()
    };
    run(&mut p, &won, 604.0, 1.0);
    assert_eq!((p.role(), p.carp_role()), (Role::Promoted, Role::Primary));
}

#[test]
fn a_split_that_may_be_chance_or_our_own_is_waited_for_and_said_once() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = |unclear| Situation {
        mastership: (1, 2),
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        unclear,
        health: vec![down(Cause::BlackholeForward), (Health::Up, None)],
        ..backup()
    };
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    for (why, words) in [(Unclear::Chance, "by chance"), (Unclear::OwnTraffic, "cut off")] {
        let said: Vec<_> = (0..60)
            .map(|i| p.look(at(3.0 + f64::from(i) / 10.0), &s(Some(why)), &name))
            .collect();
        assert!(said.iter().all(|(d, _)| d.is_none()));
        let texts: Vec<_> = said.into_iter().filter_map(|(_, n)| Some(n?.text)).collect();
        assert!(texts.len() == 1 && texts[0].contains(words), "{texts:?}");
    }
    assert_eq!(run(&mut p, &s(None), 9.0, 600.0), vec![(Action::Promote, 9.0)]);
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    run(&mut p, &s(Some(Unclear::OwnTraffic)), 3.0, 0.5);
    (0..2).for_each(|i| p.probe(at(3.6 + f64::from(i) / 10.0), 0, true));
    assert_eq!(
        run(&mut p, &s(Some(Unclear::OwnTraffic)), 4.0, 600.0),
        vec![(Action::Promote, 5.1)],
        "its own probe shows that it is not cut off"
    );
}

#[test]
fn in_sync_and_without_a_probe_nothing_is_done_and_the_reason_is_said_once() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    let said: Vec<_> = (0..600)
        .filter_map(|i| p.look(at(2.0 + f64::from(i)), &s, &name).1)
        .collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].text.contains("no probe"), "{}", said[0].text);
}

#[test]
fn in_sync_a_probe_that_reaches_further_is_the_witness() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    assert!(run(&mut p, &s, 2.0, 5.0).is_empty(), "unknown is not up");
    p.probe(at(8.0), 0, true);
    p.probe(at(9.0), 0, true);
    assert!(
        run(&mut p, &s, 10.0, 3.0).is_empty(),
        "it answered before the trouble was known"
    );
    p.probe(at(13.5), 0, false);
    assert!(
        run(&mut p, &s, 13.6, 0.5).is_empty(),
        "what is dead may lie beyond both"
    );
    p.probe(at(14.5), 0, true);
    assert_eq!(run(&mut p, &s, 14.6, 5.0), vec![(Action::Promote, 15.7)]);
}

#[test]
fn in_sync_traffic_must_say_enough_where_it_is_asked_alone() {
    let limits = Limits {
        require_witness: false,
        ..Limits::default()
    };
    let mut p = Policy::new(Some(ME), &limits, &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    (0..2).for_each(|i| p.probe(at(1.0 + f64::from(i)), 0, true));
    let s = |firm| Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        firm: vec![firm, false],
        faults: vec![Fault::Unseen; 2],
        ..backup()
    };
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    p.look(at(3.0), &s(false), &name);
    p.probe(at(3.5), 0, true);
    let (decision, notice) = p.look(at(4.0), &s(false), &name);
    assert!(decision.is_none() && notice.is_some_and(|n| n.text.contains("may be chance")));
    assert_eq!(run(&mut p, &s(true), 4.1, 2.0), vec![(Action::Promote, 5.1)]);
}

#[test]
fn in_sync_nobody_is_promoted_for_what_may_be_dead_beyond_both() {
    let limits = |require_witness| Limits {
        require_witness,
        ..Limits::default()
    };
    let s = |fault| Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        faults: vec![fault, Fault::Unseen],
        ..backup()
    };
    let mut p = Policy::new(Some(ME), &limits(true), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    let answer = |p: &mut Policy, from: u32| (from..from + 3).for_each(|i| p.probe(at(f64::from(i)), 0, true));
    answer(&mut p, 1);
    assert!(run(&mut p, &s(Fault::Unseen), 3.1, 0.5).is_empty());
    answer(&mut p, 4);
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    assert!(
        p.look(at(6.05), &s(Fault::Unseen), &name).1.is_none(),
        "it is too early for a word"
    );
    let (decision, notice) = p.look(at(7.0), &s(Fault::Unseen), &name);
    assert!(decision.is_none() && notice.is_some_and(|n| n.text.contains("beyond both")));
    let stuck = Situation {
        firm: vec![false; 2],
        ..s(Fault::Stuck(12, 0))
    };
    // Nor for what is seen for a moment.
    for (when, s) in [(7.2, &stuck), (8.0, &s(Fault::Unseen)), (8.2, &stuck), (9.1, &stuck)] {
        assert!(p.look(at(when), s, &name).0.is_none(), "{when}");
    }
    let reason = p.look(at(9.2), &stuck, &name).0.unwrap().reason;
    assert!(reason.contains("none of the last 12 connections"), "{reason}");

    let mut p = Policy::new(Some(ME), &limits(true), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    answer(&mut p, 1);
    run(&mut p, &s(Fault::Untold), 3.1, 0.5);
    answer(&mut p, 4);
    let untold = p.look(at(7.0), &s(Fault::Untold), &name).1.unwrap();
    assert!(untold.text.contains("not heard on both sides"), "{}", untold.text);
    assert_eq!(run(&mut p, &s(Fault::Missing), 7.1, 2.0), vec![(Action::Promote, 8.1)]);

    // Who asks for no witness has said that traffic is enough.
    let mut p = Policy::new(Some(ME), &limits(false), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    assert_eq!(run(&mut p, &s(Fault::Unseen), 3.1, 2.0), vec![(Action::Promote, 4.1)]);
}

#[test]
fn an_outage_beyond_both_that_is_over_promotes_nobody() {
    // The probe failed once and answers again; did tries through the peer fail after that?
    let promoted = |failed: f64, worked: f64| {
        let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
        run(&mut p, &backup(), 0.0, 1.0);
        (0..2).for_each(|i| p.probe(at(1.0 + f64::from(i)), 0, true));
        let s = Situation {
            health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
            tries: vec![(at(failed), at(worked)), (at(0.0), at(0.0))],
            ..backup()
        };
        p.probe(at(3.5), 0, false);
        run(&mut p, &s, 4.0, 0.5);
        p.probe(at(4.5), 0, true);
        run(&mut p, &s, 4.6, 2.0).first().map(|d| d.0)
    };
    assert_eq!(promoted(5.5, 2.0), None, "told late: from before the answer");
    assert_eq!(promoted(5.9, 5.8), None, "some get through again");
    assert_eq!(promoted(5.9, 2.0), Some(Action::Promote));
}

#[test]
fn where_some_were_answered_since_it_fell_the_others_get_the_time_to_try_again() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    (0..2).for_each(|i| p.probe(at(1.0 + f64::from(i)), 0, true));
    let s = |failed: f64| Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        tries: vec![(at(failed), at(5.3)), (at(0.0), at(0.0))],
        ..backup()
    };
    run(&mut p, &s(4.0), 4.0, 0.5);
    p.probe(at(4.5), 0, true);
    let acts: Vec<_> = (0..20)
        .flat_map(|i| {
            let t = 4.6 + f64::from(i);
            p.probe(at(t), 0, true);
            run(&mut p, &s(t), t, 0.9)
        })
        .collect();
    // Six seconds after the last answer.
    assert_eq!(acts, vec![(Action::Promote, 11.3)]);
}

#[test]
fn a_probe_that_never_reported_is_neither_good_nor_bad() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    let dead = Situation {
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    p.look(at(2.0), &dead, &name);
    let said = p.look(at(3.1), &dead, &name).1.unwrap();
    assert!(said.text.contains("no probe shows"), "{}", said.text);
    let torn = Situation {
        split: Some(at(4.0)),
        suspect: Some(NodeId(0)),
        ..dead
    };
    assert_eq!(run(&mut p, &torn, 5.0, 2.0), vec![(Action::Promote, 6.0)]);
}

#[test]
fn an_address_that_was_moved_on_purpose_is_no_witness() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = Situation {
        split: Some(at(2.0)),
        suspect: None,
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    assert!(run(&mut p, &s, 3.0, 60.0).is_empty());
}

#[test]
fn the_last_one_standing_is_not_demoted() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    (0..3).for_each(|i| p.probe(at(1.2 + f64::from(i) * 0.2), 0, false));
    assert_eq!(run(&mut p, &backup(), 2.0, 5.0), vec![(Action::Demote, 2.0)]);
    let alone = Situation {
        gone: vec![true, false],
        ..backup()
    };
    assert_eq!(run(&mut p, &alone, 8.0, 600.0), vec![(Action::Restore, 8.0)]);
}

#[test]
fn an_old_corpse_does_not_hide_the_next_outage() {
    let me = NodeId(2);
    let mut p = Policy::new(Some(me), &Limits::default(), &[probe(About::SelfNode)]);
    let three = |health| Situation {
        mastership: (0, 2),
        health,
        firm: vec![true; 3],
        faults: vec![Fault::Stuck(9, 0); 3],
        gone: vec![true, false, false],
        ..Situation::default()
    };
    let (silent, idle) = (down(Cause::Silence), (Health::Idle, None));
    run(&mut p, &three(vec![silent, (Health::Up, None), idle]), 0.0, 5.0);
    (0..2).for_each(|i| p.probe(at(5.0 + f64::from(i)), 0, true));
    let s = three(vec![silent, down(Cause::BlackholeForward), idle]);
    run(&mut p, &s, 7.0, 0.5);
    p.probe(at(7.6), 0, true);
    assert_eq!(run(&mut p, &s, 7.7, 5.0).first().map(|d| d.0), Some(Action::Promote));
}

#[test]
fn a_promotion_that_is_held_back_says_so() {
    let limits = Limits {
        max_per_hour: 0,
        ..Limits::default()
    };
    let mut p = Policy::new(Some(ME), &limits, &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = Situation {
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    p.look(at(3.0), &s, &name);
    let (decision, notice) = p.look(at(4.1), &s, &name);
    assert!(decision.is_none() && notice.is_some_and(|n| n.text.contains("max-per-hour")));
}

#[test]
fn a_crash_is_left_to_carp() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    run(&mut p, &backup(), 0.0, 1.0);
    let s = Situation {
        health: vec![down(Cause::Silence), (Health::Idle, None)],
        gone: vec![true, false],
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        ..backup()
    };
    assert!(run(&mut p, &s, 2.0, 60.0).is_empty());
}

#[test]
fn without_carp_without_self_with_a_healthy_peer_or_a_failing_probe_nothing_is_done() {
    let dead = vec![down(Cause::BlackholeForward), (Health::Idle, None)];
    let split = Some(at(1.0));
    let cases: [(Option<NodeId>, Situation, bool); 4] = [
        (
            Some(ME),
            Situation {
                mastership: (0, 0),
                health: dead.clone(),
                split,
                ..backup()
            },
            false,
        ),
        (
            None,
            Situation {
                health: dead.clone(),
                split,
                ..backup()
            },
            false,
        ),
        (Some(ME), Situation { split, ..backup() }, false),
        (
            Some(ME),
            Situation {
                health: dead.clone(),
                split,
                ..backup()
            },
            true,
        ),
    ];
    for (me, s, failing) in cases {
        let mut p = Policy::new(me, &Limits::default(), &[probe(About::SelfNode)]);
        if s.mastership.1 > 0 {
            run(&mut p, &backup(), 0.0, 0.5);
        }
        if failing {
            (0..3).for_each(|i| p.probe(at(f64::from(i) * 0.1), 0, false));
        }
        assert!(
            run(&mut p, &s, 1.0, 60.0).iter().all(|(a, _)| *a != Action::Promote),
            "{s:?}"
        );
    }
}

#[test]
fn a_failing_self_probe_demotes_a_backup_at_once_and_a_master_after_the_delay() {
    for (mastership, delay) in [((0, 2), 2.0), ((2, 2), 7.0)] {
        let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
        let s = Situation { mastership, ..backup() };
        run(&mut p, &s, 0.0, 1.0);
        (0..3).for_each(|i| p.probe(at(1.2 + f64::from(i) * 0.2), 0, false));
        assert_eq!(run(&mut p, &s, 2.0, 20.0), vec![(Action::Demote, delay)]);
        (0..2).for_each(|i| p.probe(at(30.0 + f64::from(i)), 0, true));
        assert_eq!(run(&mut p, &s, 32.0, 40.0), vec![(Action::Restore, 61.0)]);
    }
}

#[test]
fn a_probe_that_answers_again_demotes_nobody_though_it_still_counts_as_down() {
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    let primary = Situation {
        mastership: (2, 2),
        ..backup()
    };
    run(&mut p, &primary, 0.0, 1.0);
    (0..3).for_each(|i| p.probe(at(1.2 + f64::from(i) * 0.2), 0, false));
    assert!(run(&mut p, &primary, 2.0, 4.0).is_empty());
    p.probe(at(6.5), 0, true);
    assert!(run(&mut p, &primary, 6.6, 10.0).is_empty());
    p.probe(at(17.0), 0, false);
    assert_eq!(run(&mut p, &primary, 17.1, 5.0), vec![(Action::Demote, 17.1)]);
}

#[test]
fn only_a_probe_that_saw_the_peer_away_shows_that_it_is_back() {
    let s = Situation {
        mastership: (1, 2),
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        ..backup()
    };
    // A wedged peer answers all the while; one that is cut off does not.
    for (away, back) in [(false, vec![]), (true, vec![(Action::Restore, 51.0)])] {
        let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::Node(0))]);
        (0..2).for_each(|i| p.probe(at(f64::from(i)), 0, true));
        run(&mut p, &backup(), 0.0, 1.0);
        assert_eq!(run(&mut p, &s, 3.0, 3.0), vec![(Action::Promote, 4.0)]);
        (0..3).for_each(|i| p.probe(at(7.0 + f64::from(i)), 0, !away));
        (0..2).for_each(|i| p.probe(at(20.0 + f64::from(i)), 0, true));
        assert_eq!(run(&mut p, &s, 22.0, 200.0), back, "{away}");
    }
}

#[test]
fn of_three_nodes_exactly_one_promotes() {
    let s = Situation {
        mastership: (0, 2),
        split: Some(at(1.0)),
        suspect: Some(NodeId(0)),
        health: vec![
            down(Cause::BlackholeForward),
            (Health::Idle, None),
            (Health::Idle, None),
        ],
        firm: vec![true; 3],
        faults: vec![Fault::Stuck(9, 0); 3],
        gone: vec![false; 3],
        ..Situation::default()
    };
    let promoted: Vec<_> = [NodeId(1), NodeId(2)]
        .into_iter()
        .filter(|&me| {
            let mut p = Policy::new(Some(me), &Limits::default(), &[]);
            run(
                &mut p,
                &Situation {
                    split: None,
                    ..s.clone()
                },
                0.0,
                0.2,
            );
            !run(&mut p, &s, 1.0, 30.0).is_empty()
        })
        .collect();
    assert_eq!(promoted, vec![NodeId(1)]);
}

#[test]
fn a_backup_whose_own_port_is_dead_is_cut_off_and_gives_nothing_away() {
    let fails = |p: &mut Policy, from: f64| {
        for i in 0..4 {
            p.probe(at(from + f64::from(i)), 0, false);
        }
    };
    let torn = Situation {
        mastership: (1, 2),
        split: Some(at(2.0)),
        suspect: Some(NodeId(0)),
        ..backup()
    };
    let deaf = Situation { deaf: true, ..backup() };
    for cut in [torn, deaf] {
        let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
        run(&mut p, &backup(), 0.0, 1.0);
        fails(&mut p, 1.0);
        assert!(run(&mut p, &cut, 5.0, 3.0).is_empty());
        // What is dead is dead for the other, too: then both stand back alike, and nothing moves.
        let both = Situation {
            health: vec![(Health::Suspect, None), (Health::Idle, None)],
            ..cut
        };
        p.probe(at(8.0), 0, false);
        assert_eq!(run(&mut p, &both, 8.0, 1.0), [(Action::Demote, 8.0)]);
    }
    // Everything is heard, so it lies beyond the segments.
    let mut p = Policy::new(Some(ME), &Limits::default(), &[probe(About::SelfNode)]);
    run(&mut p, &backup(), 0.0, 1.0);
    fails(&mut p, 1.0);
    assert_eq!(run(&mut p, &backup(), 5.0, 1.0), [(Action::Demote, 5.0)]);
}
