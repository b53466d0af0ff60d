//! What an advertisement says, in which protocol ever: CARP, or the VRRP that FreeBSD's carp(4) speaks with `carpver 3`.
//!
//! Made from what `pfsync_proto` decoded. One form for both, so that mastership has one set of rules.

use pfsync_proto::{Carp, Vrrp};
use std::time::Duration;

/// Shortest interval that is believed.
const LEAST: Duration = Duration::from_millis(4);

/// In which protocol it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// CARP.
    Carp,
    /// VRRP, version 2.
    Vrrp2,
    /// VRRP, version 3.
    Vrrp3,
}

impl Protocol {
    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Carp => "carp",
            Self::Vrrp2 => "vrrp2",
            Self::Vrrp3 => "vrrp3",
        }
    }
}

/// One advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// How it was said.
    pub protocol: Protocol,
    /// Virtual host, or virtual router.
    pub vhid: u8,
    /// Whole seconds between advertisements, as CARP announces them.
    pub advbase: u8,
    /// How much the sender stands back: the advskew, or 255 less the priority.
    pub advskew: u8,
    /// Demotion counter; only OpenBSD sends one.
    pub demote: u8,
    /// CARP's counter; VRRP has none.
    pub counter: Option<u64>,
    /// The sender leaves.
    pub bow_out: bool,
    /// Between two advertisements of this sender.
    pub interval: Duration,
    /// What is compared: of two masters the one that takes longer gives way.
    pub pace: Duration,
}

impl Advert {
    /// How much the sender stands back, in the words of its protocol.
    #[must_use]
    pub fn standing(&self) -> String {
        match self.protocol {
            Protocol::Carp => format!("advskew {}", self.advskew),
            Protocol::Vrrp2 | Protocol::Vrrp3 => format!("priority {}", u8::MAX - self.advskew),
        }
    }
}

impl From<&Carp> for Advert {
    fn from(carp: &Carp) -> Self {
        let interval = carp.interval().max(LEAST);
        Self {
            protocol: Protocol::Carp,
            vhid: carp.vhid,
            advbase: carp.advbase,
            advskew: carp.advskew,
            demote: carp.demote,
            counter: Some(carp.counter),
            bow_out: carp.bow_out,
            interval,
            pace: interval,
        }
    }
}

impl From<&Vrrp> for Advert {
    fn from(vrrp: &Vrrp) -> Self {
        let interval = vrrp.interval().max(LEAST);
        Self {
            protocol: if vrrp.version == 2 {
                Protocol::Vrrp2
            } else {
                Protocol::Vrrp3
            },
            vhid: vrrp.vrid,
            advbase: u8::try_from(interval.as_secs()).unwrap_or(u8::MAX),
            advskew: u8::MAX - vrrp.prio,
            demote: 0,
            counter: None,
            bow_out: vrrp.bow_out(),
            interval,
            // Of equal intervals the higher priority waits less before it takes over.
            pace: vrrp.master_down(),
        }
    }
}
