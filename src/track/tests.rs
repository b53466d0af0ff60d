//! The life stories of the golden captures: what each message proves, by docs/wire.md section 6; and bounds under
//! attack.

use super::*;
use crate::capture::LinkType;
use crate::dissect::{Kind, dissect};
use pfsync_proto::{CreatorId, Message, Packet, Peer, StateId};
use std::path::Path;

/// (note in the story, movements of its messages)
const STORY: &[(&str, &[Movement])] = {
    use Movement::{Attempt, Both, EndToEnd, Forward};
    &[
        ("healthy TCP opens", &[EndToEnd, EndToEnd]),
        ("progress 1", &[EndToEnd, EndToEnd]),
        ("progress 2", &[EndToEnd, EndToEnd]),
        ("progress 3", &[EndToEnd, EndToEnd]),
        ("progress 4", &[EndToEnd, EndToEnd]),
        ("progress 5", &[EndToEnd, EndToEnd]),
        // The story moves the window edge with it: one of the responder's packets was still under way.
        ("path dies: initiator sent more, no ack", &[Both, Both]),
        ("retransmission 1", &[Attempt, Attempt]),
        ("retransmission 2", &[Attempt, Attempt]),
        ("retransmission 3", &[Attempt, Attempt]),
        ("retransmission 4", &[Attempt, Attempt]),
        ("SYN only", &[Attempt]),
        ("SYN retransmitted", &[Attempt]),
        ("SYN retransmitted again", &[Attempt]),
        ("DNS answered before flush", &[EndToEnd]),
        ("UDP one way", &[Attempt]),
        ("UDP one way continues", &[Attempt]),
        ("first UDP reply", &[EndToEnd]),
        ("UDP second exchange", &[Forward]),
        ("UDP 2:2 sticky", &[Attempt]),
        ("ping answered", &[EndToEnd]),
        ("ping continues: ambiguous", &[Attempt]),
        ("ping unanswered", &[Attempt]),
        ("CARP state", &[]),
        ("CARP state update", &[]),
        ("expiry", &[]),
        ("near seq wrap", &[EndToEnd]),
        ("after seq wrap: progress in both directions", &[EndToEnd]),
    ]
};

fn frames(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/golden").join(name);
    let octets = std::fs::read(path).unwrap();
    let mut rest = &octets[24..];
    let mut frames = Vec::new();
    while rest.len() >= 16 {
        let n = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        frames.push(rest[16..16 + n].to_vec());
        rest = &rest[16 + n..];
    }
    frames
}

fn feed(tracker: &mut Tracker, now: Timestamp, sender: u16, payload: &[u8]) -> Vec<Observation> {
    let mut out = Vec::new();
    for section in Packet::new_checked(payload).unwrap().sections() {
        let section = section.unwrap();
        for m in section.messages() {
            match m.message {
                Message::State(s) => out.extend(tracker.insert(now, sender, &s)),
                Message::UpdC(u) => out.extend(tracker.update(now, sender, &u)),
                Message::DelC { key, .. } => tracker.delete(sender, key),
                _ => {}
            }
        }
    }
    out
}

#[test]
fn every_message_of_the_life_stories_proves_what_the_law_says() {
    for name in ["life_openbsd6.raw.pcap", "life_freebsd1301.raw.pcap"] {
        let mut tracker = Tracker::new(&Settings::default(), 1);
        let frames = frames(name);
        assert_eq!(frames.len(), STORY.len());
        for (i, (frame, (note, want))) in frames.iter().zip(STORY).enumerate() {
            let packet = dissect(LinkType(101), frame, u32::try_from(frame.len()).unwrap());
            let Kind::Pfsync(payload) = packet.kind else {
                panic!("{note}")
            };
            let now = Timestamp::from_nanos(i64::try_from(i).unwrap() * 1_000_000_000);
            let got: Vec<_> = feed(&mut tracker, now, 0, payload).iter().map(|o| o.movement).collect();
            assert_eq!(got, *want, "{name}: {note}");
        }
    }
}

fn peer(seqlo: u32, seqhi: u32, state: u8) -> Peer {
    Peer {
        seqlo,
        seqhi,
        state,
        max_win: 1000,
        ..Peer::default()
    }
}

fn update(id: u64, src: Peer, dst: Peer) -> UpdC {
    let key = Key {
        id: StateId(id.to_be_bytes()),
        creator: CreatorId([1; 4]),
    };
    UpdC {
        key,
        src,
        dst,
        expire: 0,
        timeout: 2,
        updates: None,
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_nanos(ms * 1_000_000)
}

#[test]
fn imported_progress_is_no_round_trip_through_the_importer() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let mut say = |ms, sender, src, dst| t.update(at(ms), sender, &update(7, src, dst)).map(|o| o.movement);
    say(0, 0, peer(100, 1100, 4), peer(500, 1500, 4));
    // Node 1 passes the responder's data, node 0 hears of it and sees only the initiator's acknowledgement.
    assert_eq!(
        say(300, 1, peer(100, 1100, 4), peer(600, 1500, 4)),
        Some(Movement::Reverse)
    );
    assert_eq!(
        say(310, 0, peer(100, 1100, 4), peer(600, 1500, 4)),
        Some(Movement::Attempt),
        "an echo moves nothing"
    );
    assert_eq!(
        say(600, 0, peer(100, 1100, 4), peer(600, 1600, 4)),
        Some(Movement::PairEndToEnd)
    );
}

#[test]
fn old_data_acknowledged_late_is_no_round_trip_now() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let mut say = |ms, src, dst| t.update(at(ms), 0, &update(7, src, dst)).map(|o| o.movement);
    say(0, peer(100, 1100, 4), peer(500, 1500, 4));
    say(500, peer(100, 1100, 4), peer(600, 1500, 4));
    assert_eq!(
        say(6_000, peer(120, 1100, 4), peer(600, 1600, 4)),
        Some(Movement::Forward)
    );
}

#[test]
fn a_window_that_opens_is_no_acknowledgement_whatever_the_shift_of_the_other_side() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let asks = |seqlo, seqhi| Peer {
        wscale: 0x80,
        ..peer(seqlo, seqhi, 4)
    };
    let mut say = |ms, src, max_win| {
        let answers = Peer {
            wscale: 0x87,
            max_win,
            ..peer(500, 1500, 4)
        };
        t.update(at(ms), 0, &update(7, src, answers)).map(|o| o.movement)
    };
    // What was acknowledged stays 100: the window of the responder, in units of 128, is opened from 64000 to 128000.
    say(0, asks(100, 64_100), 500);
    assert_eq!(say(300, asks(2_000, 64_100), 500), Some(Movement::Forward));
    assert_eq!(say(600, asks(2_000, 128_100), 1_000), Some(Movement::Reverse));
    assert_eq!(say(900, asks(2_000, 130_000), 1_000), Some(Movement::EndToEnd));
}

#[test]
fn values_that_run_backwards_prove_nothing_and_are_survived() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let mut say = |ms, src, dst| t.update(at(ms), 0, &update(7, src, dst)).map(|o| o.movement);
    say(0, peer(100, 1100, 4), peer(5000, 6000, 4));
    // FreeBSD applies a stale dst again.
    assert_eq!(
        say(500, peer(100, 1100, 4), peer(4000, 5500, 4)),
        Some(Movement::Attempt)
    );
    assert_eq!(
        say(900, peer(100, 1100, 4), peer(5000, 6000, 4)),
        Some(Movement::Attempt)
    );
    assert_eq!(
        say(1300, peer(100, 1100, 4), peer(5100, 6000, 4)),
        Some(Movement::Reverse)
    );
}

#[test]
fn invented_ids_cost_bounded_memory() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let n = u64::try_from(MAX_FLOWS).unwrap() + 50_000;
    for id in 0..n {
        t.update(at(0), 0, &update(id, peer(1, 1, 4), peer(1, 1, 4)));
    }
    assert_eq!(t.len(), MAX_FLOWS);
    assert_eq!(t.evictions(), 50_000);
    assert_eq!(t.count(0).known, u64::try_from(MAX_FLOWS).unwrap());
}

#[test]
fn a_responder_that_had_not_spoken_yet_may_start_anywhere_in_sequence_space() {
    for isn in [0x1000_0000_u32, 0x9000_0000] {
        let mut t = Tracker::new(&Settings::default(), 1);
        let mut say = |ms, src, dst| t.update(at(ms), 0, &update(7, src, dst)).map(|o| o.movement);
        let silent = Peer {
            seqhi: 1,
            max_win: 1,
            ..Peer::default()
        };
        say(0, peer(100, 1100, 2), silent);
        assert_eq!(
            say(300, peer(120, 1100, 4), peer(isn, isn + 1000, 4)),
            Some(Movement::EndToEnd)
        );
        for i in 1..5_u32 {
            let seq = isn + i * 500;
            let got = say(300 + i64::from(i) * 300, peer(120, 1100, 4), peer(seq, seq + 1000, 4));
            assert_eq!(got, Some(Movement::EndToEnd), "{isn:x} {i}");
        }
    }
}

#[test]
fn an_answer_to_what_another_node_asked_is_no_round_trip_through_this_one() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let datagram = |src, dst| {
        let mut m = update(
            7,
            Peer {
                state: src,
                ..Peer::default()
            },
            Peer {
                state: dst,
                ..Peer::default()
            },
        );
        m.timeout = 7;
        m
    };
    t.update(at(0), 1, &datagram(1, 0));
    let got = t.update(at(300), 0, &datagram(2, 1)).unwrap();
    assert_eq!(got.movement, Movement::PairEndToEnd);
}

#[test]
fn synproxy_counts_from_the_moment_both_halves_are_joined() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let mut say = |ms, src, dst| t.update(at(ms), 0, &update(7, src, dst)).map(|o| o.movement);
    say(0, peer(100, 1100, 11), peer(0, 1, 0));
    assert_eq!(
        say(300, peer(200, 1200, 4), peer(9000, 9900, 4)),
        Some(Movement::Attempt)
    );
    assert_eq!(
        say(600, peer(300, 1300, 4), peer(9100, 10_000, 4)),
        Some(Movement::EndToEnd)
    );
}

#[test]
fn states_by_path_and_by_none_are_all_states() {
    let mut tracker = Tracker::new(&Settings::default(), 1);
    for (i, frame) in frames("life_openbsd6.raw.pcap").iter().enumerate() {
        let Kind::Pfsync(payload) = dissect(LinkType(101), frame, u32::try_from(frame.len()).unwrap()).kind else {
            continue;
        };
        // Told by both nodes in turn, so that states change hands.
        feed(&mut tracker, at(0), u16::try_from(i % 2).unwrap(), payload);
        for node in 0..2 {
            let (all, held) = (tracker.count(node), tracker.held(node));
            let sum = |of: fn(&Held) -> u64| held.iter().map(of).sum::<u64>();
            assert_eq!((all.known, all.half_open), (sum(|h| h.known), sum(|h| h.half_open)));
        }
    }
    let held: Vec<Held> = (0..2).flat_map(|node| tracker.held(node)).collect();
    // CARP's own states are on no path.
    assert!(
        held[0].known + held[2].known > 0 && held[1].known + held[3].known > 0,
        "{held:?}"
    );
}

#[test]
fn what_is_told_again_from_long_ago_neither_works_nor_fails_until_it_goes_on() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let story = |i: u32| {
        (
            peer(100 + i * 10, 1100 + i * 10, 4),
            peer(500 + i * 10, 1500 + i * 10, 4),
        )
    };
    let mut say = |ms, (src, dst)| t.update(at(ms), 0, &update(7, src, dst)).and_then(|o| o.trial);
    for i in 0..20 {
        say(i64::from(i) * 500, story(i));
    }
    // The same file once more, ten minutes later; its last message is the newest that is known.
    for i in 0..20 {
        assert_eq!(say(600_000 + i64::from(i) * 500, story(i)), None, "{i}");
    }
    assert!(say(610_000, story(20)).is_some_and(|(_, o)| o == Outcome::Success));
    assert_eq!(say(611_000, story(20)), Some((Class::Active, Outcome::Failure)));
}

#[test]
fn a_capture_that_is_played_again_is_told_by_its_new_states() {
    let mut t = Tracker::new(&Settings::default(), 1);
    let frames = frames("life_openbsd6.raw.pcap");
    let mut play = |from: i64| {
        for (i, frame) in frames.iter().take(7).enumerate() {
            feed(&mut t, at(from + i64::try_from(i).unwrap()), 0, &frame[20..]);
        }
        t.retold()
    };
    assert_eq!(
        [play(0), play(100)],
        [0.0; 2],
        "a frame heard twice is no capture played twice"
    );
    let again = (1..=20).map(|i| play(i * 10_000)).last().unwrap();
    assert!(again > 0.2, "{again}");
}

#[test]
fn states_that_pf_follows_only_by_guessing_neither_work_nor_fail() {
    let key = update(7, peer(1, 1, 0), peer(0, 1, 0)).key;
    let (silent, flags) = (peer(0, 1, 0), flow::FLAG_SLOPPY);
    let mut f = Flow::new(0, true, Transport::Tcp, flags, &peer(100, 101, 2), &silent);
    assert_eq!(f.on_insert(0, flags, [1, 0]).trial, None, "{key:?}");
    let mut f = Flow::new(0, true, Transport::Tcp, flags, &peer(100, 101, 4), &peer(0, 1, 4));
    assert_eq!(
        f.on_insert(0, flags, [5, 0]).trial,
        None,
        "only one direction passes here"
    );
    assert_eq!(
        f.on_insert(0, flags, [5, 4]).movement,
        Movement::EndToEnd,
        "packets are counted, not guessed"
    );
    let mut f = Flow::new(0, true, Transport::Tcp, flags, &peer(100, 101, 2), &silent);
    let opened = f.on_update(0, Duration::from_millis(500), &peer(100, 101, 4), &peer(0, 1, 4));
    assert_eq!((opened.movement, opened.trial), (Movement::Attempt, None));
}

#[test]
fn an_answer_belongs_to_the_node_that_passed_the_question_last() {
    let silent = peer(0, 64_240, 0);
    for asked_again in [false, true] {
        let mut f = Flow::new(0, true, Transport::Tcp, 0, &peer(100, 101, 2), &silent);
        f.on_insert(0, 0, [1, 0]);
        if asked_again {
            f.on_update(1, Duration::from_millis(900), &peer(100, 101, 2), &silent);
        }
        let got = f.on_update(1, Duration::from_millis(5), &peer(103, 1100, 4), &peer(900, 1900, 4));
        let want = if asked_again {
            (Movement::EndToEnd, Outcome::Success)
        } else {
            (Movement::PairEndToEnd, Outcome::Pair)
        };
        assert_eq!((got.movement, got.trial.unwrap().1), want);
    }
}
