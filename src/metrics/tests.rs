//! The contract of the names, types and labels, and that the numbers are those of the snapshot.

mod strangers;

use super::render;
use super::textfile::{NAME, Textfile};
use crate::status::tally::Tallies;
use crate::status::{
    ActionResult, Gap, Held, Interface, LedgerEntry, Master, Node, Path, Probe, Segment, Span, Status, Transitions,
    TwoMasters, Vhid,
};
use std::collections::BTreeSet;
use std::fs;

fn node(name: &str, health: &str) -> Node {
    Node {
        address: format!("172.30.0.{}", name.len()),
        name: Some(name.into()),
        health: health.into(),
        versions: vec![5, 6],
        version: Some(6),
        frames: 7,
        messages: [("INS".to_owned(), 3)].into(),
        sender_alive: 9,
        last_config_sync: Some(1_790_000_000.5),
        bulk_since: Some(1.0),
        witnesses: [("carp".to_owned(), -1)].into(),
        elsewhere: Held { known: 2, half_open: 0 },
        paths: vec![Path {
            path: "lan -> wan".into(),
            health: health.into(),
            cause: if health == "down" {
                "blackhole-forward"
            } else {
                "sync lost"
            }
            .into(),
            critical: true,
            end_to_end: 40,
            last_end_to_end: Some(1_790_000_001.0),
            suspicion: 3.25,
            threshold: 8.5,
            flows: Held { known: 5, half_open: 1 },
            ..Path::default()
        }],
        ..Node::default()
    }
}

/// Everything that there can be.
fn full() -> Status {
    let mut tallies = Tallies::default();
    tallies.add(&ActionResult {
        at: 1.0,
        action: "promote".into(),
        seconds: 0.3,
        ..ActionResult::default()
    });
    let master = |address: &str, node: Option<&str>| Master {
        address: address.into(),
        node: node.map(str::to_owned),
        ..Master::default()
    };
    let vhid = |vhid, master| Vhid {
        vhid,
        masters: vec![master],
        ..Vhid::default()
    };
    Status {
        version: "1.2.3".into(),
        role: "backup".into(),
        at: 1_790_000_002.0,
        nodes: vec![node("fw1", "down"), node("fw-2", "unknown")],
        unable: Some("the ledger was put aside".into()),
        interfaces: vec![Interface {
            interface: "em2".into(),
            net: "sync".into(),
            up: true,
            frames: 11,
            dropped: 2,
            behind: 0.1,
        }],
        segments: vec![Segment {
            name: "lan".into(),
            vhids: vec![
                vhid(1, master("10.0.0.2", Some("172.30.0.3"))),
                vhid(2, master("10.0.0.9", None)),
                Vhid {
                    vhid: 3,
                    two_masters: vec![TwoMasters::default()],
                    ..Vhid::default()
                },
                Vhid {
                    vhid: 4,
                    two_masters: vec![TwoMasters {
                        to: Some(1.0),
                        ..TwoMasters::default()
                    }],
                    no_master: vec![Span { from: 1.0, to: None }],
                    ..Vhid::default()
                },
            ],
            ..Segment::default()
        }],
        unsynchronised: vec![Span { from: 1.0, to: None }],
        gaps: vec![Gap {
            cause: "stall".into(),
            times: 1,
            seconds: 1.5,
            ..Gap::default()
        }],
        transitions: vec![Transitions {
            name: Some("fw1".into()),
            path: "lan -> wan".into(),
            to: [("down".to_owned(), 2)].into(),
            ..Transitions::default()
        }],
        decided: [("promote".to_owned(), 1)].into(),
        tallies: tallies.all().clone(),
        own_demotion: -240,
        probes: vec![Probe {
            name: "internet".into(),
            state: "down".into(),
            ..Probe::default()
        }],
        ..Status::default()
    }
}

/// Name, type and labels (docs/contract.md section 4): what users hold on to.
const CONTRACT: &str = "\
pfwatch_frames_total counter interface
pfwatch_decode_errors_total counter reason
pfwatch_messages_total counter action node
pfwatch_evidence_total counter kind node path
pfwatch_flows gauge node path state
pfwatch_last_end_to_end_timestamp_seconds gauge node path
pfwatch_health gauge health node path
pfwatch_suspicion gauge node path
pfwatch_role gauge role
pfwatch_transitions_total counter node path to
pfwatch_actions_total counter action result
pfwatch_hook_duration_seconds histogram action
pfwatch_carp_master gauge node segment vhid
pfwatch_carp_unsynchronised gauge
pfwatch_carp_two_masters gauge segment vhid
pfwatch_carp_no_master gauge segment vhid
pfwatch_capture_dropped_total counter interface
pfwatch_capture_gap_seconds_total counter cause
pfwatch_pfsync_version gauge node version
pfwatch_bulk_update_in_progress gauge node
pfwatch_probe_success gauge probe
pfwatch_config_sync_last_timestamp_seconds gauge node
pfwatch_flow_table_entries gauge
pfwatch_flow_table_evictions_total counter
pfwatch_ledger_entries gauge
pfwatch_own_demotion gauge
pfwatch_maintenance gauge
pfwatch_witness gauge kind node
pfwatch_build_info gauge arch os version";

/// Label names of a sample line.
fn labels(line: &str) -> BTreeSet<&str> {
    let inside = line.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let pairs = inside.map_or("", |(inside, _)| inside).split("\",");
    let names = pairs.filter_map(|p| p.split_once('=')).map(|(name, _)| name);
    names.filter(|n| *n != "le").collect()
}

#[test]
fn the_contract_is_kept() {
    let text = render(&full()).unwrap();
    for line in CONTRACT.lines() {
        let mut words = line.split(' ');
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{line}\n{text}");
        assert!(text.contains(&format!("# HELP {name} ")), "{line}");
        let sample = |l: &&str| l.starts_with(&format!("{name}{{")) || l.starts_with(&format!("{name} "));
        let bucket = |l: &&str| l.starts_with(&format!("{name}_bucket{{"));
        let found = text.lines().find(|l| sample(l) || bucket(l));
        let found = found.unwrap_or_else(|| panic!("no sample of {name}"));
        assert_eq!(labels(found), words.collect(), "{found}");
    }
}

#[test]
fn numbers_are_those_of_the_snapshot() {
    let text = render(&full()).unwrap();
    let expected = [
        "pfwatch_health{health=\"down\",node=\"fw1\",path=\"lan -> wan\"} 1",
        "pfwatch_health{health=\"up\",node=\"fw1\",path=\"lan -> wan\"} 0",
        "pfwatch_evidence_total{kind=\"end-to-end\",node=\"fw1\",path=\"lan -> wan\"} 40",
        "pfwatch_evidence_total{kind=\"sender-alive\",node=\"fw1\",path=\"\"} 9",
        "pfwatch_flows{node=\"fw1\",path=\"lan -> wan\",state=\"half-open\"} 1",
        "pfwatch_flows{node=\"fw1\",path=\"\",state=\"known\"} 2",
        "pfwatch_last_end_to_end_timestamp_seconds{node=\"fw1\",path=\"lan -> wan\"} 1790000001",
        "pfwatch_suspicion{node=\"fw1\",path=\"lan -> wan\"} 3.25",
        "pfwatch_transitions_total{node=\"fw1\",path=\"lan -> wan\",to=\"down\"} 2",
        "pfwatch_transitions_total{node=\"fw1\",path=\"lan -> wan\",to=\"up\"} 0",
        "pfwatch_actions_total{action=\"promote\",result=\"failed\"} 1",
        "pfwatch_actions_total{action=\"notify\",result=\"ok\"} 0",
        "pfwatch_decisions_total{action=\"promote\"} 1",
        "pfwatch_hook_duration_seconds_bucket{action=\"promote\",le=\"0.25\"} 0",
        "pfwatch_hook_duration_seconds_bucket{action=\"promote\",le=\"0.5\"} 1",
        "pfwatch_hook_duration_seconds_bucket{action=\"promote\",le=\"+Inf\"} 1",
        "pfwatch_hook_duration_seconds_sum{action=\"promote\"} 0.3",
        "pfwatch_carp_master{node=\"fw1\",segment=\"lan\",vhid=\"1\"} 1",
        "pfwatch_carp_master{node=\"fw-2\",segment=\"lan\",vhid=\"1\"} 0",
        "pfwatch_carp_master{node=\"foreign\",segment=\"lan\",vhid=\"1\"} 0",
        "pfwatch_carp_master{node=\"foreign\",segment=\"lan\",vhid=\"2\"} 1",
        "pfwatch_unable 1",
        "pfwatch_path_critical{node=\"fw1\",path=\"lan -> wan\"} 1",
        "pfwatch_sync_lost{node=\"fw1\"} 0",
        "pfwatch_sync_lost{node=\"fw-2\"} 1",
        "pfwatch_carp_unsynchronised 1",
        "pfwatch_carp_two_masters{segment=\"lan\",vhid=\"1\"} 0",
        "pfwatch_carp_two_masters{segment=\"lan\",vhid=\"3\"} 1",
        "pfwatch_carp_two_masters{segment=\"lan\",vhid=\"4\"} 0",
        "pfwatch_carp_no_master{segment=\"lan\",vhid=\"3\"} 0",
        "pfwatch_carp_no_master{segment=\"lan\",vhid=\"4\"} 1",
        "pfwatch_capture_gap_seconds_total{cause=\"stall\"} 1.5",
        "pfwatch_capture_gap_seconds_total{cause=\"kernel-drop\"} 0",
        "pfwatch_pfsync_version{node=\"fw1\",version=\"5\"} 0",
        "pfwatch_pfsync_version{node=\"fw1\",version=\"6\"} 1",
        "pfwatch_bulk_update_in_progress{node=\"fw1\"} 1",
        "pfwatch_own_demotion -240",
        "pfwatch_probe_success{probe=\"internet\"} 0",
        "pfwatch_witness{kind=\"carp\",node=\"fw1\"} -1",
        "pfwatch_role{role=\"backup\"} 1",
    ];
    for line in expected {
        assert!(text.lines().any(|l| l == line), "no `{line}` in\n{text}");
    }
}

#[test]
fn a_young_daemon_has_metrics_too() {
    let text = render(&Status::default()).unwrap();
    assert!(text.contains("pfwatch_carp_unsynchronised 0\n"));
    assert!(text.contains("pfwatch_decode_errors_total{reason=\"badver\"} 0\n"));
    assert!(!text.contains("pfwatch_probe_success{"));
}

/// What `role` and what was done make of `pfwatch_role`.
#[test]
fn a_role_is_what_was_done_and_not_what_was_said() {
    let entry = |action: &str| LedgerEntry {
        action: action.into(),
        ..LedgerEntry::default()
    };
    // Decided, acts, dry run, ledger: the role.
    let cases = [
        ("promoted", true, false, vec![entry("promote")], "promoted"),
        ("promoted", false, false, vec![], "backup"),
        ("demoted", true, true, vec![], "backup"),
        ("backup", false, false, vec![], "backup"),
        ("promoted", true, true, vec![entry("promote")], "promoted"),
        ("promoted", false, false, vec![entry("demote")], "demoted"),
    ];
    for (role, acts, dry_run, ledger, expected) in cases {
        let status = Status {
            role: role.into(),
            carp_role: "backup".into(),
            acts,
            dry_run,
            ledger,
            ..Status::default()
        };
        let text = render(&status).unwrap();
        let is = text
            .lines()
            .find(|l| l.starts_with("pfwatch_role{") && l.ends_with(" 1"));
        let expected = format!("pfwatch_role{{role=\"{expected}\"}} 1");
        assert_eq!(is, Some(expected.as_str()), "{role} {acts} {dry_run}");
    }
}

#[test]
fn names_from_outside_cannot_add_a_line() {
    let mut status = full();
    status.nodes[0].name = Some("fw1\"} 1\npfwatch_role{role=\"primary".into());
    let text = render(&status).unwrap();
    assert_eq!(text.lines().filter(|l| l.starts_with("pfwatch_role{")).count(), 5);
}

#[test]
fn the_textfile_is_whole_and_goes_with_its_writer() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join(NAME);
    let textfile = Textfile::start(folder.path(), full, |_| {}).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), render(&full()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(textfile);
    assert!(!path.exists());
    let missing = Textfile::start(&folder.path().join("missing"), full, |_| {}).unwrap_err();
    assert!(missing.to_string().contains("--textfile"), "{missing}");
}
