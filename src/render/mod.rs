//! Frames as text and as JSON: what `pfwatch decode` shows.
//!
//! Called by the commands, once per frame. Owns the shape of both outputs and nothing else: reads no file, prints
//! nothing, knows no clock. Appends to a buffer that the caller owns and empties, so that a file of millions of frames
//! is written without an allocation each.

pub mod json;
pub mod text;
mod words;

use crate::time::Timestamp;
use pfsync_proto::{Carp, DecodeError, ErrorKind};
use std::net::IpAddr;

/// What the IP header said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpFacts {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Protocol of the payload.
    pub proto: u8,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A pfsync payload; an IP header that a tap left in front of it is skipped.
    Pfsync(&'a [u8]),
    /// A payload of protocol 112: CARP or VRRP.
    Proto112(&'a [u8]),
    /// Something else: shown without content.
    Other,
}

/// One frame to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// When it was captured, as Unix time.
    pub at: Timestamp,
    /// None where the capture has no IP header.
    pub ip: Option<IpFacts>,
    /// What it carries.
    pub payload: Payload<'a>,
    /// What the IP layer refused it for.
    pub refused: Option<DecodeError>,
    /// What CARP advertisements are checked with, if it is known.
    pub secret: Option<Secret<'a>>,
}

/// Password and shared addresses of a CARP vhid.
#[derive(Clone, Copy, Debug)]
pub struct Secret<'a> {
    /// The password (`carp pass`).
    pub password: &'a [u8],
    /// The addresses that the vhid shares, in any order.
    pub addresses: &'a [IpAddr],
}

impl Secret<'_> {
    fn verifies(&self, carp: &Carp) -> bool {
        carp.verify(self.password, self.addresses)
    }
}

impl Shown<'_> {
    fn is_v6(&self) -> bool {
        self.ip.is_some_and(|ip| ip.src.is_ipv6())
    }

    /// Of two refusals the one of the outer layer, unless that only says that something is missing and the decoder
    /// found out where.
    fn error(&self, decoder: Option<DecodeError>) -> Option<DecodeError> {
        match (self.refused, decoder) {
            (Some(refused), Some(found)) if refused.kind == ErrorKind::Badlen => Some(found),
            (refused, found) => refused.or(found),
        }
    }
}
