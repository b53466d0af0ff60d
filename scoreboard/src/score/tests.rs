use super::*;
use crate::watch::Deed;
use pf_sim::truth::{self, Right};

fn s(seconds: f64) -> Time {
    Duration::from_secs_f64(seconds)
}

fn outage(node: Node, from: f64, to: f64, grade: Grade) -> Outage {
    Outage {
        node,
        from: s(from),
        to: s(to),
        grade,
    }
}

fn truth(outages: &[Outage]) -> Truth {
    Truth {
        outages: outages.to_vec(),
        actions: Vec::new(),
        two_masters: Vec::new(),
    }
}

/// (at, node, down)
fn said(turns: &[(f64, Node, bool)]) -> Said {
    let mut said = Said::default();
    turns
        .iter()
        .for_each(|&(at, node, down)| said.output(s(at), node, down));
    said
}

fn deed(at: f64, me: Node, act: Act) -> Deed {
    let against = matches!(act, Act::TakeOver | Act::Split).then_some(1 - me);
    Deed {
        at: s(at),
        me,
        act,
        against,
    }
}

fn right(node: Node, act: truth::Act, from: f64, to: f64, wanted: bool) -> Right {
    Right {
        node,
        act,
        from: s(from),
        to: s(to),
        wanted,
    }
}

fn close(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-9, "{got} is not {want}");
}

#[test]
fn an_outage_is_found_late_and_the_rest_of_the_time_is_right() {
    let truth = truth(&[outage(0, 10.0, 50.0, Grade::Must)]);
    let score = score(&truth, &said(&[(12.5, 0, true), (51.0, 0, false)]), 2, s(100.0));
    assert_eq!(score.detected, [2.5]);
    assert_eq!((score.missed, score.lapses, score.false_alarms), (0, 0, 0));
    // Node 0 is in order for 10 + 48 s (2 s of grace), node 1 for 100 s; of the 40 s of outage 37.5 were known.
    close(score.fine, 158.0);
    close(score.accurate, 158.0);
    close(score.judged, 198.0);
    close(score.right, 195.5);
    close(score.calm, 58.0);
    close(score.late, 0.0);
}

#[test]
fn an_outage_that_nobody_mentions_while_it_lasts_is_missed() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    // What is said in the grace comes too late, but is no mistake.
    let score = score(&truth, &said(&[(21.0, 0, true), (21.5, 0, false)]), 1, s(100.0));
    assert_eq!((score.missed, score.detected.len(), score.false_alarms), (1, 0, 0));
    close(score.right, score.judged - 10.0);
}

#[test]
fn the_wrong_node_is_a_false_alarm_and_does_not_find_the_outage() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    let score = score(&truth, &said(&[(12.0, 1, true), (15.0, 1, false)]), 2, s(100.0));
    assert_eq!((score.missed, score.false_alarms, score.calm_alarms), (1, 1, 0));
    assert_eq!(
        score.mistakes,
        [Mistake {
            at: 12.0,
            node: 1,
            lasted: 3.0
        }]
    );
    close(score.fine, 88.0 + 100.0);
    close(score.accurate, 88.0 + 97.0);
}

#[test]
fn the_exact_ends_of_an_outage() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    let at = |at: f64| score(&truth, &said(&[(at, 0, true), (at + 0.25, 0, false)]), 1, s(100.0));
    assert_eq!(at(10.0).detected, [0.0]);
    assert_eq!((at(9.75).false_alarms, at(9.75).missed), (1, 1));
    assert_eq!((at(20.0).false_alarms, at(20.0).missed), (0, 1));
    assert_eq!(at(21.75).false_alarms, 0);
    assert_eq!(at(22.0).false_alarms, 1);
}

#[test]
fn a_mistake_lasts_until_it_is_taken_back_becomes_true_or_the_run_ends() {
    let truth = truth(&[outage(0, 50.0, 60.0, Grade::Must)]);
    let turns = [
        (10.0, 0, true),
        (14.0, 0, false),
        (40.0, 0, true),
        (61.0, 0, false),
        (90.0, 0, true),
    ];
    let score = score(&truth, &said(&turns), 1, s(100.0));
    let lasted: Vec<f64> = score.mistakes.iter().map(|m| m.lasted).collect();
    assert_eq!(lasted, [4.0, 10.0, 10.0]);
    assert_eq!(score.false_alarms, 3);
    close(score.mistaken, 24.0);
    close(score.worst_mistake, 10.0);
    // It was said before it was true: found at once, as Chen's definition has it.
    assert_eq!(score.detected, [0.0]);
    close(score.fine, 50.0 + 38.0);
    close(score.accurate, 50.0 - 14.0 + 38.0 - 10.0);
}

#[test]
fn down_may_be_said_where_the_truth_leaves_room_and_need_not_be() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::May)]);
    for turns in [&[][..], &[(11.0, 0, true), (19.0, 0, false)]] {
        let score = score(&truth, &said(turns), 1, s(30.0));
        assert_eq!((score.missed, score.detected.len(), score.false_alarms), (0, 0, 0));
        assert_eq!((score.open, score.open_said), (1, turns.len() as u64 / 2));
        close(score.judged, 18.0);
        close(score.right, 18.0);
    }
}

#[test]
fn where_it_must_be_said_it_does_not_matter_that_it_also_may() {
    let truth = truth(&[outage(0, 5.0, 20.0, Grade::May), outage(0, 10.0, 15.0, Grade::Must)]);
    let score = score(&truth, &said(&[]), 1, s(30.0));
    assert_eq!(score.missed, 1);
    close(score.judged, 5.0 + 5.0 + 8.0);
    close(score.right, 13.0);
}

#[test]
fn a_down_that_outlives_its_outage_is_late_but_no_alarm() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::Must), outage(0, 40.0, 50.0, Grade::May)]);
    let score = score(&truth, &said(&[(12.0, 0, true), (60.0, 0, false)]), 1, s(100.0));
    assert_eq!(score.false_alarms, 0);
    // 22 to 40 and 52 to 60.
    close(score.late, 26.0);
    close(score.accurate, score.fine - 26.0);
}

#[test]
fn a_verdict_that_comes_and_goes_in_an_outage_has_lapses() {
    let truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    let turns = [(11.0, 0, true), (12.0, 0, false), (13.0, 0, true), (14.0, 0, false)];
    let score = score(&truth, &said(&turns), 1, s(100.0));
    assert_eq!((score.detected.as_slice(), score.lapses), (&[1.0][..], 2));
    close(score.right, score.judged - 8.0);
}

#[test]
fn actions_are_right_where_the_truth_lists_them_for_that_node() {
    let mut truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    truth.actions = vec![
        right(1, truth::Act::Promote, 10.0, 20.0, true),
        right(0, truth::Act::Demote, 10.0, 20.0, false),
    ];
    let judge = |deeds: &[Deed]| {
        let mut said = Said::default();
        said.deeds.extend_from_slice(deeds);
        let score = score(&truth, &said, 2, s(100.0));
        (score.wrong_actions, score.wanted, score.acted)
    };
    assert_eq!(judge(&[]), (0, 1, vec![]));
    assert_eq!(judge(&[deed(13.0, 1, Act::Promote)]), (0, 1, vec![3.0]));
    assert_eq!(judge(&[deed(13.0, 1, Act::Fence)]), (0, 1, vec![3.0]));
    assert_eq!(judge(&[deed(13.0, 0, Act::Promote)]), (1, 1, vec![]));
    assert_eq!(judge(&[deed(9.0, 1, Act::Promote)]), (1, 1, vec![]));
    assert_eq!(judge(&[deed(20.0, 1, Act::Promote)]), (1, 1, vec![]));
    // Whoever moves the traffic, and however, has done it; who steps back must be the one that is out.
    assert_eq!(judge(&[deed(13.0, 0, Act::Demote)]), (0, 1, vec![3.0]));
    assert_eq!(
        judge(&[deed(14.0, 1, Act::Promote), deed(13.0, 0, Act::Demote)]),
        (0, 1, vec![3.0])
    );
    assert_eq!(judge(&[deed(13.0, 1, Act::Demote)]), (1, 1, vec![]));
    // An answer that was given up after the trouble was waited for within it.
    assert_eq!(judge(&[deed(21.0, 0, Act::Demote)]), (0, 1, vec![]));
    assert_eq!(judge(&[deed(22.0, 0, Act::Demote)]), (1, 1, vec![]));
    // What CARP does by itself: all of it is what was wanted, half of it is not, without an outage it is wrong.
    assert_eq!(judge(&[deed(13.0, 1, Act::TakeOver)]), (0, 1, vec![3.0]));
    assert_eq!(judge(&[deed(13.0, 1, Act::Split)]), (0, 1, vec![]));
    assert_eq!(judge(&[deed(30.0, 1, Act::Split)]), (1, 1, vec![]));
    assert_eq!(judge(&[deed(13.0, 0, Act::TakeOver)]).0, 1);
}

#[test]
fn taking_back_too_early_is_counted_by_itself() {
    let mut truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    truth.actions = vec![right(1, truth::Act::Promote, 10.0, 20.0, true)];
    let judge = |truth: &Truth, restored: f64| {
        let mut said = Said::default();
        said.deeds = vec![deed(13.0, 1, Act::Promote), deed(restored, 1, Act::Restore)];
        let score = score(truth, &said, 2, s(100.0));
        (score.wrong_actions, score.undone)
    };
    assert_eq!(judge(&truth, 15.0), (0, 1));
    assert_eq!(judge(&truth, 55.0), (0, 0));
    // Who stepped back and returns takes back the same.
    let mut said = Said::default();
    said.deeds = vec![deed(13.0, 0, Act::Demote), deed(15.0, 0, Act::Restore)];
    assert_eq!(score(&truth, &said, 2, s(100.0)).undone, 1);
    // What ends a demotion of the other takes no promotion back, however much one is wanted.
    truth.actions.push(right(1, truth::Act::Demote, 0.0, 100.0, false));
    let mut said = Said::default();
    said.deeds = vec![deed(9.0, 1, Act::Demote), deed(15.0, 1, Act::Restore)];
    let score = score(&truth, &said, 2, s(100.0));
    assert_eq!((score.wrong_actions, score.undone), (0, 0));
}

#[test]
fn a_promotion_where_carp_moves_by_itself_is_needless_not_wrong() {
    let mut truth = truth(&[outage(0, 10.0, 20.0, Grade::Must)]);
    let judge = |truth: &Truth, at: f64, me: Node| {
        let mut said = Said::default();
        said.deed(s(at), me, Act::Promote, Some(0));
        score(truth, &said, 3, s(100.0)).wrong_actions
    };
    assert_eq!(
        [judge(&truth, 13.0, 1), judge(&truth, 13.0, 2), judge(&truth, 25.0, 1)],
        [0, 0, 1]
    );
    // Of several backups only the one that is named.
    truth.actions = vec![right(1, truth::Act::Promote, 10.0, 20.0, true)];
    assert_eq!([judge(&truth, 13.0, 1), judge(&truth, 13.0, 2)], [0, 1]);
    // Room for `down` is no room for a promotion.
    truth.actions.clear();
    truth.outages[0].grade = Grade::May;
    assert_eq!(judge(&truth, 13.0, 1), 1);
}

#[test]
fn calm_is_what_is_left_of_the_run_without_overlapping_outages() {
    let truth = truth(&[
        outage(0, 10.0, 20.0, Grade::Must),
        outage(1, 15.0, 30.0, Grade::May),
        outage(0, 90.0, 120.0, Grade::Must),
    ]);
    close(score(&truth, &said(&[]), 2, s(100.0)).calm, 10.0 + 58.0);
}
