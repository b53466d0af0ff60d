//! What passes the firewall, in its order: each packet as it comes in and as it goes out.
//!
//! One capture on all interfaces with the second Linux cooked header, which tells the interface and the direction. One
//! capture for each interface would not tell what came first.

use super::dissect::dissect;
use crate::error::LabError;
use nix::net::if_::if_nametoindex;
use pcap::{Active, Capture, Linktype};
use pf_sim::firewall::Side;
use pf_sim::packet::Packet;
use std::os::fd::{AsFd, BorrowedFd};

/// Which way a packet goes through pf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// It came.
    In,
    /// It leaves.
    Out,
}

/// LINKTYPE_LINUX_SLL2: protocol, 2 spare octets, interface (4), ARPHRD, packet type (1), address length, address (8).
const SLL2: Linktype = Linktype(276);
const HEADER: usize = 20;
const INTERFACE: std::ops::Range<usize> = 4..8;
const TYPE: usize = 10;
/// Packet types: sent to us, and by us. What is flooded to us and meant for others is neither.
const HOST: u8 = 0;
const OUTGOING: u8 = 4;
/// Cooked header, longest IPv4 header and longest TCP header.
const SNAPLEN: i32 = 20 + 60 + 60;
/// Most packets before somebody else is looked after.
const BATCH: usize = 256;

/// See the module.
pub(super) struct Tap {
    capture: Capture<Active>,
    inside: u32,
    outside: u32,
}

impl Tap {
    pub(super) fn open(inside: &str, outside: &str) -> Result<Self, LabError> {
        let index = |name: &str| {
            if_nametoindex(name).map_err(|source| LabError::Interface {
                name: name.to_owned(),
                source,
            })
        };
        let mut capture = Capture::from_device("any")?
            .snaplen(SNAPLEN)
            .buffer_size(8 << 20)
            .immediate_mode(true)
            .open()?
            .setnonblock()?;
        capture.set_datalink(SLL2)?;
        capture.filter("ip and (tcp or udp or icmp) and not dst net 224.0.0.0/4", true)?;
        Ok(Self {
            capture,
            inside: index(inside)?,
            outside: index(outside)?,
        })
    }

    /// Hands over what is there.
    pub(super) fn read(&mut self, mut each: impl FnMut(Hook, Side, Packet)) -> Result<(), LabError> {
        for _ in 0..BATCH {
            let frame = match self.capture.next_packet() {
                Ok(frame) => frame,
                Err(pcap::Error::TimeoutExpired) => return Ok(()),
                Err(e) => return Err(e.into()),
            };
            let (Some(header), Some(ip)) = (frame.data.get(..HEADER), frame.data.get(HEADER..)) else {
                continue;
            };
            let index = header
                .get(INTERFACE)
                .and_then(|i| i.try_into().ok())
                .map(u32::from_be_bytes);
            let side = match index {
                Some(i) if i == self.inside => Side::Inside,
                Some(i) if i == self.outside => Side::Outside,
                _ => continue,
            };
            let hook = match header.get(TYPE) {
                Some(&HOST) => Hook::In,
                Some(&OUTGOING) => Hook::Out,
                _ => continue,
            };
            if let Some(packet) = dissect(ip) {
                each(hook, side, packet);
            }
        }
        Ok(())
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.capture.as_fd()
    }
}
