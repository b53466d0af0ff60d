//! What a watchdog hears of the simulated world, in the order of time.

use crate::Time;
use crate::site::{Net, Node};
use std::time::Duration;

/// Where a ping of a node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The router on the outside segment.
    Gateway,
    /// A host far beyond it.
    Internet,
    /// The management address of the clients' switch on the inside segment.
    Inside,
    /// The own address of a node on a network.
    Peer(Node, Net),
}

/// Why the watcher was blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blindness {
    /// The kernel dropped frames before they were read.
    Drops,
    /// The watching process stood still.
    Stall,
    /// The wall clock of the watching host jumped.
    Clock,
}

/// Something heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A frame: pfsync on the sync net, CARP on the others.
    Frame {
        /// When the watcher got it.
        at: Time,
        /// Where.
        net: Net,
        /// Ethernet.
        octets: Vec<u8>,
    },
    /// A node's ping was answered, or given up after a second.
    Ping {
        /// When that was known.
        at: Time,
        /// Who pinged.
        node: Node,
        /// Whom.
        target: Target,
        /// Answered.
        ok: bool,
    },
    /// The watcher noticed that it was blind until `at`.
    Gap {
        /// When it noticed.
        at: Time,
        /// For how long.
        length: Duration,
        /// Frames lost, as far as it knows.
        lost: u64,
        /// Why.
        cause: Blindness,
    },
}

impl Heard {
    /// When.
    #[must_use]
    pub fn at(&self) -> Time {
        match *self {
            Self::Frame { at, .. } | Self::Ping { at, .. } | Self::Gap { at, .. } => at,
        }
    }
}
