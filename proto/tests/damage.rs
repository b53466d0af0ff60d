//! One damaged octet, one refusal: every kind, where it is, and what survives it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod common;

use pfsync_proto::{Action, DecodeError, ErrorKind, Message, Packet, strip_ip};

type Outcome = (Vec<(Action, usize)>, Vec<(ErrorKind, u32)>);

/// Sections with their whole messages, and errors with their offsets, in order.
fn walk(payload: &[u8]) -> Outcome {
    let (mut sections, mut errors) = (Vec::new(), Vec::new());
    match Packet::new_checked(payload) {
        Err(DecodeError { kind, offset, .. }) => errors.push((kind, offset)),
        Ok(packet) => {
            for section in packet.sections() {
                match section {
                    Ok(section) => {
                        assert_eq!(section.messages().count(), section.messages().len());
                        sections.push((section.action, section.messages().len()));
                        errors.extend(
                            section
                                .messages()
                                .filter_map(|m| Some((m.refused?.kind, m.refused?.offset))),
                        );
                    }
                    Err(error) => errors.push((error.kind, error.offset)),
                }
            }
        }
    }
    (sections, errors)
}

fn sample(capture: &str, index: usize) -> Vec<u8> {
    common::payloads(capture).swap_remove(index)
}

/// The frame with everything in it: INS_ACK, 2 UPD_C, DEL_C, INS, UPD, TDB.
fn mixed6() -> Vec<u8> {
    sample("golden/openbsd6.raw.pcap", 14)
}

/// INS, INS_ACK, UPD, 2 UPD_C, DEL_C, UPD_REQ, CLR, EOF.
fn mixed5() -> Vec<u8> {
    sample("golden/freebsd1301.raw.pcap", 13)
}

fn set(mut octets: Vec<u8>, at: usize, to: u8) -> Vec<u8> {
    octets[at] = to;
    octets
}

const ACK: (Action, usize) = (Action::InsAck, 1);
const UPD_C: (Action, usize) = (Action::UpdC, 2);
const DEL_C: (Action, usize) = (Action::DelC, 1);
const INS: (Action, usize) = (Action::Ins, 1);
const UPD: (Action, usize) = (Action::Upd, 1);
const TDB: (Action, usize) = (Action::Tdb, 1);

#[test]
fn whole_frames_have_no_errors() {
    assert_eq!(walk(&mixed6()), (vec![ACK, UPD_C, DEL_C, INS, UPD, TDB], vec![]));
    let rest = vec![
        INS,
        ACK,
        UPD,
        UPD_C,
        DEL_C,
        (Action::UpdReq, 1),
        (Action::Clr, 1),
        (Action::Eof, 0),
    ];
    assert_eq!(walk(&mixed5()), (rest, vec![]));
}

#[test]
fn hdrops() {
    assert_eq!(walk(&[]), (vec![], vec![(ErrorKind::Hdrops, 0)]));
    assert_eq!(walk(&mixed6()[..19]), (vec![], vec![(ErrorKind::Hdrops, 19)]));
    assert_eq!(walk(&[2, 0, 0]), (vec![], vec![(ErrorKind::Hdrops, 3)]));
    assert_eq!(walk(&[2, 0, 0, 0]), (vec![(Action::Clr, 0)], vec![]));
}

#[test]
fn badver() {
    for version in [0, 1, 7, 255] {
        assert_eq!(walk(&set(mixed6(), 0, version)), (vec![], vec![(ErrorKind::Badver, 0)]));
    }
}

#[test]
fn badlen_of_the_header() {
    let whole = vec![ACK, UPD_C, DEL_C, INS, UPD, TDB];
    let good = mixed6();
    let longer = good[3].wrapping_add(1);
    assert_eq!(
        walk(&set(good.clone(), 3, longer)),
        (whole.clone(), vec![(ErrorKind::Badlen, 2)])
    );
    let below = set(set(good.clone(), 2, 0), 3, 19);
    assert_eq!(walk(&below), (vec![], vec![(ErrorKind::Badlen, 2)]));
    let packet = Packet::new_checked(&below).unwrap();
    assert_eq!(
        (packet.version(), packet.md5()),
        (6, Some([0; 16])),
        "a bad length does not hide the header"
    );
    // Not errors: header alone, length of the header alone, octets behind the length.
    assert_eq!(walk(&good[..20]), (vec![], vec![]));
    assert_eq!(walk(&set(set(good.clone(), 2, 0), 3, 20)), (vec![], vec![]));
    assert_eq!(walk(&[good, vec![1, 2, 3]].concat()), (whole, vec![]));
}

#[test]
fn badlen_of_a_cut_section_keeps_what_is_whole() {
    let good = mixed6();
    // 20 header, 4 + 12 INS_ACK, 4 + 2 * 84 UPD_C: cut inside the second update.
    assert_eq!(
        walk(&good[..36 + 4 + 84 + 83]),
        (vec![ACK, (Action::UpdC, 1)], vec![(ErrorKind::Badlen, 124)])
    );
    assert_eq!(walk(&good[..36 + 3]), (vec![ACK], vec![(ErrorKind::Badlen, 36)]));
    // A count that is too large reads on, as far as there is something to read.
    let (sections, errors) = walk(&set(good, 38, 0xff));
    assert_eq!((sections.len(), errors.last().unwrap().0), (2, ErrorKind::Badlen));
    // Version 3: 5 updates of 88 octets.
    let updates = sample("golden/netbsd3.eth.pcap", 5);
    assert_eq!(walk(&updates), (vec![(Action::UpdC, 5)], vec![]));
    assert_eq!(
        walk(&updates[..20 + 3 * 88 + 1]),
        (vec![(Action::UpdC, 3)], vec![(ErrorKind::Badlen, 20 + 3 * 88)])
    );
    assert_eq!(walk(&[updates, vec![0; 6]].concat()), (vec![(Action::UpdC, 5)], vec![]));
}

#[test]
fn badlen_of_a_short_struct_hides_nothing_before_it() {
    assert_eq!(walk(&set(mixed6(), 37, 20)), (vec![ACK], vec![(ErrorKind::Badlen, 37)]));
    assert_eq!(walk(&set(mixed6(), 37, 0)), (vec![ACK], vec![(ErrorKind::Badlen, 37)]));
}

#[test]
fn badact() {
    // Version 6 skips by length and goes on.
    let skipped = vec![ACK, (Action::Unknown, 0), DEL_C, INS, UPD, TDB];
    assert_eq!(walk(&set(mixed6(), 36, 200)), (skipped, vec![(ErrorKind::Badact, 36)]));
    let named = vec![ACK, (Action::InsF, 0), DEL_C, INS, UPD, TDB];
    assert_eq!(walk(&set(mixed6(), 36, 8)), (named, vec![(ErrorKind::Badact, 36)]));
    // Retired actions have a length and no meaning; they are not wrong.
    for (code, action) in [(1, Action::Oins), (3, Action::Oupd), (12, Action::Eof)] {
        assert_eq!(
            walk(&set(mixed6(), 36, code)),
            (vec![ACK, (action, 0), DEL_C, INS, UPD, TDB], vec![])
        );
    }
    // Without a length, or with a count of none, nobody knows how far.
    let unknown = vec![ACK, (Action::Unknown, 0)];
    assert_eq!(
        walk(&set(set(mixed6(), 36, 200), 37, 0)),
        (unknown.clone(), vec![(ErrorKind::Badact, 36)])
    );
    assert_eq!(
        walk(&set(set(mixed6(), 36, 200), 39, 0)),
        (unknown.clone(), vec![(ErrorKind::Badact, 36)])
    );
    assert_eq!(
        walk(&set(set(mixed6(), 36, 200), 38, 9)),
        (unknown, vec![(ErrorKind::Badact, 36)])
    );
    // Version 5 has no lengths at all. INS is first: 20 + 4 + 242.
    assert_eq!(
        walk(&set(mixed5(), 266, 17)),
        (vec![INS, (Action::Unknown, 0)], vec![(ErrorKind::Badact, 266)])
    );
    assert_eq!(
        walk(&set(mixed5(), 20, 9)),
        (vec![(Action::DelF, 0)], vec![(ErrorKind::Badact, 20)])
    );
    // Versions 2 to 4 have one action, at octet 2.
    let clear = sample("golden/netbsd3.eth.pcap", 0);
    assert_eq!(
        walk(&set(clear.clone(), 2, 11)),
        (vec![(Action::Unknown, 0)], vec![(ErrorKind::Badact, 2)])
    );
    assert_eq!(
        walk(&set(clear.clone(), 2, 6)),
        (vec![(Action::InsF, 0)], vec![(ErrorKind::Badact, 2)])
    );
    assert_eq!(
        walk(&set(set(clear, 0, 2), 2, 10)),
        (vec![(Action::Unknown, 0)], vec![(ErrorKind::Badact, 2)])
    );
}

/// The first message at `start` is damaged at `at`: it survives and is refused there.
fn refused(payload: Vec<u8>, at: usize, to: u8) {
    let before = walk(&payload);
    let payload = set(payload, at, to);
    let want = vec![(ErrorKind::Badval, u32::try_from(at).unwrap())];
    assert_eq!(walk(&payload), (before.0, want), "octet {at} = {to}");
}

#[test]
fn badval_of_updates() {
    // Body of the first UPD_C at 40 (version 6), at 24 (version 5), at 20 (version 3).
    let five = sample("golden/freebsd1301.raw.pcap", 5);
    let three = sample("golden/netbsd3.eth.pcap", 5);
    for (payload, start, timeouts) in [(mixed6(), 40, 20), (five, 24, 25), (three, 20, 20)] {
        refused(payload.clone(), start + 80, timeouts);
        refused(payload.clone(), start + 32, 13);
        refused(payload.clone(), start + 64, 13);
        assert_eq!(walk(&set(payload.clone(), start + 80, timeouts - 1)).1, []);
        assert_eq!(walk(&set(payload, start + 32, 12)).1, []);
    }
}

#[test]
fn badval_of_states() {
    // Body, then the offsets of timeout, both states, direction and family.
    let samples = [
        (sample("golden/openbsd6.raw.pcap", 2), 24, 20, [255, 128, 160, 252, 250]),
        (
            sample("golden/freebsd1301.raw.pcap", 2),
            24,
            25,
            [239, 120, 152, 234, 232],
        ),
        (
            sample("golden/freebsd1400.raw.pcap", 2),
            24,
            25,
            [239, 120, 152, 234, 232],
        ),
        (sample("golden/netbsd3.eth.pcap", 2), 20, 20, [237, 120, 152, 234, 232]),
    ];
    for (payload, start, timeouts, [timeout, src, dst, direction, af]) in samples {
        refused(payload.clone(), start + timeout, timeouts);
        refused(payload.clone(), start + src, 13);
        refused(payload.clone(), start + dst, 13);
        refused(payload.clone(), start + direction, 3);
        refused(payload.clone(), start + af, 3);
        assert_eq!(
            walk(&set(payload, start + direction, 0)).1,
            [],
            "receivers take a direction of 0"
        );
    }
}

/// Whether the first thing that is refused in `payload` is damage.
fn damage(payload: &[u8]) -> bool {
    let packet = match Packet::new_checked(payload) {
        Ok(packet) => packet,
        Err(error) => return error.damage,
    };
    let found = packet.sections().find_map(|section| match section {
        Ok(section) => section.messages().find_map(|m| m.refused),
        Err(error) => Some(error),
    });
    found.expect("something is refused").damage
}

#[test]
fn what_some_kernel_sends_is_refused_and_no_damage() {
    // The first UPD_C is at 40; INS, its first state, at 24 in a frame of its own.
    let state = sample("golden/openbsd6.raw.pcap", 2);
    for timeout in [20, 21, 22, 23, 27, 31] {
        assert!(!damage(&set(mixed6(), 40 + 80, timeout)), "{timeout}");
        assert!(!damage(&set(state.clone(), 24 + 255, timeout)), "{timeout}");
    }
    assert!(!damage(&set(sample("golden/freebsd1301.raw.pcap", 5), 24 + 80, 27)));
    assert!(!damage(&set(state.clone(), 24 + 250, 99)), "a family of another system");
    assert!(!damage(&set(mixed6(), 0, 7)), "a newer version");
    assert!(!damage(&set(mixed6(), 36, 200)), "a newer action");
    assert!(!damage(&set(state.clone(), 21, 240 / 4)), "a state of an early release");

    for timeout in [32, 99, 255] {
        assert!(damage(&set(mixed6(), 40 + 80, timeout)), "{timeout}");
        assert!(damage(&set(state.clone(), 24 + 255, timeout)), "{timeout}");
    }
    assert!(
        damage(&set(set(mixed6(), 40 + 80, 22), 40 + 32, 13)),
        "not hidden by a timeout"
    );
    assert!(
        damage(&set(set(state.clone(), 24 + 250, 99), 24 + 252, 3)),
        "nor by a family"
    );
    assert!(damage(&set(set(state.clone(), 24 + 250, 99), 24 + 255, 99)));
    assert!(damage(&set(state, 21, 236 / 4)));
    assert!(damage(&mixed6()[..19]) && damage(&mixed6()[..50]) && damage(&set(mixed6(), 37, 20)));
}

#[test]
fn a_refused_message_is_as_found() {
    let payload = set(mixed6(), 40 + 80, 99);
    let section = Packet::new_checked(&payload)
        .unwrap()
        .sections()
        .nth(1)
        .unwrap()
        .unwrap();
    let decoded = section.messages().next().unwrap();
    assert_eq!(decoded.offset, 40);
    assert!(matches!(decoded.message, Message::UpdC(update) if update.timeout == 99));
    assert_eq!(
        decoded.refused.unwrap().to_string(),
        "badval at octet 120: unknown timeout"
    );
    assert_eq!(section.messages().nth(1).unwrap().refused, None);
}

#[test]
fn version_5_without_eof_or_with_something_behind_it_is_fine() {
    let good = mixed5();
    let (sections, _) = walk(&good);
    let end = good.len() - 4;
    let shorter = u16::try_from(end).unwrap().to_be_bytes();
    let without = set(set(good[..end].to_vec(), 2, shorter[0]), 3, shorter[1]);
    assert_eq!(walk(&without), (sections[..sections.len() - 1].to_vec(), vec![]));
    let longer = u16::try_from(good.len() + 20).unwrap().to_be_bytes();
    let with = [set(set(good, 2, longer[0]), 3, longer[1]), vec![0xee; 20]].concat();
    assert_eq!(walk(&with), (sections, vec![]));
}

#[test]
fn the_ip_header_of_a_tap_is_stripped() {
    let payload = mixed6();
    let mut ip = vec![
        0x45, 0x10, 0, 0, 0, 0, 0x40, 0, 255, 240, 0, 0, 10, 0, 0, 1, 224, 0, 0, 240,
    ];
    assert_eq!(strip_ip(&[ip.clone(), payload.clone()].concat()), payload);
    ip[0] = 0x46;
    assert_eq!(
        strip_ip(&[ip.clone(), vec![0x94, 4, 0, 0], payload.clone()].concat()),
        payload
    );
    ip[9] = 112;
    assert_eq!(strip_ip(&ip), ip);
    assert_eq!(strip_ip(&payload), payload);
    assert_eq!(strip_ip(&[0x45]), [0x45]);
}

#[test]
fn labels_are_those_of_the_statistics() {
    let labels = ["hdrops", "badver", "badlen", "badact", "badval", "badttl", "fragment"];
    assert_eq!(ErrorKind::ALL.map(ErrorKind::as_str), labels);
}
