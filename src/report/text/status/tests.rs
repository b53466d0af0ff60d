//! The first sentence for each thing that may be wrong, and a whole page as it is read.

use super::super::Look;
use super::render;
use crate::status::{
    Decision, Frames, Gap, Interface, LedgerEntry, Maintenance, Master, Node, Path, Probe, Segment, Span, Status,
    Verdict, Vhid,
};
use jiff::tz::TimeZone;

/// 2026-09-21 14:13:20 UTC.
const NOW: f64 = 1_790_000_000.0;

fn look() -> Look {
    Look {
        width: 100,
        colour: false,
        unicode: true,
        zone: TimeZone::UTC,
    }
}

fn node(name: &str, last: u8, health: &str, reason: &str) -> Node {
    Node {
        address: format!("172.16.0.{last}"),
        name: Some(name.into()),
        me: last == 2,
        health: health.into(),
        cause: Some("x".into()),
        versions: vec![6],
        frames: 10,
        paths: vec![Path {
            path: "any".into(),
            critical: true,
            last_end_to_end: (health == "up").then_some(NOW - 0.3),
            health: health.into(),
            since: Some(NOW - 100.0),
            reason: Some(reason.into()),
            threshold: 8.5,
            ..Path::default()
        }],
        ..Node::default()
    }
}

fn well() -> Status {
    Status {
        schema: 1,
        version: "0.1.0".into(),
        started: NOW - 3600.0,
        at: NOW,
        role: "backup".into(),
        frames: Frames {
            total: 1234,
            pfsync: 1200,
            carp: 34,
            ..Frames::default()
        },
        nodes: vec![
            node("fw1", 1, "up", "round trips are proven"),
            node("fw2", 2, "idle", "master of nothing, as a backup is"),
        ],
        segments: vec![Segment {
            name: "lan".into(),
            vhids: vec![Vhid {
                vhid: 1,
                masters: vec![
                    Master {
                        address: "10.0.0.3".into(),
                        name: Some("fw2".into()),
                        from: NOW - 7200.0,
                        to: Some(NOW - 3600.0),
                        ..Master::default()
                    },
                    Master {
                        address: "10.0.0.2".into(),
                        name: Some("fw1".into()),
                        from: NOW - 3600.0,
                        ..Master::default()
                    },
                ],
                ..Vhid::default()
            }],
            ..Segment::default()
        }],
        interfaces: vec![Interface {
            interface: "em2".into(),
            net: "sync".into(),
            up: true,
            frames: 1234,
            dropped: 0,
            ..Interface::default()
        }],
        ..Status::default()
    }
}

fn first(status: &Status) -> String {
    render(status, &look()).lines().next().unwrap().to_owned()
}

#[test]
fn a_page_of_a_pair_that_is_well() {
    let expected = "\
All is well: traffic passes end to end through fw1 (last round trip 0.30 s ago).
fw2 is backup, observes only, 2026-09-21 14:13:20 UTC, pfwatch 0.1.0 for 1 h

NODES
node  address     self  pfsync  flows  half-open  last round trip  now
fw1   172.16.0.1        v6          0          0       0.30 s ago  up
fw2   172.16.0.2  yes   v6          0          0            never  idle
  fw2 is idle since 14:11:40: master of nothing, as a backup is

SEGMENTS
segment  vhid  master  since     before
lan         1  fw1     13:13:20  fw2

HEARD
  em2 (sync): 1 234 frames
  1 200 of pfsync, 34 of CARP

LAST EVENTS
13:13:20  CARP on lan vhid 1: fw1 is master
12:13:20  CARP on lan vhid 1: fw2 is master
";
    assert_eq!(render(&well(), &look()), expected);
}

#[test]
fn the_first_sentence_is_about_the_worst() {
    let mut s = well();
    s.nodes[0].frames = 0;
    assert_eq!(first(&s), "No pfsync was ever heard of fw1.");
    s.nodes[0] = node("fw1", 1, "suspect", "0 of 1 try");
    assert_eq!(first(&s), "fw1 is in doubt: 0 of 1 try.");
    s.role = "demoted".into();
    assert!(render(&s, &look()).contains("\nfw2 only observes and would be demoted, 2026-"));
    (s.acts, s.dry_run) = (true, true);
    assert!(render(&s, &look()).contains("\nfw2 in a dry run would be demoted, 2026-"));
    // What an earlier run did is so, whoever looks at it.
    s.ledger = vec![LedgerEntry {
        action: "demote".into(),
        ..LedgerEntry::default()
    }];
    assert!(first(&s).starts_with("This node was demoted by pfwatch"));
    assert!(render(&s, &look()).contains("\nfw2 is demoted, dry run, 2026-"));
    s.ledger_unknown = Some("the ledger was damaged".into());
    assert_eq!(
        first(&s),
        "What is to be taken back is not known: the ledger was damaged."
    );
    s.ledger_unknown = None;
    s.dry_run = false;
    assert!(render(&s, &look()).contains("\nfw2 is demoted, acts, 2026-"));
    s.ledger.clear();
    assert_eq!(
        first(&s),
        "This node was demoted by pfwatch, and that is not taken back yet."
    );
    s.interfaces[0].up = false;
    assert_eq!(first(&s), "Nothing is heard on em2 (sync): it is down or gone.");
    s.probes = vec![Probe {
        name: "internet".into(),
        about: "self".into(),
        state: "down".into(),
        since: None,
    }];
    assert!(first(&s).starts_with("The probe internet is down"));
    s.unsynchronised = vec![Span {
        from: NOW - 90.0,
        to: None,
    }];
    assert!(first(&s).starts_with("CARP is unsynchronised since 14:11:50 (1 min 30 s ago)"));
    s.nodes[0] = node("fw1", 1, "down", "0 of 76 tries");
    assert!(
        first(&s).starts_with("fw1 is DOWN since 14:11:40 (1 min 40 s ago): 0 of 76 tries."),
        "{}",
        first(&s)
    );
    (s.age, s.stuck) = (12.0, true);
    assert!(first(&s).starts_with("The daemon is STUCK: its loop has not moved for 12.0 s"));
    assert!(first(&Status::default()).starts_with("No pfsync is heard yet"));
}

#[test]
fn what_is_there_is_shown_and_nothing_else() {
    let mut s = well();
    s.maintenance = Some(Maintenance {
        since: NOW,
        until: Some(NOW + 60.0),
    });
    s.ledger = vec![LedgerEntry {
        at: NOW - 5.0,
        action: "demote".into(),
        text: "carpdemote of group carp from 0 to 50".into(),
    }];
    s.decisions = vec![Decision {
        at: NOW - 6.0,
        action: "promote".into(),
        node: "172.16.0.1".into(),
        reason: "because".into(),
        told: true,
        ..Decision::default()
    }];
    s.verdicts = vec![Verdict {
        at: NOW - 86_400.0,
        node: "172.16.0.1".into(),
        name: Some("fw1".into()),
        from: "up".into(),
        to: "down".into(),
        reason: "why".into(),
        ..Verdict::default()
    }];
    s.gaps = vec![Gap {
        cause: "stall".into(),
        times: 1,
        seconds: 2.0,
        lost: 0,
        last: None,
    }];
    let page = render(&s, &look());
    for expected in [
        "MAINTENANCE until 14:14:20",
        "14:13:15 demote: carpdemote of group carp from 0 to 50",
        "14:13:14  would promote fw2: because",
        "09-20 14:13:20  fw1 is down, was up: why",
        "deaf for 2.0 s in all (stall)",
    ] {
        assert!(page.contains(expected), "{expected} is not in\n{page}");
    }
    assert!(!page.contains("PROBES") && !page.contains("PATHS") && !page.contains('\x1b'));
    let coloured = render(&s, &Look { colour: true, ..look() });
    assert!(coloured.starts_with("\x1b[32mAll is well"));
    // However narrow, and with nothing at all.
    assert!(!render(&Status::default(), &Look { width: 10, ..look() }).is_empty());
}

#[test]
fn what_is_held_back_says_why_and_strangers_share_a_line() {
    let mut s = well();
    s.nodes[1] = node("fw2", 2, "suspect", "0 of 9 tries");
    let path = &mut s.nodes[1].paths[0];
    (path.suspicion, path.threshold) = (9.3, 4.5);
    path.held_back = Some("fw1 is the one that lost a segment".into());
    for i in 1..=30 {
        let mut forged = node("x", 9, "down", "forged");
        (forged.name, forged.address) = (None, format!("10.9.0.{i}"));
        s.nodes.push(forged);
    }
    let page = render(&s, &Look { width: 200, ..look() });
    for expected in [
        "fw2 is in doubt: 0 of 9 tries.",
        "0 of 9 tries; suspicion 9.3, enough for down (4.5), held back: fw1 is the one that lost a segment\n",
        "\n  30 senders that the configuration does not know: 10.9.0.1, 10.9.0.2, ...\n",
    ] {
        assert!(page.contains(expected), "{expected} is not in\n{page}");
    }
    assert_eq!(page.matches("10.9.0.").count(), 2, "{page}");
}
