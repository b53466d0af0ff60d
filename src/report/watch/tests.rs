//! What stands on the screen, for each thing that may be wrong and for screens of any size.

use super::*;
use crate::status::{Frames, Interface, Master, Node, Path, Segment, Span as Split, Verdict, Vhid};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const NOW: f64 = 1_790_000_000.0;

fn look(colour: bool, unicode: bool) -> Look {
    Look {
        width: 80,
        colour,
        unicode,
        zone: TimeZone::UTC,
    }
}

fn node(name: &str, me: bool, health: &str, trips: u64, tries: u64, at: f64) -> Node {
    let path = Path {
        path: "any".into(),
        critical: true,
        health: health.into(),
        end_to_end: trips,
        attempt: tries,
        last_end_to_end: Some(if health == "up" { at } else { NOW - 90.0 }),
        since: Some(NOW - 90.0),
        reason: Some("0 of 76 tries from 19 hosts to 17 servers were answered in 1.1 s".into()),
        suspicion: if health == "down" { 12.0 } else { 0.4 },
        threshold: 8.5,
        ..Path::default()
    };
    Node {
        address: format!("address of {name}"),
        name: Some(name.into()),
        me,
        health: health.into(),
        frames: 10,
        paths: vec![path],
        ..Node::default()
    }
}

/// The snapshot of a moment: 100 round trips and 30 tries in each second.
fn status(second: u32, health: &str) -> Status {
    let at = NOW + f64::from(second);
    let (trips, tries) = (u64::from(second) * 100, u64::from(second) * 30);
    let master = |name: &str| Master {
        address: format!("address of {name}"),
        name: Some(name.into()),
        from: NOW - 50.0,
        ..Master::default()
    };
    let segment = |name: &str, who: &str| Segment {
        name: name.into(),
        vhids: vec![Vhid {
            vhid: 11,
            masters: vec![master(who)],
            ..Vhid::default()
        }],
        ..Segment::default()
    };
    Status {
        schema: 1,
        version: "0.1.0".into(),
        started: NOW - 3600.0,
        at,
        role: "backup".into(),
        frames: Frames {
            pfsync: 5,
            ..Frames::default()
        },
        nodes: vec![
            node("fw1", false, health, trips, tries, at),
            node("fw2", true, "idle", 0, 0, at),
        ],
        segments: vec![
            segment("lan", "fw1"),
            segment("wan", if health == "down" { "fw2" } else { "fw1" }),
        ],
        unsynchronised: if health == "down" {
            vec![Split {
                from: NOW - 88.0,
                to: None,
            }]
        } else {
            Vec::new()
        },
        interfaces: vec![Interface {
            interface: "em2".into(),
            net: "sync".into(),
            up: true,
            frames: 1234,
            ..Interface::default()
        }],
        verdicts: vec![Verdict {
            at: NOW - 90.0,
            node: "address of fw1".into(),
            name: Some("fw1".into()),
            from: "idle".into(),
            to: health.into(),
            reason: "0 of 76 tries from 19 hosts to 17 servers were answered in 1.1 s".into(),
            ..Verdict::default()
        }],
        ..Status::default()
    }
}

fn watched(health: &str) -> Watch {
    let mut watch = Watch::default();
    (0..=20).for_each(|second| watch.take(status(second, health)));
    watch
}

fn terminal(watch: &Watch, look: &Look, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| watch.draw(frame, look)).unwrap();
    terminal
}

fn screen(watch: &Watch, look: &Look, width: u16, height: u16) -> Vec<String> {
    let terminal = terminal(watch, look, width, height);
    let cells = terminal.backend().buffer().content();
    let line = |row: &[ratatui::buffer::Cell]| row.iter().map(|c| c.symbol()).collect::<String>().trim_end().to_owned();
    cells.chunks(usize::from(width).max(1)).map(line).collect()
}

#[test]
fn a_screen_of_a_pair_that_is_well() {
    let expected = "\
All is well: traffic passes end to end through fw1 (last round trip 0.00 s ago).
fw2 is backup, observes only, 2026-09-21 14:13:40 UTC, pfwatch 0.1.0 for 1 h

FIREWALLS
fw1   up                answered      ████████████████████ 100/s  now
      █░░░░░░░ 0.4/8.5  unanswered    ████████████████████ 30/s
fw2*  idle              answered                           0/s    1 min 50 s ago
      █░░░░░░░ 0.4/8.5  unanswered                         0/s

CARP
lan 11: fw1   wan 11: fw1

HEARD
em2 (sync) 1 234 frames

LAST EVENTS
14:12:30  CARP on lan vhid 11, wan vhid 11: fw1 is master
14:11:50  fw1 is up, was idle: 0 of 76 tries from 19 hosts to 17 servers were
          answered in 1.1 s




q quits; once a second";
    let drawn = screen(&watched("up"), &look(false, true), 80, 24);
    assert_eq!(drawn.join("\n"), expected);
}

#[test]
fn the_worst_is_said_first_and_marked_without_colours_too() {
    let down = watched("down");
    let drawn = screen(&down, &look(false, true), 80, 24).join("\n");
    for words in [
        "fw1 is DOWN since 14:11:50",
        "████████ 12.0>8.5",
        "CARP IS UNSYNCHRONISED",
        "wan 11: fw2",
        "q quits",
    ] {
        assert!(drawn.contains(words), "{words} in\n{drawn}");
    }
    let first = |look: &Look| terminal(&down, look, 80, 24).backend().buffer().content()[0].clone();
    let (plain, coloured) = (first(&look(false, true)), first(&look(true, true)));
    assert_eq!((plain.fg, plain.modifier), (Color::Reset, Modifier::REVERSED));
    assert_eq!((coloured.fg, coloured.modifier), (Color::Red, Modifier::BOLD));
    let none = terminal(&down, &look(false, true), 80, 24);
    let cells = none.backend().buffer().content();
    assert!(cells.iter().all(|c| (c.fg, c.bg) == (Color::Reset, Color::Reset)));
    let ascii = screen(&down, &look(false, false), 80, 24).join("\n");
    assert!(ascii.is_ascii() && ascii.contains("######## 12.0>8.5"), "{ascii}");
}

#[test]
fn no_answer_is_said_above_what_was_known() {
    let mut watch = watched("up");
    watch.lose("no pfwatch answers on /s".into());
    let drawn = screen(&watch, &look(false, true), 80, 24);
    assert_eq!(drawn[0], "NO ANSWER: no pfwatch answers on /s. What follows is old.");
    assert!(drawn[1].starts_with("All is well"));
    watch.take(status(22, "up"));
    assert!(screen(&watch, &look(false, true), 80, 24)[0].starts_with("All is well"));
}

/// The foot is always there, and nothing panics.
#[test]
fn every_size_is_drawn() {
    for health in ["up", "down"] {
        let watch = watched(health);
        for (width, height) in [
            (1, 1),
            (3, 2),
            (20, 5),
            (40, 12),
            (60, 18),
            (80, 24),
            (200, 60),
            (500, 3),
        ] {
            let drawn = screen(&watch, &look(true, true), width, height);
            assert!(
                drawn
                    .last()
                    .unwrap()
                    .starts_with(&"q quits"[..usize::from(width).min(7)]),
                "{width}x{height}"
            );
        }
        assert_eq!(screen(&Watch::default(), &look(true, true), 10, 2), ["", "q quits; o"]);
    }
}

/// The newest snapshot, with something in it changed.
fn drawn(health: &str, change: impl Fn(&mut Status)) -> String {
    let mut newest = status(20, health);
    change(&mut newest);
    let mut watch = Watch::default();
    watch.take(newest);
    screen(&watch, &look(false, true), 80, 24).join("\n")
}

#[test]
fn what_is_held_back_says_why() {
    let text = drawn("down", |s| {
        let path = &mut s.nodes[1].paths[0];
        (path.health, path.suspicion) = ("suspect".into(), 9.3);
        path.held_back = Some("fw1 is the one that lost a segment".into());
    });
    assert!(text.contains("████████ 9.3 held unanswered"), "{text}");
    assert!(
        text.contains("\n      held back: fw1 is the one that lost a segment\n"),
        "{text}"
    );
}

#[test]
fn only_what_was_lost_is_marked() {
    let lose = |s: &mut Status| {
        let masters = &mut s.segments[1].vhids[0].masters;
        masters[0].from = NOW - 88.0;
        let before = Master {
            address: "10.0.0.1".into(),
            node: Some("address of fw1".into()),
            name: Some("fw1".into()),
            from: NOW - 500.0,
            to: Some(NOW - 88.0),
        };
        masters.insert(0, before);
        s.nodes[0].witnesses.insert("split".into(), -1);
    };
    let text = drawn("down", lose);
    assert!(
        text.contains("CARP IS UNSYNCHRONISED: fw1 is missing from wan\n"),
        "{text}"
    );
    let mut newest = status(20, "down");
    lose(&mut newest);
    let mut watch = Watch::default();
    watch.take(newest);
    let buffer = terminal(&watch, &look(true, true), 80, 24).backend().buffer().clone();
    let row = text.lines().position(|l| l.starts_with("lan 11: fw1")).unwrap();
    let colour = |column: usize| buffer.content()[row * 80 + column].fg;
    let wan = text.lines().nth(row).unwrap().find("wan 11").unwrap();
    assert_eq!((colour(0), colour(wan)), (Color::Reset, Color::Red));
}

#[test]
fn senders_that_nobody_knows_share_a_line() {
    let text = drawn("up", |s| {
        for i in 1..=30 {
            let mut forged = node("x", false, "down", 0, 5, NOW);
            (forged.name, forged.address) = (None, format!("10.9.0.{i}"));
            s.nodes.push(forged);
        }
    });
    let line = "\n30 senders that the configuration does not know: 10.9.0.1, 10.9.0.2, ...\n";
    assert!(text.contains(line) && text.matches("10.9.0.").count() == 2, "{text}");
    assert!(
        text.starts_with("All is well") && text.contains("wan 11: fw1"),
        "{text}"
    );
}
