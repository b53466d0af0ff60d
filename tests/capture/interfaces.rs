//! Interfaces of a pcapng: what they are called, which of them are wanted, and which way a frame went.

use crate::build::{Ng, plain};
use pfwatch::capture::file::{FileInput, FileSource, Interface, Interfaces};
use pfwatch::capture::{Direction, Input, Net, Source, SourceError};
use pfwatch::time::Timestamp;
use std::fs;
use tempfile::TempDir;

const SEGMENT: Net = Net::Segment(3);

/// Interfaces with these names (none where it is empty), and a frame of each, twice.
fn capture(names: &[&str]) -> Vec<u8> {
    let mut ng = Ng::new(true);
    for name in names {
        match name.as_bytes() {
            [] => ng.interface(1, 0, &[]),
            name => ng.interface(1, 0, &[(2, name)]),
        }
    }
    for round in 0..2_u64 {
        for (i, name) in (0..).zip(names) {
            ng.enhanced(i, round * 10 + u64::from(i), format!("{name}{round}").as_bytes(), &[]);
        }
    }
    ng.out
}

/// What is heard of a file, as `NET INTERFACE DATA`, and what is wrong.
fn hear(octets: &[u8], wanted: Interfaces) -> (Vec<String>, Option<SourceError>) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("capture");
    fs::write(&path, octets).unwrap();
    let input = FileInput {
        interfaces: wanted,
        ..FileInput::new(&path, Net::Sync)
    };
    let mut source = FileSource::open(&[input]);
    let (mut heard, mut failed) = (vec![], None);
    loop {
        match source.next(Timestamp::MAX) {
            Ok(Input::Frame(f)) => {
                let net = if f.net == SEGMENT { "segment" } else { "sync" };
                let data = std::str::from_utf8(f.data).unwrap();
                heard.push(format!("{net} {} {data}", f.interface));
            }
            Ok(Input::End) => return (heard, failed),
            Ok(Input::Gap { .. }) => {}
            Ok(other) => panic!("{other:?}"),
            Err(e) => failed = Some(e),
        }
    }
}

fn one(name: &str) -> Interfaces {
    Interfaces::One(Interface(name.into()))
}

#[test]
fn several_interfaces_have_names_and_one_alone_needs_none() {
    let (heard, failed) = hear(&capture(&["em0", "", "em2"]), Interfaces::default());
    assert!(failed.is_none());
    assert_eq!(
        heard,
        [
            "sync em0 em00",
            "sync #2 0",
            "sync em2 em20",
            "sync em0 em01",
            "sync #2 1",
            "sync em2 em21"
        ]
    );
    let (heard, _) = hear(&capture(&["em0"]), Interfaces::default());
    assert_eq!(heard, ["sync  em00", "sync  em01"]);
    // Of a second section they are the same interfaces.
    let twice = [capture(&["a", "b"]), capture(&["b", "a"])].concat();
    let (heard, _) = hear(&twice, Interfaces::default());
    assert!(
        heard
            .iter()
            .all(|h| h.split(' ').nth(1) == h.split(' ').nth(2).map(|d| &d[..1])),
        "{heard:?}"
    );
}

#[test]
fn one_interface_is_wanted_by_its_name_or_its_place() {
    let octets = capture(&["em0", "", "em2"]);
    for (wanted, heard) in [
        ("em2", ["sync  em20", "sync  em21"]),
        ("#2", ["sync  0", "sync  1"]),
        ("#1", ["sync  em00", "sync  em01"]),
    ] {
        let (is, failed) = hear(&octets, one(wanted));
        assert!(failed.is_none(), "{wanted}");
        assert_eq!(is, heard, "{wanted}");
    }
    let (heard, failed) = hear(&octets, one("em7"));
    assert!(heard.is_empty());
    let failed = failed.unwrap().to_string();
    assert!(
        failed.ends_with("has no interface em7: it has #2, em0, em2"),
        "{failed}"
    );
    let (heard, failed) = hear(&plain(&[(1_000, b"x")]), one("em0"));
    assert!(heard.is_empty());
    let failed = failed.unwrap().to_string();
    assert!(failed.ends_with("only pcapng does: leave @em0 out"), "{failed}");
}

#[test]
fn an_interface_of_a_configured_segment_is_that_segment() {
    let wanted = Interfaces::All([(Interface("em2".into()), Some(3))].into());
    let (heard, _) = hear(&capture(&["em0", "em2"]), wanted);
    assert_eq!(
        heard,
        ["sync em0 em00", "segment  em20", "sync em0 em01", "segment  em21"]
    );
}

#[test]
fn a_frame_says_which_way_it_went() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[]);
    for flags in [1_u32, 2, 0, 3, 0x0600_0001] {
        ng.enhanced(0, 1, b"abc", &[(1, b"a comment"), (2, &flags.to_le_bytes())]);
    }
    ng.enhanced(0, 1, b"abcd", &[]);
    let mut source = crate::source(&ng.out);
    let mut ways = vec![];
    while let Ok(Input::Frame(f)) = source.next(Timestamp::MAX) {
        ways.push(f.direction);
    }
    let (inbound, outbound) = (Some(Direction::Inbound), Some(Direction::Outbound));
    assert_eq!(ways, [inbound, outbound, None, None, inbound, None]);
}

/// Frames of two interfaces: which one, and at which second.
fn seconds(frames: impl IntoIterator<Item = (u32, u64)>) -> Vec<u8> {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[(2, b"em0")]);
    ng.interface(1, 0, &[(2, b"em1")]);
    for (interface, second) in frames {
        ng.enhanced(interface, second * 1_000_000, format!("{second}").as_bytes(), &[]);
    }
    ng.out
}

#[test]
fn interfaces_that_come_one_after_another_are_refused_and_each_read_by_itself_is_in_order() {
    let appended = seconds((0..100).map(|s| (0, 1_000 + s)).chain((0..100).map(|s| (1, 1_000 + s))));
    let (heard, failed) = hear(&appended, Interfaces::default());
    let failed = failed.unwrap().to_string();
    assert!(
        heard.len() == 100 && failed.contains("not in the order of time"),
        "{failed}"
    );
    assert!(failed.contains("reordercap"), "{failed}");
    // Of a clock that was set both go on, and of a capture that was stopped meanwhile neither goes back.
    let alternate = |s: u64| (u32::from(s.is_multiple_of(2)), 1_000 + s);
    let step = seconds((0..100).chain(50..150).map(alternate));
    assert!(hear(&step, Interfaces::default()).1.is_none());
    let later = seconds(
        (0..100)
            .map(|s| (0, 1_000 + s))
            .chain((100..200).map(|s| (1, 1_000 + s))),
    );
    assert!(hear(&later, Interfaces::default()).1.is_none());
}

#[test]
fn an_interface_that_is_read_beside_the_rest_of_its_file_is_read_once_and_in_its_time() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("capture");
    let appended = seconds((0..100).map(|s| (0, 1_000 + s)).chain((0..100).map(|s| (1, 1_000 + s))));
    fs::write(&path, appended).unwrap();
    let input = |net, interfaces| FileInput {
        interfaces,
        ..FileInput::new(&path, net)
    };
    let rest = Interfaces::All([(Interface("em1".into()), None)].into());
    let mut source = FileSource::open(&[input(Net::Sync, rest), input(SEGMENT, one("em1"))]);
    let mut heard = vec![];
    loop {
        match source.next(Timestamp::MAX).unwrap() {
            Input::Frame(f) => heard.push((f.at.as_nanos() / 1_000_000_000, f.net)),
            Input::End => break,
            _ => {}
        }
    }
    assert!(heard.len() == 200 && heard.is_sorted(), "{heard:?}");
    assert!(source.times().steps.is_empty());
}
