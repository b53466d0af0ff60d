//! pfsync that was heard, and what is made of it.

use super::super::ear::Ear;
use super::super::finding::Finding;
use super::super::finding::Outcome::{Problem, Warning};
use super::super::sync;
use super::frames::{
    FW1, FW2, GROUP, LENGTH, advertise, bus, feed, frame, full_state, key, message, packet, say, update, update_with,
};
use super::{config, faults, one};
use crate::absence::Wanted;
use crate::capture::Net;
use crate::event::NodeId;
use pfsync_proto::{Action, BusStatus, Key, Message};

/// Both have said something that is well.
fn pair() -> Ear {
    let mut ear = Ear::default();
    for from in [FW1, FW2] {
        say(&mut ear, 1, from, &update());
    }
    ear
}

fn look(ear: &Ear) -> Vec<Finding> {
    sync::look(&config(""), LENGTH, ear, &|_| None)
}

#[test]
fn what_came_and_was_refused_is_not_asked_for() {
    let routed = |wanted| (wanted == Wanted::Pfsync(Some(NodeId(1)))).then(|| "9 frames were routed".to_owned());
    let mut ear = Ear::default();
    say(&mut ear, 1, FW1, &update());
    let findings = sync::look(&config(""), LENGTH, &ear, &routed);
    one(&findings, Problem, "no pfsync of fw2 counts: 9 frames were routed");
    let mut packet = packet((FW2, GROUP), 240, &update());
    packet[8] = 254;
    ear.frame(&frame(1, Net::Sync, 101, &packet));
    let findings = sync::look(&config(""), LENGTH, &ear, &routed);
    one(&findings, Problem, "no pfsync of fw2 counts: 9 frames were routed");
    // Some of it counts.
    say(&mut ear, 1, FW2, &update());
    one(&look(&ear), Warning, "something routes it between the nodes");
}

#[test]
fn a_pair_that_is_well() {
    let findings = look(&pair());
    assert_eq!(faults(&findings), Vec::<String>::new());
    let checks: Vec<_> = findings.iter().map(|f| f.check).collect();
    assert_eq!(checks, ["pfsync", "versions", "rule-sets"]);
    assert_eq!(findings[0].text, "heard: fw1 (1 frame) and fw2 (1 frame)");
    assert_eq!(findings[1].text, "fw1 speaks version 6 and fw2 speaks version 6");
}

#[test]
fn nothing_at_all() {
    one(&look(&Ear::default()), Problem, "no pfsync on em2 in 10 s");
    let mut tapped = Ear::default();
    let payload = message(Action::UpdReq, &Message::UpdReq(key(1)));
    tapped.frame(&frame(0, Net::Sync, 246, &payload));
    one(&look(&tapped), Problem, "shows only what this node sends itself");
}

#[test]
fn who_is_missing_and_who_is_strange() {
    let mut ear = Ear::default();
    say(&mut ear, 1, FW1, &update());
    one(&look(&ear), Warning, "fw2 sent no pfsync in 10 s: a backup");
    // A master has no excuse, but a shared address is nobody's.
    advertise(&mut ear, [10, 0, 0, 1], |c| c);
    one(&look(&ear), Warning, "fw2 sent no pfsync in 10 s: a backup");
    advertise(&mut ear, [10, 0, 0, 3], |c| c);
    one(&look(&ear), Problem, "fw2 is master of CARP and sent no pfsync");
    let mut ear = pair();
    say(&mut ear, 1, [172, 30, 0, 9], &update());
    one(&look(&ear), Warning, "172.30.0.9 sends pfsync and is in no [[node]]");
}

#[test]
fn versions_that_differ() {
    let mut ear = pair();
    say(&mut ear, 2, FW2, &full_state(1, 242));
    one(&look(&ear), Problem, "they do not understand each other's states");
    let mut ear = Ear::default();
    say(&mut ear, 1, FW1, &full_state(1, 242));
    say(&mut ear, 1, FW2, &full_state(13, 277));
    let findings = look(&ear);
    let versions = faults(&findings)
        .into_iter()
        .find(|f| f.starts_with("versions"))
        .unwrap();
    assert!(
        versions.contains("fw1 speaks version 1301 of FreeBSD and fw2 speaks version 1400 of FreeBSD"),
        "{versions}"
    );
}

#[test]
fn rule_sets_that_differ_and_those_that_are_not_told() {
    let mut ear = pair();
    say(&mut ear, 2, FW2, &update_with([0; 16]));
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());
    say(&mut ear, 3, FW2, &update_with([8; 16]));
    one(&look(&ear), Warning, "the rule sets of fw1 and fw2 differ");
}

#[test]
fn one_way() {
    let mut ear = pair();
    feed(&mut ear, 1, Net::Sync, (FW1, FW2), 240, &update());
    one(&look(&ear), Warning, "set `syncpeer` on both nodes, or on none");

    let all = message(Action::UpdReq, &Message::UpdReq(Key::default()));
    let mut ear = pair();
    say(&mut ear, 1, FW2, &all);
    assert_eq!(faults(&look(&ear)), Vec::<String>::new(), "the answer may come yet");
    say(&mut ear, 3, FW2, &all);
    one(
        &look(&ear),
        Problem,
        "fw2 asked 2 times for all states and nobody answers",
    );
    say(&mut ear, 4, FW1, &message(Action::Bus, &bus(BusStatus::Start)));
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());

    let mut ear = pair();
    let single = message(Action::UpdReq, &Message::UpdReq(key(1)));
    for _ in 0..50 {
        say(&mut ear, 1, FW2, &single);
    }
    one(&look(&ear), Warning, "fw2 asked for 50 single states");
}

#[test]
fn states_that_nobody_acknowledges() {
    let mut ear = pair();
    if let Some(s) = ear.senders.get_mut(&FW1.into()) {
        s.wants_ack = 10;
    }
    one(&look(&ear), Problem, "fw1 waits for the acknowledgement of 10 states");
    let ack = message(Action::InsAck, &Message::InsAck(key(1)));
    say(&mut ear, 1, FW2, &ack);
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());
}

#[test]
fn a_bulk_update_that_is_stuck() {
    let start = message(Action::Bus, &bus(BusStatus::Start));
    let end = message(Action::Bus, &bus(BusStatus::End));
    let mut ear = pair();
    say(&mut ear, 2, FW1, &start);
    say(&mut ear, 6, FW1, &update());
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());
    say(&mut ear, 7, FW1, &start);
    one(&look(&ear), Warning, "the bulk update of fw1 began 5 s ago");
    say(&mut ear, 8, FW1, &end);
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());
    for at in [9, 10] {
        say(&mut ear, at, FW1, &start);
        say(&mut ear, at, FW1, &end);
    }
    one(&look(&ear), Warning, "fw1 sent 3 bulk updates");
}

#[test]
fn what_cannot_be_read() {
    let mut ear = pair();
    say(&mut ear, 1, FW2, &[6, 0, 0, 200, 1, 2, 3]);
    one(&look(&ear), Warning, "fw2 sent what cannot be read (1 hdrops)");
    let mut ear = pair();
    say(&mut ear, 1, FW2, &[9; 40]);
    one(&look(&ear), Warning, "its pf may be newer");
    // A state on its way out: kernels send that.
    let (mut ear, mut unlinked) = (pair(), update());
    unlinked[24 + 80] = 22;
    say(&mut ear, 1, FW2, &unlinked);
    assert_eq!(faults(&look(&ear)), Vec::<String>::new());
}
