//! `analyze`: the page, where it goes, and the answer in the exit code.

use crate::{capture, pfwatch, port_dead, ran};
use serde_json::Value;
use std::fs;

#[test]
fn the_page_says_what_happened_first() {
    let ran = ran(&mut port_dead());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let page = &ran.out;
    assert!(page.starts_with("fw1 (172.16.0.1) went DOWN at 01:58:10."), "{page}");
    let headline = page.split("\n\n").next().unwrap().replace('\n', " ");
    for words in ["after its last proven round trip: 0 of ", "it was up again after 1 min"] {
        assert!(headline.contains(words), "{headline}");
    }
    // In this order.
    let mut rest = page.as_str();
    for heading in [
        "\nNODES\n",
        "\nPATHS\n",
        "\nPROGRESS",
        "\nTIMELINE (UTC)\n",
        "\nHOW CLOSE to a false alarm",
        "\nWHAT PFWATCH WOULD HAVE DONE",
        "\nNEXT\n",
    ] {
        let at = rest.find(heading).unwrap_or_else(|| panic!("{heading} in {page}"));
        rest = &rest[at..];
    }
    for words in [
        "▼ fw1",
        "▲ fw1",
        "D pfwatch  would promote fw2",
        "! CARP     unsynchronised for 1 min",
        "fw1's port on wan",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(
        page.lines().all(|l| l.chars().count() <= 100 || l.contains(".pcap")),
        "{page}"
    );
    assert!(!page.contains('\x1b'), "colours are for terminals");
    assert!(
        page.lines().all(|l| l == l.trim_end() || l.contains("proven")),
        "blanks at the end of a line"
    );
}

/// The back-test: each `down` tells how long it took, each day how close a false alarm was, and the alarm is none.
#[test]
fn it_tells_how_long_detection_took_and_how_close_a_false_alarm_was() {
    let report: Value = serde_json::from_str(&ran(port_dead().args(["--format", "json"])).out).unwrap();
    let list = |key: &str| report[key].as_array().unwrap().clone();
    let number = |v: &Value| v.as_f64().unwrap();
    let downs: Vec<Value> = list("verdicts").into_iter().filter(|v| v["to"] == "down").collect();
    assert!(!downs.is_empty());
    for v in &downs {
        let (began, trip) = (number(&v["after"]["evidence"]), number(&v["after"]["end_to_end"]));
        assert!((0.3..3.0).contains(&began) && (0.9..3.0).contains(&trip), "{v}");
    }
    assert!(
        list("verdicts")
            .iter()
            .all(|v| v["to"] == "down" || v["after"].is_null())
    );
    let fw1: Vec<Value> = list("margins").into_iter().filter(|m| m["name"] == "fw1").collect();
    let [only] = fw1.as_slice() else { panic!("{fw1:?}") };
    assert_eq!(only["day"], "2026-11-22");
    assert!(
        number(&only["margin"]) > 1.0,
        "what went down counts as no margin: {only}"
    );
    assert!((number(&only["threshold"]) - number(&only["suspicion"]) - number(&only["margin"])).abs() < 0.002);
    assert!(only["reason"].as_str().unwrap().contains(" of "), "{only}");
    let page = ran(&mut port_dead()).out;
    assert!(page.contains("after its evidence began"), "{page}");
}

#[test]
fn plain_terminals_get_plain_letters() {
    for (name, value) in [("LC_ALL", "C"), ("TERM", "dumb")] {
        let ran = ran(port_dead().env(name, value));
        assert!(ran.out.is_ascii());
        assert!(ran.out.contains("v fw1") && ran.out.contains("^ fw1"));
    }
}

#[test]
fn local_times() {
    let ran = ran(port_dead().env("TZ", "XYZ-2").arg("--local"));
    assert!(
        ran.out.contains("went DOWN at 03:58:10.") && ran.out.contains("TIMELINE (XYZ)"),
        "{}",
        ran.out
    );
}

#[test]
fn without_configuration_it_says_what_is_missing() {
    let ran = ran(pfwatch().arg("analyze").arg(capture("golden/life_openbsd6.raw.pcap")));
    assert_eq!(ran.code, 0);
    for words in ["in a configuration (-c)", "--segment lan=FILE", "--self ADDR"] {
        assert!(ran.out.replace('\n', " ").contains(words), "{words} in {}", ran.out);
    }
}

#[test]
fn without_configuration_self_is_a_sender() {
    let sync = capture(&format!("{}.sync.pcap.zst", crate::PORT_DEAD));
    let mut command = pfwatch();
    command
        .arg("analyze")
        .arg(sync)
        .args(["--self", "172.16.0.2", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&ran(&mut command).out).unwrap();
    let nodes = report["nodes"].as_array().unwrap();
    let me: Vec<_> = nodes.iter().filter(|n| n["self"] == true).collect();
    assert_eq!(nodes.len(), 2);
    assert_eq!(me.len(), 1);
    assert_eq!(
        (&me[0]["address"], &me[0]["name"]),
        (&"172.16.0.2".into(), &serde_json::Value::Null)
    );
}

#[test]
fn the_answer_is_in_the_exit_code() {
    let down = ran(port_dead().args(["--fail-on", "down"]));
    assert_eq!(
        (down.code, down.err.as_str()),
        (1, ""),
        "it recovered, and was down nevertheless"
    );
    assert!(down.out.contains("went DOWN"));
    let mut fine = pfwatch();
    fine.arg("analyze")
        .arg(capture("golden/life_openbsd6.raw.pcap"))
        .args(["--fail-on", "down"]);
    assert_eq!(ran(&mut fine).code, 0);
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("pair.toml");
    let text = fs::read_to_string(capture("openbsd-pair/pair.toml")).unwrap();
    fs::write(&config, format!("{text}critical = false\n")).unwrap();
    let mut harmless = port_dead();
    harmless.args(["--fail-on", "down"]);
    let shipped = capture("openbsd-pair/pair.toml");
    let arguments: Vec<_> = harmless
        .get_args()
        .map(|a| {
            if a == shipped {
                config.clone().into()
            } else {
                a.to_owned()
            }
        })
        .collect();
    assert_eq!(ran(pfwatch().args(arguments)).code, 0, "no critical path was down");
}

#[test]
fn the_result_goes_where_it_was_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    fs::write(&path, "x".repeat(1_000_000)).unwrap();
    let written = ran(port_dead().args(["--format", "json", "-o"]).arg(&path));
    assert_eq!((written.code, written.out.as_str(), written.err.as_str()), (0, "", ""));
    let shown = ran(port_dead().args(["--format", "json", "-o", "-"]));
    assert_eq!(fs::read_to_string(&path).unwrap(), shown.out);
}
