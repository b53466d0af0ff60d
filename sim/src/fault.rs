//! What can go wrong, or just change, in the simulated world; a scenario is a list of these with times.

use crate::site::{Net, Node};
use std::time::Duration;

/// Loss on a link. `share` 1 is dead without losing link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Share of the packets lost, 0..=1.
    pub share: f64,
    /// Mean packets lost in a row; 1 = independent.
    pub burst: f64,
}

impl Loss {
    /// Nothing is lost.
    pub const NONE: Self = Self { share: 0.0, burst: 1.0 };
    /// Everything is lost.
    pub const ALL: Self = Self { share: 1.0, burst: 1.0 };
}

/// Which way over a node's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the node.
    In,
    /// From the node.
    Out,
    /// Both.
    Both,
}

/// An event of the simulated world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// A node's switch port loses frames of all kinds (CARP and pfsync too); the link stays up.
    Port(Node, Net, Way, Loss),
    /// A node stops: nothing is sent or forwarded any more. Its memory is gone.
    Crash(Node),
    /// A crashed (or running) node boots: empty state table, bulk update request, demoted until that is done.
    Boot(Node),
    /// The kernel lives, CARP and pfsync go on, but packets that came in on one side never go out on the other.
    Wedge(Node),
    /// Forwards again.
    Unwedge(Node),
    /// The whole node stands still (scheduler, hypervisor) for this long, then goes on.
    Freeze(Node, Duration),
    /// `carpdemote` / `net.inet.carp.demotion` by this much; negative takes back.
    Demote(Node, i16),
    /// `ifconfig carp advskew` on all vhids: what a promotion does.
    Advskew(Node, u8),
    /// The same on one network only: whoever does this leaves the pair unsynchronised.
    AdvskewOn(Node, Net, u8),
    /// A node's own rules block the CARP that comes in on a network, or no longer: it takes itself for master there.
    Deaf(Node, Net, bool),
    /// The switch of a network sends frames back to where they came from too (teaming, a loop), or no longer.
    Reflect(Net, bool),
    /// The switch of lan or wan takes this much longer for each frame, as one that has just booted.
    Slow(Net, Duration),
    /// The proxies on the firewalls ([`crate::setup::Proxy`]) hang: they neither hear nor answer; or no longer.
    ProxyHangs(bool),
    /// `pfctl -F states` on a node (rule reload).
    ClearStates(Node),
    /// Everything beyond the outside segment loses packets.
    Upstream(Loss),
    /// This share of the servers, by lot and whatever their rank, neither hears nor answers; for a seed the lots are the
    /// same all the time, so that a larger share takes the same ones and more. 0 ends it.
    ServersDead(f64),
    /// The n busiest servers do not answer.
    BusiestDead(usize),
    /// This share of the clients stops opening and sending (lunch); 0 ends it.
    Quiet(f64),
    /// This share of the clients vanishes from the network without a word; 0 ends it. All of them at once is their switch:
    /// then [`crate::site::INSIDE`] is gone too, and the nodes' own switch lives.
    ClientsGone(f64),
    /// One client sends this many SYN a second to a server that drops them; 0 ends it.
    Flood(u32),
    /// The same from forged inside addresses to forged servers.
    SpoofedFlood(u32),
    /// One client tries this many addresses and ports a second, most of which do not answer.
    Scan(u32),
    /// A host on the sync net sends damaged and forged pfsync frames, this many a second.
    HostileSync(u32),
    /// New connections per second are multiplied by this (1 = as configured).
    Load(f64),
    /// Our own capture loses this share of frames, and says so now and then (kernel drop counter).
    CaptureDrops(f64),
    /// Our own process stands still for this long.
    Stall(Duration),
    /// The wall clock of the watching host jumps by this many seconds.
    ClockStep(f64),
}
