//! The checked configuration as plain data, with its defaults.
//!
//! Made by `read`, printed by `print`, turned into engine settings by `to_settings`; the hook runner, the fencing and
//! the web server get their parts of it. No rules here beyond the defaults.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::value::{Rate, RateUnit};
use crate::settings::Prefix;

/// Everything that the file says. `Config::default()` is the empty file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[sync]`
    pub sync: Sync,
    /// `[[node]]`, in the order of the file, which is the order of promotion.
    pub nodes: Vec<Node>,
    /// `[[segment]]`
    pub segments: Vec<Segment>,
    /// `[zones]`
    pub zones: Vec<Zone>,
    /// `[[path]]`
    pub paths: Vec<PathRule>,
    /// `[[canary]]`
    pub canaries: Vec<Canary>,
    /// `[detect]`
    pub detect: Detect,
    /// `[[probe]]`
    pub probes: Vec<Probe>,
    /// `[actions]`
    pub actions: Actions,
    /// `[hooks]`
    pub hooks: Hooks,
    /// `[fence]`
    pub fence: Option<Fence>,
    /// `[web]`
    pub web: Web,
    /// `[control]`
    pub control: Control,
}

/// Where pfsync is heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Sync {
    /// Interfaces; `any` where the system has it; none when only capture files are read.
    pub interfaces: Vec<String>,
    /// TCP ports of the firewalls' own configuration sync; a SYN between nodes to one of them dates the last sync.
    pub config_sync_ports: Vec<u16>,
    /// What a mirror sends to this host in a tunnel is listened to.
    pub mirrored: bool,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            config_sync_ports: vec![443, 80],
            mirrored: false,
        }
    }
}

/// A firewall.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Label.
    pub name: String,
    /// Addresses on the sync link, at least one.
    pub addresses: Vec<IpAddr>,
    /// pfwatch runs beside it.
    pub is_self: bool,
    /// Own and shared addresses.
    pub local: Vec<IpAddr>,
}

/// A network on which CARP is heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Label.
    pub name: String,
    /// Interface; none when only capture files are read.
    pub interface: Option<String>,
    /// Its VLAN on that interface, or two where they are nested, the outer one first; none: all that is heard there.
    pub vlan: Vec<u16>,
    /// Holds the CARP password.
    pub password_file: Option<PathBuf>,
}

/// A named set of prefixes.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Label.
    pub name: String,
    /// At least one.
    pub prefixes: Vec<Prefix>,
}

/// A watched direction, by the names of two zones.
#[derive(Clone, Debug, PartialEq)]
pub struct PathRule {
    /// Zone of the initiators.
    pub from: String,
    /// Zone of the responders.
    pub to: String,
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
    /// Acceptable false promotions.
    pub risk: Rate,
    /// No verdict on evidence younger than this.
    pub min: Duration,
    /// Evidence older than this is forgotten.
    pub max: Duration,
    /// Where what was learned survives a restart.
    pub memory: Option<PathBuf>,
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            risk: Rate {
                count: 1.0,
                every: 10,
                unit: RateUnit::Year,
            },
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
            memory: None,
        }
    }
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Program and arguments, run as they are.
    Argv(Vec<String>),
    /// A line for `sh -c`.
    Shell(String),
}

impl Command {
    /// Its words, as far as they can be told apart without a shell.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let lines = match self {
            Self::Argv(argv) => argv.as_slice(),
            Self::Shell(line) => std::slice::from_ref(line),
        };
        lines
            .iter()
            .flat_map(|l| l.split([' ', '\t', '\'', '"', ';', '&', '|']))
    }
}

/// A program whose exit code is a witness.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Label.
    pub name: String,
    /// `self`, or the name of another node.
    pub about: String,
    /// Exit code 0 is a success.
    pub command: Command,
    /// How often.
    pub every: Duration,
    /// Longer is a failure.
    pub timeout: Duration,
    /// Failures in a row that make it down.
    pub fall: u32,
    /// Successes in a row that make it up.
    pub rise: u32,
}

/// Ready-made promote, demote and undo for a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// advskew and carpdemote by ifconfig(8).
    Openbsd,
    /// net.inet.carp.demotion by sysctl(8).
    Freebsd,
    /// As FreeBSD.
    Pfsense,
    /// configctl, and promotion as FreeBSD.
    Opnsense,
    /// Restart of ucarp.
    Ucarp,
    /// Decisions are told to ifstated(8), never carried out.
    Ifstated,
}

impl Preset {
    /// Each with its name in the file.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("openbsd", Self::Openbsd),
        ("freebsd", Self::Freebsd),
        ("pfsense", Self::Pfsense),
        ("opnsense", Self::Opnsense),
        ("ucarp", Self::Ucarp),
        ("ifstated", Self::Ifstated),
    ];
}

/// When a verdict becomes an action, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Actions {
    /// None: only the hooks act.
    pub preset: Option<Preset>,
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
    /// How much a demotion adds.
    pub demotion: u8,
    /// What is to be taken back, on disk.
    pub ledger: PathBuf,
}

impl Default for Actions {
    fn default() -> Self {
        // One place for the numbers: the engine's own defaults.
        let policy = crate::settings::Policy::default();
        Self {
            preset: None,
            require_witness: policy.require_witness,
            confirm: policy.confirm,
            settle: policy.settle,
            demote_delay: policy.demote_delay,
            recover: policy.recover,
            hold_down: policy.hold_down,
            max_per_hour: policy.max_per_hour,
            // Nobody else's number: rc adds 128, kernels 1, 240 and 2^20. And more than the usual advskew of a backup.
            demotion: 125,
            ledger: PathBuf::from("/var/db/pfwatch/ledger.json"),
        }
    }
}

/// What happens when a hook fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The next hook runs.
    #[default]
    Continue,
    /// The remaining hooks of this action are skipped.
    Stop,
    /// As stop, and the action counts as failed: see fencing.
    Escalate,
}

impl OnFailure {
    /// Each with its name in the file.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("continue", Self::Continue),
        ("stop", Self::Stop),
        ("escalate", Self::Escalate),
    ];
}

/// Programs per action, run in order, one at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Hooks {
    /// On a decision to promote this node.
    pub promote: Vec<Command>,
    /// On a decision to demote this node.
    pub demote: Vec<Command>,
    /// When either is taken back.
    pub restore: Vec<Command>,
    /// On every verdict and decision.
    pub notify: Vec<Command>,
    /// What a failure means for the rest.
    pub on_failure: OnFailure,
    /// A hook that runs longer is killed.
    pub timeout: Duration,
    /// Further tries after a failure.
    pub retries: u32,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            promote: Vec::new(),
            demote: Vec::new(),
            restore: Vec::new(),
            notify: Vec::new(),
            on_failure: OnFailure::Continue,
            timeout: Duration::from_secs(10),
            retries: 1,
        }
    }
}

/// How a node is fenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceKind {
    /// Wake-on-LAN; recovery only.
    Wol,
    /// A BREAK on a serial line.
    SerialBreak,
    /// A ClusterLabs fence agent.
    Agent,
    /// Any program.
    Command,
}

impl FenceKind {
    /// Each with its name in the file.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("wol", Self::Wol),
        ("serial-break", Self::SerialBreak),
        ("agent", Self::Agent),
        ("command", Self::Command),
    ];
}

/// The fencing device of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Fence {
    /// What it is.
    pub kind: FenceKind,
    /// Name of the node that it switches off.
    pub node: String,
    /// `agent`, `command`: the program.
    pub command: Option<Command>,
    /// `agent`: options as key=value lines, given on its standard input.
    pub options_file: Option<PathBuf>,
    /// `wol`: the hardware address.
    pub mac: Option<[u8; 6]>,
    /// `wol`: the interface on whose network that is.
    pub interface: Option<String>,
    /// `serial-break`: the tty.
    pub device: Option<PathBuf>,
    /// Head start that this node gives the other, so that two never fence each other at once.
    pub delay: Duration,
    /// Longer is a failure.
    pub timeout: Duration,
}

/// The web page and the metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Where it listens; empty: nowhere.
    pub listen: Vec<SocketAddr>,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 10240))],
        }
    }
}

/// Where the daemon answers the commands and other programs of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// A Unix socket.
    pub socket: PathBuf,
    /// Whose members may ask; none: the group that the system gives the file.
    pub group: Option<String>,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            socket: PathBuf::from("/var/run/pfwatch.sock"),
            group: None,
        }
    }
}
