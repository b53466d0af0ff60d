//! What `check` answers, as a table, and that a snapshot survives the way to whoever reads it.

use super::board::{Board, STUCK};
use super::check::{Answer, Question, check};
use super::history::History;
use super::{Facts, Maintenance, Node, Path, Probe, Status};
use crate::engine::Engine;
use crate::event::{self, Cause, Event, Evidence, Health, NodeId, Notice, NoticeKind};
use crate::settings::{self, Settings};
use crate::time::Timestamp;
use std::time::Duration;

fn pair(health: &str) -> Status {
    let path = |critical, health: &str| Path {
        critical,
        health: health.into(),
        reason: Some("why".into()),
        ..Path::default()
    };
    Status {
        role: "backup".into(),
        nodes: vec![
            Node {
                address: "172.16.0.1".into(),
                name: Some("fw1".into()),
                health: health.into(),
                paths: vec![path(false, "down"), path(true, health)],
                ..Node::default()
            },
            Node {
                address: "172.16.0.2".into(),
                name: Some("fw2".into()),
                health: "up".into(),
                me: true,
                ..Node::default()
            },
        ],
        ..Status::default()
    }
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Yes(_) => "yes",
        Answer::No(_) => "no",
        Answer::Stuck(_) => "stuck",
        Answer::Nobody(_) => "nobody",
    }
}

#[test]
fn only_down_on_a_critical_path_is_a_no() {
    let me = Question::Me;
    let fw1 = Question::Node("fw1");
    let probe = |about: &str, state: &str| Status {
        probes: vec![Probe {
            name: "internet".into(),
            about: about.into(),
            state: state.into(),
            since: None,
        }],
        ..pair("up")
    };
    let role = |role: &str| Status {
        role: role.into(),
        ..pair("down")
    };
    let maintained = |status: Status| Status {
        maintenance: Some(Maintenance::default()),
        ..status
    };
    let fresh = Duration::ZERO;
    let table = [
        (pair("up"), fresh, fw1, "yes"),
        (pair("idle"), fresh, fw1, "yes"),
        (pair("suspect"), fresh, fw1, "yes"),
        (pair("unknown"), fresh, fw1, "yes"),
        (pair("down"), fresh, fw1, "no"),
        (pair("down"), fresh, Question::Node("172.16.0.1"), "no"),
        (pair("down"), fresh, Question::Node("fw2"), "yes"),
        (pair("down"), fresh, Question::Node("fw3"), "nobody"),
        (pair("down"), STUCK - Duration::from_millis(1), fw1, "no"),
        (pair("down"), STUCK, fw1, "stuck"),
        (pair("up"), STUCK, fw1, "stuck"),
        (pair("up"), STUCK, me, "stuck"),
        (maintained(pair("down")), fresh, fw1, "yes"),
        (pair("down"), fresh, me, "yes"),
        (role("unknown"), fresh, me, "yes"),
        (role("primary"), fresh, me, "yes"),
        (role("promoted"), fresh, me, "yes"),
        (role("demoted"), fresh, me, "no"),
        (maintained(role("demoted")), fresh, me, "yes"),
        (probe("self", "up"), fresh, me, "yes"),
        (probe("self", "unknown"), fresh, me, "yes"),
        (probe("self", "down"), fresh, me, "no"),
        (maintained(probe("self", "down")), fresh, me, "yes"),
        (probe("fw1", "down"), fresh, me, "yes"),
        (probe("fw1", "down"), fresh, fw1, "yes"),
        (Status::default(), fresh, me, "yes"),
        (Status::default(), fresh, fw1, "nobody"),
    ];
    for (status, age, question, expected) in table {
        let answer = check(&status, age, question);
        assert_eq!(word(&answer), expected, "{question:?} {age:?} {status:?}");
    }
}

#[test]
fn reasons_are_sentences() {
    let answer = |status: &Status, q| check(status, Duration::ZERO, q);
    assert_eq!(
        answer(&pair("down"), Question::Node("fw1")),
        Answer::No("fw1 is down: why".into())
    );
    let nobody = answer(&pair("up"), Question::Node("fw3"));
    assert_eq!(
        nobody,
        Answer::Nobody("there is no node fw3; there are fw1, fw2".into())
    );
}

#[test]
fn the_board_says_how_old_it_is() {
    let at = |s| Timestamp::default() + Duration::from_secs(s);
    let board = Board::new(pair("up"), at(10));
    assert!(!board.status(at(14)).stuck);
    let old = board.status(at(15));
    assert!(old.stuck && (old.age - 5.0).abs() < 1e-9);
    assert!(board.publish(pair("down"), at(16)));
    let new = board.status(at(16));
    assert_eq!((new.stuck, new.nodes[0].health.as_str()), (false, "down"));
}

#[test]
fn a_snapshot_of_a_young_engine_is_complete_and_survives_json() {
    let node = |name: &str, last, is_self| settings::Node {
        name: name.into(),
        addresses: vec![[172, 16, 0, last].into()],
        is_self,
        local: Vec::new(),
    };
    let settings = Settings {
        nodes: vec![node("fw1", 1, false), node("fw2", 2, true)],
        segments: vec![settings::Segment {
            name: "lan".into(),
            password: None,
            vlan: None,
        }],
        ..Settings::default()
    };
    let mut engine = Engine::new(settings, 1);
    let unix = |t: Timestamp| t.as_secs_f64();
    let now = Timestamp::from_nanos(1_790_000_000_000_000_000);
    let mut history = History::default();
    let mut hear = |event: &Event, engine: &Engine| history.note(event, engine, unix);
    while let Some(event) = engine.poll() {
        hear(&event, &engine);
    }
    let source = Some([10, 0, 0, 3].into());
    for master in [source, None, source] {
        let (segment, vhid, since) = (0, 1, now);
        hear(
            &Event::Master {
                at: now,
                segment,
                vhid,
                master,
                since,
            },
            &engine,
        );
    }
    hear(
        &Event::Unsynchronised {
            at: now,
            since: Some(now),
        },
        &engine,
    );
    for n in 0..100 {
        let text = format!("line {n}");
        hear(&Event::Notice(Notice::new(now, NoticeKind::Flush, text)), &engine);
    }
    let facts = Facts {
        version: "1".into(),
        ..Facts::default()
    };
    let status = Status::of(&engine, &history, facts, now, unix);
    assert_eq!(status.nodes.iter().map(Node::label).collect::<Vec<_>>(), ["fw1", "fw2"]);
    assert!(status.nodes[1].me && status.nodes[0].paths[0].critical);
    assert!((status.nodes[0].paths[0].threshold - 8.5).abs() < 0.01);
    assert_eq!(status.notices.len(), 32);
    assert_eq!(status.notices[31].text, "line 99");
    let vhid = &status.segments[0].vhids[0];
    assert_eq!(
        (vhid.masters.len(), vhid.master().unwrap().address.as_str()),
        (2, "10.0.0.3")
    );
    assert_eq!(status.unsynchronised[0].to, None);
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    // What nobody fills is not there, and what a newer daemon adds does not matter.
    assert!(!text.contains("\"ledger\"") && !text.contains("\"probes\""));
    let newer: Status = serde_json::from_str("{\"schema\":2,\"moods\":[1],\"role\":\"backup\"}").unwrap();
    assert_eq!(newer.role, "backup");
    history.forget();
    let later = Status::of(&engine, &history, Facts::default(), now, unix);
    assert!(later.unsynchronised.is_empty() && later.segments[0].vhids.is_empty());
    assert_eq!(later.notices.len(), 32);
}

#[test]
fn a_verdict_keeps_no_suspicion_that_grows_old() {
    let node = settings::Node {
        name: "fw1".into(),
        addresses: vec![[172, 16, 0, 1].into()],
        is_self: false,
        local: Vec::new(),
    };
    let settings = Settings {
        nodes: vec![node],
        ..Settings::default()
    };
    let (engine, mut history) = (Engine::new(settings, 1), History::default());
    let unix = |t: Timestamp| t.as_secs_f64();
    let now = Timestamp::from_nanos(1_790_000_000_000_000_000);
    let mut path = |to, cause| {
        let evidence = Evidence {
            suspicion: 3.0,
            threshold: 4.5,
            ..Evidence::default()
        };
        let verdict = event::Verdict {
            at: now,
            node: NodeId(0),
            path: 0,
            from: Health::Up,
            to,
            cause,
            evidence,
        };
        history.note(&Event::Verdict(verdict), &engine, unix);
        let status = Status::of(&engine, &history, Facts::default(), now, unix);
        (
            status.nodes[0].paths[0].clone(),
            status.verdicts.last().unwrap().reason.clone(),
        )
    };
    let (suspect, line) = path(Health::Suspect, Cause::BlackholeForward);
    assert!(line.ends_with("; suspicion 3.0 of 4.5"), "{line}");
    let reason = suspect.reason.unwrap();
    assert!(line.starts_with(&reason) && !reason.contains("suspicion"), "{reason}");
}
