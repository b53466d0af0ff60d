//! What can be known without listening: configurations that are checked, printed back or refused, and interfaces that
//! do not exist.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A pair with everything that `run` wants to know.
const GOOD: &str = r#"
[sync]
interface = "no-such-2"
[[node]]
name = "fw1"
address = ["172.16.0.1"]
self = true
local = ["10.0.1.2", "10.0.1.1"]
[[node]]
name = "fw2"
address = ["172.16.0.2"]
local = ["10.0.1.3", "10.0.1.1"]
[[segment]]
name = "lan"
interface = "no-such-0"
"#;

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("pfwatch.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("pfwatch")
        .unwrap()
        .arg("run")
        .args(arguments)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run_with(text: &str, arguments: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let path = written(folder.path(), text);
    run(&[&["-c", path.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_good_configuration_is_ok() {
    assert_eq!(run_with(GOOD, &["-n"]), (0, "configuration OK\n".into(), String::new()));
}

#[test]
fn it_is_printed_back_with_its_defaults_and_reads_the_same() {
    let (code, first, said) = run_with(GOOD, &["-nv"]);
    assert_eq!((code, said.as_str()), (0, ""));
    for expected in [
        "interface = [\"no-such-2\"]",
        "config-sync-ports = [443, 80]",
        "risk = \"1 per 10y\"",
    ] {
        assert!(first.contains(expected), "{expected} is not in\n{first}");
    }
    let (code, second, _) = run_with(&first, &["-nv"]);
    assert_eq!((code, second), (0, first));
}

/// Each is one sentence, with the exit code 78.
#[test]
fn configurations_that_cannot_be_run() {
    let table = [
        (
            "a typing mistake",
            GOOD.replace("interface = \"no-such-2\"", "interfaec = \"x\""),
            "interface",
        ),
        (
            "no sync interface",
            GOOD.replace("interface = \"no-such-2\"", ""),
            "set `interface` in [sync]",
        ),
        (
            "any beside a segment",
            GOOD.replace("\"no-such-2\"", "\"any\""),
            "a second time",
        ),
        (
            "a password file that is not there",
            GOOD.replace("name = \"lan\"", "name = \"lan\"\npassword-file = \"/no/such/file\""),
            "cannot read the password file",
        ),
    ];
    for (what, text, expected) in table {
        for how in ["-n", "--dry-run"] {
            let (code, out, said) = run_with(&text, &[how]);
            assert_eq!((code, out.as_str()), (78, ""), "{what}: {said}");
            assert!(said.contains(expected), "{what}: {said}");
            assert_eq!(said.lines().count(), 1, "{what}: {said}");
        }
    }
}

#[test]
fn what_will_be_missed_is_said() {
    let without = GOOD.replace("interface = \"no-such-0\"", "");
    let (code, _, said) = run_with(&without, &["-n"]);
    assert_eq!(code, 0);
    assert!(said.contains("segment lan has no interface"), "{said}");
    assert!(said.contains("no role and no decision"), "{said}");
    let (_, _, said) = run(&["-n", "--interface", "pfsync0"]);
    assert!(
        said.contains("pfsync0 shows only what this node sends itself"),
        "{said}"
    );
    let (_, _, said) = run_with(&GOOD.replace("[sync]", "[sync]\nmirrored = true"), &["-n"]);
    assert!(said.contains("`mirrored` is set on a firewall"), "{said}");
}

#[test]
fn canaries_that_cannot_prove_anything_are_told() {
    let canary = |from: u8, to: u8, every: &str| {
        format!("[[canary]]\nfrom = \"10.0.1.{from}\"\nto = \"192.0.2.{to}\"\nproto = \"tcp\"\nevery = \"{every}\"\n")
    };
    let said = |canaries: String| run_with(&format!("{GOOD}{canaries}"), &["-n"]).2;
    let table = [
        (canary(9, 1, "1s") + &canary(8, 2, "15s"), ""),
        (canary(9, 1, "1s"), "share a host"),
        (canary(9, 1, "1s") + &canary(9, 2, "1s"), "share a host"),
        (
            canary(9, 1, "1s") + &canary(8, 2, "30s"),
            "10.0.1.8 to 192.0.2.2 comes too seldom",
        ),
    ];
    for (canaries, expected) in table {
        let said: Vec<String> = said(canaries)
            .lines()
            .filter(|l| l.contains("canar"))
            .map(str::to_owned)
            .collect();
        assert_eq!(said.len(), usize::from(!expected.is_empty()), "{said:?}");
        assert!(said.iter().all(|l| l.contains(expected)), "{said:?}");
    }
}

#[test]
fn an_interface_that_is_not_there() {
    let (code, out, said) = run(&["--interface", "no-such-7"]);
    // Without the permission to capture that comes first, on some systems.
    assert!([69, 77].contains(&code), "{code}: {said}");
    assert_eq!(out, "");
    assert!(said.contains("no-such-7"), "{said}");
}

#[test]
fn json_lines_are_objects() {
    let (_, _, said) = run(&["--interface", "no-such-7", "--log-format", "json"]);
    assert!(!said.is_empty());
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["event"], "message");
        assert!(line["at"].is_f64() && line["text"].is_string(), "{line}");
    }
}
