//! The same frames from files and over three networks give the same verdicts and decisions at the same times.
//!
//! Another capture of captures/openbsd-pair is taken with `PFWATCH_TEST_CAPTURE=NAME`, all of it with `PFWATCH_TEST_WHOLE=1`;
//! what was compared is shown with `--nocapture`.

use super::daemon::Daemon;
use super::namespace::{inside, replay, say};
use super::{cut, cut::shipped};
use assert_cmd::Command;
use pfwatch::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const BEFORE: Duration = Duration::from_secs(25);
const AFTER: Duration = Duration::from_secs(15);
/// Times may differ by this much, in seconds.
const APART: f64 = 1.0;

/// A verdict or decision: seconds since the first advertisement, and what it says.
type Said = (f64, String);

#[test]
fn the_same_is_said_live_and_offline() {
    if !inside("live::the_same_is_said_live_and_offline") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let name = std::env::var("PFWATCH_TEST_CAPTURE").unwrap_or_else(|_| "awan_port_dead".into());
    let fault = cut::fault(&name);
    let (from, to) = match std::env::var_os("PFWATCH_TEST_WHOLE") {
        Some(_) => (Timestamp::MIN, Timestamp::MAX),
        None => (fault - BEFORE, fault + AFTER),
    };
    let (files, frames) = cut::write(&name, from, to, folder.path());
    let config = folder.path().join("pfwatch.toml");
    fs::write(&config, configuration()).unwrap();

    let report = analyzed(&config, &files);
    let (offline, end) = reported(&report);
    let state = folder.path().join("memory.json");
    let mut daemon = Daemon::start(&config, &state);
    daemon.until("nothing is remembered yet");
    daemon.until("listening on sync (sync), lan (lan), wan (wan)");
    daemon.until("observing: nothing will be done");
    reloads(&mut daemon, &config);
    replay(&frames);
    let (code, took, log) = daemon.end("TERM");
    assert_eq!(code, Some(0), "{log:#?}");
    say(format_args!("{name}: ended {} ms after the signal", took.as_millis()));
    assert!(
        took < Duration::from_secs(1),
        "asked for are 0.3 s, on a host with nothing else to do"
    );
    let counted = log.iter().rfind(|line| line["event"] == "counters").unwrap();
    assert_eq!(counted["memory"]["saved"], 1, "{counted}");
    remembers(&config, &state);
    same_keys(&report, &log);
    compare(&offline, &logged(&log), end);
    let verdicts = |what: &str| offline.iter().any(|s| s.1.contains(what));
    if name == "awan_port_dead" {
        assert!(verdicts("172.16.0.1 down") && verdicts("promote"), "{offline:?}");
    }
}

/// What was learned is there, and the next one takes it up; a damaged file costs a warning.
fn remembers(config: &Path, state: &Path) {
    let memory: Value = serde_json::from_slice(&fs::read(state).unwrap()).unwrap();
    let nodes: Vec<&Value> = memory["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| &n["address"])
        .collect();
    assert_eq!(nodes, ["172.16.0.1", "172.16.0.2"]);
    assert!(!memory["nodes"][0]["paths"][0]["servers"].as_array().unwrap().is_empty());
    let mut next = Daemon::start(config, state);
    next.until("is taken up from");
    next.until("observing: nothing will be done");
    assert_eq!(next.end("TERM").0, Some(0));
    fs::write(state, "half a fi").unwrap();
    let mut last = Daemon::start(config, state);
    last.until("is not what was learned, so learning starts anew");
    last.until("observing: nothing will be done");
    assert_eq!(last.end("TERM").0, Some(0));
    assert!(state.with_extension("json.damaged").exists() && state.exists());
}

/// The shipped configuration, run beside fw2, with interfaces.
pub(super) fn configuration() -> String {
    let pair = fs::read_to_string(shipped("pair.toml")).unwrap();
    let mut text = pair.replace("name = \"fw2\"", "name = \"fw2\"\nself = true");
    assert_ne!(text, pair);
    text += "[sync]\ninterface = \"sync\"\n";
    for net in ["lan", "wan"] {
        text += &format!("[[segment]]\nname = \"{net}\"\ninterface = \"{net}\"\n");
    }
    text
}

/// A bad configuration keeps the one before; a good one is taken, and what must be learned anew is said.
fn reloads(daemon: &mut Daemon, config: &Path) {
    let good = fs::read_to_string(config).unwrap();
    let table = [
        (good.replace("[sync]", "[snyc]"), "the configuration stays as it was"),
        (
            good.replace("\"lan\"\n", "\"no-such-0\"\n"),
            "the configuration stays as it was",
        ),
        (good.clone(), "nothing changed"),
        (
            good.replace("\"sync\"", "[\"sync\", \"sync-in\"]"),
            "what was learned is kept",
        ),
        (good.clone(), "what was learned is kept"),
        (format!("{good}[detect]\nmax = \"50s\"\n"), "health starts anew"),
        (good.clone(), "health starts anew"),
    ];
    for (text, expected) in table {
        fs::write(config, text).unwrap();
        daemon.signal("HUP");
        daemon.until(expected);
    }
}

/// What `analyze` says.
fn analyzed(config: &Path, files: &[PathBuf; 3]) -> Value {
    let mut command = Command::cargo_bin("pfwatch").unwrap();
    command
        .args(["analyze", "--format", "json", "-c"])
        .arg(config)
        .arg(&files[0]);
    for (net, file) in cut::NETS.iter().zip(files).skip(1) {
        command.arg("--segment").arg(format!("{net}={}", file.display()));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whoever reads the one can read the other: a line of the log only adds what kind of event it is, and its sentence.
fn same_keys(report: &Value, log: &[Value]) {
    for (event, list) in [
        ("verdict", "verdicts"),
        ("decision", "decisions"),
        ("notice", "notices"),
    ] {
        let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let (Some(offline), Some(live)) = (report[list].get(0), log.iter().find(|l| l["event"] == event)) else {
            continue;
        };
        let added = BTreeSet::from(["event".to_owned(), "text".to_owned()]);
        assert_eq!(&keys(offline) | &added, keys(live));
    }
}

/// Verdicts and decisions of a report, and when the capture ends.
fn reported(report: &Value) -> (Vec<Said>, f64) {
    let all = |v: &Value| v.as_array().unwrap().clone();
    let masters = all(&report["segments"]).into_iter().flat_map(|s| all(&s["vhids"]));
    let since = masters
        .flat_map(|v| all(&v["masters"]))
        .map(|m| m["from"].as_f64().unwrap());
    let zero = since.fold(f64::INFINITY, f64::min);
    let last = all(&report["files"]).into_iter().map(|f| f["last"].as_f64().unwrap());
    let end = last.fold(0.0, f64::max) - zero;
    let mut said: Vec<Said> = all(&report["verdicts"])
        .iter()
        .map(|v| (at(v) - zero, verdict(v)))
        .collect();
    said.extend(all(&report["decisions"]).iter().map(|d| (at(d) - zero, decision(d))));
    (said, end)
}

/// The same from the log.
fn logged(log: &[Value]) -> Vec<Said> {
    let of = |event: &'static str| log.iter().filter(move |line| line["event"] == event);
    let since = of("master").map(|m| m["from"].as_f64().unwrap());
    let zero = since.fold(f64::INFINITY, f64::min);
    for gap in of("gap") {
        say(format_args!("blind meanwhile: {gap}"));
    }
    for counters in of("counters") {
        say(format_args!("{}", counters["text"]));
    }
    let mut said: Vec<Said> = of("verdict").map(|v| (at(v) - zero, verdict(v))).collect();
    said.extend(of("decision").map(|d| (at(d) - zero, decision(d))));
    said
}

fn at(value: &Value) -> f64 {
    value["at"].as_f64().unwrap()
}

fn verdict(v: &Value) -> String {
    let word = |key: &str| v[key].as_str().unwrap().to_owned();
    format!("{} {} ({})", word("node"), word("to"), word("cause"))
}

fn decision(d: &Value) -> String {
    let word = |key: &str| d[key].as_str().unwrap().to_owned();
    format!("{} about {} ({})", word("action"), word("node"), word("cause"))
}

/// Both say the same. Its first and last second are shown only: a listener judges what it hears first after a silence
/// of unknown length, and what falls into the last second may come after the end.
fn compare(offline: &[Said], live: &[Said], end: f64) {
    let mut wrong = Vec::new();
    let mut left: Vec<&Said> = live.iter().collect();
    for (at, what) in offline {
        let nearest = left
            .iter()
            .enumerate()
            .filter(|(_, l)| l.1 == *what)
            .min_by(|a, b| (a.1.0 - at).abs().total_cmp(&(b.1.0 - at).abs()))
            .map(|(i, l)| (i, l.0));
        match nearest.filter(|(_, live)| (live - at).abs() <= APART) {
            Some((i, live)) => {
                left.remove(i);
                say(format_args!(
                    "{at:8.3} s offline, {live:8.3} s live ({:+.3} s): {what}",
                    live - at
                ));
            }
            None if *at < APART || *at > end - APART => say(format_args!("{at:8.3} s offline, not compared: {what}")),
            None => wrong.push(format!("{at:8.3} s only offline: {what}")),
        }
    }
    for (at, what) in left {
        if *at < 2.0 * APART || *at > end - 2.0 * APART {
            say(format_args!("{at:8.3} s live, not compared: {what}"));
        } else {
            wrong.push(format!("{at:8.3} s only live: {what}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
