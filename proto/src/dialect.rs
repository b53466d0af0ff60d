//! Who says what with which number: action codes and body layouts of every dialect.
//!
//! Owns the two tables (code -> meaning for the decoder, meaning -> code for the encoder); a test holds them together.
//! Knows sizes, not fields: those are in `state` and `body`.

/// A way of speaking pfsync: version octet plus what the version octet does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenBSD 3.5 to 3.7, FreeBSD 6: 4-octet header, states of 224 octets with 32-bit counters.
    V2,
    /// OpenBSD 3.8 to 4.3, NetBSD, FreeBSD 7 and 8: states of 240 octets with lan/gwy/ext hosts.
    V3,
    /// OpenBSD 4.4, DragonFly: states of 240 octets with wire and stack keys.
    V4,
    /// OpenBSD 4.5 and 4.6: version 5 with the states of version 4.
    OpenBsd45,
    /// FreeBSD 9 to 13 (and later by `ifconfig pfsync0 version 1301`): version 5, states of 242 octets.
    FreeBsd1301,
    /// FreeBSD 14: version 5, states of 277 octets.
    FreeBsd1400,
    /// FreeBSD 15: version 5, states of 360 octets.
    FreeBsd1500,
    /// OpenBSD 4.7 and later: version 6, states of 264 octets.
    OpenBsd6,
}

impl Dialect {
    /// Every dialect, oldest first.
    pub const ALL: [Self; 8] = [
        Self::V2,
        Self::V3,
        Self::V4,
        Self::OpenBsd45,
        Self::FreeBsd1301,
        Self::FreeBsd1400,
        Self::FreeBsd1500,
        Self::OpenBsd6,
    ];

    /// The version octet (`PFSYNC_VERSION`).
    #[must_use]
    pub const fn version(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
            Self::OpenBsd45 | Self::FreeBsd1301 | Self::FreeBsd1400 | Self::FreeBsd1500 => 5,
            Self::OpenBsd6 => 6,
        }
    }

    /// The number that this dialect has for `action`, and how its messages are laid out.
    pub(crate) fn code(self, action: Action) -> Option<(u8, Layout)> {
        (0..=16).find_map(|code| {
            let (found, layout) = lookup(self.version(), code)?;
            let layout = match (self, layout) {
                (Self::OpenBsd45, Layout::State1301) => Layout::StateV4,
                _ => layout,
            };
            let mine = match layout {
                Layout::State1301 => self == Self::FreeBsd1301,
                Layout::State1400 => self == Self::FreeBsd1400,
                Layout::State1500 => self == Self::FreeBsd1500,
                _ => true,
            };
            (found == action && mine).then_some((code, layout))
        })
    }

    /// Whether this dialect has `action` with a body that can be written.
    #[must_use]
    pub fn speaks(self, action: Action) -> bool {
        self.code(action).is_some_and(|(_, layout)| layout != Layout::Skipped)
    }
}

/// What a section is about, whatever number the dialect has for it (`PFSYNC_ACT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// States were flushed.
    Clr,
    /// New states.
    Ins,
    /// Inserts that were acknowledged.
    InsAck,
    /// Full updates.
    Upd,
    /// Compressed updates.
    UpdC,
    /// Requests for states.
    UpdReq,
    /// Full deletes.
    Del,
    /// Compressed deletes.
    DelC,
    /// Inserted fragment: has a number, is never sent.
    InsF,
    /// Deleted fragment: has a number, is never sent.
    DelF,
    /// Bulk update status.
    Bus,
    /// IPsec replay counters.
    Tdb,
    /// IPsec replay counters in the retired 48-octet form of version 6.
    Otdb,
    /// End of a version 5 frame.
    Eof,
    /// Retired insert of version 6: skipped by receivers.
    Oins,
    /// Retired update of version 6: skipped by receivers.
    Oupd,
    /// A code that the version does not have.
    Unknown,
}

impl Action {
    /// The kernel's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clr => "CLR",
            Self::Ins => "INS",
            Self::InsAck => "INS_ACK",
            Self::Upd => "UPD",
            Self::UpdC => "UPD_C",
            Self::UpdReq => "UPD_REQ",
            Self::Del => "DEL",
            Self::DelC => "DEL_C",
            Self::InsF => "INS_F",
            Self::DelF => "DEL_F",
            Self::Bus => "BUS",
            Self::Tdb => "TDB",
            Self::Otdb => "OTDB",
            Self::Eof => "EOF",
            Self::Oins => "OINS",
            Self::Oupd => "OUPD",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl core::fmt::Display for Action {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// How one message is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// No body that anybody reads: EOF, retired actions.
    Skipped,
    /// `pfsync_clr`; versions 2 to 4 pad it.
    Clr,
    ClrOld,
    /// Full states.
    StateV2,
    StateV3,
    StateV4,
    State1301,
    State1400,
    State1500,
    StateOpenBsd,
    /// `pfsync_upd_c`.
    UpdC,
    UpdCV2,
    UpdCOld,
    /// `pfsync_del_c`.
    DelC,
    DelCOld,
    /// `pfsync_ins_ack`.
    InsAck,
    /// `pfsync_upd_req`; versions 2 to 4 pad it.
    UpdReq,
    UpdReqOld,
    /// `pfsync_bus`; versions 2 to 4 pad it.
    Bus,
    BusOld,
    /// `pfsync_tdb` with a 32-bit replay counter, without and with a routing domain, and with 64 bits.
    Tdb32,
    Tdb32Rdomain,
    Tdb64,
}

impl Layout {
    /// Octets of one message: `sizeof` the struct.
    #[inline]
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Skipped => 0,
            Self::Clr => 20,
            Self::ClrOld => 24,
            Self::StateV2 => 224,
            Self::StateV3 | Self::StateV4 => 240,
            Self::State1301 => 242,
            Self::State1400 => 277,
            Self::State1500 => 360,
            Self::StateOpenBsd => 264,
            Self::UpdC => 84,
            Self::UpdCV2 | Self::UpdCOld => 88,
            Self::DelC | Self::InsAck | Self::UpdReq | Self::Bus => 12,
            Self::DelCOld | Self::UpdReqOld | Self::BusOld => 16,
            Self::Tdb32 | Self::Tdb32Rdomain => 48,
            Self::Tdb64 => 52,
        }
    }
}

/// What `code` means in `version`. `None`: no such code. Version 5 states of codes 1, 3 and 6 are said to be FreeBSD's;
/// OpenBSD 4.5 is told apart by walking the frame. INS_F and DEL_F have a name but no layout anybody wrote down.
#[inline]
pub(crate) const fn lookup(version: u8, code: u8) -> Option<(Action, Layout)> {
    use Action as A;
    use Layout as L;
    Some(match (version, code) {
        (2, 0) | (3, 0) | (4, 0) => (A::Clr, L::ClrOld),
        (2, 1) => (A::Ins, L::StateV2),
        (2, 2) => (A::Upd, L::StateV2),
        (2, 3) => (A::Del, L::StateV2),
        (3, 1) => (A::Ins, L::StateV3),
        (3, 2) => (A::Upd, L::StateV3),
        (3, 3) => (A::Del, L::StateV3),
        (4, 1) => (A::Ins, L::StateV4),
        (4, 2) => (A::Upd, L::StateV4),
        (4, 3) => (A::Del, L::StateV4),
        (2, 4) => (A::UpdC, L::UpdCV2),
        (3 | 4, 4) => (A::UpdC, L::UpdCOld),
        (2..=4, 5) => (A::DelC, L::DelCOld),
        (2..=4, 8) => (A::UpdReq, L::UpdReqOld),
        (2..=4, 9) => (A::Bus, L::BusOld),
        (3 | 4, 10) => (A::Tdb, L::Tdb32),

        (5 | 6, 0) => (A::Clr, L::Clr),
        (5 | 6, 2) => (A::InsAck, L::InsAck),
        (5 | 6, 4) => (A::UpdC, L::UpdC),
        (5 | 6, 5) => (A::UpdReq, L::UpdReq),
        (5 | 6, 7) => (A::DelC, L::DelC),
        (5 | 6, 10) => (A::Bus, L::Bus),
        (5 | 6, 12) => (A::Eof, L::Skipped),

        (5, 1) => (A::Ins, L::State1301),
        (5, 3) => (A::Upd, L::State1301),
        (5, 6) => (A::Del, L::State1301),
        (5, 11) => (A::Tdb, L::Tdb32),
        (5, 13) => (A::Ins, L::State1400),
        (5, 14) => (A::Upd, L::State1400),
        (5, 15) => (A::Ins, L::State1500),
        (5, 16) => (A::Upd, L::State1500),

        (6, 1) => (A::Oins, L::Skipped),
        (6, 3) => (A::Oupd, L::Skipped),
        (6, 6) => (A::Del, L::StateOpenBsd),
        (6, 11) => (A::Otdb, L::Tdb32Rdomain),
        (6, 13) => (A::Ins, L::StateOpenBsd),
        (6, 14) => (A::Upd, L::StateOpenBsd),
        (6, 15) => (A::Tdb, L::Tdb64),
        _ => return None,
    })
}

/// The name of a code that no receiver accepts: INS_F and DEL_F are numbered everywhere and sent nowhere.
#[inline]
pub(crate) const fn refused_name(version: u8, code: u8) -> Action {
    match (version, code) {
        (2..=4, 6) | (5 | 6, 8) => Action::InsF,
        (2..=4, 7) | (5 | 6, 9) => Action::DelF,
        _ => Action::Unknown,
    }
}
