//! The short form of the laboratory: a few real failures on a real pair, and nothing left behind. Two minutes.
//!
//! Left out, with a word, where there can be no laboratory: without root, or without the programs that it is made of. Where
//! `CI` is set nothing is left out.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its programs has failed")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What must be there beside root. `.ci/with test` installs it on Debian.
const PROGRAMS: [&str; 7] = ["ip", "nft", "sysctl", "ucarp", "ping", "flock", "ps"];

/// Why there can be no laboratory, if there is a reason.
fn missing() -> Option<String> {
    let quiet = |line: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|s| s.success())
    };
    if !quiet("test \"$(id -u)\" -eq 0") {
        return Some("it needs root".into());
    }
    if let Some(program) = PROGRAMS.into_iter().find(|p| !quiet(&format!("command -v {p}"))) {
        return Some(format!("it needs {program}"));
    }
    let allowed = quiet("unshare --net ip link add pft type veth");
    (!allowed).then(|| "this system does not let it make network namespaces".into())
}

fn say(what: &str) {
    // Not captured, so that a test that is left out says so.
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Whoever tests the whole workspace has just built the daemon; whoever tests the laboratory alone may not have.
fn daemon(lab: &Path) {
    if lab.with_file_name("pfwatch").exists() {
        return;
    }
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "pfwatch",
        "--bin",
        "pfwatch",
    ]);
    if lab.parent().is_some_and(|folder| folder.ends_with("release")) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
}

#[test]
fn real_failures_on_a_real_pair() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        return say(&format!("the laboratory is left out: {why}"));
    }
    let lab = env!("CARGO_BIN_EXE_pfwatch-lab");
    daemon(Path::new(lab));
    let status = Command::new(lab)
        .args(["run", "--short", "--jobs", "4", "--tag", "test"])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn nothing_is_left_of_a_laboratory_that_is_killed() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        return say(&format!("the laboratory is left out: {why}"));
    }
    let lab = env!("CARGO_BIN_EXE_pfwatch-lab");
    let mut up = Command::new(lab)
        .args(["up", "--tag", "killed", "--guard", "nobody"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(up.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "/run/pfwatch-lab/killed runs\n");
    up.kill().unwrap();
    up.wait().unwrap();
    let listed = || {
        let output = Command::new("ip").args(["netns", "list"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.matches("pflab-killed-").count()
    };
    assert_eq!(listed(), 8);
    assert!(Command::new(lab).arg("clean").status().unwrap().success());
    assert_eq!(listed(), 0);
}
