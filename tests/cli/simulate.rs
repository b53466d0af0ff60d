//! `simulate`: what it writes is complete, the same each time, and agrees with the truth beside it.

mod judge;

use crate::{Ran, capture, pfwatch, ran, run};
use judge::{faults, list};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A scenario at branch load, as somebody would write it down.
fn drill(folder: &Path, scenario: &str, more: &[&str]) -> Ran {
    let mut command = pfwatch();
    command
        .current_dir(folder)
        .args(["simulate", scenario, "--load", "branch"]);
    command.args([
        "-o",
        &format!("{scenario}.pcap"),
        "--truth",
        &format!("{scenario}.json"),
    ]);
    ran(command.args(more))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    all.map(|p| {
        (
            p.file_name().unwrap().to_string_lossy().into_owned(),
            fs::read(&p).unwrap(),
        )
    })
    .collect()
}

/// Ends without a word on the standard error.
fn well(ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!((ran.code, ran.err.lines().count()), (code, 1), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "`{word}` is missing in: {}", ran.err);
    }
}

/// Name and kind of each.
fn scenarios() -> Vec<(String, String)> {
    let list = json(&run(["simulate", "--list", "--format", "json"]).out);
    let word = |s: &Value, key: &str| s[key].as_str().unwrap().to_owned();
    let all = list["scenarios"].as_array().unwrap().iter();
    all.map(|s| (word(s, "name"), word(s, "kind"))).collect()
}

#[test]
fn the_list_is_for_eyes_and_for_programs() {
    let text = run(["simulate", "--list"]);
    well(&text);
    let names = scenarios();
    assert!(names.len() > 40, "{}", names.len());
    for (name, _) in &names {
        let lines = text.out.lines().filter(|l| l.split_whitespace().next() == Some(name));
        assert_eq!(lines.count(), 1, "{name}");
    }
    let list = json(&run(["simulate", "--list", "--format", "json"]).out);
    let kinds: BTreeSet<&str> = list["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["blackhole", "crash", "degraded", "fine"]));
    assert!(list["scenarios"][0]["what"].as_str().unwrap().len() > 10);
    assert_eq!(list["loads"].as_array().unwrap().len(), 5);
    let help = run(["simulate", "--help"]);
    well(&help);
    for word in ["--list", "--load", "--seed", "--truth", "night+canary", "-o drill.pcap"] {
        assert!(help.out.contains(word), "{word}");
    }
}

#[test]
fn wrong_names_are_refused_with_a_hint() {
    says(&run(["simulate"]), 2, &["no scenario", "--list"]);
    says(
        &run(["simulate", "outside-port"]),
        2,
        &["`outside-port`", "`outside-port-dead`", "--list"],
    );
    says(&run(["simulate", "zzz"]), 2, &["`zzz`", "--list"]);
    says(
        &run(["simulate", "steady", "--load", "offce"]),
        2,
        &["offce", "similar", "'office'"],
    );
    says(&run(["simulate", "steady", "--seed", "one"]), 2, &["--seed"]);
    says(&run(["simulate", "steady", "--list"]), 2, &["--list"]);
    says(
        &run(["simulate", "steady", "--truth", "-"]),
        2,
        &["standard output", "-o"],
    );
}

#[test]
fn nothing_is_written_over_that_nobody_named() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let to = |file: &str| {
        let mut command = pfwatch();
        command.current_dir(folder.path());
        ran(command.args(["simulate", "steady", "--load", "branch", "-o", file]))
    };
    fs::write(at("pfwatch.toml"), "[sync]\n").unwrap();
    says(&to("pfwatch.pcap"), 2, &["pfwatch.toml is there already", "-o"]);
    fs::write(at("night.lan.pcap"), "a real one").unwrap();
    says(&to("night.pcap"), 2, &["night.lan.pcap is there already"]);
    assert_eq!(files(folder.path()).len(), 2, "and nothing else was begun");
    says(&to("drill.toml"), 2, &["drill.toml would be written twice"]);
    let mut command = pfwatch();
    command.current_dir(folder.path());
    command.args(["simulate", "steady", "-o", "a.pcap", "--truth", "a.wan.pcap"]);
    says(&ran(&mut command), 2, &["a.wan.pcap would be written twice"]);
    // Its own files it does write over.
    well(&to("drill.pcap"));
    well(&to("drill.pcap"));
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = folder();
    let to = |output: &str, truth: Option<&str>| {
        let mut command = pfwatch();
        command.current_dir(folder.path());
        command.args(["simulate", "failover", "--load", "night+canary", "-o", output]);
        ran(command.args(truth.iter().flat_map(|t| ["--truth", t])))
    };
    says(
        &to("missing/x.pcap", None),
        69,
        &["cannot write missing/x.pcap", "no such file"],
    );
    says(
        &to("x.pcap", Some("missing/x.json")),
        69,
        &["cannot write missing/x.json"],
    );
    if Path::new("/dev/full").exists() {
        says(&to("/dev/full", None), 69, &["cannot write /dev/full", "no space left"]);
        says(
            &to("y.pcap", Some("/dev/full")),
            69,
            &["cannot write /dev/full", "no space left"],
        );
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
        command.args(["simulate", "failover", "--load", "branch"]).stdout(full);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(69));
        assert!(String::from_utf8(output.stderr).unwrap().contains("standard output"));
    }
}

#[test]
fn a_reader_that_leaves_ends_it_without_a_word() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command.args(["simulate", "failover", "--load", "branch"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[test]
fn the_same_seed_gives_the_same_octets_and_another_one_others() {
    let (one, two, other) = (folder(), folder(), folder());
    let said = drill(one.path(), "outside-port-dead", &[]);
    well(&said);
    well(&drill(two.path(), "outside-port-dead", &["--seed", "1"]));
    well(&drill(other.path(), "outside-port-dead", &["--seed", "2"]));
    let (one, two, other) = (files(one.path()), files(two.path()), files(other.path()));
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    let wanted = ["json", "lan.pcap", "pcap", "toml", "wan.pcap"].map(|end| format!("outside-port-dead.{end}"));
    assert_eq!(names, wanted);
    assert!(one == two, "the same seed");
    for (name, octets) in &one {
        assert!(name.ends_with("toml") || *octets != other[name], "{name}");
    }
    // Down the pipe comes the sync net and nothing else.
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    let piped = command
        .args(["simulate", "outside-port-dead", "--load", "branch"])
        .output()
        .unwrap();
    assert!(piped.stdout == one["outside-port-dead.pcap"]);
    assert_eq!(piped.stderr, b"");
}

#[test]
fn every_scenario_can_be_written() {
    let folder = folder();
    for (name, kind) in scenarios() {
        let said = drill(folder.path(), &name, &["--format", "json"]);
        well(&said);
        let said = json(&said.out);
        assert_eq!(said["scenario"], name.as_str());
        let captures = said["captures"].as_array().unwrap();
        for (capture, net) in captures.iter().zip(["sync", "lan", "wan"]) {
            assert_eq!(capture["net"], net);
            let size = fs::metadata(folder.path().join(capture["path"].as_str().unwrap()))
                .unwrap()
                .len();
            let frames = capture["frames"].as_u64().unwrap();
            assert!(
                frames > 100 && size > 24 + frames * 60,
                "{name}: {frames} frames, {size} octets"
            );
        }
        let truth = json(&fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap());
        let blamed = !truth["must"].as_array().unwrap().is_empty();
        assert_eq!(blamed, ["crash", "blackhole"].contains(&kind.as_str()), "{name}");
        let two = truth.pointer("/must_segments/two_masters");
        assert_eq!(two.is_some(), name.starts_with("two-masters"), "{name}");
    }
}

#[test]
fn the_truth_has_the_keys_of_real_captures() {
    let folder = folder();
    well(&drill(folder.path(), "outside-port-dead", &[]));
    let ours = json(&fs::read_to_string(folder.path().join("outside-port-dead.json")).unwrap());
    let real = json(&fs::read_to_string(capture("openbsd-pair/awan_port_dead.truth.json")).unwrap());
    fn keys(v: &Value) -> BTreeSet<&str> {
        v.as_object().unwrap().keys().map(String::as_str).collect()
    }
    let missing = |at: &str| {
        let (real, ours) = (
            real.pointer(at).unwrap(),
            ours.pointer(at).unwrap_or_else(|| panic!("nothing at {at}")),
        );
        keys(real)
            .difference(&keys(ours))
            .map(|k| (*k).to_owned())
            .collect::<Vec<_>>()
    };
    let places = [
        "",
        "/pair",
        "/local",
        "/zones",
        "/traffic",
        "/events/0",
        "/must/0",
        "/must_not/0",
        "/decide/0",
        "/decide_not/0",
        "/must_segments/unsynchronised",
    ];
    for at in places {
        assert_eq!(missing(at), Vec::<String>::new(), "at {at}");
    }
}

#[test]
fn analyze_finds_what_the_truth_says() {
    let folder = folder();
    let path = |name: String| -> PathBuf { folder.path().join(name) };
    let mut decided = 0;
    for name in ["outside-port-dead", "crash", "steady", "upstream-dead"] {
        let said = drill(folder.path(), name, &["--format", "json"]);
        well(&said);
        let said = json(&said.out);
        let truth = json(&fs::read_to_string(path(format!("{name}.json"))).unwrap());
        for me in ["172.16.0.1", "172.16.0.2"] {
            let mut command = pfwatch();
            let words = list(&said["command"]).iter().map(|w| w.as_str().unwrap());
            command.current_dir(folder.path()).args(words.skip(1));
            let report = json(&ran(command.args(["--self", me, "--format", "json"])).out);
            assert_eq!(faults(me, &report, &truth), Vec::<String>::new(), "{name} beside {me}");
            decided += list(&report["decisions"])
                .iter()
                .filter(|d| d["action"] == "promote")
                .count();
            // A judge that finds nothing proves nothing: the same report is wrong about a world in which all was well.
            let mut well = truth.clone();
            well["must"] = Value::Array(Vec::new());
            well["must_not"] = serde_json::json!([{"node": "172.16.0.1", "health": ["down"],
                "from": truth["traffic"]["from"], "to": truth["traffic"]["to"]}]);
            assert_eq!(
                faults(me, &report, &well).is_empty(),
                name == "steady",
                "{name} beside {me}"
            );
        }
    }
    assert_eq!(decided, 1, "the promotion when the outside port dies");
}

#[test]
fn what_real_pairs_were_seen_to_do_misleads_nobody() {
    let folder = folder();
    // OpenBSD and FreeBSD take turns with the seed.
    for (name, seed) in [
        ("boot-tie", "1"),
        ("boot-tie", "2"),
        ("boot-crash", "1"),
        ("two-masters", "1"),
        ("two-masters-outside", "2"),
        ("carp-reflected", "2"),
        ("proxy-outside-port-dead", "1"),
        ("own-proxy-outside-port-dead", "2"),
        ("proxy-hangs", "1"),
        ("heard-twice", "1"),
        ("heard-twice", "2"),
        ("heard-twice-port-dead", "1"),
        ("heard-twice-port-dead", "2"),
        ("capture-gap", "2"),
        ("capture-gap-outage", "1"),
        ("wake-up", "1"),
    ] {
        let said = drill(folder.path(), name, &["--seed", seed, "--format", "json"]);
        well(&said);
        let truth = json(&fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap());
        let said = json(&said.out);
        let words = list(&said["command"]).iter().map(|w| w.as_str().unwrap());
        let mut command = pfwatch();
        command.current_dir(folder.path()).args(words.skip(1));
        let report = json(&ran(command.args(["--self", "172.16.0.2", "--format", "json"])).out);
        assert_eq!(
            faults("172.16.0.2", &report, &truth),
            Vec::<String>::new(),
            "{name}, seed {seed}"
        );
    }
}

#[test]
fn the_printed_command_works_when_it_is_pasted() {
    let folder = folder();
    let file = "it's a drill.pcap";
    let mut command = pfwatch();
    command.current_dir(folder.path());
    let said = ran(command.args(["simulate", "outside-port-dead", "--load", "branch", "-o", file]));
    well(&said);
    let pasted = said.out.lines().last().unwrap().trim();
    assert!(pasted.starts_with("pfwatch analyze "), "{pasted}");
    let binary = Path::new(env!("CARGO_BIN_EXE_pfwatch")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", pasted])
        .current_dir(folder.path())
        .env("PATH", binary);
    let output = shell.output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
    assert!(page.starts_with("fw1 (172.16.0.1) went DOWN"), "{page}");
    assert!(
        page.contains("would promote") || page.contains("PROMOTE") || page.contains("promote"),
        "{page}"
    );
}
