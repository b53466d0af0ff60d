//! What others may ask the engine: names, roles, health, counters. Reading only; nothing here changes a conclusion.

use super::counters::Counters;
use super::{Engine, Node};
use crate::capture::{Net, Vlan};
use crate::decide::{Outlook, Role};
use crate::detect::carp::{Protocol, Witness};
use crate::detect::path::PathHealth;
use crate::event::{Advertiser, Cause, Health, NodeId};
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::track::{FlowCount, Held};
use std::net::{IpAddr, Ipv4Addr};

impl Engine {
    /// Worst health on a critical path.
    #[must_use]
    pub fn node_health(&self, node: NodeId) -> (Health, Option<Cause>) {
        let critical = |p: &usize| self.is_critical(*p);
        let paths = (0..self.tracker.path_count())
            .filter(critical)
            .filter_map(|p| self.detector.path(node, p));
        let rank = |h: Health| match h {
            Health::Down => 4,
            Health::Suspect => 3,
            Health::Up => 2,
            Health::Idle => 1,
            Health::Unknown => 0,
        };
        paths
            .max_by_key(|p| rank(p.health))
            .map_or((Health::Unknown, None), |p| (p.health, Some(p.cause)))
    }

    /// Whether a node is down, and something shows that it is its own fault: what is dead beyond both nodes looks the same to
    /// traffic alone.
    #[must_use]
    pub fn is_at_fault(&self, node: NodeId) -> bool {
        let (Health::Down, Some(cause)) = self.node_health(node) else {
            return false;
        };
        let torn = self.carp.split().is_some_and(|s| s.suspect == Some(node));
        !cause.is_blackhole() || torn || self.fault(self.now, node).is_shown()
    }

    /// Whether a node is down by traffic alone on a critical path.
    #[must_use]
    pub fn node_firm(&self, node: NodeId) -> bool {
        (0..self.tracker.path_count()).any(|p| self.is_critical(p) && self.detector.firm(node, p))
    }

    /// The last try through a node that failed and the last that got through, where it is down.
    #[must_use]
    pub fn node_tries(&self, node: NodeId) -> (Timestamp, Timestamp) {
        let paths = (0..self.tracker.path_count()).filter(|p| self.is_critical(*p));
        let down = paths
            .filter_map(|p| self.detector.path(node, p))
            .filter(|p| p.health == Health::Down);
        let last = down.map(PathHealth::last_tries);
        last.fold((Timestamp::MIN, Timestamp::MIN), |a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// Time as the engine has it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Role of the node that pfwatch runs beside.
    #[must_use]
    pub fn role(&self) -> Role {
        self.policy.role()
    }

    /// The same by CARP alone, whatever was decided.
    #[must_use]
    pub fn carp_role(&self) -> Role {
        self.policy.carp_role()
    }

    /// All counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Node ids, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..u16::try_from(self.nodes.len()).unwrap_or(u16::MAX)).map(NodeId)
    }

    /// Address that outputs call a node by.
    #[must_use]
    pub fn address(&self, node: NodeId) -> IpAddr {
        self.nodes
            .get(node.index())
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |n| n.address)
    }

    /// Configured name, or the address.
    #[must_use]
    pub fn label(&self, node: NodeId) -> String {
        self.nodes.get(node.index()).map_or_else(String::new, Node::label)
    }

    /// Whether it is in no configuration, though a pair is: then it is counted, and nothing is concluded from it.
    #[must_use]
    pub fn is_unnamed(&self, node: NodeId) -> bool {
        let named = self.settings.nodes.len();
        named >= 2 && node.index() >= named
    }

    /// Configured name.
    #[must_use]
    pub fn name(&self, node: NodeId) -> Option<&str> {
        self.nodes.get(node.index())?.name.as_deref()
    }

    /// Whether pfwatch runs beside it.
    #[must_use]
    pub fn is_self(&self, node: NodeId) -> bool {
        self.nodes.get(node.index()).is_some_and(|n| n.me)
    }

    /// In which protocol a vhid was last advertised.
    #[must_use]
    pub fn carp_protocol(&self, segment: usize, vhid: u8) -> Option<Protocol> {
        self.carp.protocol(segment, vhid)
    }

    /// Advertisements of a vhid that came back to their sender.
    #[must_use]
    pub fn carp_reflections(&self, segment: usize, vhid: u8) -> u64 {
        self.carp.reflections(segment, vhid)
    }

    /// What to call somebody who advertises: the node's name, or the address.
    #[must_use]
    pub fn caller(&self, a: &Advertiser) -> String {
        a.node.map_or_else(|| a.address.to_string(), |n| self.label(n))
    }

    /// The address by which outputs know somebody who advertises: the node's, or where it is heard from.
    #[must_use]
    pub fn advertiser(&self, a: &Advertiser) -> IpAddr {
        a.node.map_or(a.address, |n| self.address(n))
    }

    /// The node that sends pfsync from an address.
    #[must_use]
    pub fn sender(&self, address: IpAddr) -> Option<NodeId> {
        self.by_address.get(&address).copied()
    }

    /// The node to which a CARP source belongs.
    #[must_use]
    pub fn owner(&self, source: IpAddr) -> Option<NodeId> {
        self.by_local.get(&source).copied()
    }

    /// When a node's configuration was last seen going to a peer.
    #[must_use]
    pub fn last_config_sync(&self, node: NodeId) -> Option<Timestamp> {
        self.nodes.get(node.index())?.last_config_sync
    }

    /// States of a node.
    #[must_use]
    pub fn flows(&self, node: NodeId) -> FlowCount {
        self.tracker.count(node.0)
    }

    /// The same by path: those of each watched path, then those of none.
    #[must_use]
    pub fn held(&self, node: NodeId) -> Vec<Held> {
        self.tracker.held(node.0)
    }

    /// Since when a bulk update of a node goes on whose end was not heard.
    #[must_use]
    pub fn bulk_since(&self, node: NodeId) -> Option<Timestamp> {
        self.nodes.get(node.index())?.bulk_since
    }

    /// What CARP says of a node.
    #[must_use]
    pub fn carp_witness(&self, node: NodeId) -> Witness {
        self.carp.witness(self.now, node)
    }

    /// Whether masters differ, and this node is the one that is missing somewhere.
    #[must_use]
    pub fn is_split_off(&self, node: NodeId) -> bool {
        self.carp.split().is_some_and(|s| s.suspect == Some(node))
    }

    /// Whether a canary was among what failed when the node was called down.
    #[must_use]
    pub fn lost_canary(&self, node: NodeId) -> bool {
        self.nodes.get(node.index()).is_some_and(|n| n.canary)
    }

    /// What keeps the policy from deciding, and what it would take.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        self.policy.outlook(self.now)
    }

    /// States held and thrown out for want of room.
    #[must_use]
    pub fn flow_table(&self) -> (usize, u64) {
        (self.tracker.len(), self.tracker.evictions())
    }

    /// Watched paths, at least one.
    #[must_use]
    pub fn path_count(&self) -> usize {
        self.tracker.path_count()
    }

    /// `lan -> wan`, or `any`.
    #[must_use]
    pub fn path_name(&self, path: usize) -> String {
        let zone = |i: usize| self.settings.zones.get(i).map_or("?", |z| z.name.as_str());
        self.settings
            .paths
            .get(path)
            .map_or_else(|| "any".into(), |p| format!("{} -> {}", zone(p.from), zone(p.to)))
    }

    /// Whether down on this path means that the node is down.
    #[must_use]
    pub fn is_critical(&self, path: usize) -> bool {
        self.settings.paths.get(path).is_none_or(|p| p.critical)
    }

    /// Name of a network with CARP: a segment, or a part of one.
    #[must_use]
    pub fn segment_name(&self, segment: usize) -> &str {
        self.networks.name(segment)
    }

    /// What a net is called.
    #[must_use]
    pub fn net_name(&self, net: Net) -> &str {
        match net {
            Net::Sync => "the sync net",
            Net::Segment(segment) => self.segment_name(segment),
        }
    }

    /// What to call the captures of some nets, and whether there are several.
    #[must_use]
    pub fn captures_of(&self, nets: &[Net]) -> (String, bool) {
        let names: Vec<&str> = nets.iter().map(|net| self.net_name(*net)).collect();
        let several = nets.len() > 1;
        let captures = if several { "captures" } else { "capture" };
        (format!("the {captures} of {}", names.join(" and ")), several)
    }

    /// The configured segment that a network is, or is a part of.
    #[must_use]
    pub fn segment_of(&self, network: usize) -> Option<usize> {
        self.networks.segment(network)
    }

    /// Its VLAN.
    #[must_use]
    pub fn segment_vlan(&self, segment: usize) -> Vlan {
        self.networks.vlan(segment)
    }

    /// Health, cause and score of a node on a path.
    #[must_use]
    pub fn path_health(&self, node: NodeId, path: usize) -> Option<&crate::detect::path::PathHealth> {
        self.detector.path(node, path)
    }

    /// What suspicion must reach for `down`, where no witness helps.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        crate::detect::score::threshold(self.settings.detect.risk_per_year)
    }
}
