//! CARP advertisements, and what tells them from the VRRP that shares protocol 112, groups and virtual MAC with them.
//!
//! Called by whoever has the payload of an IP datagram with protocol 112 in hand. Tells the protocols apart, decodes,
//! encodes, and checks checksum and HMAC. Never decides whether an advertisement is to be believed: `advbase`,
//! `advskew` and `demote` are not covered by the HMAC.
//!
//! ```text
//!  CARP (36)    0 0x21  1 vhid  2 advskew  3 authlen = 7  4 demote (OpenBSD)  5 advbase  6 checksum  8 counter (be64)
//!               16 HMAC-SHA1[20]                                            (`struct carp_header`, netinet/ip_carp.h)
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::checksum::checksum;
use crate::error::{DecodeError, ErrorKind};
use crate::octets::{Fill, Octets};
use crate::vrrp::{Ends, Vrrp};

/// Octets of an advertisement.
const LENGTH: usize = 36;
/// Octets of `sc_key`: longer passwords are cut, shorter ones padded with zeros.
const KEY: usize = 20;

/// One CARP advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carp {
    /// Virtual host id.
    pub vhid: u8,
    /// 1/256 seconds on top of `advbase`; FreeBSD and NetBSD show a demotion here (240).
    pub advskew: u8,
    /// Seconds between advertisements.
    pub advbase: u8,
    /// Demotion counter; only OpenBSD sends one.
    pub demote: u8,
    /// Length of counter and HMAC in 4-octet words: always 7.
    pub authlen: u8,
    /// FreeBSD and NetBSD: one more each time, across failovers. OpenBSD: a constant cookie, no sign of freshness.
    pub counter: u64,
    /// HMAC-SHA1.
    pub hmac: [u8; 20],
    /// Whether the Internet checksum over the 36 octets is right; receivers drop the others.
    pub cksum_ok: bool,
    /// The sender leaves (`advbase` and `advskew` 255).
    pub bow_out: bool,
}

/// What a payload of protocol 112 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto112 {
    /// A CARP advertisement.
    Carp(Carp),
    /// A VRRP advertisement.
    Vrrp(Vrrp),
}

impl Proto112 {
    /// CARP is version octet 0x21, 36 octets and an `authlen` of 7; what else starts with 0x21 is VRRPv2, whose count
    /// of addresses stands where CARP has `authlen`. `ends`: who sent it to whom, which some checksums of VRRP cover.
    ///
    /// # Errors
    /// `hdrops` when cut inside the fixed part, `badlen` when the length contradicts the count, `badver` for others.
    pub fn decode(payload: &[u8], ends: Option<Ends>) -> Result<Self, DecodeError> {
        let length = payload.len();
        let Some(o) = Octets::<8>::new(payload) else {
            return Err(DecodeError::new(
                ErrorKind::Hdrops,
                length,
                "shorter than any header of protocol 112",
            ));
        };
        match (o.u8::<0>(), o.u8::<3>()) {
            // Seven addresses and authentication data are 44 octets.
            (0x21, 7) if length < 44 => Carp::decode(payload).map(Self::Carp),
            (0x21 | 0x31, _) => Vrrp::decode(payload, ends).map(Self::Vrrp),
            _ => Err(DecodeError::new(ErrorKind::Badver, 0, "neither CARP nor VRRP")),
        }
    }
}

impl Carp {
    /// Decodes a payload that is known to be CARP; [`Proto112::decode`] finds out.
    ///
    /// # Errors
    /// `hdrops` when shorter than 36 octets, `badver` when it does not start with 0x21, `badlen` when it is longer
    /// or `authlen` is not 7.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let length = payload.len();
        let Some(o) = Octets::<LENGTH>::new(payload) else {
            return Err(DecodeError::new(
                ErrorKind::Hdrops,
                length,
                "shorter than a CARP advertisement",
            ));
        };
        if o.u8::<0>() != 0x21 {
            return Err(DecodeError::new(
                ErrorKind::Badver,
                0,
                "not a version 2 CARP advertisement",
            ));
        }
        if length > LENGTH {
            return Err(DecodeError::new(
                ErrorKind::Badlen,
                LENGTH,
                "longer than a CARP advertisement",
            ));
        }
        if o.u8::<3>() != 7 {
            return Err(DecodeError::new(
                ErrorKind::Badlen,
                3,
                "length of the authentication is not 7",
            ));
        }
        let (advskew, advbase) = (o.u8::<2>(), o.u8::<5>());
        Ok(Self {
            vhid: o.u8::<1>(),
            advskew,
            advbase,
            demote: o.u8::<4>(),
            authlen: 7,
            counter: o.be64::<8>(),
            hmac: o.take::<16, 20>(),
            cksum_ok: checksum(&[payload]) == 0,
            bow_out: (advbase, advskew) == (255, 255),
        })
    }

    /// The octets of this advertisement, with a right checksum whatever `cksum_ok` says.
    #[must_use]
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut o = Fill::<LENGTH>::new();
        o.u8::<0>(0x21)
            .u8::<1>(self.vhid)
            .u8::<2>(self.advskew)
            .u8::<3>(self.authlen);
        o.u8::<4>(self.demote)
            .u8::<5>(self.advbase)
            .be64::<8>(self.counter)
            .put::<16, 20>(self.hmac);
        let sum = checksum(&[&o.done()]);
        o.be16::<6>(sum);
        o.done()
    }

    /// Time between two advertisements of this sender.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.advbase)) + Duration::from_secs(1) * u32::from(self.advskew) / 256
    }

    /// The HMAC that `password` and the vhid's shared addresses give.
    ///
    /// `addresses` in any order; duplicates count once; the scope that KAME kernels keep inside link-local addresses
    /// is ignored.
    #[must_use]
    pub fn sign(&self, password: &[u8], addresses: &[IpAddr]) -> [u8; 20] {
        self.mac(password, addresses, true)
            .map_or([0; 20], |mac| mac.finalize().into_bytes().into())
    }

    /// Whether the HMAC is that of `password` and the vhid's shared addresses.
    ///
    /// OpenBSD leaves link-local addresses out, so both ways are tried. Compares in constant time.
    #[must_use]
    pub fn verify(&self, password: &[u8], addresses: &[IpAddr]) -> bool {
        [true, false].into_iter().any(|link_local| {
            self.mac(password, addresses, link_local)
                .is_some_and(|mac| mac.verify_slice(&self.hmac).is_ok())
        })
    }

    /// Version, type, vhid, IPv4 addresses in ascending order, then IPv6 addresses, then the counter.
    fn mac(&self, password: &[u8], addresses: &[IpAddr], link_local: bool) -> Option<Hmac<Sha1>> {
        // An HMAC takes keys of any length, so this never is `None`.
        let mut mac = Hmac::<Sha1>::new_from_slice(password.get(..KEY).unwrap_or(password)).ok()?;
        mac.update(&[2, 1, self.vhid]);
        let mut last = None;
        while let Some(next) = addresses
            .iter()
            .filter_map(|a| inet(*a))
            .filter(|a| Some(*a) > last)
            .min()
        {
            mac.update(&next.octets());
            last = Some(next);
        }
        let mut last = None;
        let usable = |a: Ipv6Addr| link_local || !a.is_unicast_link_local();
        while let Some(next) = addresses
            .iter()
            .filter_map(|a| inet6(*a))
            .filter(|a| usable(*a) && Some(*a) > last)
            .min()
        {
            mac.update(&next.octets());
            last = Some(next);
        }
        mac.update(&self.counter.to_be_bytes());
        Some(mac)
    }
}

fn inet(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    }
}

/// IPv6 with the embedded scope of a link-local address cleared.
fn inet6(address: IpAddr) -> Option<Ipv6Addr> {
    let IpAddr::V6(v6) = address else { return None };
    if !v6.is_unicast_link_local() {
        return Some(v6);
    }
    let [first, _, rest @ ..] = v6.segments();
    let [c, d, e, f, g, h] = rest;
    Some(Ipv6Addr::new(first, 0, c, d, e, f, g, h))
}
