//! One frame as one line of JSON.
//!
//! Called by `decode --format json`. The shape is a contract: objects gain keys, they never lose or rename them.
//! `error` is there when something is wrong, beside whatever was decoded before it; the first error wins.

mod message;
mod out;

use super::Shown;
use crate::dissect::{Ip, Kind};
use crate::time::Timestamp;
use out::Out;
use pfsync_proto::{DecodeError, Packet, Proto112};
use std::time::Duration;

/// Appends `frame` and a newline to `buf`.
pub fn write(buf: &mut Vec<u8>, frame: &Shown<'_>) {
    let mut o = Out(buf);
    o.raw("{\"ts\":");
    seconds(&mut o, frame.at);
    o.raw(",\"ip\":");
    match &frame.packet.ip {
        Some(facts) => ip(&mut o, facts),
        None => o.raw("null"),
    }
    let found = match frame.packet.kind {
        Kind::Pfsync(payload) => pfsync(&mut o, payload),
        Kind::Proto112(payload) => proto112(&mut o, frame, payload),
        Kind::TcpSyn { .. } | Kind::Other | Kind::Unsupported => None,
    };
    if let Some(DecodeError {
        kind, offset, detail, ..
    }) = frame.error(found)
    {
        o.raw(",\"error\":{\"kind\":\"");
        o.raw(kind.as_str());
        o.field("\",\"offset\":", offset);
        o.raw(",\"detail\":");
        o.string(detail.as_bytes());
        o.raw("}");
    }
    o.raw("}\n");
}

/// Unix seconds.
fn seconds(o: &mut Out<'_>, at: Timestamp) {
    if at.as_nanos() < 0 {
        o.raw("-");
    }
    decimal(o, Duration::from_nanos(at.as_nanos().unsigned_abs()));
}

/// Seconds with as many decimals as there are, at least one.
fn decimal(o: &mut Out<'_>, length: Duration) {
    o.number(length.as_secs());
    o.raw(".");
    let (mut part, mut unit) = (length.subsec_nanos(), 100_000_000);
    loop {
        o.number(part / unit);
        part %= unit;
        unit /= 10;
        if part == 0 || unit == 0 {
            return;
        }
    }
}

fn ip(o: &mut Out<'_>, facts: &Ip) {
    o.raw("{\"src\":");
    o.address(facts.src);
    o.raw(",\"dst\":");
    o.address(facts.dst);
    o.field(",\"ttl\":", facts.ttl);
    o.field(",\"proto\":", facts.proto);
    o.raw("}");
}

/// Writes what is readable and returns the first thing that was not.
fn pfsync(o: &mut Out<'_>, payload: &[u8]) -> Option<DecodeError> {
    let packet = match Packet::new_checked(payload) {
        Ok(packet) => packet,
        Err(error) => return Some(error),
    };
    o.field(",\"pfsync\":{\"version\":", packet.version());
    o.raw(",\"md5\":");
    match packet.md5() {
        Some(md5) => o.hex(&md5),
        None => o.raw("null"),
    }
    o.raw(",\"sections\":[");
    let (mut error, mut more) = (None, false);
    for section in packet.sections() {
        let section = match section {
            Ok(section) => section,
            Err(found) => {
                error = error.or(Some(found));
                continue;
            }
        };
        o.raw(if more { ",{\"action\":" } else { "{\"action\":" });
        more = true;
        o.number(section.code);
        o.raw(",\"name\":\"");
        o.raw(section.action.name());
        o.field("\",\"count\":", section.count);
        o.raw(",\"messages\":[");
        let mut first = true;
        section.visit(|decoded| {
            if !std::mem::take(&mut first) {
                o.raw(",");
            }
            error = error.or(decoded.refused);
            message::message(o, decoded);
        });
        o.raw("]}");
    }
    o.raw("]}");
    error
}

fn proto112(o: &mut Out<'_>, frame: &Shown<'_>, payload: &[u8]) -> Option<DecodeError> {
    match Proto112::decode(payload, frame.packet.ip.map(|ip| ip.ends())) {
        Ok(Proto112::Carp(carp)) => {
            o.field(",\"carp\":{\"vhid\":", carp.vhid);
            o.field(",\"advskew\":", carp.advskew);
            o.field(",\"advbase\":", carp.advbase);
            o.field(",\"demote\":", carp.demote);
            o.field(",\"authlen\":", carp.authlen);
            o.field(",\"counter\":", carp.counter);
            o.boolean(",\"cksum_ok\":", carp.cksum_ok);
            o.boolean(",\"bow_out\":", carp.bow_out);
            o.boolean(",\"v6\":", frame.is_v6());
            if let Some(secret) = &frame.secret {
                o.boolean(",\"hmac_ok\":", secret.verifies(&carp));
            }
            o.raw("}");
        }
        Ok(Proto112::Vrrp(vrrp)) => {
            o.field(",\"vrrp\":{\"version\":", vrrp.version);
            o.field(",\"vrid\":", vrrp.vrid);
            o.field(",\"prio\":", vrrp.prio);
            o.field(",\"naddr\":", vrrp.naddr);
            match vrrp.version {
                2 => o.field(",\"auth_type\":", vrrp.auth_type),
                _ => o.field(",\"interval_cs\":", vrrp.adver_int),
            }
            o.raw(",\"interval\":");
            decimal(o, vrrp.interval());
            o.boolean(",\"cksum_ok\":", vrrp.cksum_ok);
            o.boolean(",\"bow_out\":", vrrp.bow_out());
            o.boolean(",\"v6\":", frame.is_v6());
            o.raw("}");
        }
        Err(error) => return Some(error),
    }
    None
}
