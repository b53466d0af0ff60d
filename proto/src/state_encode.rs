//! Full states on their way out: the seven layouts drawn in `state`, written.
//!
//! Called by `encode` only. Refuses what a layout cannot hold; leaves out what it does not have.

use core::net::IpAddr;

use crate::body::put_peer;
use crate::dialect::Layout;
use crate::encode::EncodeError;
use crate::message::{Endpoints, Extra, Family, FreeBsdExtra, Host, IfName, State, StateKeys};
use crate::octets::Fill;

/// Writes `state` into `room`, which every layout fits, and returns what it took.
pub(crate) fn encode<'r>(layout: Layout, state: &State, room: &'r mut [u8; 360]) -> Result<&'r [u8], EncodeError> {
    let mut put = |octets: &[u8]| {
        for (slot, octet) in room.iter_mut().zip(octets) {
            *slot = *octet;
        }
    };
    match layout {
        Layout::StateV2 => put(&v2(state)?),
        Layout::StateV3 => put(&v3(state)?),
        Layout::StateV4 => put(&v4(state)?),
        Layout::State1301 => put(&freebsd_1301(state)?),
        Layout::State1400 => put(&freebsd_1400(state)?),
        Layout::State1500 => put(&freebsd_1500(state)?),
        Layout::StateOpenBsd => put(&openbsd(state)?),
        _ => return Err(EncodeError::Message),
    }
    Ok(room.get(..layout.size()).unwrap_or(&[]))
}

fn address(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let ([a, b, c, d], mut octets) = (v4.octets(), [0; 16]);
            if let Some(slot) = octets.first_chunk_mut() {
                *slot = [a, b, c, d];
            }
            octets
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn endpoints(e: &Endpoints) -> [u8; 36] {
    let ([far, near], [far_port, near_port]) = (e.addr, e.port);
    let mut o = Fill::<36>::new();
    o.put::<0, 16>(address(far))
        .put::<16, 16>(address(near))
        .be16::<32>(far_port)
        .be16::<34>(near_port);
    o.done()
}

fn host((addr, port): Host) -> [u8; 24] {
    let mut o = Fill::<24>::new();
    o.put::<0, 16>(address(addr)).be16::<16>(port);
    o.done()
}

/// Id, interface and what all layouts share, as 24 and 100 octets.
fn head_and_core(s: &State, v2: bool) -> ([u8; 24], [u8; 100]) {
    let mut head = Fill::<24>::new();
    head.put::<0, 8>(s.key.id.0).put::<8, 16>(s.ifname.0);
    let mut core = Fill::<100>::new();
    core.put::<0, 32>(put_peer(&s.src, v2))
        .put::<32, 32>(put_peer(&s.dst, v2))
        .put::<64, 16>(s.rt_addr);
    core.be32::<80>(s.rule.unwrap_or(u32::MAX))
        .be32::<84>(s.anchor.unwrap_or(u32::MAX));
    core.be32::<88>(s.nat_rule.unwrap_or(u32::MAX))
        .be32::<92>(s.age)
        .be32::<96>(s.expire);
    (head.done(), core.done())
}

fn counters(s: &State) -> [u8; 36] {
    let ([p0, p1], [b0, b1]) = (s.packets, s.bytes);
    let mut o = Fill::<36>::new();
    o.be64::<0>(p0)
        .be64::<8>(p1)
        .be64::<16>(b0)
        .be64::<24>(b1)
        .put::<32, 4>(s.key.creator.0);
    o.done()
}

/// lan, gwy and ext of versions 2 and 3.
fn hosts(s: &State) -> Result<[u8; 72], EncodeError> {
    let StateKeys::LanGwyExt { lan, gwy, ext } = s.keys else {
        return Err(EncodeError::Message);
    };
    let mut o = Fill::<72>::new();
    o.put::<0, 24>(host(lan))
        .put::<24, 24>(host(gwy))
        .put::<48, 24>(host(ext));
    Ok(o.done())
}

fn pair(s: &State) -> Result<[u8; 72], EncodeError> {
    let StateKeys::Pair { wire, stack } = &s.keys else {
        return Err(EncodeError::Message);
    };
    let mut o = Fill::<72>::new();
    o.put::<0, 36>(endpoints(wire)).put::<36, 36>(endpoints(stack));
    Ok(o.done())
}

/// The flags of dialects that have one octet for them.
fn narrow_flags(s: &State) -> Result<u8, EncodeError> {
    u8::try_from(s.state_flags).map_err(|_| EncodeError::Range)
}

fn v2(s: &State) -> Result<[u8; 224], EncodeError> {
    let small = |v: u64| u32::try_from(v).map_err(|_| EncodeError::Range);
    let ((head, core), [p0, p1], [b0, b1]) = (head_and_core(s, true), s.packets, s.bytes);
    let mut o = Fill::<224>::new();
    o.put::<0, 24>(head).put::<24, 72>(hosts(s)?).put::<96, 100>(core);
    o.be32::<196>(small(p0)?)
        .be32::<200>(small(p1)?)
        .be32::<204>(small(b0)?)
        .be32::<208>(small(b1)?);
    o.put::<212, 4>(s.key.creator.0)
        .u8::<216>(s.af.octet())
        .u8::<217>(s.proto)
        .u8::<218>(s.direction.octet());
    o.u8::<219>(s.log)
        .u8::<220>(narrow_flags(s)?)
        .u8::<221>(s.timeout)
        .u8::<222>(s.sync_flags)
        .u8::<223>(s.updates);
    Ok(o.done())
}

/// Versions 3 and 4, which differ in the keys only.
fn old(s: &State, keys: [u8; 72]) -> Result<[u8; 240], EncodeError> {
    let (head, core) = head_and_core(s, false);
    let mut o = Fill::<240>::new();
    o.put::<0, 24>(head)
        .put::<24, 72>(keys)
        .put::<96, 100>(core)
        .put::<196, 36>(counters(s));
    o.u8::<232>(s.af.octet())
        .u8::<233>(s.proto)
        .u8::<234>(s.direction.octet())
        .u8::<235>(s.log);
    o.u8::<236>(narrow_flags(s)?)
        .u8::<237>(s.timeout)
        .u8::<238>(s.sync_flags)
        .u8::<239>(s.updates);
    Ok(o.done())
}

fn v3(s: &State) -> Result<[u8; 240], EncodeError> {
    old(s, hosts(s)?)
}

fn v4(s: &State) -> Result<[u8; 240], EncodeError> {
    old(s, pair(s)?)
}

fn freebsd_1301(s: &State) -> Result<[u8; 242], EncodeError> {
    let (head, core) = head_and_core(s, false);
    let mut o = Fill::<242>::new();
    o.put::<0, 24>(head)
        .put::<24, 72>(pair(s)?)
        .put::<96, 100>(core)
        .put::<196, 36>(counters(s));
    o.u8::<232>(s.af.octet())
        .u8::<233>(s.proto)
        .u8::<234>(s.direction.octet())
        .u8::<237>(s.log);
    o.u8::<238>(narrow_flags(s)?)
        .u8::<239>(s.timeout)
        .u8::<240>(s.sync_flags)
        .u8::<241>(s.updates);
    Ok(o.done())
}

/// What a FreeBSD state says beyond 1301 when it came from a dialect that has nothing of it.
const NOTHING: FreeBsdExtra = FreeBsdExtra {
    rtableid: -1,
    qid: 0,
    pqid: 0,
    dnpipe: 0,
    dnrpipe: 0,
    max_mss: 0,
    rt: 0,
    min_ttl: 0,
    set_tos: 0,
    set_prio: [0; 2],
    rt_ifname: IfName([0; 16]),
    v1500: None,
};

fn freebsd_extra(s: &State) -> FreeBsdExtra {
    if let Extra::FreeBsd(extra) = s.extra {
        extra
    } else {
        NOTHING
    }
}

fn freebsd_1400(s: &State) -> Result<[u8; 277], EncodeError> {
    let ((head, core), x) = (head_and_core(s, false), freebsd_extra(s));
    let mut o = Fill::<277>::new();
    o.put::<0, 24>(head)
        .put::<24, 72>(pair(s)?)
        .put::<96, 100>(core)
        .put::<196, 36>(counters(s));
    o.u8::<232>(s.af.octet())
        .u8::<233>(s.proto)
        .u8::<234>(s.direction.octet())
        .be16::<235>(s.state_flags);
    o.u8::<237>(s.log)
        .u8::<239>(s.timeout)
        .u8::<240>(s.sync_flags)
        .u8::<241>(s.updates);
    o.be16::<242>(x.qid)
        .be16::<244>(x.pqid)
        .be16::<246>(x.dnpipe)
        .be16::<248>(x.dnrpipe);
    o.be32::<250>(x.rtableid.cast_unsigned())
        .u8::<254>(x.min_ttl)
        .u8::<255>(x.set_tos)
        .be16::<256>(x.max_mss);
    o.put::<258, 2>(x.set_prio)
        .u8::<260>(x.rt)
        .put::<261, 16>(x.rt_ifname.0);
    Ok(o.done())
}

fn freebsd_1500(s: &State) -> Result<[u8; 360], EncodeError> {
    let ((head, core), x) = (head_and_core(s, false), freebsd_extra(s));
    let mut o = Fill::<360>::new();
    o.put::<0, 24>(head)
        .put::<24, 72>(pair(s)?)
        .put::<96, 100>(core)
        .put::<196, 36>(counters(s));
    o.put::<296, 16>(x.rt_ifname.0)
        .be32::<328>(x.rtableid.cast_unsigned())
        .be16::<332>(s.state_flags);
    o.be16::<334>(x.qid)
        .be16::<336>(x.pqid)
        .be16::<338>(x.dnpipe)
        .be16::<340>(x.dnrpipe)
        .be16::<342>(x.max_mss);
    o.u8::<344>(s.af.octet())
        .u8::<347>(s.proto)
        .u8::<349>(s.log)
        .u8::<350>(s.timeout)
        .u8::<351>(s.direction.octet());
    o.u8::<352>(x.rt)
        .u8::<353>(x.min_ttl)
        .u8::<354>(x.set_tos)
        .put::<355, 2>(x.set_prio);
    if let Some(more) = x.v1500 {
        o.put::<232, 64>(more.tagname).put::<312, 16>(more.orig_ifname.0);
        o.u8::<345>(more.stack_af.octet())
            .u8::<346>(more.rt_af)
            .u8::<348>(more.stack_proto);
    } else {
        // Without translation between families both sides are of one kind, and the state was born where it is.
        o.put::<312, 16>(s.ifname.0).u8::<345>(s.af.octet()).u8::<348>(s.proto);
    }
    Ok(o.done())
}

/// The family octet of one key: its own addresses', in the numbering of the state.
fn key_family(s: &State, e: &Endpoints) -> u8 {
    let [far, _] = e.addr;
    match (far, s.af) {
        (IpAddr::V4(_), _) => 2,
        (IpAddr::V6(_), Family::Inet) => 24,
        (IpAddr::V6(_), af) => af.octet(),
    }
}

fn openbsd(s: &State) -> Result<[u8; 264], EncodeError> {
    let StateKeys::Pair { wire, stack } = &s.keys else {
        return Err(EncodeError::Message);
    };
    let (head, core) = head_and_core(s, false);
    let mut o = Fill::<264>::new();
    o.put::<0, 24>(head).put::<104, 100>(core).put::<204, 36>(counters(s));
    o.put::<24, 36>(endpoints(wire)).u8::<62>(key_family(s, wire));
    o.put::<64, 36>(endpoints(stack)).u8::<102>(key_family(s, stack));
    if let Extra::OpenBsd {
        rdomain,
        stack_rdomain,
        rtableid,
        max_mss,
        rt,
        min_ttl,
        set_tos,
        set_prio,
    } = s.extra
    {
        let [first, second] = rtableid;
        o.be16::<60>(rdomain)
            .be16::<100>(stack_rdomain)
            .be32::<240>(first.cast_unsigned());
        o.be32::<244>(second.cast_unsigned())
            .be16::<248>(max_mss)
            .u8::<254>(rt)
            .u8::<258>(min_ttl);
        o.u8::<259>(set_tos).put::<262, 2>(set_prio);
    } else {
        o.be32::<240>(u32::MAX).be32::<244>(u32::MAX);
    }
    o.u8::<250>(s.af.octet())
        .u8::<251>(s.proto)
        .u8::<252>(s.direction.octet())
        .u8::<253>(s.log)
        .u8::<255>(s.timeout);
    o.u8::<256>(s.sync_flags)
        .u8::<257>(s.updates)
        .be16::<260>(s.state_flags);
    Ok(o.done())
}
