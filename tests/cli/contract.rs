//! The keys of `analyze --format json`, all of them: whoever adds one adds it here, nobody takes one away.

use crate::{port_dead, ran};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where, the keys that programs hold on to, and those that came later.
const KEYS: &[(&str, &str, &str)] = &[
    (
        "",
        "schema files frames nodes verdicts decisions segments unsynchronised",
        "notices margins quality",
    ),
    ("/files/0", "path linktype frames first last", "linktypes"),
    (
        "/frames",
        "total pfsync carp other errors",
        "vrrp unsupported clamped bad_checksum bad_hmac carp_on_sync",
    ),
    (
        "/frames/errors",
        "hdrops badver badlen badact badval badttl fragment",
        "",
    ),
    (
        "/nodes/0",
        "address name self creatorids versions frames messages flows paths",
        "sender_alive last_config_sync",
    ),
    ("/nodes/0/flows", "known opened closed half_open", ""),
    (
        "/nodes/0/paths/0",
        "path attempt forward reverse end_to_end last_end_to_end",
        "health",
    ),
    (
        "/verdicts/0",
        "at node path from to cause evidence",
        "name reason after",
    ),
    (
        "/verdicts/0/evidence",
        "",
        "suspicion threshold witnesses expected failed succeeded clients servers seconds usual since_end_to_end carp_gone pfsync_silent \
         pfsync_usual opening since_failure canaries canary_silent canary_every",
    ),
    (
        "/margins/0",
        "",
        "day node name path suspicion threshold margin at evidence reason",
    ),
    ("/decisions/0", "at seq action node cause", "name reason"),
    ("/notices/0", "", "at node text kind"),
    ("/quality", "", "problems judged"),
    ("/segments/0", "name vhids", ""),
    ("/segments/0/vhids/0", "vhid masters", "protocol two_masters no_master"),
    ("/segments/0/vhids/0/masters/0", "address from to", "node name"),
    ("/unsynchronised/0", "from to", ""),
];

#[test]
fn all_keys_and_no_others() {
    let report: Value = serde_json::from_str(&ran(port_dead().args(["--format", "json"])).out).unwrap();
    for (at, contract, added) in KEYS {
        let object = report
            .pointer(at)
            .and_then(Value::as_object)
            .unwrap_or_else(|| panic!("nothing at {at}"));
        let have: BTreeSet<&str> = object.keys().map(String::as_str).collect();
        let want: BTreeSet<&str> = contract
            .split(' ')
            .chain(added.split(' '))
            .filter(|k| !k.is_empty())
            .collect();
        assert_eq!(have, want, "at {at}");
    }
}

#[test]
fn values_are_what_they_say() {
    let report: Value = serde_json::from_str(&ran(port_dead().args(["--format", "json"])).out).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["files"][0]["linktype"], 1);
    assert_eq!(report["nodes"][0]["address"], "172.16.0.1");
    assert_eq!(report["nodes"][0]["name"], "fw1");
    assert_eq!(report["nodes"][1]["self"], true);
    assert_eq!(report["nodes"][0]["versions"], serde_json::json!([6]));
    assert_eq!(report["decisions"][0]["action"], "promote");
    assert_eq!(report["decisions"][0]["node"], "172.16.0.1", "the peer");
    let (first, last) = (
        report["files"][0]["first"].as_f64().unwrap(),
        report["files"][0]["last"].as_f64().unwrap(),
    );
    let at = report["verdicts"][0]["at"].as_f64().unwrap();
    assert!(first <= at && at <= last, "Unix seconds");
    let total = report["frames"]["total"].as_u64().unwrap();
    let of_files: u64 = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["frames"].as_u64().unwrap())
        .sum();
    assert_eq!(total, of_files);
}
