//! VRRP advertisements, versions 2 and 3 (RFC 3768, RFC 5798): what keepalived and routers speak, and FreeBSD's carp(4)
//! with `carpver 3`.
//!
//! Called by `carp`, which tells the protocols apart, and by whoever writes advertisements. Never decides whether one is to be
//! believed: nothing in VRRP is signed.
//!
//! ```text
//!  VRRPv2       0 0x21  1 vrid  2 prio  3 naddr  4 auth type  5 interval (s)  6 checksum  8 addresses, 8 octets auth
//!  VRRPv3       0 0x31  1 vrid  2 prio  3 naddr  4 interval (12 bits, cs)     6 checksum  8 addresses
//!  pseudo       IPv4: source, destination, 0, 112, length (be16)     IPv6: source, destination, length (be32), 0[3], 112
//! ```

use core::net::IpAddr;
use core::time::Duration;

use crate::checksum::checksum;
use crate::encode::EncodeError;
use crate::error::{DecodeError, ErrorKind};
use crate::octets::{Fill, Octets};

/// Octets in front of the addresses.
const HEADER: usize = 8;
/// Octets of authentication data behind the addresses of version 2.
const AUTH: usize = 8;
/// What an interval of 0, which no sender may use, is taken for: the default of both versions.
const DEFAULT: Duration = Duration::from_secs(1);

/// Source and destination of the datagram that carried an advertisement.
pub type Ends = (IpAddr, IpAddr);

/// One VRRP advertisement, without the addresses in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vrrp {
    /// 2 or 3.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority, higher wins; 0 leaves, 255 owns the addresses.
    pub prio: u8,
    /// How many addresses are promised.
    pub naddr: u8,
    /// Authentication type of version 2 (0 none, 1 password, 2 AH); 0 in version 3, which has none.
    pub auth_type: u8,
    /// Time between advertisements as it stands there: seconds (8 bits) in version 2, centiseconds (12 bits) in version 3.
    pub adver_int: u16,
    /// Whether the checksum is right; receivers drop the others. Version 3 over IPv6 can only be checked with the [`Ends`].
    pub cksum_ok: bool,
}

impl Vrrp {
    /// Decodes a payload that is known to be VRRP; [`Proto112::decode`](crate::Proto112::decode) finds out. Octets behind
    /// what is promised are tolerated.
    ///
    /// # Errors
    /// `hdrops` when shorter than the fixed part, `badver` for versions other than 2 and 3 and what is no advertisement,
    /// `badlen` when there are fewer addresses than promised.
    pub fn decode(payload: &[u8], ends: Option<Ends>) -> Result<Self, DecodeError> {
        let Some(o) = Octets::<HEADER>::new(payload) else {
            let detail = "shorter than a VRRP advertisement";
            return Err(DecodeError::new(ErrorKind::Hdrops, payload.len(), detail));
        };
        let version = match o.u8::<0>() {
            0x21 => 2,
            0x31 => 3,
            _ => return Err(DecodeError::new(ErrorKind::Badver, 0, "not a VRRP advertisement")),
        };
        let naddr = o.u8::<3>();
        if payload.len() < HEADER + 4 * usize::from(naddr) {
            return Err(DecodeError::new(ErrorKind::Badlen, 3, "fewer addresses than promised"));
        }
        let (auth_type, adver_int) = if version == 2 {
            (o.u8::<4>(), u16::from(o.u8::<5>()))
        } else {
            (0, o.be16::<4>() & 0x0fff)
        };
        Ok(Self {
            version,
            vrid: o.u8::<1>(),
            prio: o.u8::<2>(),
            naddr,
            auth_type,
            adver_int,
            cksum_ok: verified(version, naddr, payload, ends),
        })
    }

    /// The sender leaves (priority 0).
    #[must_use]
    pub fn bow_out(&self) -> bool {
        self.prio == 0
    }

    /// Time between two advertisements of this sender, never zero: 0 is no interval, and counts as the default of 1 s.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let interval = u32::from(self.adver_int) * self.unit();
        if interval.is_zero() { DEFAULT } else { interval }
    }

    /// How long others wait for its next advertisement before they take over: three intervals, and less than one more the
    /// higher ITS priority is.
    #[must_use]
    pub fn master_down(&self) -> Duration {
        let whole = if self.version == 2 { DEFAULT } else { self.interval() };
        3 * self.interval() + whole * (256 - u32::from(self.prio)) / 256
    }

    const fn unit(&self) -> Duration {
        if self.version == 2 {
            Duration::from_secs(1)
        } else {
            Duration::from_millis(10)
        }
    }

    /// Writes this advertisement with `addresses` (of one family, IPv4 in version 2) into `buf` and returns its length: with
    /// their number and a right checksum, whatever `naddr` and `cksum_ok` say, and without authentication data. In version 3
    /// the checksum covers the `ends`, where they are given.
    ///
    /// # Errors
    /// [`EncodeError::Range`] for what version or fields cannot hold, [`EncodeError::Full`] when `buf` is too short.
    pub fn encode(&self, addresses: &[IpAddr], ends: Option<Ends>, buf: &mut [u8]) -> Result<usize, EncodeError> {
        let naddr = u8::try_from(addresses.len()).map_err(|_| EncodeError::Range)?;
        let mut head = Fill::<HEADER>::new();
        head.u8::<1>(self.vrid).u8::<2>(self.prio).u8::<3>(naddr);
        match (self.version, u8::try_from(self.adver_int)) {
            (2, Ok(seconds)) => head.u8::<0>(0x21).u8::<4>(self.auth_type).u8::<5>(seconds),
            (3, _) if self.adver_int <= 0x0fff => head.u8::<0>(0x31).be16::<4>(self.adver_int),
            _ => return Err(EncodeError::Range),
        };
        let v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
        if addresses.iter().any(|a| a.is_ipv6() != v6) || (v6 && self.version == 2) {
            return Err(EncodeError::Range);
        }
        let length = promised(self.version, naddr, v6);
        let out = buf.get_mut(..length).ok_or(EncodeError::Full)?;
        out.fill(0);
        let mut rest = &mut *out;
        put(&mut rest, &head.done());
        for address in addresses {
            match address {
                IpAddr::V4(a) => put(&mut rest, &a.octets()),
                IpAddr::V6(a) => put(&mut rest, &a.octets()),
            }
        }
        let covered = ends.filter(|_| self.version == 3);
        let sum = covered.map_or_else(|| checksum(&[out]), |ends| with_pseudo(ends, out));
        head.be16::<6>(sum);
        put(&mut &mut *out, &head.done());
        Ok(length)
    }
}

/// Writes `octets` to the front of `rest` and moves on; the room was measured before.
fn put(rest: &mut &mut [u8], octets: &[u8]) {
    if let Some((front, back)) = core::mem::take(rest).split_at_mut_checked(octets.len()) {
        front.copy_from_slice(octets);
        *rest = back;
    }
}

/// Octets of an advertisement with so many addresses.
fn promised(version: u8, naddr: u8, v6: bool) -> usize {
    let each = if v6 { 16 } else { 4 };
    HEADER + each * usize::from(naddr) + if version == 2 { AUTH } else { 0 }
}

/// Version 2 covers the message alone. Version 3 covers the ends as well, which some leave out over IPv4.
fn verified(version: u8, naddr: u8, payload: &[u8], ends: Option<Ends>) -> bool {
    let v6 = ends.is_some_and(|(source, _)| source.is_ipv6());
    let message = payload.get(..promised(version, naddr, v6)).unwrap_or(payload);
    let alone = || checksum(&[message]) == 0;
    match ends {
        Some(ends) if version == 3 => with_pseudo(ends, message) == 0 || (!v6 && alone()),
        _ => alone(),
    }
}

/// The checksum of `message` behind the pseudo-header of its datagram.
fn with_pseudo((source, destination): Ends, message: &[u8]) -> u16 {
    // No datagram is longer than this. In which order the words stand, and how many zeros are between, is nothing to a sum.
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    match (source, destination) {
        (IpAddr::V4(s), IpAddr::V4(d)) => checksum(&[&s.octets(), &d.octets(), &length, &[0, 112], message]),
        (IpAddr::V6(s), IpAddr::V6(d)) => checksum(&[&s.octets(), &d.octets(), &length, &[0, 112], message]),
        // No datagram goes from one family to the other.
        _ => 1,
    }
}
