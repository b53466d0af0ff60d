//! A policy whose decisions are carried out: results, pauses, a promotion that fails, fencing, and both standing back.

use super::*;
use crate::settings::Live;

const PEER: NodeId = NodeId(0);

fn ago(seconds: u64) -> Timestamp {
    T0 - Duration::from_secs(seconds)
}

fn live() -> Limits {
    Limits {
        live: Live {
            start: Duration::ZERO,
            ..Live::daemon(true)
        },
        fence: Some(0),
        fence_delay: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Nothing is carried out, and little may be done within the hour.
fn observer() -> Limits {
    Limits {
        live: Live {
            start: Duration::ZERO,
            ..Live::daemon(false)
        },
        max_per_hour: 2,
        ..Limits::default()
    }
}

/// The peer lost a part, and is down.
fn torn() -> Situation {
    Situation {
        mastership: (1, 2),
        split: Some(at(2.0)),
        suspect: Some(PEER),
        health: vec![down(Cause::BlackholeForward), (Health::Idle, None)],
        signs: vec![
            Signs {
                advertises: true,
                ..Signs::default()
            },
            Signs::default(),
        ],
        rivals: vec![Rival {
            node: Some(PEER),
            place: "vhid 2 on wan".into(),
        }],
        ..backup()
    }
}

/// Looks every 100 ms; decisions by action and time, and what was said.
fn told(p: &mut Policy, s: &Situation, from: f64, seconds: f64) -> (Vec<(Action, u64)>, Vec<String>) {
    let name = |n: NodeId| format!("fw{}", n.0 + 1);
    let (mut acts, mut words) = (Vec::new(), Vec::new());
    let mut t = 0.0;
    while t <= seconds + 0.05 {
        let (d, n) = p.look(at(from + t), s, &name);
        acts.extend(d.map(|d| (d.action, d.seq)));
        words.extend(n.map(|n| n.text));
        t += 0.1;
    }
    (acts, words)
}

/// A backup that has just promoted itself, at 4 s, which was carried out at once.
fn promoted(limits: &Limits, probes: &[Probe]) -> Policy {
    let mut p = Policy::new(Some(ME), limits, probes);
    told(&mut p, &backup(), 0.0, 1.0);
    assert_eq!(told(&mut p, &torn(), 3.0, 1.0).0, vec![(Action::Promote, 1)]);
    assert!(p.result(at(4.0), 1, true));
    p
}

#[test]
fn in_maintenance_nothing_is_decided_which_is_said_once_and_what_is_ours_is_taken_back() {
    let mut p = Policy::new(Some(ME), &live(), &[probe(About::SelfNode)]);
    told(&mut p, &backup(), 0.0, 1.0);
    p.maintenance(true);
    (0..3).for_each(|i| p.probe(at(1.2 + f64::from(i) * 0.2), 0, false));
    let (acts, words) = told(&mut p, &backup(), 2.0, 60.0);
    assert!(acts.is_empty() && words.len() == 2, "{words:?}");
    assert!(words[0].starts_with("maintenance:") && words[1].contains("not changing"));
    p.maintenance(false);
    let (acts, _) = told(&mut p, &backup(), 63.0, 1.0);
    assert_eq!(acts, vec![(Action::Demote, 1)]);
    p.result(at(64.1), 1, true);
    p.maintenance(true);
    (0..2).for_each(|i| p.probe(at(65.0 + f64::from(i)), 0, true));
    assert_eq!(told(&mut p, &backup(), 70.0, 60.0).0, vec![(Action::Restore, 2)]);
    assert!(p.in_maintenance());
}

#[test]
fn somebody_works_at_the_peer_so_it_does_not_get_the_traffic_back() {
    let mut p = promoted(&live(), &[probe(About::Node(0))]);
    (0..2).for_each(|i| p.probe(at(5.0 + f64::from(i) / 10.0), 0, true));
    (0..3).for_each(|i| p.probe(at(6.0 + f64::from(i)), 0, false));
    (0..2).for_each(|i| p.probe(at(10.0 + f64::from(i)), 0, true));
    p.maintenance(true);
    assert!(told(&mut p, &backup(), 50.0, 10.0).0.is_empty());
    p.maintenance(false);
    assert_eq!(told(&mut p, &backup(), 61.0, 1.0).0, vec![(Action::Restore, 2)]);
}

#[test]
fn nothing_is_decided_at_first_nor_after_blindness_and_lasting_blindness_is_said() {
    let mut p = Policy::new(
        Some(ME),
        &Limits {
            live: Live::daemon(true),
            ..live()
        },
        &[],
    );
    told(&mut p, &backup(), 0.0, 1.0);
    let first = told(&mut p, &torn(), 1.1, 8.7);
    assert!(first.0.is_empty() && first.1.is_empty(), "ten seconds of start");
    for i in 0..12 {
        p.blind(at(9.9 + 3.0 * f64::from(i)));
        let (acts, words) = told(&mut p, &torn(), 10.0 + 3.0 * f64::from(i), 2.8);
        assert!(acts.is_empty());
        assert_eq!(words.len(), usize::from(i == 10), "{i}: {words:?}");
    }
    assert_eq!(told(&mut p, &torn(), 46.0, 5.0).0, vec![(Action::Promote, 1)]);
}

#[test]
fn a_bulk_update_explains_traffic_but_no_split() {
    let mut p = Policy::new(Some(ME), &live(), &[probe(About::SelfNode)]);
    told(&mut p, &backup(), 0.0, 1.0);
    (0..2).for_each(|i| p.probe(at(1.0 + f64::from(i) / 10.0), 0, true));
    let in_sync = Situation {
        split: None,
        suspect: None,
        mastership: (0, 2),
        bulk: Some(at(2.0)),
        ..torn()
    };
    told(&mut p, &in_sync, 3.0, 0.1);
    p.probe(at(3.5), 0, true);
    let (acts, words) = told(&mut p, &in_sync, 3.6, 50.0);
    assert!(
        acts.is_empty() && words.len() == 1 && words[0].contains("bulk"),
        "{words:?}"
    );
    assert_eq!(
        told(&mut p, &in_sync, 61.0, 2.0).0,
        vec![(Action::Promote, 1)],
        "a minute at most"
    );
    let mut p = Policy::new(Some(ME), &live(), &[]);
    told(&mut p, &backup(), 0.0, 1.0);
    let split = Situation {
        bulk: Some(at(2.0)),
        ..torn()
    };
    assert_eq!(told(&mut p, &split, 3.0, 2.0).0, vec![(Action::Promote, 1)]);
}

#[test]
fn what_failed_is_not_our_role_and_tried_again_later_three_times_in_all() {
    let mut p = Policy::new(Some(ME), &live(), &[]);
    told(&mut p, &backup(), 0.0, 1.0);
    let mut tries = Vec::new();
    let mut words = Vec::new();
    for i in 0..1_200 {
        let t = 3.0 + f64::from(i) / 10.0;
        let (acts, said) = told(&mut p, &torn(), t, 0.0);
        words.extend(said);
        for (action, seq) in acts {
            tries.push((action, t.round()));
            assert!(p.result(at(t), seq, false) && !p.result(at(t), seq, false));
            assert_eq!(p.role(), Role::Backup);
        }
    }
    // `settle` and `confirm` lie between the first two.
    let times = vec![(Action::Promote, 4.0), (Action::Promote, 10.0), (Action::Promote, 20.0)];
    assert_eq!(tries, times);
    assert!(
        words.iter().filter(|w| w.contains("failed; ")).count() == 3,
        "{words:?}"
    );
    assert!(words.last().unwrap().contains("too often"), "{words:?}");
}

#[test]
fn until_a_result_is_told_nothing_else_is_decided_and_that_is_said() {
    let mut p = Policy::new(Some(ME), &live(), &[probe(About::SelfNode)]);
    told(&mut p, &backup(), 0.0, 1.0);
    assert_eq!(told(&mut p, &torn(), 3.0, 2.0).0, vec![(Action::Promote, 1)]);
    (0..3).for_each(|i| p.probe(at(6.0 + f64::from(i)), 0, false));
    let (acts, words) = told(&mut p, &torn(), 9.0, 100.0);
    assert!(
        acts.is_empty() && words.len() == 1 && words[0].contains("not known yet"),
        "{words:?}"
    );
    assert!(p.result(at(110.0), 1, true) && p.undo(at(110.0)).is_some());
}

#[test]
fn after_a_restart_it_goes_on_as_what_it_was() {
    let probes = [probe(About::Node(0))];
    let mut p = Policy::new(Some(ME), &live(), &probes);
    p.resume(&Past {
        role: Role::Promoted,
        since: ago(100),
        ..Past::default()
    });
    assert_eq!(p.role(), Role::Promoted);
    // Who does not answer at first was away; a hanging one answers all the while.
    (0..3).for_each(|i| p.probe(at(f64::from(i)), 0, false));
    (0..2).for_each(|i| p.probe(at(5.0 + f64::from(i)), 0, true));
    assert_eq!(told(&mut p, &backup(), 7.0, 40.0).0, vec![(Action::Restore, 1)]);
    // What an earlier run saw is as good, where it was around the promotion.
    for (away, restores) in [(Some(ago(103)), 1), (Some(ago(90)), 1), (Some(ago(900)), 0), (None, 0)] {
        let mut p = Policy::new(Some(ME), &live(), &probes);
        p.resume(&Past {
            role: Role::Promoted,
            since: ago(100),
            away,
            ..Past::default()
        });
        (0..2).for_each(|i| p.probe(at(f64::from(i)), 0, true));
        assert!(told(&mut p, &backup(), 2.0, 28.0).0.is_empty());
        assert_eq!(told(&mut p, &backup(), 30.1, 9.0).0.len(), restores, "{away:?}");
    }
    let mut p = Policy::new(Some(ME), &live(), &probes);
    p.resume(&Past {
        role: Role::Demoted,
        since: ago(100),
        promotions: &[ago(20), ago(10)],
        ..Past::default()
    });
    let decision = p.undo(at(1.0)).unwrap();
    assert_eq!((decision.action, decision.cause), (Action::Restore, "operator"));
    p.result(at(1.0), decision.seq, true);
    assert!(p.undo(at(2.0)).is_none(), "nothing is ours any more");
    told(&mut p, &backup(), 7.0, 0.1);
    let (acts, words) = told(&mut p, &torn(), 8.0, 100.0);
    assert!(
        acts.is_empty() && words[0].contains("hold-down"),
        "two promotions before: {words:?}"
    );
}

/// Nobody would look at half a change again, and half a promotion splits the addresses between two nodes.
#[test]
fn what_failed_by_half_is_taken_back_until_it_is() {
    for (row, action, role) in [
        (torn(), Action::Promote, Role::Promoted),
        (backup(), Action::Demote, Role::Demoted),
    ] {
        let probes = [probe(About::SelfNode)];
        let mut p = Policy::new(Some(ME), &live(), &probes[..usize::from(action == Action::Demote)]);
        let own = |p: &mut Policy, from: f64, ok| (0..3).for_each(|i| p.probe(at(from + f64::from(i) * 0.1), 0, ok));
        told(&mut p, &backup(), 0.0, 1.0);
        own(&mut p, 3.0, false);
        assert_eq!(told(&mut p, &row, 3.3, 2.0).0, vec![(action, 1)]);
        assert!(p.result(at(5.5), 1, Carried::Half));
        assert_eq!(p.role(), role);
        // Whatever holds now, and whoever is at work.
        own(&mut p, 5.6, true);
        p.maintenance(true);
        let mut tries = Vec::new();
        let mut failed = Vec::new();
        for i in 0..1_000 {
            let t = 5.7 + f64::from(i) / 10.0;
            let (acts, words) = told(&mut p, &backup(), t, 0.0);
            failed.extend(words.into_iter().filter(|w| w.contains("promotion failed")));
            for (act, seq) in acts {
                tries.push((act, t.round()));
                p.result(at(t), seq, if tries.len() < 4 { Carried::Half } else { Carried::Out });
            }
        }
        let restore = |t: f64| (Action::Restore, t);
        assert_eq!(tries, [11.0, 16.0, 26.0, 46.0].map(restore).to_vec(), "then it is over");
        assert_eq!((p.role(), failed.len()), (Role::Backup, 0));
        assert!(
            p.promoted.is_empty() && p.acted.len() == 2,
            "what is tried for ever is no action each time"
        );
    }
    // In a split no role is heard: it is again what it was before, and is tried again.
    let mut p = Policy::new(Some(ME), &live(), &[]);
    told(&mut p, &backup(), 0.0, 1.0);
    assert_eq!(told(&mut p, &torn(), 3.0, 1.0).0, vec![(Action::Promote, 1)]);
    p.result(at(4.0), 1, Carried::Half);
    assert_eq!(told(&mut p, &torn(), 4.1, 6.0).0, vec![(Action::Restore, 2)]);
    p.result(at(10.2), 2, true);
    assert_eq!(
        (p.role(), told(&mut p, &torn(), 10.3, 9.0).0),
        (Role::Backup, vec![(Action::Promote, 3)])
    );
    // The next run takes it up.
    let mut p = Policy::new(Some(ME), &live(), &[]);
    p.resume(&Past {
        role: Role::Promoted,
        owed: true,
        ..Past::default()
    });
    assert_eq!(told(&mut p, &torn(), 0.0, 5.0).0, vec![(Action::Restore, 1)]);
}

#[test]
fn a_promotion_is_judged_when_every_master_can_have_been_heard() {
    let mut limits = live();
    limits.live.start = Duration::from_secs(10);
    let mut p = Policy::new(Some(ME), &limits, &[]);
    p.resume(&Past {
        role: Role::Promoted,
        since: ago(100),
        ..Past::default()
    });
    // Its own advertisement comes first, and says nothing about the other's.
    let first = Situation {
        mastership: (1, 1),
        ..backup()
    };
    assert!(told(&mut p, &first, 0.0, 1.0).1.is_empty());
    assert!(told(&mut p, &torn(), 1.1, 8.0).1.is_empty());
    assert_eq!(
        told(&mut p, &torn(), 9.5, 2.0).1,
        ["promotion failed: master of 1 of 2; fw1 is master of vhid 2 on wan"]
    );
}

/// What an observer finds in the ledger is not his to take back, whatever answers again.
#[test]
fn an_observer_leaves_what_stands() {
    for (role, about) in [(Role::Promoted, About::Node(0)), (Role::Demoted, About::SelfNode)] {
        let mut p = Policy::new(Some(ME), &observer(), &[probe(about)]);
        p.resume(&Past {
            role,
            since: ago(100),
            away: Some(ago(100)),
            owed: true,
            ..Past::default()
        });
        (0..3).for_each(|i| p.probe(at(f64::from(i) * 0.1), 0, true));
        let (acts, words) = told(&mut p, &backup(), 1.0, 600.0);
        assert!(acts.is_empty() && p.role() == role, "{acts:?} {words:?}");
        // And when the operator takes it back it is over.
        assert!(p.undo(at(602.0)).is_some());
        let (acts, words) = told(&mut p, &backup(), 603.0, 60.0);
        assert!(acts.is_empty(), "{acts:?} {words:?}");
    }
}

#[test]
fn a_promotion_that_does_not_win_is_told_once_with_who_is_in_the_way() {
    let mut p = promoted(&live(), &[]);
    let (acts, words) = told(&mut p, &torn(), 4.1, 60.0);
    assert!(acts.is_empty(), "the split is one witness, not two");
    assert_eq!(
        words,
        ["promotion failed: master of 1 of 2; fw1 is master of vhid 2 on wan"]
    );
    // Offline nobody can tell whether it would have won.
    let mut p = Policy::new(Some(ME), &Limits::default(), &[]);
    told(&mut p, &backup(), 0.0, 1.0);
    let (acts, words) = told(&mut p, &torn(), 3.0, 60.0);
    assert!(acts.len() == 1 && words.is_empty(), "{words:?}");
}

/// A peer that does not answer any more, while our own probe does.
fn fencing(own: bool) -> Policy {
    let probes = [probe(About::Node(0)), probe(About::SelfNode)];
    let mut p = Policy::new(Some(ME), &live(), &probes[..if own { 2 } else { 1 }]);
    (0..2).for_each(|i| p.probe(at(0.1 * f64::from(i)), 0, true));
    told(&mut p, &backup(), 0.0, 1.0);
    told(&mut p, &torn(), 3.0, 0.1);
    (0..2).for_each(|i| p.probe(at(3.2 + 0.1 * f64::from(i)), 1, true));
    assert_eq!(told(&mut p, &torn(), 3.4, 1.2).0, vec![(Action::Promote, 1)]);
    assert!(p.result(at(4.6), 1, true));
    p
}

/// Probes each second, and what was decided and said until `to`.
fn fence(p: &mut Policy, s: &Situation, from: u32, to: u32) -> (Vec<(Action, u32)>, Vec<String>) {
    let (mut acts, mut words) = (Vec::new(), Vec::new());
    for t in from..to {
        p.probe(at(f64::from(t)), 0, false);
        p.probe(at(f64::from(t)), 1, true);
        let (a, w) = told(p, s, f64::from(t), 0.9);
        words.extend(w);
        for (action, seq) in a {
            acts.push((action, t));
            p.result(at(f64::from(t) + 0.9), seq, true);
        }
    }
    (acts, words)
}

#[test]
fn two_witnesses_of_different_kind_fence_once_an_hour_after_the_delay() {
    let mut p = fencing(true);
    let (acts, words) = fence(&mut p, &torn(), 5, 100);
    // 4.6 s and `settle`, then confirm and the delay.
    assert_eq!(acts, vec![(Action::Fence, 12)]);
    assert_eq!(p.fenced(PEER), Some(Fenced::No));
    assert!(
        words
            .iter()
            .any(|w| w.starts_with("not fenced: fw1") && w.contains("still advertises"))
    );
    assert!(words.iter().any(|w| w.contains("tried within the hour")), "{words:?}");
    // Without a probe of its own, its own dead port would explain both.
    let (acts, _) = fence(&mut fencing(false), &torn(), 5, 100);
    assert!(acts.is_empty());
    // A canary is of another kind.
    let mut s = torn();
    s.signs[0].canary = true;
    assert_eq!(fence(&mut fencing(false), &s, 5, 30).0, vec![(Action::Fence, 12)]);
}

#[test]
fn carp_that_anybody_far_away_may_have_said_is_no_witness() {
    let fences = |hearsay: bool| {
        let mut s = torn();
        s.signs[0].hearsay = hearsay;
        !fence(&mut fencing(true), &s, 5, 30).0.is_empty()
    };
    assert!(fences(false) && !fences(true));
}

#[test]
fn a_fenced_node_is_one_whose_carp_and_pfsync_have_stopped() {
    let mut p = fencing(true);
    assert_eq!(fence(&mut p, &torn(), 5, 13).0.len(), 1);
    let mut s = torn();
    s.signs[0] = Signs {
        heard: Some(at(14.0)),
        ..Signs::default()
    };
    let (_, words) = fence(&mut p, &s, 14, 19);
    assert!(words.is_empty() && p.fences(), "{words:?}");
    let (_, words) = fence(&mut p, &s, 19, 21);
    assert_eq!(words, ["fenced: CARP and pfsync of fw1 have stopped"]);
    assert_eq!(p.fenced(PEER), Some(Fenced::Yes));
}

#[test]
fn a_promotion_that_won_fences_nobody_later() {
    let mut p = fencing(true);
    let won = Situation {
        mastership: (2, 2),
        ..torn()
    };
    fence(&mut p, &won, 5, 12);
    assert!(fence(&mut p, &torn(), 12, 60).0.is_empty());
}

#[test]
fn of_two_that_stand_back_the_first_to_recover_carries() {
    let mut p = Policy::new(Some(ME), &live(), &[probe(About::SelfNode)]);
    told(&mut p, &backup(), 0.0, 1.0);
    (0..3).for_each(|i| p.probe(at(1.2 + f64::from(i) * 0.2), 0, false));
    assert_eq!(told(&mut p, &backup(), 2.0, 0.1).0, vec![(Action::Demote, 1)]);
    p.result(at(2.1), 1, true);
    (0..2).for_each(|i| p.probe(at(8.0 + f64::from(i)), 0, true));
    assert!(told(&mut p, &backup(), 9.0, 2.0).0.is_empty(), "the other carries");
    let mut s = backup();
    s.signs = vec![
        Signs {
            demoted: true,
            ..Signs::default()
        },
        Signs::default(),
    ];
    assert_eq!(told(&mut p, &s, 11.0, 1.0).0, vec![(Action::Restore, 2)]);
}

#[test]
fn a_policy_whose_past_lies_further_back_does_the_same_later() {
    let moved = Duration::from_secs(7);
    let mut p = fencing(true);
    let mut q = p.clone();
    q.age(at(4.6), moved);
    assert_ne!(p, q);
    p.probe(at(20.0), 0, false);
    q.probe(at(13.0), 0, false);
    assert_eq!(p.next_deadline(at(20.0)), q.next_deadline(at(13.0)));
    let (a, b) = (told(&mut p, &torn(), 20.0, 20.0), told(&mut q, &torn(), 13.0, 20.0));
    assert_eq!(a, b);
}

/// Where nothing is carried out nothing can be taken back either: what was said to be done ends with what called for it.
#[test]
fn an_observer_tells_each_failure_and_its_end() {
    let limits = observer();
    let mut p = Policy::new(Some(ME), &limits, &[]);
    told(&mut p, &backup(), 0.0, 1.0);
    for (turn, from) in [3.0, 103.0, 203.0, 3_900.0].into_iter().enumerate() {
        let seq = 2 * turn as u64 + 1;
        assert_eq!(told(&mut p, &torn(), from, 20.0).0, vec![(Action::Promote, seq)]);
        let masterless = Situation {
            mastership: (0, 0),
            ..backup()
        };
        assert!(told(&mut p, &masterless, from + 20.1, 1.0).0.is_empty());
        // A glimpse of health is none.
        assert!(told(&mut p, &backup(), from + 21.2, 29.0).0.is_empty());
        assert!(told(&mut p, &torn(), from + 50.3, 0.5).0.is_empty());
        assert_eq!(
            told(&mut p, &backup(), from + 50.9, 31.0).0,
            vec![(Action::Restore, seq + 1)]
        );
        assert_eq!((p.role(), p.outlook(at(from + 90.0)).actions.0), (Role::Backup, 0));
    }
    // Who acts keeps what it did, and so does what an earlier run did: that is no phantom.
    for acts in [true, false] {
        let mut p = Policy::new(Some(ME), &live(), &[]);
        if acts {
            told(&mut p, &backup(), 0.0, 1.0);
            assert_eq!(told(&mut p, &torn(), 3.0, 20.0).0, vec![(Action::Promote, 1)]);
            p.result(at(23.0), 1, true);
        } else {
            p = Policy::new(Some(ME), &limits, &[]);
            p.resume(&Past {
                role: Role::Promoted,
                since: ago(100),
                ..Past::default()
            });
            assert!(p.outlook(at(0.0)).stands);
        }
        assert!(told(&mut p, &backup(), 24.0, 600.0).0.is_empty());
        assert_eq!(p.role(), Role::Promoted);
    }
}

/// A peer that is down all the while is no reason to promote twice, whatever its pings do.
#[test]
fn an_observer_tells_a_failure_once() {
    let mut p = Policy::new(Some(ME), &observer(), &[probe(About::Node(0))]);
    told(&mut p, &backup(), 0.0, 1.0);
    (0..3).for_each(|i| p.probe(at(1.0 + f64::from(i) * 0.1), 0, true));
    (0..3).for_each(|i| p.probe(at(2.0 + f64::from(i) * 0.1), 0, false));
    assert_eq!(told(&mut p, &torn(), 3.0, 2.0).0, vec![(Action::Promote, 1)]);
    (0..3).for_each(|i| p.probe(at(5.0 + f64::from(i) * 0.1), 0, true));
    assert!(told(&mut p, &torn(), 6.0, 200.0).0.is_empty());
}
