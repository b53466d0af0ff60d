//! One pfsync message in words.
//!
//! Called by `render::text` for every message of a verbose frame. A state reads from its initiator to its responder,
//! whichever way the interface saw it, with translated addresses in parentheses.

use crate::render::words::{protocol, state, timeout};
use pfsync_proto::message::Host;
use pfsync_proto::{BusStatus, Decoded, Direction, Key, Message, Peer, State, StateKeys, UpdC};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Appends a message of this version, without a newline.
pub(super) fn message(buf: &mut String, version: u8, decoded: &Decoded) {
    let _ = match &decoded.message {
        Message::State(s) => {
            full(buf, version, s);
            Ok(())
        }
        Message::UpdC(update) => {
            compressed(buf, version, update);
            Ok(())
        }
        Message::UpdReq(key) if *key == Key::default() => write!(buf, "everything"),
        Message::DelC { key, .. } | Message::InsAck(key) | Message::UpdReq(key) => write!(buf, "{}", Name(*key)),
        Message::Clr(clr) if clr.ifname.as_bytes().is_empty() => {
            write!(buf, "states of creator {} on all interfaces", clr.creator)
        }
        Message::Clr(clr) => {
            write!(
                buf,
                "states of creator {} on {}",
                clr.creator,
                clr.ifname.as_bytes().escape_ascii()
            )
        }
        Message::Bus(bus) => {
            let _ = match bus.status {
                BusStatus::Start => write!(buf, "start"),
                BusStatus::End => write!(buf, "end"),
                BusStatus::Unknown(other) => write!(buf, "status {other}"),
            };
            write!(
                buf,
                " of bulk update by {}, {}s after the request",
                bus.creator, bus.endtime
            )
        }
        Message::Tdb(sa) => {
            let _ = write!(buf, "{} spi {:#010x} to ", protocol(sa.sproto), sa.spi);
            let _ = match sa.dst {
                Some(dst) => write!(buf, "{dst}"),
                None => write!(buf, "?"),
            };
            write!(buf, ", replay {}, {} bytes", sa.rpl, sa.cur_bytes)
        }
    };
    if let Some(refused) = decoded.refused {
        let _ = write!(buf, " [{refused}]");
    }
}

/// Id and creator as `pfctl -ss -vv` writes them.
struct Name(Key);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0.id, self.0.creator)
    }
}

fn compressed(buf: &mut String, version: u8, u: &UpdC) {
    let (src, dst) = (state(u.src.state, u.timeout), state(u.dst.state, u.timeout));
    let _ = write!(buf, "{} {src}:{dst} {}", Name(u.key), timeout(version, u.timeout));
    window(buf, "src", &u.src, u.timeout);
    window(buf, "dst", &u.dst, u.timeout);
    if u.expire != 0 {
        let _ = write!(buf, ", expires in {}", Span(u.expire));
    }
    if let Some(updates) = u.updates {
        let _ = write!(buf, ", {updates} updates");
    }
}

/// What a peer of a TCP state has sent and may send.
fn window(buf: &mut String, side: &str, peer: &Peer, class: u8) {
    if class > 5 {
        return;
    }
    let _ = write!(buf, ", {side} {}..{} win {}", peer.seqlo, peer.seqhi, peer.max_win);
    if peer.wscale & 0x80 != 0 {
        let _ = write!(buf, " wscale {}", peer.wscale & 0x0f);
    }
}

fn full(buf: &mut String, version: u8, s: &State) {
    let direction = match s.direction {
        Direction::In => "in",
        Direction::Out => "out",
        Direction::Unknown(_) => "inout",
    };
    let ifname = s.ifname.as_bytes().escape_ascii();
    let _ = write!(buf, "{} {ifname} {direction} {} ", Name(s.key), protocol(s.proto));
    let [(from, from_as), (to, to_as)] = ways(s);
    endpoint(buf, from, from_as);
    buf.push_str(" -> ");
    endpoint(buf, to, to_as);
    let (src, dst) = (state(s.src.state, s.timeout), state(s.dst.state, s.timeout));
    let ([p0, p1], [b0, b1]) = (s.packets, s.bytes);
    let _ = write!(buf, " {src}:{dst} {}", timeout(version, s.timeout));
    window(buf, "src", &s.src, s.timeout);
    window(buf, "dst", &s.dst, s.timeout);
    let _ = write!(
        buf,
        ", age {}, expires in {}, {p0}:{p1} pkts, {b0}:{b1} bytes",
        Span(s.age),
        Span(s.expire)
    );
    if let Some(rule) = s.rule {
        let _ = write!(buf, ", rule {rule}");
    }
    if let Some(anchor) = s.anchor {
        let _ = write!(buf, ", anchor {anchor}");
    }
    if s.state_flags & 2 != 0 && matches!(s.keys, StateKeys::Pair { .. }) {
        buf.push_str(", sloppy");
    }
}

/// Initiator and responder, each as the initiator's side of the firewall sees it and as the other side does.
fn ways(s: &State) -> [(Host, Host); 2] {
    match &s.keys {
        StateKeys::Pair { wire, stack } => {
            // Where a packet comes in, its initiator is the far end of the wire; where it goes out, the near one.
            let (first, second, swap) = if s.direction == Direction::Out {
                (stack, wire, true)
            } else {
                (wire, stack, false)
            };
            let ([a, b], [c, d]) = (first.addr, second.addr);
            let ([e, f], [g, h]) = (first.port, second.port);
            let (far, near) = (((a, e), (c, g)), ((b, f), (d, h)));
            if swap { [near, far] } else { [far, near] }
        }
        StateKeys::LanGwyExt { lan, gwy, ext } => {
            if s.direction == Direction::Out {
                [(*lan, *gwy), (*ext, *ext)]
            } else {
                [(*ext, *ext), (*gwy, *lan)]
            }
        }
    }
}

fn endpoint(buf: &mut String, host: Host, other: Host) {
    socket(buf, host);
    if other != host {
        buf.push_str(" (");
        socket(buf, other);
        buf.push(')');
    }
}

fn socket(buf: &mut String, (address, port): Host) {
    let _ = match address {
        IpAddr::V4(v4) => write!(buf, "{v4}:{port}"),
        IpAddr::V6(v6) => write!(buf, "[{v6}]:{port}"),
    };
}

/// Seconds as h:mm:ss.
struct Span(u32);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}
