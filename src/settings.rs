//! What the engine is told before it starts: plain data, already checked.
//!
//! Made by `config` (from TOML) or by `Settings::default()` (no configuration: every sender is a node, one path
//! `any`). Read by track, detect and decide. Knows nothing of files, hooks or sockets.

use crate::capture::Vlan;
use std::net::IpAddr;
use std::time::Duration;

/// Everything the engine needs to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Configured firewalls, in configuration order. Senders not named here become nodes by themselves.
    pub nodes: Vec<Node>,
    /// CARP segments by name; `Net::Segment(i)` indexes this list.
    pub segments: Vec<Segment>,
    /// Named sets of prefixes.
    pub zones: Vec<Zone>,
    /// Watched ordered pairs of zones; empty means one path `any`.
    pub paths: Vec<Path>,
    /// Flows that a host keeps opening through the firewalls.
    pub canaries: Vec<Canary>,
    /// Detector.
    pub detect: Detect,
    /// Witnesses that somebody runs for us.
    pub probes: Vec<Probe>,
    /// When to act.
    pub policy: Policy,
    /// TCP ports of the nodes' configuration synchronisation.
    pub config_sync_ports: Vec<u16>,
    /// The segments are heard on the interfaces of the node that is self: what leaves it is heard once, and a second time if it
    /// comes back.
    pub own_interfaces: bool,
}

/// A configured firewall.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Label; empty where nobody gave it one.
    pub name: String,
    /// Addresses on the sync link, at least one; the first is what outputs call this node.
    pub addresses: Vec<IpAddr>,
    /// pfwatch runs beside this one.
    pub is_self: bool,
    /// Own and shared addresses: flows that end on one of them are no evidence.
    pub local: Vec<IpAddr>,
}

/// A network on which CARP is heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Label.
    pub name: String,
    /// CARP password; when given, advertisements with a wrong HMAC do not count.
    pub password: Option<Vec<u8>>,
    /// Its VLAN on a trunk; without it each VLAN that is heard is a network of its own.
    pub vlan: Option<Vlan>,
}

/// A prefix: address and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Network address (host bits are ignored).
    pub addr: IpAddr,
    /// Prefix length in bits, at most 32 or 128.
    pub len: u8,
}

/// A named set of prefixes; the longest prefix over all zones wins.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Label.
    pub name: String,
    /// Its prefixes.
    pub prefixes: Vec<Prefix>,
}

/// An ordered pair of zones, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Zone of the initiators.
    pub from: usize,
    /// Zone of the responders.
    pub to: usize,
    /// Down here means that the node is down.
    pub critical: bool,
}

/// A flow that a host opens anew all the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    /// Initiator.
    pub from: IpAddr,
    /// Responder.
    pub to: IpAddr,
    /// IP protocol number.
    pub proto: u8,
    /// How often.
    pub every: Duration,
}

/// What the operator decides about the detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Detect {
    /// False promotions that are acceptable, per year.
    pub risk_per_year: f64,
    /// No verdict on evidence younger than this.
    pub min: Duration,
    /// Evidence older than this is forgotten.
    pub max: Duration,
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            risk_per_year: 0.1,
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
        }
    }
}

/// Whom a probe is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// Does this node reach as far as the traffic does?
    SelfNode,
    /// Does this node (by index) answer?
    Node(usize),
}

/// A probe whose results reach the engine as inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// Label.
    pub name: String,
    /// Whom it is about.
    pub about: About,
    /// Failures in a row that make it down.
    pub fall: u32,
    /// Successes in a row that make it up.
    pub rise: u32,
}

/// When a verdict becomes a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// No promotion of an in-sync pair without a self probe.
    pub require_witness: bool,
    /// A condition must hold this long.
    pub confirm: Duration,
    /// Nothing is decided from CARP this long after an own action.
    pub settle: Duration,
    /// A master waits this long before it demotes itself.
    pub demote_delay: Duration,
    /// Witnesses must be good this long before something is taken back.
    pub recover: Duration,
    /// Between two promotions; doubles.
    pub hold_down: Duration,
    /// Cap on actions.
    pub max_per_hour: u32,
    /// A fencing device is configured for this node (by index).
    pub fence: Option<usize>,
    /// Head start that this node gives the other before it fences.
    pub fence_delay: Duration,
    /// What only a daemon needs; offline, a decision counts as carried out.
    pub live: Live,
}

/// What a daemon asks of its policy beyond an analysis. All off: every decision counts as carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Live {
    /// The result of every decision will be told; until then nothing else is decided.
    pub results: bool,
    /// None is ever carried out: what would be done is over when what called for it is, and uses up nothing.
    pub observes: bool,
    /// Nothing is decided so long after the first word heard.
    pub start: Duration,
    /// Nothing is decided so long after we were blind.
    pub blind: Duration,
    /// A bulk update explains failures of traffic for so long at most.
    pub bulk: Duration,
}

impl Live {
    /// For a daemon. `acts` is false in a dry run, where every decision counts as carried out at once and nothing comes of it.
    ///
    /// Ten seconds of start: a master that stopped before we came is known after four, a probe needs five answers to be up,
    /// and each may lose one. Five of blindness: what changed meanwhile shows within the three intervals that CARP needs. A
    /// minute of bulk: they take seconds, and one whose end was lost must not hold everything back.
    #[must_use]
    pub const fn daemon(acts: bool) -> Self {
        Self {
            results: acts,
            observes: !acts,
            start: Duration::from_secs(10),
            blind: Duration::from_secs(5),
            bulk: Duration::from_secs(60),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            require_witness: true,
            confirm: Duration::from_secs(1),
            settle: Duration::from_secs(5),
            demote_delay: Duration::from_secs(5),
            recover: Duration::from_secs(30),
            hold_down: Duration::from_secs(60),
            max_per_hour: 6,
            fence: None,
            fence_delay: Duration::ZERO,
            live: Live::default(),
        }
    }
}
