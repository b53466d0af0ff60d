//! `decode`: every value of the golden captures, the damage by name, and a reader that leaves.

use crate::{capture, pcap, pfwatch, ran, run, tcp};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

fn decoded(path: &Path) -> Vec<Value> {
    let ran = run([
        "decode".as_ref(),
        "--format".as_ref(),
        "json".as_ref(),
        path.as_os_str(),
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", path.display());
    ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// `want` is in `got`, which may have more keys; counts the values.
fn covers(want: &Value, got: &Value, at: &str) -> u64 {
    match want {
        Value::Object(map) => map.iter().map(|(k, v)| covers(v, &got[k], &format!("{at}.{k}"))).sum(),
        Value::Array(list) => {
            assert_eq!(got.as_array().map(Vec::len), Some(list.len()), "{at}");
            list.iter()
                .enumerate()
                .map(|(i, v)| covers(v, &got[i], &format!("{at}[{i}]")))
                .sum()
        }
        value => {
            assert_eq!(value, got, "{at}");
            1
        }
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn golden_values() {
    let (mut files, mut values) = (0, 0);
    for entry in fs::read_dir(capture("golden")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (Some(stem), true) = (name.split('.').next(), name.ends_with(".pcap")) else {
            continue;
        };
        let truth = json(&capture(&format!("golden/{stem}.json")));
        let Some(want) = truth["frames"].as_array() else {
            continue;
        };
        let got = decoded(&path);
        assert_eq!(got.len(), want.len(), "{name}");
        for (i, (want, got)) in want.iter().zip(&got).enumerate() {
            for key in ["version", "sections"].iter().filter(|k| !want[**k].is_null()) {
                values += covers(&want[*key], &got["pfsync"][*key], &format!("{name} frame {i} {key}"));
            }
            assert_eq!(got.get("error"), None, "{name} frame {i}");
        }
        files += 1;
    }
    assert!(files >= 9 && values > 5_000, "{files} files, {values} values");
}

#[test]
fn damage_by_name() {
    let got = decoded(&capture("golden/malformed_openbsd6.raw.pcap"));
    let truth = json(&capture("golden/malformed_openbsd6.json"));
    assert_eq!(got.len(), truth.as_array().unwrap().len());
    for (want, got) in truth.as_array().unwrap().iter().zip(&got) {
        match want.get("error") {
            Some(error) => assert_eq!(&got["error"]["kind"], error, "{want}"),
            None => assert!(want["note"].is_string()),
        }
    }
    // What stands before the damage is there.
    assert_eq!(got[6]["pfsync"]["sections"][0]["name"], "INS");
    // Sent to pfsync's group but something else.
    assert_eq!(got[22].get("pfsync"), None);
    assert_eq!(got[22]["ip"]["proto"], 241);
}

#[test]
fn carp_and_its_look_alikes() {
    let got = decoded(&capture("carp/carp.eth.pcap"));
    let truth = json(&capture("carp/carp.json"));
    assert_eq!(got.len(), truth.as_array().unwrap().len());
    for (want, got) in truth.as_array().unwrap().iter().zip(&got) {
        let expect = want["expect"].as_object().unwrap();
        let kind = expect.get("proto").map_or("damaged", |p| p.as_str().unwrap());
        let object = match kind {
            "carp" => &got["carp"],
            "damaged" => &got["error"],
            _ => &got["vrrp"],
        };
        assert!(object.is_object(), "{want}: {got}");
        assert_eq!(got.get("carp").is_some(), kind == "carp", "{want}: {got}");
        assert_eq!(
            got.get("error").is_some(),
            expect.get("valid").is_some(),
            "{want}: {got}"
        );
        for (key, value) in expect.iter().filter(|(k, _)| object.get(k.as_str()).is_some()) {
            assert_eq!(&object[key], value, "{key} of {want}");
        }
    }
}

#[test]
fn only_ours_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(capture("golden/openbsd6.eth.pcap")).unwrap();
    let length = u32::from_le_bytes(whole[32..36].try_into().unwrap()) as usize;
    let path = dir.path().join("mixed.pcap");
    fs::write(&path, pcap(1, &[&tcp(), &whole[40..40 + length], &tcp()])).unwrap();
    let got = decoded(&path);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0]["ts"], 1_790_000_001.0);
}

#[test]
fn text_has_a_line_per_message_when_asked() {
    let path = capture("golden/openbsd6.eth.pcap");
    let short = run(["decode".as_ref(), path.as_os_str()]);
    assert_eq!(short.out.lines().count(), 16);
    assert!(
        short
            .out
            .starts_with("2026-09-21 14:13:20.000000 172.30.0.1 > 224.0.0.240: pfsync v6"),
        "{}",
        short.out
    );
    let long = run(["decode".as_ref(), "-v".as_ref(), path.as_os_str()]);
    assert!(long.out.lines().count() > 40);
    let mut command = pfwatch();
    command.env("TZ", "XYZ-2").arg("decode").arg("--local").arg(&path);
    assert!(ran(&mut command).out.starts_with("2026-09-21 16:13:20.000000"));
}

#[test]
fn the_standard_input() {
    let octets = fs::read(capture("golden/openbsd6.eth.pcap")).unwrap();
    let ran1 = ran(pfwatch().args(["decode", "-"]).write_stdin(octets.clone()));
    assert_eq!((ran1.code, ran1.out.lines().count()), (0, 16));
    let ran2 = ran(pfwatch().args(["decode", "-"]).write_stdin(&octets[..octets.len() - 7]));
    assert_eq!(ran2.code, 65);
    assert!(
        ran2.err.starts_with("pfwatch: the standard input is cut"),
        "{}",
        ran2.err
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    // More than any pipe holds.
    let path = capture(&format!("{}.sync.pcap.zst", crate::PORT_DEAD));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pfwatch"))
        .args(["decode", "-v"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.contains("pfsync v6"), "{line}");
    drop(out);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}
