//! pfsync, CARP and VRRP on the wire: octets to meaning and back.
//!
//! Owns the layouts of every pfsync dialect (versions 2 to 6 of OpenBSD, FreeBSD, NetBSD and DragonFly), of CARP v2
//! and of VRRP v2 and v3. Called by whoever has the payload of an IP datagram (protocol 240 or 112) in hand. Never does I/O, never
//! reads a clock, never logs, never allocates while decoding, and never panics on any input: every accessor works on a
//! slice whose length was checked once.
//!
//! ```
//! use pfsync_proto::{Action, Dialect, Key, Message, Packet, PacketWriter};
//!
//! let mut buf = [0; 1480];
//! let mut writer = PacketWriter::new(&mut buf, Dialect::OpenBsd6, [0; 16])?;
//! writer.section(Action::UpdReq)?;
//! writer.push(&Message::UpdReq(Key::default()))?;
//! let len = writer.finish();
//!
//! let packet = Packet::new_checked(&buf[..len])?;
//! for section in packet.sections() {
//!     section?.visit(|decoded| assert_eq!(decoded.message, Message::UpdReq(Key::default())));
//! }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
#![no_std]
#![deny(clippy::indexing_slicing)]

mod body;
mod carp;
mod checksum;
mod dialect;
pub mod encode;
mod error;
pub mod message;
mod octets;
mod packet;
mod section;
mod state;
mod state_encode;
mod vrrp;

pub use carp::{Carp, Proto112};
pub use dialect::{Action, Dialect};
pub use encode::{EncodeError, PacketWriter};
pub use error::{DecodeError, ErrorKind};
pub use message::{
    Bus, BusStatus, Clr, CreatorId, Direction, Endpoints, Family, Key, Message, Peer, State, StateId, StateKeys, Tdb,
    UpdC,
};
pub use packet::{Packet, Sections, strip_ip};
pub use section::{Decoded, Messages, Section};
pub use vrrp::{Ends, Vrrp};
