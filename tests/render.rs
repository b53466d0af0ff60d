//! Frames as JSON and as text: every value of the golden captures, every error of the damaged ones, and the words.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

use jiff::tz::TimeZone;
use pfsync_proto::{Action, Dialect, Message, PacketWriter};
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, LinkType, Net, Source};
use pfwatch::dissect::{Kind, Packet, dissect};
use pfwatch::render::{Secret, Shown, json, text::Text};
use pfwatch::time::Timestamp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

/// Every frame of a capture, handed to `show`.
fn frames(name: &str, mut show: impl FnMut(Timestamp, LinkType, &[u8], u32)) {
    let mut source = FileSource::open(&[FileInput::new(sample(name), Net::Sync)]);
    while let Input::Frame(frame) = source.next(Timestamp::MAX).unwrap() {
        show(frame.at, frame.link, frame.data, frame.wire_len);
    }
}

fn as_json(name: &str, secret: Option<Secret<'_>>) -> Vec<Value> {
    let mut lines = Vec::new();
    frames(name, |at, link, data, wire_len| {
        let mut buf = Vec::new();
        json::write(
            &mut buf,
            &Shown {
                at,
                packet: dissect(link, data, wire_len),
                secret,
            },
        );
        assert_eq!(buf.iter().filter(|octet| **octet == b'\n').count(), 1);
        lines.push(serde_json::from_slice(&buf).unwrap());
    });
    lines
}

fn as_text(name: &str, verbose: bool) -> String {
    let (mut text, mut buf) = (Text::new(TimeZone::UTC, verbose), String::new());
    frames(name, |at, link, data, wire_len| {
        text.write(
            &mut buf,
            &Shown {
                at,
                packet: dissect(link, data, wire_len),
                secret: None,
            },
        );
    });
    buf
}

fn truth(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(sample(name)).unwrap()).unwrap()
}

/// `want` is in `got`, which may have more keys.
fn covers(got: &Value, want: &Value, at: &str) {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            for (key, want) in want {
                covers(
                    got.get(key).unwrap_or_else(|| panic!("{at}.{key} is missing")),
                    want,
                    &format!("{at}.{key}"),
                );
            }
        }
        (Value::Array(got), Value::Array(want)) => {
            assert_eq!(got.len(), want.len(), "{at}");
            for (i, (got, want)) in got.iter().zip(want).enumerate() {
                covers(got, want, &format!("{at}[{i}]"));
            }
        }
        _ => assert_eq!(got, want, "{at}"),
    }
}

#[test]
fn json_has_every_golden_value() {
    for (capture, values) in [
        ("golden/openbsd6.eth.pcap", "golden/openbsd6.json"),
        ("golden/openbsd6.raw.pcap", "golden/openbsd6.json"),
        ("golden/openbsd6.pfsync246.pcap", "golden/openbsd6.json"),
        ("golden/freebsd1301.eth.pcap", "golden/freebsd1301.json"),
        ("golden/freebsd1301.raw.pcap", "golden/freebsd1301.json"),
        ("golden/freebsd1400.raw.pcap", "golden/freebsd1400.json"),
        ("golden/netbsd3.eth.pcap", "golden/netbsd3.json"),
        ("golden/life_openbsd6.raw.pcap", "golden/life_openbsd6.json"),
        ("golden/life_freebsd1301.raw.pcap", "golden/life_freebsd1301.json"),
    ] {
        let (got, want) = (as_json(capture, None), truth(values));
        let want = want["frames"].as_array().unwrap();
        assert_eq!(got.len(), want.len());
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let at = format!("{capture}[{i}]");
            assert_eq!(got.get("error"), None, "{at}");
            covers(&got["ts"], &want["ts"], &at);
            for key in ["version", "md5", "sections"]
                .into_iter()
                .filter(|key| want.get(key).is_some())
            {
                covers(&got["pfsync"][key], &want[key], &at);
            }
            if capture.contains("246") {
                assert_eq!(got["ip"], Value::Null);
            } else if let Some(ip) = want.get("ip") {
                covers(&got["ip"], ip, &at);
            }
        }
    }
}

#[test]
fn json_names_every_error_and_keeps_what_was_before_it() {
    let got = as_json("golden/malformed_openbsd6.raw.pcap", None);
    let truth = truth("golden/malformed_openbsd6.json");
    assert_eq!(got.len(), truth.as_array().unwrap().len());
    for (got, truth) in got.iter().zip(truth.as_array().unwrap()) {
        if let Some(error) = truth.get("error") {
            assert_eq!(
                got.get("error").map_or(&Value::Null, |error| &error["kind"]),
                error,
                "{truth} {got}"
            );
        }
    }
    let at = |i: usize| &got[i]["error"]["offset"];
    assert_eq!((at(2), at(6), at(19)), (&json!(19), &json!(552), &json!(0)));
    assert_eq!(got[6]["pfsync"]["sections"][0]["messages"].as_array().unwrap().len(), 2);
    assert_eq!(
        got[21]["pfsync"]["sections"][0]["messages"].as_array().unwrap().len(),
        3,
        "shown in spite of its ttl"
    );
    assert!(got[22].get("pfsync").is_none(), "another protocol");
}

#[test]
fn json_of_carp_and_vrrp() {
    let addresses = ["192.0.2.1".parse().unwrap()];
    let secret = Secret {
        password: b"mekmitasdigoat",
        addresses: &addresses,
    };
    for (got, truth) in as_json("carp/carp.eth.pcap", Some(secret))
        .iter()
        .zip(truth("carp/carp.json").as_array().unwrap())
    {
        for (key, want) in truth["expect"].as_object().unwrap() {
            match key.as_str() {
                "proto" => assert!(
                    got.get(if want == "carp" { "carp" } else { "vrrp" }).is_some(),
                    "{truth}"
                ),
                "valid" => assert!(got.get("error").is_some(), "{truth} {got}"),
                "hmac_ok_with" => assert_eq!(got["carp"]["hmac_ok"], true, "{truth}"),
                key => {
                    let object = got.get("carp").or(got.get("vrrp")).unwrap();
                    assert_eq!(&object[key], want, "{truth} {got}");
                }
            }
        }
    }
    let plain = as_json("carp/carp.eth.pcap", None);
    assert!(plain[0]["carp"].get("hmac_ok").is_none());
    assert_eq!(
        plain[19]["vrrp"],
        json!({
            "version": 3, "vrid": 9, "prio": 200, "naddr": 1, "interval_cs": 100, "interval": 1.0,
            "cksum_ok": true, "bow_out": false, "v6": false,
        })
    );
}

#[test]
fn text_has_one_line_per_frame() {
    let text = as_text("golden/openbsd6.eth.pcap", false);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 16);
    assert_eq!(
        lines[0],
        "2026-09-21 14:13:20.000000 172.30.0.1 > 224.0.0.240: pfsync v6 len 44: CLR 1"
    );
    assert_eq!(
        lines[14],
        "2026-09-21 14:13:23.500000 172.30.0.1 > 224.0.0.240: pfsync v6 len 816: \
         INS_ACK 1, UPD_C 2, DEL_C 1, INS 1, UPD 1, TDB 1"
    );
    assert!(as_text("golden/openbsd6.pfsync246.pcap", false).starts_with("2026-09-21 14:13:20.000000 pfsync v6"));
}

#[test]
fn text_in_words() {
    let text = as_text("golden/openbsd6.eth.pcap", true);
    let lines: Vec<_> = text.lines().collect();
    let mut seen = std::collections::BTreeSet::new();
    let mut words = String::new();
    for line in lines.iter().filter(|line| line.starts_with("    ")) {
        if seen.insert(line.split_whitespace().next().unwrap()) {
            words.push_str(line);
            words.push('\n');
        }
    }
    let want = "    CLR states of creator c0ffee01 on all interfaces
    INS 6a3f51c200001122/c0ffee01 em1 out tcp 10.1.2.3:40123 (203.0.113.10:443) -> 198.51.100.7:443 \
(198.51.100.7:51934) ESTABLISHED:ESTABLISHED tcp.established, src 287454020..287519556 win 64240 wscale 7, \
dst 2578103244..2579213004 win 65160 wscale 10, age 1:07:01, expires in 23:58:31, 123456:4294967298 pkts, \
78187493530:987654321012 bytes, rule 7
    UPD 6a3f51c200001122/c0ffee01 em1 out tcp 10.1.2.3:40123 (203.0.113.10:443) -> 198.51.100.7:443 \
(198.51.100.7:51934) ESTABLISHED:ESTABLISHED tcp.established, src 287454020..287519556 win 64240 wscale 7, \
dst 2578103244..2579213004 win 65160 wscale 10, age 1:07:01, expires in 23:58:31, 123456:4294967298 pkts, \
78187493530:987654321012 bytes, rule 7
    UPD_C 6a3f51c200001122/c0ffee01 ESTABLISHED:ESTABLISHED tcp.established, src 287454020..287519556 win 64240 \
wscale 7, dst 2578103244..2579213004 win 65160 wscale 10
    UPD_REQ everything
    DEL_C 6a3f51c200001122/c0ffee01
    DEL 6a3f51c200001123/1badb002 vlan210 in udp [2001:db8:1::53]:53 -> [2001:db8:ffff::17]:33333 \
MULTIPLE:SINGLE udp.single, age 0:00:09, expires in 0:00:30, 2:1 pkts, 140:260 bytes
    INS_ACK 6a3f51c200001122/c0ffee01
    BUS start of bulk update by c0ffee01, 0s after the request
    TDB esp spi 0x12345678 to 192.0.2.77, replay 4294967297, 72623859790382856 bytes
";
    assert_eq!(words, want);
}

#[test]
fn text_of_damage_and_of_carp() {
    let text = as_text("golden/malformed_openbsd6.raw.pcap", false);
    let line = |i: usize| text.lines().nth(i).unwrap().split_once(": ").unwrap().1;
    assert_eq!(
        line(2),
        "pfsync [|pfsync] [hdrops at octet 19: shorter than the pfsync header]"
    );
    assert_eq!(
        line(6),
        "pfsync v6 len 815: INS 3 [|pfsync] [badlen at octet 552: message cut off]"
    );
    assert_eq!(line(19), "pfsync [badver at octet 0: unknown pfsync version]");
    assert_eq!(line(22), "protocol 241");
    let text = as_text("carp/carp.eth.pcap", false);
    let line = |i: usize| text.lines().nth(i).unwrap().split_once(": ").unwrap().1;
    assert_eq!(
        line(0),
        "carp vhid 1 advbase 1 advskew 0 demote 0 counter 1122334455667788"
    );
    assert_eq!(
        line(8),
        "carp vhid 7 advbase 255 advskew 255 demote 0 bow-out counter deadbeefcafebabe"
    );
    assert_eq!(
        line(15),
        "protocol 112 [|carp] [hdrops at octet 35: shorter than a CARP advertisement]"
    );
    assert_eq!(line(17), "vrrp v2 vrid 51 prio 100 addresses 5 interval 1s");
}

/// A frame made here, for dialects without a sample and octets that a firewall would not send.
fn made(dialect: Dialect, action: Action, message: &Message) -> (Value, String) {
    let mut buf = [0; 1500];
    let mut writer = PacketWriter::new(&mut buf, dialect, [0; 16]).unwrap();
    writer.section(action).unwrap();
    writer.push(message).unwrap();
    let len = writer.finish();
    let packet = Packet::new(Kind::Pfsync(&buf[..len]), None, None);
    let shown = Shown {
        at: Timestamp::from_nanos(-1_500_000_000),
        packet,
        secret: None,
    };
    let (mut json, mut text) = (Vec::new(), String::new());
    json::write(&mut json, &shown);
    Text::new(TimeZone::UTC, true).write(&mut text, &shown);
    (serde_json::from_slice(&json).unwrap(), text)
}

/// The first INS of a golden capture.
fn golden_state(capture: &str, index: usize) -> pfsync_proto::State {
    let mut states = Vec::new();
    frames(capture, |_, link, data, wire_len| {
        let Kind::Pfsync(payload) = dissect(link, data, wire_len).kind else {
            return;
        };
        for section in pfsync_proto::Packet::new_checked(payload)
            .unwrap()
            .sections()
            .map(Result::unwrap)
        {
            states.extend(section.messages().filter_map(|decoded| match decoded.message {
                Message::State(state) => Some(state),
                _ => None,
            }));
        }
    });
    states[index]
}

#[test]
fn states_of_dialects_without_a_sample() {
    let state = golden_state("golden/freebsd1400.raw.pcap", 0);
    let (got, _) = made(Dialect::FreeBsd1500, Action::Ins, &Message::State(state));
    let got = &got["pfsync"]["sections"][0];
    assert_eq!((&got["action"], &got["name"]), (&json!(15), &json!("INS")));
    let want = json!({"tagname": "", "orig_ifname": "em1", "rt_ifname": "rt0", "stack_af": "inet",
        "rt_af": 0, "stack_proto": 6, "qid": 301, "rtableid": 0});
    for (key, want) in want.as_object().unwrap() {
        assert_eq!(&got["messages"][0][key], want, "{key}");
    }
    assert!(got["messages"][0]["max_mss"].is_u64());
    assert!(got["messages"][0].get("updates").is_none());

    let state = golden_state("golden/netbsd3.eth.pcap", 1);
    let (got, text) = made(Dialect::V2, Action::Upd, &Message::State(state));
    assert_eq!(
        (&got["pfsync"]["version"], &got["pfsync"]["md5"], &got["ts"]),
        (&json!(2), &Value::Null, &json!(-1.5))
    );
    assert_eq!(
        got["pfsync"]["sections"][0]["messages"][0]["ext"],
        json!(["2001:db8:1::53", 53])
    );
    assert!(
        text.contains("[2001:db8:1::53]:53 -> [2001:db8:ffff::17]:33333 MULTIPLE:SINGLE udp.single"),
        "{text}"
    );
}

#[test]
fn names_from_the_wire_cannot_drive_a_terminal() {
    let mut state = golden_state("golden/openbsd6.eth.pcap", 0);
    state.ifname.0 = *b"\x1b[2J\"\\\xff\x9b\r\nem0\0\0\0";
    state.timeout = 99;
    let (got, text) = made(Dialect::OpenBsd6, Action::Ins, &Message::State(state));
    assert!(
        text.lines()
            .all(|line| line.bytes().all(|octet| matches!(octet, b' '..=b'~'))),
        "{text}"
    );
    assert_eq!(
        got["pfsync"]["sections"][0]["messages"][0]["refused"],
        "unknown timeout"
    );
    assert_eq!(got["error"]["kind"], "badval");
    assert!(text.contains("[badval at octet 279: unknown timeout]"), "{text}");
}
