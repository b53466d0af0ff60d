//! Who boots, ties and yields is not who dies.

use super::*;

/// Both say at once, `times` times, that they are as good as each other; fw1 takes over after its three intervals.
fn tie(times: u32) -> Lab {
    let mut lab = Lab::new();
    for i in 0..times {
        let t = 1.94 * f64::from(i);
        lab.hear(t, 0, A, &carp(1, 240, 0));
        lab.hear(t, 1, A, &carp(1, 240, 0));
        lab.hear(t + 0.02, 0, B, &carp(1, 240, 0));
    }
    let over = 1.94 * f64::from(times - 1) + 3.1;
    lab.reign(A, &[0, 1], 240, over, over + 20.0);
    lab
}

#[test]
fn an_advertisement_or_two_in_an_election_are_no_mastership_that_was_lost() {
    for times in [1, 2] {
        let lab = tie(times);
        let now = at(lab.now);
        assert_eq!(lab.view.witness(now, B), Witness::default(), "{times}");
        assert!(!lab.view.robbed(B) && lab.view.lost(now, B).is_none());
        assert_eq!(lab.view.mastership(A), (2, 2));
    }
}

#[test]
fn an_equal_rival_that_comes_in_time_makes_a_master_yield() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 10.1);
    lab.hear(10.5, 0, B, &carp(1, 0, 0));
    lab.reign(B, &[0], 0, 11.5, 20.0);
    assert_eq!(lab.view.witness(at(20.0), A), Witness::default());
}

#[test]
fn an_equal_backup_that_waited_for_three_intervals_made_nobody_yield() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 0, 0.0, 10.1);
    lab.reign(B, &[0], 0, 13.02, 20.0);
    let w = lab.view.witness(at(20.0), A);
    assert_eq!((w.held, w.gone), (1, 1), "it crashed");
}

#[test]
fn who_is_heard_after_its_next_advertisement_was_overdue_did_not_die() {
    let outlived = |pfsync: f64| {
        let mut lab = Lab::new();
        lab.reign(A, &[0, 1], 0, 0.0, 10.1);
        lab.until(pfsync);
        lab.view.heard(at(pfsync), A);
        lab.until(13.3);
        let w = lab.view.witness(at(13.3), A);
        assert!(w.gone_everywhere());
        w.outlived
    };
    // A crash as pf announces it: the last pfsync before the next advertisement was due.
    assert!(!outlived(10.9));
    assert!(outlived(11.3));
}

#[test]
fn a_death_is_forgotten_when_another_is_master_and_the_first_is_heard() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    lab.reign(B, &[0, 1], 100, 13.4, 20.0);
    assert_eq!(lab.view.witness(at(20.0), A).gone, 2);
    lab.view.heard(at(20.0), A);
    assert_eq!(lab.view.witness(at(20.0), A), Witness::default());
}

#[test]
fn a_segment_that_is_missing_alone_is_excused_by_nothing() {
    let mut lab = Lab::new();
    lab.reign(A, &[0, 1], 0, 0.0, 10.1);
    for i in 11..18 {
        lab.hear(f64::from(i), 0, A, &carp(1, 0, 0));
        lab.view.heard(at(f64::from(i)), A);
        if i >= 14 {
            lab.hear(f64::from(i) + 0.4, 1, B, &carp(1, 100, 0));
        }
    }
    assert_eq!(lab.view.split().map(|s| s.suspect), Some(Some(A)));
    let w = lab.view.witness(at(17.5), A);
    assert_eq!((w.held, w.segments, w.gone, w.outlived), (2, 2, 1, false));
    assert!(lab.view.lost(at(17.5), A).is_some());
}

#[test]
fn one_word_of_a_worse_rival_makes_no_crash_a_failover() {
    let crash = |rival_skew, words: u32| {
        let mut lab = Lab::new();
        lab.reign(A, &[0, 1], 10, 0.0, 10.1);
        let last = lab.now;
        for i in 0..words {
            for segment in [0, 1] {
                lab.hear(last + 0.02 + 1.4 * f64::from(i), segment, B, &carp(1, rival_skew, 0));
            }
        }
        lab.until(last + 3.2);
        lab.view.witness(at(lab.now), A)
    };
    assert!(crash(100, 1).gone_everywhere());
    assert_eq!(crash(100, 2), Witness::default(), "it goes on in its place");
    assert_eq!(crash(0, 1), Witness::default(), "a better one is yielded to");
    assert_eq!(crash(10, 1), Witness::default(), "so is an equal one, when both boot");
}

#[test]
fn an_advertisement_that_crosses_an_equal_rivals_first_one_does_not_go_on_beside_it() {
    // fw2 is master, and both say at once that they are as good as each other: whoever is captured first, both yield, and fw1
    // takes over after its three intervals.
    for first in [A, B] {
        let mut lab = Lab::new();
        lab.reign(B, &[0, 1], 240, 0.0, 16.0);
        let t = lab.now + 1.94;
        for segment in [0, 1] {
            lab.hear(t, segment, first, &carp(1, 240, 0));
            lab.hear(t + 0.02, segment, if first == A { B } else { A }, &carp(1, 240, 0));
        }
        lab.view.heard(at(t + 2.05), B);
        lab.reign(A, &[0, 1], 240, t + 5.9, t + 20.0);
        let w = lab.view.witness(at(lab.now), B);
        assert_eq!(w, Witness::default(), "{first:?} first");
    }
}

#[test]
fn while_different_nodes_have_just_become_master_nobody_is_known_to_be_to_blame() {
    let mut lab = Lab::new();
    for (t, segment, node) in [(0.0, 0, A), (0.1, 1, B), (1.0, 0, A), (1.1, 1, B)] {
        lab.hear(t, segment, node, &carp(1, 0, 0));
    }
    lab.until(1.2);
    assert_eq!(lab.view.mastership(A), (1, 2));
    assert!(lab.view.is_electing(at(1.2)));
    // fw2 gave way on its segment, and nobody came yet.
    for t in 2..6 {
        lab.hear(f64::from(t), 0, A, &carp(1, 0, 0));
    }
    assert!(lab.view.is_electing(at(5.0)));
    lab.reign(A, &[0, 1], 0, 6.0, 16.0);
    assert!(!lab.view.is_electing(at(16.0)), "one node is master of all");
}

/// Over a slow switch: each of two has spoken before it hears the other, and one of them twice.
#[test]
fn who_spoke_last_in_a_tie_is_not_elected_yet() {
    let mut lab = Lab::new();
    lab.reign(A, &[0], 240, 0.0, 0.1);
    for (t, node) in [(0.0, A), (0.023, B), (0.043, A)] {
        lab.hear(t, 1, node, &carp(1, 240, 0));
    }
    lab.until(2.5);
    assert!(lab.view.is_electing(at(2.5)), "both may have given way");
    lab.reign(A, &[0, 1], 240, 3.0, 12.0);
    assert!(!lab.view.is_electing(at(12.0)));
    let two = |t: f64| [(t, A), (t + 0.5, B)];
    let mut lab = Lab::new();
    for (t, node) in (0..20).flat_map(|i| two(f64::from(i))) {
        lab.hear(t, 1, node, &carp(1, 0, 0));
    }
    assert!(!lab.view.is_electing(at(20.0)), "that is no election any more");
}
