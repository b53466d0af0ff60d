//! The sync net: raw IP, protocol 240, TTL 255, to the group or to one peer.
//!
//! The kernel writes the IP header (and DF, as pfsync has it). A raw socket also keeps the kernel from answering a
//! unicast peer that nobody speaks this protocol here.

use crate::error::LabError;
use pf_sim::frame::{LOW_DELAY, PFSYNC, PFSYNC_GROUP};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

const TTL: u32 = 255;
/// Where the IP header has its TTL and its source.
const IP_TTL: usize = 8;
const IP_SOURCE: std::ops::Range<usize> = 12..16;

/// See the module.
pub(super) struct Wire {
    socket: Socket,
    own: Ipv4Addr,
    to: SockAddr,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) fn open(own: Ipv4Addr, peer: Option<Ipv4Addr>) -> Result<Self, LabError> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(i32::from(PFSYNC))))?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into())?;
        socket.set_ttl_v4(TTL)?;
        socket.set_tos_v4(u32::from(LOW_DELAY))?;
        socket.set_multicast_ttl_v4(TTL)?;
        socket.set_multicast_loop_v4(false)?;
        socket.set_multicast_if_v4(&own)?;
        socket.join_multicast_v4(&PFSYNC_GROUP, &own)?;
        Ok(Self {
            socket,
            own,
            to: SocketAddrV4::new(peer.unwrap_or(PFSYNC_GROUP), 0).into(),
            buffer: vec![0; 1 << 16],
        })
    }

    /// Sends a payload. A net that is down takes nothing, as on a real node: that is no error of ours.
    pub(super) fn send(&self, payload: &[u8]) -> Result<(), LabError> {
        match self.socket.send_to(payload, &self.to) {
            Ok(_) => Ok(()),
            Err(e) if is_down(&e) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// The next payload from another node.
    pub(super) fn receive(&mut self) -> Result<Option<&[u8]>, LabError> {
        loop {
            let len = match (&self.socket).read(&mut self.buffer) {
                Ok(len) => len,
                Err(e) if e.kind() == ErrorKind::WouldBlock || is_down(&e) => return Ok(None),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            let packet = self.buffer.get(..len).unwrap_or_default();
            let good = packet.get(IP_TTL) == Some(&255) && packet.get(IP_SOURCE) != Some(&self.own.octets());
            if good {
                break Ok(Some(pfsync_proto::strip_ip(self.buffer.get(..len).unwrap_or_default())));
            }
        }
    }
}

fn is_down(e: &std::io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::ConnectionRefused
    )
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
