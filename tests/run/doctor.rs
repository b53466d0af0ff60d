//! `pfwatch doctor` beside a real pair, as captured: healthy, and with one network gone.

use super::cut::{self, Sent};
use super::live::configuration;
use super::namespace::{Owned, inside, replay};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// What fw2 has, on which network.
const ADDRESSES: [(&str, &str); 5] = [
    ("sync", "172.16.0.2/24"),
    ("lan", "10.0.1.3/24"),
    ("lan", "10.0.1.1/24"),
    ("wan", "198.51.100.3/24"),
    ("wan", "198.51.100.1/24"),
];

#[test]
fn a_pair_is_examined() {
    if !inside("doctor::a_pair_is_examined") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let fault = cut::fault("awan_port_dead");
    let (from, to) = (fault - Duration::from_secs(15), fault - Duration::from_secs(11));
    let (_, frames) = cut::write("awan_port_dead", from, to, folder.path());
    for (interface, address) in ADDRESSES {
        let status = Command::new("ip")
            .args(["addr", "add", address, "dev", interface])
            .status();
        assert!(status.unwrap().success());
    }
    let config = folder.path().join("pfwatch.toml");
    let socket = folder.path().join("sock");
    let text = format!("{}[control]\nsocket = \"{}\"\n", configuration(), socket.display());
    fs::write(&config, text).unwrap();

    let (code, report) = examined(&config, &frames);
    assert_eq!((code, &report["problems"]), (Some(0), &Value::from(0)), "{report:#}");
    for (check, words) in [
        ("interfaces", "sync, lan and wan"),
        ("addresses", "are those of the configuration"),
        ("capture", "3 s on sync, lan and wan"),
        ("pfsync", "fw1 ("),
        ("pfsync", "fw2 ("),
        ("versions", "fw2 speaks version 6"),
        ("carp", "on lan fw1 is master of vhid"),
        ("carp", "on wan fw1 is master of vhid"),
        ("clock", "goes as the monotonic one does"),
    ] {
        finds(&report, check, "ok", words);
    }
    finds(
        &report,
        "configuration",
        "warning",
        "wedged while its CARP stays in sync",
    );
    finds(&report, "daemon", "warning", "no pfwatch answers");

    // The inside network is cut off, and fw2 cannot send: each is said, and nothing else is a problem.
    let fw2 = [172, 16, 0, 2];
    let without = |f: &&Sent| f.1 != 1 && f.2.get(26..30) != Some(fw2.as_slice());
    let frames: Vec<Sent> = frames.iter().filter(without).cloned().collect();
    let (code, report) = examined(&config, &frames);
    assert_eq!((code, &report["problems"]), (Some(1), &Value::from(1)), "{report:#}");
    finds(&report, "carp", "problem", "no CARP on lan (lan) in 3 s");
    finds(&report, "pfsync", "warning", "fw2 sent no pfsync in 3 s");
}

fn finds(report: &Value, check: &str, outcome: &str, words: &str) {
    let all = report["checks"].as_array().unwrap();
    let found = all
        .iter()
        .any(|f| f["check"] == check && f["outcome"] == outcome && f["text"].as_str().unwrap().contains(words));
    assert!(found, "{check} {outcome} {words}: {report:#}");
}

/// While the frames are sent, as often as it takes.
fn examined(config: &Path, frames: &[Sent]) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command
        .args(["doctor", "--seconds", "3", "--format", "json", "-c"])
        .arg(config);
    let mut doctor = Owned(command.stdout(Stdio::piped()).spawn().unwrap());
    while doctor.0.try_wait().unwrap().is_none() {
        replay(frames);
    }
    let code = doctor.0.wait().unwrap().code();
    let report = serde_json::from_reader(doctor.0.stdout.take().unwrap()).unwrap();
    (code, report)
}
