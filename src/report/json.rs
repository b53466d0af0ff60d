//! `analyze --format json`: the one object of docs/contract.md section 3.3.
//!
//! Keys may be added, never renamed. Times are seconds with fraction of Unix time, of a capture as its own clock showed
//! them.

use super::margins::Spot;
use super::{Mastership, Report};
use crate::engine::Engine;
use crate::event::{Decision, Evidence, Health, Near, NodeId, Notice, Verdict, Witnesses};
use crate::status::quality::Quality;
use crate::time::Timestamp;
use pfsync_proto::ErrorKind;
use serde_json::{Map, Value, json};

/// The whole report.
#[must_use]
pub fn render(report: &Report, engine: &Engine) -> Value {
    let c = engine.counters();
    let own = |t: Timestamp| report.times.own.shows(t);
    let errors: Map<String, Value> = ErrorKind::ALL
        .iter()
        .map(|k| (k.as_str().into(), c.errors.get(k).copied().unwrap_or(0).into()))
        .collect();
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|f| {
            json!({
                "path": f.path.to_string_lossy(),
                "linktype": f.links.first().map(|l| l.0),
                "linktypes": f.links.iter().map(|l| l.0).collect::<Vec<_>>(),
                "frames": f.frames,
                "first": f.first.map(seconds),
                "last": f.last.map(seconds),
            })
        })
        .collect();
    json!({
        "schema": 1,
        "files": files,
        "frames": {
            "total": c.frames,
            "pfsync": c.pfsync,
            "carp": c.carp - c.vrrp,
            "vrrp": c.vrrp,
            "other": c.other,
            "unsupported": c.unsupported,
            "clamped": c.clamped,
            "bad_checksum": c.bad_checksum,
            "bad_hmac": c.bad_hmac,
            "carp_on_sync": c.carp_on_sync,
            "errors": errors,
        },
        "nodes": engine.node_ids().map(|n| node(engine, n, own)).collect::<Vec<_>>(),
        "verdicts": report.verdicts.iter().map(|v| {
            verdict(&Verdict { at: own(v.at), ..v.clone() }, engine)
        }).collect::<Vec<_>>(),
        "decisions": report.decisions.iter().map(|d| {
            decision(&Decision { at: own(d.at), ..d.clone() }, engine)
        }).collect::<Vec<_>>(),
        "notices": report.notices.iter().map(|n| {
            notice(&Notice { at: own(n.at), ..n.clone() }, engine)
        }).collect::<Vec<_>>(),
        "segments": segments(report, engine),
        "unsynchronised": report.unsynchronised.iter().map(|(from, to)| json!({
            "from": seconds(own(*from)), "to": to.map(own).map(seconds),
        })).collect::<Vec<_>>(),
        "quality": Quality::of(&report.quality, engine.now(), |t| seconds(own(t))),
        "margins": margins(report, engine),
    })
}

/// A change of health; the log of `run` has the same keys.
#[must_use]
pub fn verdict(v: &Verdict, engine: &Engine) -> Value {
    json!({
        "at": seconds(v.at),
        "node": engine.address(v.node).to_string(),
        "name": engine.name(v.node),
        "path": engine.path_name(v.path),
        "from": v.from.as_str(),
        "to": v.to.as_str(),
        "cause": v.cause.as_str(),
        "evidence": evidence(&v.evidence),
        "reason": v.sentence(),
        "after": after(v),
    })
}

/// By how many seconds a `down` came after its evidence began and after the last proven round trip.
fn after(v: &Verdict) -> Value {
    if v.to != Health::Down {
        return Value::Null;
    }
    json!({
        "evidence": v.since_evidence().map(round),
        "end_to_end": v.evidence.since_end_to_end.map(round),
    })
}

fn margins(report: &Report, engine: &Engine) -> Vec<Value> {
    let margin = |(key, near): (&Spot, &Near)| {
        let at = report.times.own.shows(near.at);
        let near = Near { at, ..near.clone() };
        let e = &near.evidence;
        json!({
            "day": super::margins::day(&near),
            "node": engine.address(key.node).to_string(),
            "name": engine.name(key.node),
            "path": engine.path_name(key.path),
            "suspicion": round(e.suspicion),
            "threshold": round(e.threshold),
            "margin": round(e.threshold - e.suspicion),
            "at": seconds(at),
            "evidence": evidence(e),
            "reason": near.sentence(),
        })
    };
    report.margins.iter().map(margin).collect()
}

/// A decision; the log of `run` has the same keys.
#[must_use]
pub fn decision(d: &Decision, engine: &Engine) -> Value {
    json!({
        "at": seconds(d.at),
        "seq": d.seq,
        "action": d.action.as_str(),
        "node": engine.address(d.node).to_string(),
        "name": engine.name(d.node),
        "cause": d.cause,
        "reason": d.reason,
    })
}

/// Something worth a line; the log of `run` has the same keys.
#[must_use]
pub fn notice(n: &Notice, engine: &Engine) -> Value {
    json!({
        "at": seconds(n.at),
        "kind": n.kind.as_str(),
        "node": n.node.map(|n| engine.address(n).to_string()),
        "text": n.text,
    })
}

fn node(engine: &Engine, n: NodeId, own: impl Fn(Timestamp) -> Timestamp) -> Value {
    let Some(c) = engine.counters().nodes.get(n.index()) else {
        return Value::Null;
    };
    let flows = engine.flows(n);
    let paths: Vec<Value> = c
        .paths
        .iter()
        .enumerate()
        .map(|(i, p)| {
            json!({
                "path": engine.path_name(i),
                "attempt": p.attempt,
                "forward": p.forward,
                "reverse": p.reverse,
                "end_to_end": p.end_to_end,
                "last_end_to_end": p.last_end_to_end.map(&own).map(seconds),
                "health": engine.path_health(n, i).map(|h| h.health.as_str()),
            })
        })
        .collect();
    json!({
        "address": engine.address(n).to_string(),
        "name": engine.name(n),
        "self": engine.is_self(n),
        "creatorids": c.creators.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "versions": (0..64).filter(|v| c.versions >> v & 1 == 1).collect::<Vec<u32>>(),
        "frames": c.frames,
        "messages": c.messages,
        "sender_alive": c.sender_alive,
        "flows": {
            "known": flows.known,
            "opened": flows.opened,
            "closed": flows.closed,
            "half_open": flows.half_open,
        },
        "paths": paths,
        "last_config_sync": engine.last_config_sync(n).map(&own).map(seconds),
    })
}

fn segments(report: &Report, engine: &Engine) -> Vec<Value> {
    let mut segments: Vec<(usize, Vec<Value>)> = Vec::new();
    for ((segment, vhid), masters) in &report.masters {
        let vhid = self::vhid(report, engine, (*segment, *vhid), masters);
        match segments.last_mut() {
            Some((s, vhids)) if s == segment => vhids.push(vhid),
            _ => segments.push((*segment, vec![vhid])),
        }
    }
    let name = |s: usize| engine.segment_name(s).to_owned();
    segments
        .into_iter()
        .map(|(s, vhids)| json!({ "name": name(s), "vhids": vhids }))
        .collect()
}

fn vhid(report: &Report, engine: &Engine, key: (usize, u8), masters: &[Mastership]) -> Value {
    let seconds = |t: Timestamp| seconds(report.times.own.shows(t));
    let master = |m: &Mastership| {
        json!({
            "address": m.address.to_string(),
            "node": engine.owner(m.address).map(|n| engine.address(n).to_string()),
            "name": engine.owner(m.address).map(|n| engine.label(n)),
            "from": seconds(m.from),
            "to": m.to.map(seconds),
        })
    };
    let two = report.two_masters.get(&key).into_iter().flatten();
    let none = report.no_master.get(&key).into_iter().flatten();
    let mut vhid = json!({
        "vhid": key.1,
        "masters": masters.iter().map(master).collect::<Vec<_>>(),
        "two_masters": two.map(|t| json!({
            "from": seconds(t.from),
            "to": t.to.map(seconds),
            "nodes": t.who.iter().map(|a| engine.advertiser(a).to_string()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "no_master": none.map(|(from, to)| json!({
            "from": seconds(*from), "to": to.map(seconds),
        })).collect::<Vec<_>>(),
    });
    let tags: Vec<u16> = engine.segment_vlan(key.0).tags().collect();
    if !tags.is_empty() {
        vhid["vlan"] = tags.into();
    }
    if let Some(protocol) = engine.carp_protocol(key.0, key.1) {
        vhid["protocol"] = protocol.as_str().into();
    }
    let reflected = engine.carp_reflections(key.0, key.1);
    if reflected > 0 {
        vhid["reflected"] = reflected.into();
    }
    vhid
}

/// The numbers behind a verdict.
#[must_use]
pub fn evidence(e: &Evidence) -> Value {
    json!({
        "suspicion": round(e.suspicion),
        "threshold": round(e.threshold),
        "witnesses": witnesses(e.witnesses),
        "expected": e.expected.map(round),
        "failed": e.failed,
        "succeeded": e.succeeded,
        "clients": e.clients,
        "servers": e.servers,
        "seconds": round(e.seconds),
        "usual": round(e.usual),
        "since_end_to_end": e.since_end_to_end.map(round),
        "carp_gone": e.carp_gone,
        "pfsync_silent": round(e.pfsync_silent),
        "pfsync_usual": e.pfsync_usual.map(round),
        "opening": e.opening,
        "canaries": e.canaries,
        "canary_silent": e.canary_silent.map(round),
        "canary_every": e.canary_every.map(round),
        "since_failure": e.since_failure.map(round),
    })
}

fn witnesses(w: Witnesses) -> Vec<&'static str> {
    let all = [(w.split, "split"), (w.segment, "segment"), (w.address, "address")];
    all.into_iter().filter(|w| w.0).map(|w| w.1).collect()
}

fn round(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

/// Seconds with fraction, to the microsecond (what an f64 holds at Unix times).
#[must_use]
pub fn seconds(t: Timestamp) -> f64 {
    (t.as_secs_f64() * 1e6).round() / 1e6
}
