//! Frames as text and as JSON: what `pfwatch decode` shows.
//!
//! Called by the commands, once per frame. Owns the shape of both outputs and nothing else: reads no file, prints
//! nothing, knows no clock. Appends to a buffer that the caller owns and empties, so that a file of millions of frames
//! is written without an allocation each.

pub mod json;
pub mod text;
mod words;

use crate::dissect::{Packet, Refusal};
use crate::time::Timestamp;
use pfsync_proto::{Carp, DecodeError};
use std::net::IpAddr;

/// One frame to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// When it was captured, as Unix time.
    pub at: Timestamp,
    /// What it carries; anything but pfsync and protocol 112 is shown without content.
    pub packet: Packet<'a>,
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
        self.packet.ip.is_some_and(|ip| ip.src.is_ipv6())
    }

    /// Of two refusals the one of the outer layer, unless that only says that something is missing and the decoder
    /// found out where.
    fn error(&self, decoder: Option<DecodeError>) -> Option<DecodeError> {
        match (self.packet.refused, decoder) {
            (Some(Refusal::Cut) | None, Some(found)) => Some(found),
            (refused, _) => refused.map(DecodeError::from),
        }
    }
}
