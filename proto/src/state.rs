//! Full states: seven layouts, both ways.
//!
//! Called by `section` (reading) and `encode` (writing) with windows of the right size. Knows offsets and which values
//! receivers reject; judges nothing else. Offsets are those of `struct pfsync_state` in each system's `net/pfvar.h`.
//!
//! All layouts share a core of 100 octets (peers to `expire`) at 96, or 104 in OpenBSD's version 6; all but version 2
//! continue it with 64-bit counters and the creator. What is around it differs:
//!
//! ```text
//!  core (100)      0 src  32 dst  64 rt_addr  80 rule  84 anchor  88 nat_rule  92 creation  96 expire
//!  counters (36)   0 packets[2]  16 bytes[2]  32 creatorid
//!  v2 (224)        0 id 8 ifname 24 lan 48 gwy 72 ext 96 core  196 packets[2] 204 bytes[2] 212 creatorid  216 af
//!                  217 proto 218 direction 219 log 220 allow_opts 221 timeout 222 sync_flags 223 updates
//!  v3 (240)        as v2 to 195  196 counters  232 af 233 proto 234 direction 235 log 236 allow_opts 237 timeout
//!                  238 sync_flags 239 updates
//!  v4 (240)        0 id 8 ifname 24 wire[36] 60 stack[36] 96 core 196 counters  then as v3 (236 state_flags)
//!  1301 (242)      as v4 to 234  237 log 238 state_flags 239 timeout 240 sync_flags 241 updates
//!  1400 (277)      as v4 to 234  235 state_flags(be16) 237 log 239 timeout 240 sync_flags 241 updates 242 qid
//!                  244 pqid 246 dnpipe 248 dnrpipe 250 rtableid 254 min_ttl 255 set_tos 256 max_mss 258 set_prio
//!                  260 rt 261 rt_ifname
//!  1500 (360)      as v4 to 231  232 tagname 296 rt_ifname 312 orig_ifname 328 rtableid 332 state_flags(be16)
//!                  334 qid 336 pqid 338 dnpipe 340 dnrpipe 342 max_mss 344 wire af 345 stack af 346 rt af
//!                  347 wire proto 348 stack proto 349 log 350 timeout 351 direction 352 rt 353 min_ttl 354 set_tos
//!                  355 set_prio 357 spare
//!  OpenBSD (264)   0 id 8 ifname 24 wire[40] 64 stack[40] 104 core 204 counters  240 rtableid[2] 248 max_mss 250 af
//!                  251 proto 252 direction 253 log 254 rt 255 timeout 256 sync_flags 257 updates 258 min_ttl
//!                  259 set_tos 260 state_flags(be16) 262 set_prio
//!  key (36/40)     0 addr[0] 16 addr[1] 32 port[0] 34 port[1]  (36 rdomain 38 af 39 pad)
//!  host (24)       0 addr 16 port 18 pad[6]
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::body::peer;
use crate::dialect::Layout;
use crate::error::{DecodeError, ErrorKind};
use crate::message::{
    CreatorId, Direction, Endpoints, Extra, Family, FreeBsd1500, FreeBsdExtra, Host, IfName, Key, Peer, State, StateId,
    StateKeys,
};
use crate::octets::Octets;
use crate::section::{STATE_MAX, bad_timeout};

/// What all layouts have in one piece.
struct Core {
    src: Peer,
    dst: Peer,
    rt_addr: [u8; 16],
    rule: Option<u32>,
    anchor: Option<u32>,
    nat_rule: Option<u32>,
    age: u32,
    expire: u32,
}

/// Counters and creator.
struct Counters {
    packets: [u64; 2],
    bytes: [u64; 2],
    creator: CreatorId,
}

/// The single octets that every layout has somewhere.
struct Tail {
    af: Family,
    proto: u8,
    direction: Direction,
    log: u8,
    timeout: u8,
    state_flags: u16,
    sync_flags: u8,
    updates: u8,
}

/// `pf_addr`: IPv4 in the first four octets. An unknown family keeps all sixteen, so that nothing is lost.
fn address(octets: [u8; 16], family: Family) -> IpAddr {
    let [a, b, c, d, ..] = octets;
    match family {
        Family::Inet => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        Family::Inet6(_) | Family::Unknown(_) => IpAddr::V6(Ipv6Addr::from(octets)),
    }
}

/// 0xffffffff stands for "no rule".
const fn number(raw: u32) -> Option<u32> {
    if raw == u32::MAX { None } else { Some(raw) }
}

fn core(o: Octets<'_, 100>, v2: bool) -> Core {
    Core {
        src: peer(o.part::<0, 32>(), v2),
        dst: peer(o.part::<32, 32>(), v2),
        rt_addr: o.take::<64, 16>(),
        rule: number(o.be32::<80>()),
        anchor: number(o.be32::<84>()),
        nat_rule: number(o.be32::<88>()),
        age: o.be32::<92>(),
        expire: o.be32::<96>(),
    }
}

fn counters(o: Octets<'_, 36>) -> Counters {
    Counters {
        packets: [o.be64::<0>(), o.be64::<8>()],
        bytes: [o.be64::<16>(), o.be64::<24>()],
        creator: CreatorId(o.take::<32, 4>()),
    }
}

fn endpoints(o: Octets<'_, 36>, family: Family) -> Endpoints {
    Endpoints {
        addr: [address(o.take::<0, 16>(), family), address(o.take::<16, 16>(), family)],
        port: [o.be16::<32>(), o.be16::<34>()],
    }
}

fn host(o: Octets<'_, 24>, family: Family) -> Host {
    (address(o.take::<0, 16>(), family), o.be16::<16>())
}

fn assemble(head: Octets<'_, 24>, keys: StateKeys, core: Core, counters: Counters, tail: Tail, extra: Extra) -> State {
    State {
        key: Key {
            id: StateId(head.take::<0, 8>()),
            creator: counters.creator,
        },
        ifname: IfName(head.take::<8, 16>()),
        keys,
        src: core.src,
        dst: core.dst,
        rt_addr: core.rt_addr,
        rule: core.rule,
        anchor: core.anchor,
        nat_rule: core.nat_rule,
        age: core.age,
        expire: core.expire,
        packets: counters.packets,
        bytes: counters.bytes,
        af: tail.af,
        proto: tail.proto,
        direction: tail.direction,
        log: tail.log,
        timeout: tail.timeout,
        state_flags: tail.state_flags,
        sync_flags: tail.sync_flags,
        updates: tail.updates,
        extra,
    }
}

/// One full state. `None` when `octets` is shorter than the layout, or the layout is none of a state.
#[inline]
pub(crate) fn decode(layout: Layout, octets: &[u8]) -> Option<State> {
    Some(match layout {
        Layout::StateV2 => v2(Octets::new(octets)?),
        Layout::StateV3 => v3(Octets::new(octets)?),
        Layout::StateV4 => v4(Octets::new(octets)?),
        Layout::State1301 => freebsd_1301(Octets::new(octets)?),
        Layout::State1400 => freebsd_1400(Octets::new(octets)?),
        Layout::State1500 => freebsd_1500(Octets::new(octets)?),
        Layout::StateOpenBsd => openbsd(Octets::new(octets)?),
        _ => return None,
    })
}

/// lan, gwy and ext of versions 2 and 3.
fn hosts(o: Octets<'_, 72>, family: Family) -> StateKeys {
    StateKeys::LanGwyExt {
        lan: host(o.part::<0, 24>(), family),
        gwy: host(o.part::<24, 24>(), family),
        ext: host(o.part::<48, 24>(), family),
    }
}

/// Wire and stack key without routing domains.
fn pair(o: Octets<'_, 72>, wire: Family, stack: Family) -> StateKeys {
    StateKeys::Pair {
        wire: endpoints(o.part::<0, 36>(), wire),
        stack: endpoints(o.part::<36, 36>(), stack),
    }
}

fn v2(o: Octets<'_, 224>) -> State {
    let af = Family::from_octet(o.u8::<216>());
    let counters = Counters {
        packets: [u64::from(o.be32::<196>()), u64::from(o.be32::<200>())],
        bytes: [u64::from(o.be32::<204>()), u64::from(o.be32::<208>())],
        creator: CreatorId(o.take::<212, 4>()),
    };
    let tail = Tail {
        af,
        proto: o.u8::<217>(),
        direction: Direction::from_octet(o.u8::<218>()),
        log: o.u8::<219>(),
        timeout: o.u8::<221>(),
        state_flags: u16::from(o.u8::<220>()),
        sync_flags: o.u8::<222>(),
        updates: o.u8::<223>(),
    };
    let core = core(o.part::<96, 100>(), true);
    assemble(
        o.part::<0, 24>(),
        hosts(o.part::<24, 72>(), af),
        core,
        counters,
        tail,
        Extra::None,
    )
}

/// The last octets of versions 3 and 4.
fn old_tail(o: Octets<'_, 8>) -> Tail {
    Tail {
        af: Family::from_octet(o.u8::<0>()),
        proto: o.u8::<1>(),
        direction: Direction::from_octet(o.u8::<2>()),
        log: o.u8::<3>(),
        timeout: o.u8::<5>(),
        state_flags: u16::from(o.u8::<4>()),
        sync_flags: o.u8::<6>(),
        updates: o.u8::<7>(),
    }
}

fn v3(o: Octets<'_, 240>) -> State {
    let tail = old_tail(o.part::<232, 8>());
    let keys = hosts(o.part::<24, 72>(), tail.af);
    let core = core(o.part::<96, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<196, 36>()),
        tail,
        Extra::None,
    )
}

fn v4(o: Octets<'_, 240>) -> State {
    let tail = old_tail(o.part::<232, 8>());
    let keys = pair(o.part::<24, 72>(), tail.af, tail.af);
    let core = core(o.part::<96, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<196, 36>()),
        tail,
        Extra::None,
    )
}

fn freebsd_1301(o: Octets<'_, 242>) -> State {
    let af = Family::from_octet(o.u8::<232>());
    let tail = Tail {
        af,
        proto: o.u8::<233>(),
        direction: Direction::from_octet(o.u8::<234>()),
        log: o.u8::<237>(),
        timeout: o.u8::<239>(),
        state_flags: u16::from(o.u8::<238>()),
        sync_flags: o.u8::<240>(),
        updates: o.u8::<241>(),
    };
    let keys = pair(o.part::<24, 72>(), af, af);
    let core = core(o.part::<96, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<196, 36>()),
        tail,
        Extra::None,
    )
}

fn freebsd_1400(o: Octets<'_, 277>) -> State {
    let af = Family::from_octet(o.u8::<232>());
    let tail = Tail {
        af,
        proto: o.u8::<233>(),
        direction: Direction::from_octet(o.u8::<234>()),
        log: o.u8::<237>(),
        timeout: o.u8::<239>(),
        state_flags: o.be16::<235>(),
        sync_flags: o.u8::<240>(),
        updates: o.u8::<241>(),
    };
    let extra = FreeBsdExtra {
        rtableid: o.be32::<250>().cast_signed(),
        qid: o.be16::<242>(),
        pqid: o.be16::<244>(),
        dnpipe: o.be16::<246>(),
        dnrpipe: o.be16::<248>(),
        max_mss: o.be16::<256>(),
        rt: o.u8::<260>(),
        min_ttl: o.u8::<254>(),
        set_tos: o.u8::<255>(),
        set_prio: o.take::<258, 2>(),
        rt_ifname: IfName(o.take::<261, 16>()),
        v1500: None,
    };
    let keys = pair(o.part::<24, 72>(), af, af);
    let core = core(o.part::<96, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<196, 36>()),
        tail,
        Extra::FreeBsd(extra),
    )
}

fn freebsd_1500(o: Octets<'_, 360>) -> State {
    let wire_af = Family::from_octet(o.u8::<344>());
    let stack_af = Family::from_octet(o.u8::<345>());
    let tail = Tail {
        af: wire_af,
        proto: o.u8::<347>(),
        direction: Direction::from_octet(o.u8::<351>()),
        log: o.u8::<349>(),
        timeout: o.u8::<350>(),
        state_flags: o.be16::<332>(),
        sync_flags: 0,
        updates: 0,
    };
    let extra = FreeBsdExtra {
        rtableid: o.be32::<328>().cast_signed(),
        qid: o.be16::<334>(),
        pqid: o.be16::<336>(),
        dnpipe: o.be16::<338>(),
        dnrpipe: o.be16::<340>(),
        max_mss: o.be16::<342>(),
        rt: o.u8::<352>(),
        min_ttl: o.u8::<353>(),
        set_tos: o.u8::<354>(),
        set_prio: o.take::<355, 2>(),
        rt_ifname: IfName(o.take::<296, 16>()),
        v1500: Some(FreeBsd1500 {
            tagname: o.take::<232, 64>(),
            orig_ifname: IfName(o.take::<312, 16>()),
            stack_af,
            rt_af: o.u8::<346>(),
            stack_proto: o.u8::<348>(),
        }),
    };
    let keys = pair(o.part::<24, 72>(), wire_af, stack_af.or(wire_af));
    let core = core(o.part::<96, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<196, 36>()),
        tail,
        Extra::FreeBsd(extra),
    )
}

fn openbsd(o: Octets<'_, 264>) -> State {
    let af = Family::from_octet(o.u8::<250>());
    let tail = Tail {
        af,
        proto: o.u8::<251>(),
        direction: Direction::from_octet(o.u8::<252>()),
        log: o.u8::<253>(),
        timeout: o.u8::<255>(),
        state_flags: o.be16::<260>(),
        sync_flags: o.u8::<256>(),
        updates: o.u8::<257>(),
    };
    let (wire, stack) = (o.part::<24, 40>(), o.part::<64, 40>());
    let keys = StateKeys::Pair {
        wire: endpoints(wire.part::<0, 36>(), Family::from_octet(wire.u8::<38>()).or(af)),
        stack: endpoints(stack.part::<0, 36>(), Family::from_octet(stack.u8::<38>()).or(af)),
    };
    let extra = Extra::OpenBsd {
        rdomain: wire.be16::<36>(),
        stack_rdomain: stack.be16::<36>(),
        rtableid: [o.be32::<240>().cast_signed(), o.be32::<244>().cast_signed()],
        max_mss: o.be16::<248>(),
        rt: o.u8::<254>(),
        min_ttl: o.u8::<258>(),
        set_tos: o.u8::<259>(),
        set_prio: o.take::<262, 2>(),
    };
    let core = core(o.part::<104, 100>(), false);
    assemble(
        o.part::<0, 24>(),
        keys,
        core,
        counters(o.part::<204, 36>()),
        tail,
        extra,
    )
}

/// What every receiver checks before it takes a state (`pf_state_import`): the first value that it would reject.
#[inline]
pub(crate) fn refused(layout: Layout, state: &State, timeouts: u8, offset: u32) -> Option<DecodeError> {
    let af_known = !matches!(state.af, Family::Unknown(_));
    let direction_known = !matches!(state.direction, Direction::Unknown(3..));
    let states_known = state.src.state <= STATE_MAX && state.dst.state <= STATE_MAX;
    if states_known && state.timeout < timeouts && af_known && direction_known {
        return None;
    }
    let core = if layout == Layout::StateOpenBsd { 104 } else { 96 };
    let (af, direction, timeout) = match layout {
        Layout::StateV2 => (216, 218, 221),
        Layout::StateV3 | Layout::StateV4 => (232, 234, 237),
        Layout::State1500 => (344, 351, 350),
        Layout::StateOpenBsd => (250, 252, 255),
        _ => (232, 234, 239),
    };
    let at = |field: usize| (offset as usize).saturating_add(field);
    let error = |field, detail| DecodeError::new(ErrorKind::Badval, at(field), detail);
    // What no kernel sends comes first, so that it is not hidden behind what some do.
    Some(if !direction_known {
        error(direction, "unknown direction")
    } else if state.src.state > STATE_MAX {
        error(core + 24, "unknown state of the initiator")
    } else if state.dst.state > STATE_MAX {
        error(core + 32 + 24, "unknown state of the responder")
    } else if state.timeout >= timeouts {
        bad_timeout(state.timeout, at(timeout))
    } else {
        error(af, "unknown address family").unless(true)
    })
}
