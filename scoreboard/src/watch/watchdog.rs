//! pfwatch itself, as it is: one engine beside each node, driven as `pfwatch::drive` drives it.
//!
//! Each engine hears what its own node's ports send and receive and nothing else: where a port is dead, the engine beside it
//! hears its node advertise and is deaf to the others. Actions come from all of them, health from the engine beside the
//! backup, the one that would act. An engine ends with its node and starts anew after a crash; a node that was frozen
//! hears that as its own stall.
//!
//! Where the wall clock jumps, a live capture goes on counting and says that it was blind for what the clock went forward; so
//! it is here. The one that hears pfsync alone is told no such thing and gets stamps that jump, as one who reads a file.

use super::clock::{Clock, slept};
use super::{Act, Said, Watch};
use crate::pair::Pair;
use crate::scene::ETHERNET;
use pf_sim::Time;
use pf_sim::heard::{Blindness, Heard, Target};
use pf_sim::site::{self, Net, Node};
use pfwatch::capture::{self, Frame, GapCause};
use pfwatch::engine::Engine;
use pfwatch::event::{Action, Event, Health};
use pfwatch::settings::{self, About, Path, Prefix, Probe, Segment, Settings, Zone};
use std::net::{IpAddr, Ipv4Addr};

/// What pfwatch is given beside pfsync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witnesses {
    /// Nothing.
    None,
    /// CARP on both segments.
    Carp,
    /// CARP, two probes about each node itself (the far host outside, the clients' switch inside), and probes about both
    /// addresses of its peers.
    Probes,
    /// All that, and the canaries are in its configuration.
    Canary,
}

impl Witnesses {
    /// All sets, the poorest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Carp, Self::Probes, Self::Canary];

    /// Whether canaries are configured.
    #[must_use]
    pub fn canary(self) -> bool {
        self == Self::Canary
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "pfwatch",
            Self::Carp => "pfwatch, CARP",
            Self::Probes => "pfwatch, CARP, probes",
            Self::Canary => "pfwatch, CARP, probes, canary",
        }
    }

    /// What the configuration beside `me` would be.
    #[must_use]
    pub fn settings(self, pair: &Pair, me: Node) -> Settings {
        let segment = |net: Net| Segment {
            name: net.name().into(),
            password: None,
            vlan: None,
        };
        let zone = |name: &str, addr: [u8; 4], len: u8| Zone {
            name: name.into(),
            prefixes: vec![Prefix {
                addr: IpAddr::V4(Ipv4Addr::from(addr)),
                len,
            }],
        };
        let carp = self != Self::None;
        let probes = matches!(self, Self::Probes | Self::Canary);
        Settings {
            nodes: (0..pair.nodes()).map(|n| node(pair, n, n == me)).collect(),
            segments: if carp { SEGMENTS.map(segment).into() } else { Vec::new() },
            zones: vec![zone("lan", [10, 0, 0, 0], 8), zone("wan", [0, 0, 0, 0], 0)],
            paths: vec![Path {
                from: 0,
                to: 1,
                critical: true,
            }],
            canaries: if self.canary() {
                pair.canaries.clone()
            } else {
                Vec::new()
            },
            probes: if probes {
                targets(pair, me).iter().map(probe).collect()
            } else {
                Vec::new()
            },
            ..Settings::default()
        }
    }
}

/// Segments in the order of the settings.
const SEGMENTS: [Net; 2] = [Net::Lan, Net::Wan];

fn node(pair: &Pair, n: Node, is_self: bool) -> settings::Node {
    let shared = SEGMENTS
        .iter()
        .flat_map(|&net| (1..=pair.vhids).map(move |v| site::shared(net, v)));
    settings::Node {
        name: format!("fw{}", n + 1),
        addresses: vec![site::address(Net::Sync, n)],
        is_self,
        local: SEGMENTS
            .iter()
            .map(|&net| site::address(net, n))
            .chain(shared)
            .collect(),
    }
}

/// What pfwatch beside `me` probes, in the order of the settings.
fn targets(pair: &Pair, me: Node) -> Vec<Target> {
    let peers = (0..pair.nodes()).filter(|&n| n != me);
    let about = peers.flat_map(|n| SEGMENTS.map(|net| Target::Peer(n, net)));
    [Target::Internet, Target::Inside].into_iter().chain(about).collect()
}

/// fall and rise as the shipped configuration has them.
fn probe(target: &Target) -> Probe {
    let (name, about) = match *target {
        Target::Peer(n, net) => (format!("fw{} {}", n + 1, net.name()), About::Node(n)),
        Target::Inside => ("inside".into(), About::SelfNode),
        Target::Internet | Target::Gateway => ("internet".into(), About::SelfNode),
    };
    Probe {
        name,
        about,
        fall: 3,
        rise: 5,
    }
}

/// One engine.
struct Beside {
    me: Node,
    settings: Settings,
    targets: Vec<Target>,
    engine: Engine,
    /// When it last heard anything.
    seen: Time,
}

/// See the module.
pub struct Watchdog {
    name: &'static str,
    pair: Pair,
    clock: Clock,
    health_from: Node,
    beside: Vec<Beside>,
    said: Said,
}

impl Watchdog {
    /// For these nodes with these witnesses. Without CARP there is no role and thus nothing to decide: then the one
    /// engine beside the backup says all there is.
    #[must_use]
    pub fn new(pair: &Pair, witnesses: Witnesses) -> Self {
        let alone = witnesses == Witnesses::None;
        let all = (0..pair.nodes()).filter(|&n| !alone || n == pair.backup());
        let beside = all.map(|me| {
            let settings = witnesses.settings(pair, me);
            let targets = if settings.probes.is_empty() {
                Vec::new()
            } else {
                targets(pair, me)
            };
            (me, settings, targets)
        });
        let mut watchdog = Self::configured(pair, witnesses.name(), beside);
        if alone {
            watchdog.clock.steps.clone_from(&pair.steps);
        }
        watchdog
    }

    /// With any configuration: node, what its engine is told, and whom its probes ask, in the order of the settings.
    pub fn configured(
        pair: &Pair,
        name: &'static str,
        beside: impl Iterator<Item = (Node, Settings, Vec<Target>)>,
    ) -> Self {
        let beside = beside.map(|(me, settings, targets)| Beside {
            me,
            targets,
            engine: Engine::new(settings.clone(), 1),
            settings,
            seen: Time::ZERO,
        });
        Self {
            name,
            pair: pair.clone(),
            clock: Clock {
                epoch: pair.epoch,
                steps: Vec::new(),
            },
            health_from: pair.backup(),
            beside: beside.collect(),
            said: Said::default(),
        }
    }

    /// What the engine says, not before `from`: its clock stands still where the stamps run backwards.
    fn collect(&mut self, index: usize, from: Time) {
        let health = self.beside[index].me == self.health_from;
        let clock = &self.clock;
        let Beside { engine, me, .. } = &mut self.beside[index];
        while let Some(event) = engine.poll() {
            match event {
                Event::Verdict(v) if health => {
                    let at = clock.since(v.at).max(from);
                    let (worst, _) = engine.node_health(v.node);
                    self.said.output(at, v.node.index(), worst == Health::Down);
                }
                Event::Decision(d) => {
                    let at = clock.since(d.at).max(from);
                    let (act, against) = match d.action {
                        Action::Promote => (Act::Promote, Some(d.node.index())),
                        Action::Fence => (Act::Fence, Some(d.node.index())),
                        Action::Demote => (Act::Demote, None),
                        Action::Restore => (Act::Restore, None),
                    };
                    self.said.deed(at, *me, act, against);
                }
                _ => {}
            }
        }
    }

    /// Drives an engine over the deadlines before `to`.
    fn idle(&mut self, index: usize, to: Time) {
        let Beside { me, engine, seen, .. } = &mut self.beside[index];
        let (until, from) = (self.clock.stamp(to), *seen);
        loop {
            let deadline = engine.next_deadline();
            // In a dead node nobody is there to look.
            if deadline >= until || self.pair.is_away(*me, self.clock.since(deadline)) {
                break;
            }
            engine.idle(deadline);
        }
        self.collect(index, from);
    }
}

impl Beside {
    /// Whether its node has booted since it last heard anything: then the engine is a new one.
    fn boots(&mut self, at: Time, pair: &Pair) -> bool {
        let anew = pair.began_anew(self.me, self.seen, at);
        self.seen = at;
        if anew {
            self.engine = Engine::new(self.settings.clone(), 1);
        }
        anew
    }

    fn hear(&mut self, heard: &Heard, clock: &Clock, pair: &Pair) {
        let at = clock.stamp(heard.at());
        match heard {
            Heard::Gap {
                cause: Blindness::Clock,
                ..
            } => {
                if clock.steps.is_empty() {
                    self.engine.gap(at, slept(pair, heard.at()), GapCause::ClockStep, 0);
                }
            }
            Heard::Frame { net, octets, .. } => {
                let net = match net {
                    Net::Sync => capture::Net::Sync,
                    _ if self.settings.segments.is_empty() => return,
                    Net::Lan => capture::Net::Segment(0),
                    Net::Wan => capture::Net::Segment(1),
                };
                self.engine.frame(&Frame::whole(at, net, ETHERNET, octets));
            }
            Heard::Ping { node, target, ok, .. } => {
                if *node == self.me
                    && let Some(index) = self.targets.iter().position(|t| t == target)
                {
                    self.engine.probe(at, index, *ok);
                }
            }
            Heard::Gap {
                length, lost, cause, ..
            } => self.engine.gap(at, *length, why(*cause), *lost),
        }
    }
}

impl Watch for Watchdog {
    fn name(&self) -> &str {
        self.name
    }

    fn beside(&mut self, node: Node, until: Time, heard: &Heard) {
        let Some(i) = self.beside.iter().position(|b| b.me == node) else {
            return;
        };
        if self.pair.is_away(node, heard.at()) {
            return;
        }
        self.idle(i, until);
        if self.beside[i].boots(heard.at(), &self.pair) {
            if node == self.health_from {
                // What the one before it had concluded is forgotten with it.
                (0..self.pair.nodes()).for_each(|n| self.said.output(heard.at(), n, false));
            }
            // A process that begins knows nothing of what it missed.
            if matches!(heard, Heard::Gap { .. }) {
                return;
            }
        }
        self.beside[i].hear(heard, &self.clock, &self.pair);
        self.collect(i, heard.at());
    }

    fn end(&mut self, length: Time) {
        (0..self.beside.len()).for_each(|i| self.idle(i, length));
    }

    fn said(&self) -> &Said {
        &self.said
    }
}

fn why(cause: Blindness) -> GapCause {
    match cause {
        Blindness::Drops => GapCause::KernelDrop,
        Blindness::Stall => GapCause::Stall,
        Blindness::Clock => GapCause::ClockStep,
    }
}
