//! The small messages: everything but full states, both ways.
//!
//! Called by `section` (reading) and `encode` (writing) with windows of the right size. Knows offsets, judges nothing.
//! Offsets are those of the structs in the kernels' `net/if_pfsync.h`.
//!
//! ```text
//!  peer (32)      0 flags  2 ttl  3 scrub?  4 ts_mod  8 seqlo  12 seqhi  16 seqdiff  20 max_win  22 mss  24 state
//!                 25 wscale  26 pad[6]                      (version 2: 26 scrub?, of some senders 3)
//!  upd_c (84/88)  0 id  8 src  40 dst  72 creatorid  76 expire  80 timeout  81 pad | updates
//!  del_c (12/16)  0 id  8 creatorid  (12 src.state  13 dst.state)
//!  clr (20/24)    0 ifname  16 creatorid
//!  bus (12/16)    0 creatorid  4 endtime  8 status
//!  tdb (48)       0 spi  4 dst[28]  32 rpl (be32)  36 cur_bytes  44 sproto  45 updates  46 (rdomain)
//!  tdb (52)       0 spi  4 dst[28]  32 rpl (be64)  40 cur_bytes  48 sproto  49 updates  50 rdomain
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dialect::Layout;
use crate::message::{Bus, BusStatus, Clr, CreatorId, IfName, Key, Message, Peer, Scrub, StateId, Tdb, UpdC};
use crate::octets::{Fill, Octets};

/// `struct pfsync_state_peer`, whose scrub flag version 2 has in one of two places.
#[inline]
pub(crate) fn peer(o: Octets<'_, 32>, v2: bool) -> Peer {
    let scrub = o.u8::<3>() != 0 || (v2 && o.u8::<26>() != 0);
    Peer {
        seqlo: o.be32::<8>(),
        seqhi: o.be32::<12>(),
        seqdiff: o.be32::<16>(),
        max_win: o.be16::<20>(),
        mss: o.be16::<22>(),
        state: o.u8::<24>(),
        wscale: o.u8::<25>(),
        scrub: scrub.then(|| Scrub {
            flags: o.be16::<0>(),
            ttl: o.u8::<2>(),
            ts_mod: o.be32::<4>(),
        }),
    }
}

/// The octets of a peer.
pub(crate) fn put_peer(peer: &Peer, v2: bool) -> [u8; 32] {
    let mut o = Fill::<32>::new();
    if let Some(scrub) = peer.scrub {
        o.be16::<0>(scrub.flags).u8::<2>(scrub.ttl).be32::<4>(scrub.ts_mod);
        if v2 {
            o.u8::<26>(1)
        } else {
            o.u8::<3>(1)
        };
    }
    o.be32::<8>(peer.seqlo).be32::<12>(peer.seqhi).be32::<16>(peer.seqdiff);
    o.be16::<20>(peer.max_win)
        .be16::<22>(peer.mss)
        .u8::<24>(peer.state)
        .u8::<25>(peer.wscale);
    o.done()
}

/// `struct pfsync_upd_c` of versions 5 and 6.
#[inline]
pub(crate) fn upd_c(octets: &[u8]) -> Option<UpdC> {
    let o = Octets::<84>::new(octets)?;
    Some(UpdC {
        key: Key {
            id: StateId(o.take::<0, 8>()),
            creator: CreatorId(o.take::<72, 4>()),
        },
        src: peer(o.part::<8, 32>(), false),
        dst: peer(o.part::<40, 32>(), false),
        expire: o.be32::<76>(),
        timeout: o.u8::<80>(),
        updates: None,
    })
}

/// `struct pfsync_state_upd` of versions 2 to 4.
pub(crate) fn upd_c_old(octets: &[u8], v2: bool) -> Option<UpdC> {
    let o = Octets::<88>::new(octets)?;
    Some(UpdC {
        key: Key {
            id: StateId(o.take::<0, 8>()),
            creator: CreatorId(o.take::<72, 4>()),
        },
        src: peer(o.part::<8, 32>(), v2),
        dst: peer(o.part::<40, 32>(), v2),
        expire: o.be32::<76>(),
        timeout: o.u8::<80>(),
        updates: Some(o.u8::<81>()),
    })
}

/// The octets of a compressed update, 84 or (versions 2 to 4) 88.
pub(crate) fn put_upd_c<const L: usize>(update: &UpdC, v2: bool) -> [u8; L] {
    let mut o = Fill::<L>::new();
    o.put::<0, 8>(update.key.id.0)
        .put::<8, 32>(put_peer(&update.src, v2))
        .put::<40, 32>(put_peer(&update.dst, v2));
    o.put::<72, 4>(update.key.creator.0)
        .be32::<76>(update.expire)
        .u8::<80>(update.timeout);
    if L == 88 {
        o.u8::<81>(update.updates.unwrap_or(0));
    }
    o.done()
}

/// Id and creator, which open all of the smallest messages.
#[inline]
fn key(octets: &[u8]) -> Option<Key> {
    let o = Octets::<12>::new(octets)?;
    Some(Key {
        id: StateId(o.take::<0, 8>()),
        creator: CreatorId(o.take::<8, 4>()),
    })
}

/// The octets of a message that is a key and, in versions 2 to 4, padding.
pub(crate) fn put_key<const L: usize>(key: Key) -> [u8; L] {
    let mut o = Fill::<L>::new();
    o.put::<0, 8>(key.id.0).put::<8, 4>(key.creator.0);
    o.done()
}

/// The octets of a `DEL_C` of versions 2 to 4.
pub(crate) fn put_del_c_old(key: Key, states: [u8; 2]) -> [u8; 16] {
    let mut o = Fill::<16>::new();
    o.put::<0, 8>(key.id.0).put::<8, 4>(key.creator.0).put::<12, 2>(states);
    o.done()
}

/// `struct pfsync_del_c` of versions 5 and 6.
#[inline]
pub(crate) fn del_c(octets: &[u8]) -> Option<Message> {
    Some(Message::DelC {
        key: key(octets)?,
        states: None,
    })
}

/// Every other small message.
#[inline(never)]
pub(crate) fn small(layout: Layout, octets: &[u8]) -> Option<Message> {
    Some(match layout {
        Layout::InsAck => Message::InsAck(key(octets)?),
        Layout::UpdReq | Layout::UpdReqOld => Message::UpdReq(key(octets)?),
        Layout::DelCOld => {
            let o = Octets::<16>::new(octets)?;
            Message::DelC {
                key: key(octets)?,
                states: Some(o.take::<12, 2>()),
            }
        }
        Layout::Clr | Layout::ClrOld => {
            let o = Octets::<20>::new(octets)?;
            Message::Clr(Clr {
                ifname: IfName(o.take::<0, 16>()),
                creator: CreatorId(o.take::<16, 4>()),
            })
        }
        Layout::Bus | Layout::BusOld => {
            let o = Octets::<12>::new(octets)?;
            let status = match o.u8::<8>() {
                1 => BusStatus::Start,
                2 => BusStatus::End,
                other => BusStatus::Unknown(other),
            };
            Message::Bus(Bus {
                creator: CreatorId(o.take::<0, 4>()),
                endtime: o.be32::<4>(),
                status,
            })
        }
        Layout::Tdb32 | Layout::Tdb32Rdomain => {
            let o = Octets::<48>::new(octets)?;
            Message::Tdb(Tdb {
                spi: o.be32::<0>(),
                dst: sockaddr(o.part::<4, 28>()),
                dst_raw: o.take::<4, 28>(),
                rpl: u64::from(o.be32::<32>()),
                cur_bytes: o.be64::<36>(),
                sproto: o.u8::<44>(),
                updates: o.u8::<45>(),
                rdomain: (layout == Layout::Tdb32Rdomain).then(|| o.be16::<46>()),
            })
        }
        Layout::Tdb64 => {
            let o = Octets::<52>::new(octets)?;
            Message::Tdb(Tdb {
                spi: o.be32::<0>(),
                dst: sockaddr(o.part::<4, 28>()),
                dst_raw: o.take::<4, 28>(),
                rpl: o.be64::<32>(),
                cur_bytes: o.be64::<40>(),
                sproto: o.u8::<48>(),
                updates: o.u8::<49>(),
                rdomain: Some(o.be16::<50>()),
            })
        }
        _ => return None,
    })
}

/// `union sockaddr_union`: length, family, port, then the address (after the flow label in IPv6).
fn sockaddr(o: Octets<'_, 28>) -> Option<IpAddr> {
    match o.u8::<1>() {
        2 => Some(IpAddr::V4(Ipv4Addr::from(o.take::<4, 4>()))),
        24 | 28 | 30 => Some(IpAddr::V6(Ipv6Addr::from(o.take::<8, 16>()))),
        _ => None,
    }
}

/// The octets of a `CLR`.
pub(crate) fn put_clr<const L: usize>(clr: &Clr) -> [u8; L] {
    let mut o = Fill::<L>::new();
    o.put::<0, 16>(clr.ifname.0).put::<16, 4>(clr.creator.0);
    o.done()
}

/// The octets of a `BUS`.
pub(crate) fn put_bus<const L: usize>(bus: &Bus) -> [u8; L] {
    let mut o = Fill::<L>::new();
    let status = match bus.status {
        BusStatus::Start => 1,
        BusStatus::End => 2,
        BusStatus::Unknown(other) => other,
    };
    o.put::<0, 4>(bus.creator.0).be32::<4>(bus.endtime).u8::<8>(status);
    o.done()
}

/// The octets of a `TDB` with a replay counter of 32 bits; `None` when the counter does not fit.
pub(crate) fn put_tdb32(tdb: &Tdb, rdomain: bool) -> Option<[u8; 48]> {
    let mut o = Fill::<48>::new();
    o.be32::<0>(tdb.spi)
        .put::<4, 28>(tdb.dst_raw)
        .be32::<32>(u32::try_from(tdb.rpl).ok()?);
    o.be64::<36>(tdb.cur_bytes).u8::<44>(tdb.sproto).u8::<45>(tdb.updates);
    if rdomain {
        o.be16::<46>(tdb.rdomain.unwrap_or(0));
    }
    Some(o.done())
}

/// The octets of a `TDB` of version 6.
pub(crate) fn put_tdb64(tdb: &Tdb) -> [u8; 52] {
    let mut o = Fill::<52>::new();
    o.be32::<0>(tdb.spi)
        .put::<4, 28>(tdb.dst_raw)
        .be64::<32>(tdb.rpl)
        .be64::<40>(tdb.cur_bytes);
    o.u8::<48>(tdb.sproto)
        .u8::<49>(tdb.updates)
        .be16::<50>(tdb.rdomain.unwrap_or(0));
    o.done()
}
