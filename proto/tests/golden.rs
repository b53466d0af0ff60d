//! Every value of every golden frame, and every error of the damaged ones.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail loudly"
)]

mod common;

use pfsync_proto::message::{BusStatus, Extra, Host, IfName};
use pfsync_proto::{Decoded, Direction, Endpoints, Family, Message, Packet, Peer, State, StateKeys};
use serde_json::{Map, Value, json};

fn text(name: IfName) -> String {
    String::from_utf8(name.as_bytes().to_vec()).unwrap()
}

fn peer(p: &Peer) -> Value {
    let scrub = p
        .scrub
        .map(|s| json!({"flags": s.flags, "ttl": s.ttl, "ts_mod": s.ts_mod}));
    json!({"seqlo": p.seqlo, "seqhi": p.seqhi, "seqdiff": p.seqdiff, "max_win": p.max_win, "mss": p.mss,
        "state": p.state, "wscale": p.wscale, "scrub": scrub})
}

fn pair(e: &Endpoints) -> Value {
    json!({"addr": e.addr, "port": e.port})
}

fn host((addr, port): Host) -> Value {
    json!([addr, port])
}

fn state(s: &State) -> Value {
    let mut v = json!({
        "id": s.key.id.to_string(), "creatorid": s.key.creator.to_string(), "ifname": text(s.ifname),
        "af": match s.af { Family::Inet => "inet", Family::Inet6(_) => "inet6", Family::Unknown(_) => "?" },
        "proto": s.proto,
        "direction": match s.direction { Direction::In => "in", Direction::Out => "out", Direction::Unknown(_) => "?" },
        "src": peer(&s.src), "dst": peer(&s.dst), "rule": s.rule, "anchor": s.anchor, "nat_rule": s.nat_rule,
        "age": s.age, "expire": s.expire, "timeout": s.timeout, "log": s.log, "packets": s.packets, "bytes": s.bytes,
    });
    match s.keys {
        StateKeys::Pair { wire, stack } => {
            v["wire"] = pair(&wire);
            v["stack"] = pair(&stack);
            v["state_flags"] = json!(s.state_flags);
        }
        StateKeys::LanGwyExt { lan, gwy, ext } => {
            v["lan"] = host(lan);
            v["gwy"] = host(gwy);
            v["ext"] = host(ext);
            v["allow_opts"] = json!(s.state_flags);
        }
    }
    match s.extra {
        Extra::None => {}
        Extra::OpenBsd { rdomain, rtableid, .. } => {
            v["rdomain"] = json!(rdomain);
            v["rtableid"] = json!(rtableid);
        }
        Extra::FreeBsd(x) => {
            v["rtableid"] = json!(x.rtableid);
            v["qid"] = json!(x.qid);
            v["pqid"] = json!(x.pqid);
            v["dnpipe"] = json!(x.dnpipe);
            v["dnrpipe"] = json!(x.dnrpipe);
            v["rt_ifname"] = json!(text(x.rt_ifname));
        }
    }
    v
}

/// The message with the keys of the golden files.
fn value(decoded: &Decoded) -> Value {
    assert_eq!(decoded.refused, None);
    match &decoded.message {
        Message::Clr(c) => json!({"ifname": text(c.ifname), "creatorid": c.creator.to_string()}),
        Message::State(s) => state(s),
        Message::UpdC(u) => {
            let mut v = json!({"id": u.key.id.to_string(), "creatorid": u.key.creator.to_string(),
                "src": peer(&u.src), "dst": peer(&u.dst), "timeout": u.timeout, "expire": u.expire});
            if let Some(updates) = u.updates {
                v["updates"] = json!(updates);
            }
            v
        }
        Message::DelC { key, .. } | Message::InsAck(key) | Message::UpdReq(key) => {
            json!({"id": key.id.to_string(), "creatorid": key.creator.to_string()})
        }
        Message::Bus(b) => json!({"creatorid": b.creator.to_string(), "endtime": b.endtime,
            "status": match b.status { BusStatus::Start => "start", BusStatus::End => "end", BusStatus::Unknown(_) => "?" }}),
        Message::Tdb(t) => {
            let mut v = json!({"spi": t.spi, "dst": t.dst, "rpl": t.rpl, "cur_bytes": t.cur_bytes, "sproto": t.sproto});
            if let Some(rdomain) = t.rdomain {
                v["rdomain"] = json!(rdomain);
            }
            v
        }
    }
}

#[test]
fn every_golden_value_comes_back() {
    let mut messages = 0;
    for (capture, truth) in common::GOLDEN {
        let truth: Value = serde_json::from_slice(&std::fs::read(common::path(truth)).unwrap()).unwrap();
        let want = truth["frames"].as_array().unwrap();
        let payloads = common::payloads(capture);
        assert_eq!(payloads.len(), want.len(), "{capture}");
        for (payload, want) in payloads.iter().zip(want) {
            let packet = Packet::new_checked(payload).unwrap();
            assert_eq!(
                packet.version(),
                u8::try_from(want["version"].as_u64().unwrap()).unwrap()
            );
            let md5: String = packet
                .md5()
                .unwrap()
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect();
            assert_eq!(md5, want["md5"].as_str().unwrap());
            let sections: Vec<_> = packet.sections().map(|section| section.unwrap()).collect();
            let wanted = want["sections"].as_array().unwrap();
            assert_eq!(sections.len(), wanted.len(), "{capture}: {}", want["note"]);
            for (section, wanted) in sections.iter().zip(wanted) {
                let got: Vec<Value> = section.messages().map(|decoded| value(&decoded)).collect();
                messages += got.len();
                let got = json!({"action": section.code, "name": section.action.name(), "count": section.count,
                    "messages": got});
                let wanted: Map<String, Value> = wanted.as_object().unwrap().clone();
                assert_eq!(got, Value::Object(wanted), "{capture}: {}", want["note"]);
            }
        }
    }
    assert_eq!(messages, 338);
}

/// Kinds of all errors in a payload, in order.
fn errors(payload: &[u8]) -> Vec<&'static str> {
    match Packet::new_checked(payload) {
        Err(error) => vec![error.kind.as_str()],
        Ok(packet) => packet
            .sections()
            .filter_map(|section| Some(section.err()?.kind.as_str()))
            .collect(),
    }
}

#[test]
fn damaged_frames_give_the_errors_their_list_names() {
    let truth: Value =
        serde_json::from_slice(&std::fs::read(common::path("golden/malformed_openbsd6.json")).unwrap()).unwrap();
    let payloads = common::payloads("golden/malformed_openbsd6.raw.pcap");
    let truth = truth.as_array().unwrap();
    assert_eq!(payloads.len(), truth.len());
    for (payload, truth) in payloads.iter().zip(truth) {
        let got = errors(payload);
        let Some(want) = truth.get("error") else { continue };
        // TTL and fragments are judged where IP is read.
        match want.as_str() {
            None | Some("badttl" | "fragment") => assert!(got.is_empty(), "{truth}: {got:?}"),
            Some(kind) => assert_eq!(got, [kind], "{truth}"),
        }
    }
    let longer = Packet::new_checked(&payloads[18]).unwrap();
    assert_eq!(
        longer
            .sections()
            .map(|section| section.unwrap().messages().len())
            .sum::<usize>(),
        3
    );
}
