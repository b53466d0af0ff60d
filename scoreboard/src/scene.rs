//! What everybody can tell from what is heard: who sent a frame, who is CARP master, who left and how.
//!
//! Decodes each heard thing once, for all the simple watchers. pfwatch does not use it: it has its own eyes, which are
//! what is measured. Says nothing about health.

use crate::pair::Pair;
use pf_sim::Time;
use pf_sim::heard::{Heard, Target};
use pf_sim::site::{self, Net, Node};
use pfsync_proto::Proto112;
use pfwatch::capture::LinkType;
use pfwatch::dissect::{Kind, dissect};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Ethernet.
pub const ETHERNET: LinkType = LinkType(1);

/// A virtual host on a segment.
pub type Vhost = (Net, u8);

/// What a heard thing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A node said something by pfsync.
    Pfsync(Node),
    /// A node advertised a virtual host.
    Advertisement(Node, Vhost),
    /// A ping came back, or did not.
    Ping(Node, Target, bool),
    /// Anything else: a gap, damaged frames, strangers.
    Other,
}

/// How a node stands towards CARP, as far as its advertisements tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duty {
    /// It is master of nothing, and that is as it should be.
    #[default]
    Off,
    /// It is master of something.
    On,
    /// It was master until its advertisements ended and another took over. A user who watches the active node would
    /// not look away now: this is what he is watching for.
    Lost,
}

/// The last word about a virtual host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mastership {
    /// Who advertises it.
    pub node: Node,
    /// When it last did.
    pub heard: Time,
    /// Said good-bye with it, or showed a demotion.
    pub yielding: bool,
}

/// A change of master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// What.
    pub vhost: Vhost,
    /// Who had it.
    pub from: Node,
    /// Who has it.
    pub to: Node,
    /// Its advertisements had ended before; otherwise it gave way.
    pub lost: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Scene {
    pair: Pair,
    owners: BTreeMap<IpAddr, (Node, Net)>,
    masters: BTreeMap<Vhost, Mastership>,
    duty: Vec<Duty>,
    sound: Sound,
    takeover: Option<Takeover>,
}

impl Scene {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(pair: &Pair) -> Self {
        let nets = [Net::Lan, Net::Wan, Net::Sync];
        let all = (0..pair.nodes()).flat_map(|n| nets.map(|net| (site::address(net, n), (n, net))));
        Self {
            pair: pair.clone(),
            owners: all.collect(),
            masters: BTreeMap::new(),
            duty: vec![Duty::Off; pair.nodes()],
            sound: Sound::Other,
            takeover: None,
        }
    }

    /// The pair.
    #[must_use]
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// What was heard last.
    #[must_use]
    pub fn sound(&self) -> Sound {
        self.sound
    }

    /// The change of master that the last thing heard made.
    #[must_use]
    pub fn takeover(&self) -> Option<Takeover> {
        self.takeover
    }

    /// How a node stands.
    #[must_use]
    pub fn duty(&self, node: Node) -> Duty {
        self.duty.get(node).copied().unwrap_or_default()
    }

    /// Who advertises what.
    #[must_use]
    pub fn masters(&self) -> &BTreeMap<Vhost, Mastership> {
        &self.masters
    }

    /// Takes in what was heard.
    pub fn hear(&mut self, heard: &Heard) {
        self.takeover = None;
        self.sound = match heard {
            Heard::Frame { at, net, octets } => self.frame(*at, *net, octets),
            Heard::Ping { node, target, ok, .. } => Sound::Ping(*node, *target, *ok),
            Heard::Gap { .. } => Sound::Other,
        };
    }

    fn frame(&mut self, at: Time, net: Net, octets: &[u8]) -> Sound {
        let packet = dissect(ETHERNET, octets, u32::try_from(octets.len()).unwrap_or(u32::MAX));
        let Some(&(node, _)) = packet.ip.and_then(|ip| self.owners.get(&ip.src)) else {
            return Sound::Other;
        };
        if packet.refused.is_some() {
            return Sound::Other;
        }
        match packet.kind {
            Kind::Pfsync(_) => {
                // Heard again after it had gone, and no word of CARP with it: it came back as a backup.
                if self.duty(node) == Duty::Lost {
                    self.duty[node] = Duty::Off;
                }
                Sound::Pfsync(node)
            }
            Kind::Proto112(payload) => match Proto112::decode(payload, None) {
                Ok(Proto112::Carp(carp)) if carp.cksum_ok => {
                    let vhost = (net, carp.vhid);
                    let yielding = carp.bow_out || carp.demote > 0 || carp.advskew >= 240;
                    self.advertised(at, vhost, node, yielding);
                    Sound::Advertisement(node, vhost)
                }
                _ => Sound::Other,
            },
            _ => Sound::Other,
        }
    }

    fn advertised(&mut self, at: Time, vhost: Vhost, node: Node, yielding: bool) {
        let now = Mastership {
            node,
            heard: at,
            yielding,
        };
        let before = self.masters.insert(vhost, now);
        if let Some(before) = before.filter(|b| b.node != node) {
            // Who gives way is followed within an interval; who vanished, after three. Between them is room for what
            // the way of a frame takes.
            let patience = self.pair.master_timeout(before.node, vhost);
            let lost = !before.yielding && at + patience / 4 >= before.heard + patience;
            self.takeover = Some(Takeover {
                vhost,
                from: before.node,
                to: node,
                lost,
            });
            if !self.is_master(before.node) {
                self.duty[before.node] = if lost { Duty::Lost } else { Duty::Off };
            }
        }
        self.duty[node] = Duty::On;
    }

    fn is_master(&self, node: Node) -> bool {
        self.masters.values().any(|m| m.node == node)
    }
}
