//! Arbitrary messages for proptest: everything that a dialect can hold, sensible or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pfsync_proto::message::{Extra, FreeBsd1500, FreeBsdExtra, IfName, Scrub};
use pfsync_proto::{
    Action, Bus, BusStatus, Clr, CreatorId, Dialect, Direction, Endpoints, Family, Key, Message, Peer, State, StateId,
    StateKeys, Tdb, UpdC,
};
use proptest::prelude::*;

/// A frame: sections of messages.
pub(crate) type Sections = Vec<(Action, Vec<Message>)>;

/// Every action, whether or not a dialect has it.
pub(crate) const ACTIONS: [Action; 16] = [
    Action::Clr,
    Action::Ins,
    Action::InsAck,
    Action::Upd,
    Action::UpdC,
    Action::UpdReq,
    Action::Del,
    Action::DelC,
    Action::InsF,
    Action::DelF,
    Action::Bus,
    Action::Tdb,
    Action::Otdb,
    Action::Eof,
    Action::Oins,
    Action::Oupd,
];

fn key() -> impl Strategy<Value = Key> {
    any::<([u8; 8], [u8; 4])>().prop_map(|(id, creator)| Key {
        id: StateId(id),
        creator: CreatorId(creator),
    })
}

fn peer() -> impl Strategy<Value = Peer> {
    let scrub = any::<Option<(u16, u8, u32)>>();
    (any::<([u32; 3], [u16; 2], u8, u8)>(), scrub).prop_map(|(([lo, hi, diff], [win, mss], state, wscale), scrub)| {
        Peer {
            seqlo: lo,
            seqhi: hi,
            seqdiff: diff,
            max_win: win,
            mss,
            state,
            wscale,
            scrub: scrub.map(|(flags, ttl, ts_mod)| Scrub { flags, ttl, ts_mod }),
        }
    })
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![
        3 => Just(Family::Inet),
        3 => prop::sample::select(vec![24, 28, 30]).prop_map(Family::Inet6),
        1 => any::<u8>().prop_map(Family::from_octet),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![
        Just(Direction::In),
        Just(Direction::Out),
        Just(Direction::Unknown(0)),
        (3..=255_u8).prop_map(Direction::Unknown)
    ]
}

/// An address as a layout without families of its own keeps it: IPv4, or sixteen octets.
fn address(four: bool, octets: [u8; 16]) -> IpAddr {
    if four {
        let [a, b, c, d, ..] = octets;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    } else {
        IpAddr::V6(Ipv6Addr::from(octets))
    }
}

fn endpoints() -> impl Strategy<Value = ([[u8; 16]; 2], [u16; 2])> {
    any::<([[u8; 16]; 2], [u16; 2])>()
}

fn number() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), (0..u32::MAX).prop_map(Some)]
}

fn extra(dialect: Dialect) -> BoxedStrategy<Extra> {
    let freebsd = any::<(i32, [u16; 5], [u8; 5], [u8; 16])>().prop_map(
        |(rtableid, [qid, pqid, dnpipe, dnrpipe, max_mss], [rt, min_ttl, set_tos, p0, p1], name)| FreeBsdExtra {
            rtableid,
            qid,
            pqid,
            dnpipe,
            dnrpipe,
            max_mss,
            rt,
            min_ttl,
            set_tos,
            set_prio: [p0, p1],
            rt_ifname: IfName(name),
            v1500: None,
        },
    );
    match dialect {
        Dialect::OpenBsd6 => any::<([u16; 3], [i32; 2], [u8; 3], [u8; 2])>()
            .prop_map(
                |([rdomain, stack_rdomain, max_mss], rtableid, [rt, min_ttl, set_tos], set_prio)| Extra::OpenBsd {
                    rdomain,
                    stack_rdomain,
                    rtableid,
                    max_mss,
                    rt,
                    min_ttl,
                    set_tos,
                    set_prio,
                },
            )
            .boxed(),
        Dialect::FreeBsd1400 => freebsd.prop_map(Extra::FreeBsd).boxed(),
        Dialect::FreeBsd1500 => (freebsd, any::<([[u8; 32]; 2], [u8; 16], u8, u8)>(), family())
            .prop_map(|(extra, (tag, orig, rt_af, stack_proto), stack_af)| {
                let mut tagname = [0; 64];
                for (slot, octet) in tagname.iter_mut().zip(tag.as_flattened()) {
                    *slot = *octet;
                }
                let v1500 = Some(FreeBsd1500 {
                    tagname,
                    orig_ifname: IfName(orig),
                    stack_af,
                    rt_af,
                    stack_proto,
                });
                Extra::FreeBsd(FreeBsdExtra { v1500, ..extra })
            })
            .boxed(),
        _ => Just(Extra::None).boxed(),
    }
}

/// Which side's addresses are IPv4: told by the state's family, or by each key's own.
fn four(dialect: Dialect, af: Family, extra: &Extra, free: [bool; 2]) -> [bool; 2] {
    let wire = af == Family::Inet;
    match (dialect, extra) {
        (Dialect::OpenBsd6, _) => free,
        (_, Extra::FreeBsd(FreeBsdExtra { v1500: Some(more), .. })) => match more.stack_af {
            Family::Unknown(_) => [wire, wire],
            known => [wire, known == Family::Inet],
        },
        _ => [wire, wire],
    }
}

pub(crate) fn state(dialect: Dialect) -> impl Strategy<Value = State> {
    let counters = any::<([u64; 2], [u64; 2])>();
    let octets = any::<(u8, u8, u8, u16, u8, u8)>();
    (
        (key(), any::<[u8; 16]>(), peer(), peer(), any::<[u8; 16]>()),
        (number(), number(), number(), any::<[u32; 2]>(), counters),
        (family(), direction(), octets, extra(dialect)),
        (endpoints(), endpoints(), any::<([u8; 16], u16)>(), any::<[bool; 2]>()),
    )
        .prop_map(move |(head, numbers, tail, (wire, stack, third, free))| {
            let (key, ifname, src, dst, rt_addr) = head;
            let (rule, anchor, nat_rule, [age, expire], (packets, bytes)) = numbers;
            let (af, direction, (proto, log, timeout, state_flags, sync_flags, updates), extra) = tail;
            let [wire4, stack4] = four(dialect, af, &extra, free);
            let ends = |(addr, port): ([[u8; 16]; 2], [u16; 2]), four| Endpoints {
                addr: addr.map(|octets| address(four, octets)),
                port,
            };
            let keys = if matches!(dialect, Dialect::V2 | Dialect::V3) {
                let ([lan, gwy], [lan_port, gwy_port]) = wire;
                StateKeys::LanGwyExt {
                    lan: (address(wire4, lan), lan_port),
                    gwy: (address(wire4, gwy), gwy_port),
                    ext: (address(wire4, third.0), third.1),
                }
            } else {
                StateKeys::Pair {
                    wire: ends(wire, wire4),
                    stack: ends(stack, stack4),
                }
            };
            let short = |v: [u64; 2]| if dialect == Dialect::V2 { v.map(|n| n >> 32) } else { v };
            let wide_flags = matches!(dialect, Dialect::OpenBsd6 | Dialect::FreeBsd1400 | Dialect::FreeBsd1500);
            let has_sync = dialect != Dialect::FreeBsd1500;
            State {
                key,
                ifname: IfName(ifname),
                keys,
                src,
                dst,
                rt_addr,
                rule,
                anchor,
                nat_rule,
                age,
                expire,
                packets: short(packets),
                bytes: short(bytes),
                af,
                proto,
                direction,
                log,
                timeout,
                state_flags: if wide_flags { state_flags } else { state_flags & 0xff },
                sync_flags: if has_sync { sync_flags } else { 0 },
                updates: if has_sync { updates } else { 0 },
                extra,
            }
        })
}

fn tdb(wide: bool, rdomain: bool) -> impl Strategy<Value = Message> {
    let family = prop::sample::select(vec![2, 24, 28, 30, 0, 99_u8]);
    (any::<([u8; 28], u32, u64, u64, u8, u8, u16)>(), family).prop_map(
        move |((mut raw, spi, rpl, cur_bytes, sproto, updates, domain), family)| {
            raw[1] = family;
            let dst = match family {
                2 => Some(IpAddr::from(<[u8; 4]>::try_from(&raw[4..8]).unwrap())),
                24 | 28 | 30 => Some(IpAddr::from(<[u8; 16]>::try_from(&raw[8..24]).unwrap())),
                _ => None,
            };
            let rpl = if wide { rpl } else { rpl >> 32 };
            let rdomain = rdomain.then_some(domain);
            Message::Tdb(Tdb {
                spi,
                dst,
                dst_raw: raw,
                rpl,
                cur_bytes,
                sproto,
                updates,
                rdomain,
            })
        },
    )
}

/// A message of `action` as `dialect` can say it.
pub(crate) fn message(dialect: Dialect, action: Action) -> BoxedStrategy<Message> {
    let old = dialect.version() < 5;
    match action {
        Action::Ins | Action::Upd | Action::Del => state(dialect).prop_map(Message::State).boxed(),
        Action::UpdC => (key(), peer(), peer(), any::<(u32, u8, u8)>())
            .prop_map(move |(key, src, dst, (expire, timeout, updates))| {
                Message::UpdC(UpdC {
                    key,
                    src,
                    dst,
                    expire,
                    timeout,
                    updates: old.then_some(updates),
                })
            })
            .boxed(),
        Action::DelC => (key(), any::<[u8; 2]>())
            .prop_map(move |(key, states)| Message::DelC {
                key,
                states: old.then_some(states),
            })
            .boxed(),
        Action::InsAck => key().prop_map(Message::InsAck).boxed(),
        Action::UpdReq => key().prop_map(Message::UpdReq).boxed(),
        Action::Clr => any::<([u8; 16], [u8; 4])>()
            .prop_map(|(name, creator)| {
                Message::Clr(Clr {
                    ifname: IfName(name),
                    creator: CreatorId(creator),
                })
            })
            .boxed(),
        Action::Bus => (
            any::<([u8; 4], u32)>(),
            prop_oneof![
                Just(BusStatus::Start),
                Just(BusStatus::End),
                Just(BusStatus::Unknown(0)),
                (3..=255_u8).prop_map(BusStatus::Unknown)
            ],
        )
            .prop_map(|((creator, endtime), status)| {
                Message::Bus(Bus {
                    creator: CreatorId(creator),
                    endtime,
                    status,
                })
            })
            .boxed(),
        Action::Tdb => tdb(dialect == Dialect::OpenBsd6, dialect == Dialect::OpenBsd6).boxed(),
        Action::Otdb => tdb(false, true).boxed(),
        other => panic!("{other} has no messages"),
    }
}

/// The actions of a dialect.
pub(crate) fn actions(dialect: Dialect) -> Vec<Action> {
    ACTIONS.into_iter().filter(|action| dialect.speaks(*action)).collect()
}

fn section(dialect: Dialect) -> impl Strategy<Value = (Action, Vec<Message>)> {
    prop::sample::select(actions(dialect)).prop_flat_map(move |action| {
        prop::collection::vec(message(dialect, action), 1..4).prop_map(move |messages| (action, messages))
    })
}

/// A whole frame of any dialect.
pub(crate) fn frame() -> impl Strategy<Value = (Dialect, [u8; 16], Sections)> {
    prop::sample::select(Dialect::ALL.to_vec()).prop_flat_map(|dialect| {
        let most = if dialect.version() < 5 { 1 } else { 4 };
        (
            Just(dialect),
            any::<[u8; 16]>(),
            prop::collection::vec(section(dialect), 1..=most),
        )
    })
}
