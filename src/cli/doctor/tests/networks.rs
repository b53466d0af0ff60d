//! What was heard: frames as the nodes would have sent them, and what is made of them.

use super::super::ear::Ear;
use super::super::finding::Outcome::{Problem, Warning};
use super::super::{carp, sync};
use super::{config, faults, one};
use crate::capture::{Frame, LinkType, Net};
use crate::cli::doctor::finding::Finding;
use crate::time::Timestamp;
use pfsync_proto::{Action, Bus, BusStatus, Carp, CreatorId, Dialect, Key, Message, PacketWriter, StateId};
use std::time::Duration;

const LENGTH: Duration = Duration::from_secs(10);
const FW1: [u8; 4] = [172, 30, 0, 1];
const FW2: [u8; 4] = [172, 30, 0, 2];
const GROUP: [u8; 4] = [224, 0, 0, 240];
const SEED: [u8; 16] = [7; 16];

/// Feeds a raw IPv4 packet, so many seconds after the beginning.
fn feed(ear: &mut Ear, at: u64, net: Net, (src, dst): ([u8; 4], [u8; 4]), proto: u8, payload: &[u8]) {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let head = [0x45, 0x10, length[0], length[1], 0, 0, 0x40, 0, 255, proto, 0, 0];
    let data = [head.as_slice(), &src, &dst, payload].concat();
    ear.frame(&Frame {
        at: Timestamp::default() + Duration::from_secs(at),
        net,
        link: LinkType(101),
        data: &data,
        wire_len: u32::try_from(data.len()).unwrap(),
    });
}

fn message(action: Action, message: &Message) -> Vec<u8> {
    let mut buffer = [0; 1480];
    let mut writer = PacketWriter::new(&mut buffer, Dialect::OpenBsd6, SEED).unwrap();
    writer.section(action).unwrap();
    writer.push(message).unwrap();
    let length = writer.finish();
    buffer[..length].to_vec()
}

/// A compressed update of zeros, as version 6 sends it.
fn update() -> Vec<u8> {
    update_with(SEED)
}

fn update_with(md5: [u8; 16]) -> Vec<u8> {
    let mut payload = vec![6, 0, 0, 108];
    payload.extend(md5);
    payload.extend([4, 21, 0, 1]);
    payload.extend([0; 84]);
    payload
}

/// A frame with one full state, almost of zeros, in a layout of version 5.
fn full_state(code: u8, size: usize) -> Vec<u8> {
    let length = u16::try_from(20 + 4 + size + 4).unwrap().to_be_bytes();
    let mut payload = vec![5, 0, length[0], length[1]];
    payload.extend(SEED);
    payload.extend([code, 0, 0, 1]);
    let mut state = vec![0; size];
    // IPv4, in: where they are in both layouts that are used here.
    (state[232], state[234]) = (2, 1);
    payload.extend(state);
    payload.extend([12, 0, 0, 1]);
    payload
}

fn key(id: u8) -> Key {
    Key {
        id: StateId([id; 8]),
        creator: CreatorId([id; 4]),
    }
}

fn bus(status: BusStatus) -> Message {
    Message::Bus(Bus {
        creator: CreatorId([1; 4]),
        endtime: 0,
        status,
    })
}

fn say(ear: &mut Ear, at: u64, from: [u8; 4], payload: &[u8]) {
    feed(ear, at, Net::Sync, (from, GROUP), 240, payload);
}

/// Both have said something that is well.
fn pair() -> Ear {
    let mut ear = Ear::default();
    for from in [FW1, FW2] {
        say(&mut ear, 1, from, &update());
    }
    ear
}

fn look(ear: &Ear) -> Vec<Finding> {
    let config = config("");
    sync::look(&config.nodes, &config.sync.interfaces, LENGTH, ear)
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
    tapped.frame(&Frame {
        at: Timestamp::default(),
        net: Net::Sync,
        link: LinkType(246),
        data: &payload,
        wire_len: u32::try_from(payload.len()).unwrap(),
    });
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
}

const ADVERTISEMENT: Carp = Carp {
    vhid: 1,
    advskew: 10,
    advbase: 1,
    demote: 0,
    authlen: 7,
    counter: 1,
    hmac: [0; 20],
    cksum_ok: true,
    bow_out: false,
};

fn advertise(ear: &mut Ear, from: [u8; 4], change: impl FnOnce(Carp) -> Carp) {
    let carp = change(ADVERTISEMENT).encode();
    feed(ear, 1, Net::Segment(0), (from, [224, 0, 0, 18]), 112, &carp);
}

#[test]
fn masters() {
    let config = config("");
    let look = |ear: &Ear| carp::look(&config, LENGTH, ear);
    let heard = |from: [u8; 4], change: fn(Carp) -> Carp| {
        let mut ear = Ear::default();
        advertise(&mut ear, from, change);
        look(&ear)
    };
    const OWN: [u8; 4] = [10, 0, 0, 2];
    let well = heard(OWN, |c| c);
    assert_eq!(faults(&well), Vec::<String>::new());
    assert_eq!(well[0].text, "on lan fw1 is master of vhid 1 (1 heard)");
    one(&look(&Ear::default()), Problem, "no CARP on lan (em0) in 10 s");
    one(
        &heard(OWN, |c| Carp { advskew: 0, ..c }),
        Warning,
        "fw1 advertises vhid 1 on lan with advskew 0",
    );
    one(
        &heard(OWN, |c| Carp { demote: 32, ..c }),
        Warning,
        "although it is demoted (demotion 32, advskew 10)",
    );
    one(
        &heard(OWN, |c| Carp { advskew: 240, ..c }),
        Warning,
        "although it is demoted",
    );
    one(
        &heard([10, 0, 0, 77], |c| c),
        Warning,
        "10.0.0.77 is master of vhid 1 on lan and stands in `local` of no node alone",
    );
    // Shared: it identifies nobody.
    one(&heard([10, 0, 0, 1], |c| c), Warning, "10.0.0.1 is master of vhid 1");
    let mut vrrp = Ear::default();
    let payload = [0x21, 1, 100, 1, 0, 1, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    feed(&mut vrrp, 1, Net::Segment(0), (OWN, [224, 0, 0, 18]), 112, &payload);
    one(&look(&vrrp), Problem, "on lan there is VRRP and no CARP");
}
