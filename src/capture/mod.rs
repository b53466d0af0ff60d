//! Where octets with times come from: capture files, live interfaces, the simulator.
//!
//! Everything upstream of the engine speaks [`Source`]. The SOURCE OWNS THE CLOCK.

pub mod error;
pub mod file;
pub mod live;

pub use error::{ErrorClass, SourceError};

use crate::time::Timestamp;
use std::time::Duration;

/// libpcap's LINKTYPE number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

/// Which net a frame was heard on: an index into the caller's list of inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Net {
    /// The sync network.
    Sync,
    /// A CARP segment, by its index in the settings.
    Segment(usize),
}

/// Which way a frame went at the host that captured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came in.
    Inbound,
    /// That host sent it.
    Outbound,
}

/// The VLANs of a frame, the outer one first; no tags and a tag of priority alone (VLAN 0) are the same net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vlan {
    tags: [u16; 2],
    /// There are more tags.
    deeper: bool,
    /// Of the tunnel that a mirror came in, 0 without one.
    vni: u32,
}

impl Vlan {
    /// Of these tags; no more than two are told apart.
    #[must_use]
    pub fn new(tags: &[u16]) -> Self {
        let mut vlan = Self::default();
        tags.iter().for_each(|tag| vlan.push(*tag));
        vlan
    }

    /// VLAN numbers, 1 to 4095.
    pub fn tags(self) -> impl Iterator<Item = u16> {
        self.tags.into_iter().filter(|tag| *tag != 0)
    }

    /// Whether there are more tags, so that others may look the same.
    #[must_use]
    pub const fn is_deeper(self) -> bool {
        self.deeper
    }

    /// The number of the virtual network that it came in, where that was none of the frame's own tags.
    #[must_use]
    pub fn vni(self) -> Option<u32> {
        (self.vni != 0).then_some(self.vni)
    }

    /// The same, as it came in a virtual network.
    #[must_use]
    pub fn within(self, vni: u32) -> Self {
        Self { vni, ..self }
    }

    /// One tag further in, priority and all.
    pub fn push(&mut self, tag: u16) {
        match self.tags.iter_mut().find(|t| **t == 0) {
            Some(free) => *free = tag & 0x0fff,
            None => self.deeper |= tag & 0x0fff != 0,
        }
    }
}

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured, on the source's clock.
    pub at: Timestamp,
    /// Where it was heard.
    pub net: Net,
    /// Name of the interface inside that net where a capture holds several (pcapng); else empty.
    pub interface: &'a str,
    /// Which way it went, where the capture says so.
    pub direction: Option<Direction>,
    /// How to read `data`.
    pub link: LinkType,
    /// The octets that were kept.
    pub data: &'a [u8],
    /// Length on the wire; more than `data.len()` when the snapshot length cut it.
    pub wire_len: u32,
}

impl<'a> Frame<'a> {
    /// A frame of which everything was kept, and nothing more is known.
    #[must_use]
    pub fn whole(at: Timestamp, net: Net, link: LinkType, data: &'a [u8]) -> Self {
        Self {
            at,
            net,
            interface: "",
            direction: None,
            link,
            data,
            wire_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Why WE did not hear anything; never blamed on a firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapCause {
    /// The kernel dropped frames because we were slow.
    KernelDrop,
    /// The interface went down.
    InterfaceDown,
    /// We were not scheduled for longer than we can pretend not to have noticed.
    Stall,
    /// Wall and monotonic clock moved apart; in a file, its times jump.
    ClockStep,
    /// The clock of one of several files was set: from here on what two of them tell cannot be put together.
    ClocksApart,
    /// No file tells of that time.
    Unrecorded,
    /// No file tells of this net any more, and those of others go on.
    Ended(Net),
    /// Files tell of this net again.
    Resumed(Net),
}

impl GapCause {
    /// In a word, for outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KernelDrop => "kernel-drop",
            Self::InterfaceDown => "interface-down",
            Self::Stall => "stall",
            Self::ClockStep => "clock-step",
            Self::ClocksApart => "clocks-apart",
            Self::Unrecorded => "not-captured",
            Self::Ended(_) => "capture-ended",
            Self::Resumed(_) => "capture-resumed",
        }
    }

    /// In plain words, as a clause.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::KernelDrop => "the kernel dropped frames because we were slow",
            Self::InterfaceDown => "an interface was down or gone",
            Self::Stall => "this process was not allowed to run",
            Self::ClockStep | Self::ClocksApart => "the clock was set, or the machine slept",
            Self::Unrecorded => "nothing was captured",
            Self::Ended(_) => "the capture of a net had ended",
            Self::Resumed(_) => "one net was not captured",
        }
    }
}

/// What a source has to say.
#[derive(Debug)]
pub enum Input<'a> {
    /// A frame, at or before the deadline.
    Frame(Frame<'a>),
    /// Nothing until this moment (the deadline, or earlier).
    Idle(Timestamp),
    /// We were blind for `length` until `at`.
    Gap {
        /// When hearing came back.
        at: Timestamp,
        /// How long we may have missed things.
        length: Duration,
        /// Why.
        cause: GapCause,
        /// Frames known to be lost, 0 if not countable.
        lost: u64,
    },
    /// There will be no more input. NOT silence.
    End,
}

/// Drives the engine.
pub trait Source {
    /// The next input, waiting no longer than `deadline` on the source's clock.
    ///
    /// # Errors
    /// What kept the source from going on; everything readable before was delivered.
    fn next(&mut self, deadline: Timestamp) -> Result<Input<'_>, SourceError>;
}
