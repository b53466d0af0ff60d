//! What pfsync messages say, as plain data independent of the dialect that carried them.
//!
//! Filled by the decoder, read by trackers, written by the encoder. Holds no reference to the frame.

use core::fmt;
use core::net::IpAddr;

/// State id: 8 opaque octets, unique per creator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub [u8; 8]);

/// Host id of the node that CREATED a state (not of the sender): 4 opaque octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CreatorId(pub [u8; 4]);

impl fmt::Display for StateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Display for CreatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// What names a state everywhere: compared octet by octet, as the kernels do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The state's id.
    pub id: StateId,
    /// Who created it.
    pub creator: CreatorId,
}

/// Address family, whatever number the sender's system has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET` (2 everywhere).
    Inet,
    /// `AF_INET6` (24 on OpenBSD and NetBSD, 28 on FreeBSD and DragonFly, 30 on macOS); the raw octet is kept.
    Inet6(u8),
    /// Anything else, kept as found.
    Unknown(u8),
}

impl Family {
    /// The family for an `AF_*` octet of whatever system.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            2 => Self::Inet,
            24 | 28 | 30 => Self::Inet6(octet),
            other => Self::Unknown(other),
        }
    }

    /// The octet it came from.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::Inet => 2,
            Self::Inet6(octet) | Self::Unknown(octet) => octet,
        }
    }

    /// `self`, unless it is none that we know: older OpenBSD left the octet in the key 0.
    pub(crate) const fn or(self, other: Self) -> Self {
        match self {
            Self::Unknown(_) => other,
            known => known,
        }
    }
}

/// Direction of the packet that created the state, seen from the firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// 1: `PF_IN`.
    In,
    /// 2: `PF_OUT`.
    Out,
    /// 0 (`PF_INOUT`) or anything else.
    Unknown(u8),
}

impl Direction {
    /// The direction for a `PF_IN`/`PF_OUT` octet.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            1 => Self::In,
            2 => Self::Out,
            other => Self::Unknown(other),
        }
    }

    /// The octet it came from.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::In => 1,
            Self::Out => 2,
            Self::Unknown(octet) => octet,
        }
    }
}

/// `struct pfsync_state_scrub`, present when its flag octet says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrub {
    /// `pfss_flags`.
    pub flags: u16,
    /// `pfss_ttl`.
    pub ttl: u8,
    /// `pfss_ts_mod`.
    pub ts_mod: u32,
}

/// `struct pfsync_state_peer`: one side of a state, 32 octets on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Highest sequence end this side has sent.
    pub seqlo: u32,
    /// Right edge of the window that the OTHER side granted.
    pub seqhi: u32,
    /// Modulation offset.
    pub seqdiff: u32,
    /// Largest unscaled window this side ever advertised.
    pub max_win: u16,
    /// MSS option.
    pub mss: u16,
    /// Kernel state number: TCP 0..=12 (`TCPS_*`, `PF_TCPS_PROXY_*`), UDP and other 0..=2 (`PFUDPS_*`, `PFOTHERS_*`).
    pub state: u8,
    /// Raw octet: low 4 bits shift, 0x80 known flag.
    pub wscale: u8,
    /// Scrub part, where valid.
    pub scrub: Option<Scrub>,
}

/// One host on one side: address and port (or ICMP id).
pub type Host = (IpAddr, u16);

/// A `pfsync_state_key`: index 0 is the far (wire) side, 1 the near side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Addresses.
    pub addr: [IpAddr; 2],
    /// Ports in host order.
    pub port: [u16; 2],
}

/// The addresses of a state in the shape its dialect has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKeys {
    /// Versions 4 to 6: as on the wire of `ifname`, and as seen inside the host.
    Pair {
        /// `key[PF_SK_WIRE]`.
        wire: Endpoints,
        /// `key[PF_SK_STACK]`.
        stack: Endpoints,
    },
    /// Versions 2 and 3.
    LanGwyExt {
        /// Real inside host.
        lan: Host,
        /// Translated inside host.
        gwy: Host,
        /// Outside host.
        ext: Host,
    },
}

/// A full state (INS, UPD, DEL and their relatives); keys of dialects that lack a field are `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// Id and creator.
    pub key: Key,
    /// NUL-terminated name, may be `all`.
    pub ifname: IfName,
    /// Addresses.
    pub keys: StateKeys,
    /// Initiator.
    pub src: Peer,
    /// Responder.
    pub dst: Peer,
    /// `rt_addr`, raw.
    pub rt_addr: [u8; 16],
    /// Rule number, `None` for 0xffffffff.
    pub rule: Option<u32>,
    /// Anchor number.
    pub anchor: Option<u32>,
    /// NAT rule number.
    pub nat_rule: Option<u32>,
    /// Seconds since creation on the sender's clock.
    pub age: u32,
    /// Seconds left.
    pub expire: u32,
    /// Packets: [creation direction, reverse].
    pub packets: [u64; 2],
    /// Octets: [creation direction, reverse].
    pub bytes: [u64; 2],
    /// Address family (of the wire side where the dialect has two).
    pub af: Family,
    /// IP protocol (of the wire side).
    pub proto: u8,
    /// Creation direction.
    pub direction: Direction,
    /// `log`.
    pub log: u8,
    /// `PFTM_*`.
    pub timeout: u8,
    /// Flags, 8 or 16 bits; `allow_opts` in versions 2 and 3.
    pub state_flags: u16,
    /// `sync_flags`, 0 where the dialect has none.
    pub sync_flags: u8,
    /// `updates`, 0 where the dialect has none.
    pub updates: u8,
    /// What only some dialects carry.
    pub extra: Extra,
}

/// Fields of `State` that only one dialect has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extra {
    /// Versions 2 to 4, OpenBSD 4.5 and FreeBSD 1301.
    None,
    /// OpenBSD version 6.
    OpenBsd {
        /// `rdomain` of the wire key.
        rdomain: u16,
        /// `rdomain` of the stack key; differs where a rule moves traffic between routing domains.
        stack_rdomain: u16,
        /// `rtableid[2]`.
        rtableid: [i32; 2],
        /// `max_mss`.
        max_mss: u16,
        /// `rt`.
        rt: u8,
        /// `min_ttl`.
        min_ttl: u8,
        /// `set_tos`.
        set_tos: u8,
        /// `set_prio[2]`.
        set_prio: [u8; 2],
    },
    /// FreeBSD 1400 and 1500.
    FreeBsd(FreeBsdExtra),
}

/// What FreeBSD 1400 added and 1500 extended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreeBsdExtra {
    /// `rtableid`.
    pub rtableid: i32,
    /// `qid`.
    pub qid: u16,
    /// `pqid`.
    pub pqid: u16,
    /// `dnpipe`.
    pub dnpipe: u16,
    /// `dnrpipe`.
    pub dnrpipe: u16,
    /// `max_mss`.
    pub max_mss: u16,
    /// `rt`.
    pub rt: u8,
    /// `min_ttl`.
    pub min_ttl: u8,
    /// `set_tos`.
    pub set_tos: u8,
    /// `set_prio[2]`.
    pub set_prio: [u8; 2],
    /// `rt_ifname`.
    pub rt_ifname: IfName,
    /// Only 1500.
    pub v1500: Option<FreeBsd1500>,
}

/// What FreeBSD 1500 alone has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreeBsd1500 {
    /// `tagname`, NUL-padded.
    pub tagname: [u8; 64],
    /// `orig_ifname`.
    pub orig_ifname: IfName,
    /// `stack_af`.
    pub stack_af: Family,
    /// `rt_af`, raw.
    pub rt_af: u8,
    /// `stack_proto`.
    pub stack_proto: u8,
}

/// 16 octets, NUL-terminated, not necessarily UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IfName(pub [u8; 16]);

impl IfName {
    /// The octets before the first NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|&b| b == 0).next().unwrap_or(&[])
    }
}

/// Compressed update: `struct pfsync_upd_c`. Carries no addresses and no counters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdC {
    /// Which state.
    pub key: Key,
    /// Initiator.
    pub src: Peer,
    /// Responder.
    pub dst: Peer,
    /// Seconds left; always 0 from modern senders.
    pub expire: u32,
    /// `PFTM_*`; gives the protocol class.
    pub timeout: u8,
    /// `updates` of versions 2 to 4.
    pub updates: Option<u8>,
}

/// `struct pfsync_clr`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clr {
    /// Empty means all interfaces.
    pub ifname: IfName,
    /// Whose states.
    pub creator: CreatorId,
}

/// Phase of a bulk update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusStatus {
    /// 1
    Start,
    /// 2
    End,
    /// Anything else.
    Unknown(u8),
}

/// `struct pfsync_bus`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bus {
    /// The sender's own host id.
    pub creator: CreatorId,
    /// Seconds since the request was received.
    pub endtime: u32,
    /// Start or end.
    pub status: BusStatus,
}

/// `struct pfsync_tdb`: replay counters of an IPsec SA.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tdb {
    /// SPI.
    pub spi: u32,
    /// Destination, `None` for a family we do not know.
    pub dst: Option<IpAddr>,
    /// Raw `sockaddr_union` (28 octets), so that encoding loses nothing.
    pub dst_raw: [u8; 28],
    /// Replay counter.
    pub rpl: u64,
    /// Octets.
    pub cur_bytes: u64,
    /// IPsec protocol.
    pub sproto: u8,
    /// Updates.
    pub updates: u8,
    /// Routing domain, where the dialect has it.
    pub rdomain: Option<u16>,
}

/// One message of a section.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would make decoding allocate; readers match by reference"
)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// States were flushed.
    Clr(Clr),
    /// INS, UPD, DEL in any full layout; the section's action tells which.
    State(State),
    /// Compressed update.
    UpdC(UpdC),
    /// Compressed delete; versions 2 to 4 also carry the peer states.
    DelC {
        /// Which state.
        key: Key,
        /// `[src.state, dst.state]` of versions 2 to 4.
        states: Option<[u8; 2]>,
    },
    /// Acknowledged insert.
    InsAck(Key),
    /// Request for one state; all-zero = everything.
    UpdReq(Key),
    /// Bulk update status.
    Bus(Bus),
    /// IPsec SA.
    Tdb(Tdb),
}
