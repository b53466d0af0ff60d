//! `captures/cases/`: small inputs after public reports, each with its right answer in a `case.json` beside it.
//!
//! What a case may ask for: `exit` (codes), `says` and `says_not` (regular expressions over what is printed, both streams,
//! without regard to case), and of `--format json`, which is run beside it: `down`, `never`, `decide`, `decide_not` and
//! `unsynchronised`. Arguments are relative to the folder of the case.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use assert_cmd::cargo::cargo_bin_cmd;
use regex::RegexBuilder;
use serde_json::Value;
use std::{fs, path::Path, thread};

/// Seconds by which a fault may be seen before the second in which it is said to begin: those are rounded.
const ROUNDED: f64 = 0.05;

fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

fn texts(v: &Value) -> Vec<&str> {
    list(v).iter().map(|t| t.as_str().unwrap()).collect()
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

/// The exit code, standard output and both streams as one line.
fn ran(folder: &Path, args: &[&str]) -> (i64, String, String) {
    let said = cargo_bin_cmd!("pfwatch")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    let both = format!("{out} {}", String::from_utf8_lossy(&said.stderr));
    let both = both.split_whitespace().collect::<Vec<_>>().join(" ");
    (i64::from(said.status.code().unwrap()), out, both)
}

/// What is wrong with what is printed.
fn printed(folder: &Path, args: &[&str], run: &Value) -> Vec<String> {
    let (code, _, both) = ran(folder, args);
    let found = |x: &str| {
        let pattern = RegexBuilder::new(x).case_insensitive(true).build().unwrap();
        pattern.find(&both).map(|m| m.as_str().to_owned())
    };
    let codes = list(&run["exit"]);
    let mut wrong = Vec::new();
    wrong.extend((!codes.is_empty() && !codes.contains(&code.into())).then(|| format!("exit {code}")));
    wrong.extend(both.contains("panicked").then(|| "panicked".to_owned()));
    let silent = texts(&run["says"]).into_iter().filter(|x| found(x).is_none());
    wrong.extend(silent.map(|x| format!("does not say /{x}/")));
    wrong.extend(
        texts(&run["says_not"])
            .into_iter()
            .filter_map(found)
            .map(|x| format!("says {x:?}")),
    );
    wrong
}

/// What is wrong with what is judged and decided, where the case asks for that.
fn judged(folder: &Path, args: &[&str], run: &Value) -> Vec<String> {
    let asked = ["down", "never", "decide", "decide_not", "unsynchronised"];
    if !asked.iter().any(|key| run.get(key).is_some()) {
        return Vec::new();
    }
    let (_, out, both) = ran(folder, &[args, &["--format", "json"]].concat());
    let Ok(report) = serde_json::from_str::<Value>(&out) else {
        return vec![format!("no JSON: {both}")];
    };
    let (verdicts, decisions) = (list(&report["verdicts"]), list(&report["decisions"]));
    let mut wrong = Vec::new();
    for m in list(&run["down"]) {
        let (from, within) = (number(&m["from"]), number(&m["within"]));
        let first = verdicts
            .iter()
            .filter(|v| v["node"] == m["node"] && v["to"] == "down")
            .map(|v| number(&v["at"]) - from)
            .filter(|after| *after >= -ROUNDED)
            .min_by(f64::total_cmp);
        let late = first.is_none_or(|after| after > within);
        wrong.extend(late.then(|| format!("{} down {first:?}, wanted within {within}", m["node"])));
    }
    for m in list(&run["never"]) {
        let hit = |v: &&Value| (m["node"] == "*" || v["node"] == m["node"]) && v["to"] == m["health"];
        wrong.extend(verdicts.iter().find(hit).map(|v| format!("falsely {v}")));
    }
    for m in list(&run["decide"]) {
        let span = number(&m["from"])..=number(&m["from"]) + number(&m["within"]);
        let there = |d: &Value| d["action"] == m["action"] && span.contains(&number(&d["at"]));
        wrong.extend((!decisions.iter().any(there)).then(|| format!("no {m}")));
    }
    for action in list(&run["decide_not"]) {
        let hit = decisions.iter().find(|d| d["action"] == *action);
        wrong.extend(hit.map(|d| format!("wrongly {d}")));
    }
    if let Some(wanted) = run["unsynchronised"].as_bool() {
        let said = !list(&report["unsynchronised"]).is_empty();
        wrong.extend((said != wanted).then(|| format!("unsynchronised: {said}")));
    }
    wrong
}

/// All that is wrong with the runs of one case.
fn faults(folder: &Path) -> Vec<String> {
    let case: Value = serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    let runs = list(&case["runs"]);
    assert!(!runs.is_empty(), "{}: nothing is run", folder.display());
    let of_run = |run: &Value| {
        let args = texts(&run["args"]);
        let both = [printed(folder, &args, run), judged(folder, &args, run)].concat();
        both.into_iter()
            .map(move |fault| format!("{}: {fault}", folder.display()))
            .collect::<Vec<_>>()
    };
    runs.iter().flat_map(of_run).collect()
}

#[test]
fn each_case_is_answered_as_it_says() {
    let mut folders: Vec<_> = fs::read_dir("captures/cases")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    folders.sort();
    assert!(folders.len() > 15, "the cases are missing: {folders:?}");
    let threads: Vec<_> = folders
        .into_iter()
        .map(|folder| thread::spawn(move || faults(&folder)))
        .collect();
    let faults: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
