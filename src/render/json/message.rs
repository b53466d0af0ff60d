//! One pfsync message as a JSON object.
//!
//! Called by `render::json` for every message. The keys are those of `captures/golden/*.json`; a message may have more
//! of them when its dialect says more, never fewer.

use super::out::Out;
use pfsync_proto::message::{Extra, FreeBsdExtra, IfName};
use pfsync_proto::{BusStatus, Decoded, Direction, Endpoints, Family, Key, Message, Peer, State, StateKeys, Tdb, UpdC};
use std::net::IpAddr;

pub(super) fn message(o: &mut Out<'_>, decoded: &Decoded) {
    o.raw("{");
    match &decoded.message {
        Message::UpdC(update) => update_c(o, update),
        Message::DelC { key, states } => {
            keys(o, *key);
            if let Some(states) = states {
                o.list(",\"states\":", *states);
            }
        }
        Message::InsAck(key) | Message::UpdReq(key) => keys(o, *key),
        Message::State(state) => full(o, state),
        Message::Clr(clr) => {
            name(o, "\"ifname\":", clr.ifname);
            o.raw(",\"creatorid\":");
            o.hex(&clr.creator.0);
        }
        Message::Bus(bus) => {
            o.raw("\"creatorid\":");
            o.hex(&bus.creator.0);
            o.field(",\"endtime\":", bus.endtime);
            match bus.status {
                BusStatus::Start => o.raw(",\"status\":\"start\""),
                BusStatus::End => o.raw(",\"status\":\"end\""),
                BusStatus::Unknown(other) => o.field(",\"status\":", other),
            }
        }
        Message::Tdb(sa) => tdb(o, sa),
    }
    if let Some(refused) = decoded.refused {
        o.raw(",\"refused\":");
        o.string(refused.detail.as_bytes());
    }
    o.raw("}");
}

#[inline]
fn keys(o: &mut Out<'_>, key: Key) {
    o.raw("\"id\":");
    o.hex(&key.id.0);
    o.raw(",\"creatorid\":");
    o.hex(&key.creator.0);
}

fn name(o: &mut Out<'_>, key: &str, name: IfName) {
    o.raw(key);
    o.string(name.as_bytes());
}

#[inline]
fn peer(o: &mut Out<'_>, key: &str, peer: &Peer) {
    o.raw(key);
    o.field("{\"seqlo\":", peer.seqlo);
    o.field(",\"seqhi\":", peer.seqhi);
    o.field(",\"seqdiff\":", peer.seqdiff);
    o.field(",\"max_win\":", peer.max_win);
    o.field(",\"mss\":", peer.mss);
    o.field(",\"state\":", peer.state);
    o.field(",\"wscale\":", peer.wscale);
    if let Some(scrub) = peer.scrub {
        o.field(",\"scrub\":{\"flags\":", scrub.flags);
        o.field(",\"ttl\":", scrub.ttl);
        o.field(",\"ts_mod\":", scrub.ts_mod);
        o.raw("}}");
    } else {
        o.raw(",\"scrub\":null}");
    }
}

#[inline]
fn update_c(o: &mut Out<'_>, update: &UpdC) {
    keys(o, update.key);
    peer(o, ",\"src\":", &update.src);
    peer(o, ",\"dst\":", &update.dst);
    o.field(",\"timeout\":", update.timeout);
    o.field(",\"expire\":", update.expire);
    if let Some(updates) = update.updates {
        o.field(",\"updates\":", updates);
    }
}

fn family(o: &mut Out<'_>, key: &str, family: Family) {
    o.raw(key);
    match family {
        Family::Inet => o.raw("\"inet\""),
        Family::Inet6(_) => o.raw("\"inet6\""),
        Family::Unknown(other) => o.number(other),
    }
}

fn pair(o: &mut Out<'_>, key: &str, ends: &Endpoints) {
    let [far, near] = ends.addr;
    o.raw(key);
    o.raw("{\"addr\":[");
    o.address(far);
    o.raw(",");
    o.address(near);
    o.list("],\"port\":", ends.port);
    o.raw("}");
}

fn host(o: &mut Out<'_>, key: &str, (address, port): (IpAddr, u16)) {
    o.raw(key);
    o.raw("[");
    o.address(address);
    o.field(",", port);
    o.raw("]");
}

fn full(o: &mut Out<'_>, s: &State) {
    keys(o, s.key);
    name(o, ",\"ifname\":", s.ifname);
    family(o, ",\"af\":", s.af);
    o.field(",\"proto\":", s.proto);
    match s.direction {
        Direction::In => o.raw(",\"direction\":\"in\""),
        Direction::Out => o.raw(",\"direction\":\"out\""),
        Direction::Unknown(other) => o.field(",\"direction\":", other),
    }
    peer(o, ",\"src\":", &s.src);
    peer(o, ",\"dst\":", &s.dst);
    o.optional(",\"rule\":", s.rule);
    o.optional(",\"anchor\":", s.anchor);
    o.optional(",\"nat_rule\":", s.nat_rule);
    o.field(",\"age\":", s.age);
    o.field(",\"expire\":", s.expire);
    o.field(",\"timeout\":", s.timeout);
    o.field(",\"log\":", s.log);
    o.list(",\"packets\":", s.packets);
    o.list(",\"bytes\":", s.bytes);
    match &s.keys {
        StateKeys::Pair { wire, stack } => {
            pair(o, ",\"wire\":", wire);
            pair(o, ",\"stack\":", stack);
            o.field(",\"state_flags\":", s.state_flags);
        }
        StateKeys::LanGwyExt { lan, gwy, ext } => {
            host(o, ",\"lan\":", *lan);
            host(o, ",\"gwy\":", *gwy);
            host(o, ",\"ext\":", *ext);
            o.field(",\"allow_opts\":", s.state_flags);
        }
    }
    extra(o, s);
    if !matches!(s.extra, Extra::FreeBsd(FreeBsdExtra { v1500: Some(_), .. })) {
        o.field(",\"sync_flags\":", s.sync_flags);
        o.field(",\"updates\":", s.updates);
    }
    o.raw(",\"rt_addr\":");
    match route(s) {
        Some(address) => o.address(address),
        None => o.raw("null"),
    }
}

/// `rt_addr` where there is a `route-to`.
fn route(s: &State) -> Option<IpAddr> {
    let [a, b, c, d, ..] = s.rt_addr;
    let four = match s.extra {
        Extra::FreeBsd(FreeBsdExtra { v1500: Some(more), .. }) => more.rt_af == 2,
        _ => s.af == Family::Inet,
    };
    (s.rt_addr != [0; 16]).then(|| if four { [a, b, c, d].into() } else { s.rt_addr.into() })
}

fn extra(o: &mut Out<'_>, s: &State) {
    match &s.extra {
        Extra::None => {}
        Extra::OpenBsd {
            rdomain,
            stack_rdomain,
            rtableid: [wire, stack],
            max_mss,
            rt,
            min_ttl,
            set_tos,
            set_prio,
        } => {
            o.field(",\"rdomain\":", *rdomain);
            o.field(",\"stack_rdomain\":", *stack_rdomain);
            o.raw(",\"rtableid\":[");
            o.signed(*wire);
            o.raw(",");
            o.signed(*stack);
            o.field("],\"max_mss\":", *max_mss);
            o.field(",\"rt\":", *rt);
            o.field(",\"min_ttl\":", *min_ttl);
            o.field(",\"set_tos\":", *set_tos);
            o.list(",\"set_prio\":", *set_prio);
        }
        Extra::FreeBsd(x) => {
            o.raw(",\"rtableid\":");
            o.signed(x.rtableid);
            o.field(",\"qid\":", x.qid);
            o.field(",\"pqid\":", x.pqid);
            o.field(",\"dnpipe\":", x.dnpipe);
            o.field(",\"dnrpipe\":", x.dnrpipe);
            name(o, ",\"rt_ifname\":", x.rt_ifname);
            o.field(",\"max_mss\":", x.max_mss);
            o.field(",\"rt\":", x.rt);
            o.field(",\"min_ttl\":", x.min_ttl);
            o.field(",\"set_tos\":", x.set_tos);
            o.list(",\"set_prio\":", x.set_prio);
            if let Some(more) = &x.v1500 {
                o.raw(",\"tagname\":");
                o.string(more.tagname.split(|octet| *octet == 0).next().unwrap_or(&[]));
                name(o, ",\"orig_ifname\":", more.orig_ifname);
                family(o, ",\"stack_af\":", more.stack_af);
                family(o, ",\"rt_af\":", Family::from_octet(more.rt_af));
                o.field(",\"stack_proto\":", more.stack_proto);
            }
        }
    }
}

fn tdb(o: &mut Out<'_>, sa: &Tdb) {
    o.field("\"spi\":", sa.spi);
    o.raw(",\"dst\":");
    match sa.dst {
        Some(address) => o.address(address),
        None => o.raw("null"),
    }
    o.field(",\"rpl\":", sa.rpl);
    o.field(",\"cur_bytes\":", sa.cur_bytes);
    o.field(",\"sproto\":", sa.sproto);
    o.field(",\"updates\":", sa.updates);
    if let Some(rdomain) = sa.rdomain {
        o.field(",\"rdomain\":", rdomain);
    }
}
