//! From the checked configuration to what the engine is told: names become indexes.
//!
//! Called by `cli`. Passwords are no part of this: see `password`.

use super::check::SELF;
use super::model::Config;
use crate::capture::Vlan;
use crate::settings::{self, About, Settings};

impl Config {
    /// The engine's settings. `extra_segments` are those named on the command line; one that is configured too is the
    /// same segment, the others follow in their order. Passwords are still to be read, from
    /// [`Config::password_files`].
    #[must_use]
    pub fn settings(&self, extra_segments: &[String]) -> Settings {
        let mut segments: Vec<_> = self.segments.iter().map(configured).collect();
        for name in extra_segments {
            if !segments.iter().any(|s| s.name == *name) {
                segments.push(segment(name));
            }
        }
        Settings {
            nodes: self.nodes.iter().map(node).collect(),
            segments,
            zones: self.zones.iter().map(zone).collect(),
            // `check` has seen that every name exists, so nothing is lost by the filters.
            paths: self.paths.iter().filter_map(|p| self.path(p)).collect(),
            canaries: self.canaries.iter().map(canary).collect(),
            detect: settings::Detect {
                risk_per_year: self.detect.risk.per_year(),
                min: self.detect.min,
                max: self.detect.max,
            },
            config_sync_ports: self.sync.config_sync_ports.clone(),
            // Whoever listens knows; files may be from anywhere.
            own_interfaces: false,
            probes: self.probes.iter().filter_map(|p| self.probe(p)).collect(),
            policy: settings::Policy {
                require_witness: self.actions.require_witness,
                confirm: self.actions.confirm,
                settle: self.actions.settle,
                demote_delay: self.actions.demote_delay,
                recover: self.actions.recover,
                hold_down: self.actions.hold_down,
                max_per_hour: self.actions.max_per_hour,
                fence: self.fence.as_ref().and_then(|f| self.node_index(&f.node)),
                fence_delay: self.fence.as_ref().map_or(std::time::Duration::ZERO, |f| f.delay),
                live: settings::Live::default(),
            },
        }
    }

    fn node_index(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == name)
    }

    fn path(&self, path: &super::PathRule) -> Option<settings::Path> {
        let zone = |name: &str| self.zones.iter().position(|z| z.name == name);
        Some(settings::Path {
            from: zone(&path.from)?,
            to: zone(&path.to)?,
            critical: path.critical,
        })
    }

    fn probe(&self, probe: &super::Probe) -> Option<settings::Probe> {
        let about = match probe.about.as_str() {
            SELF => About::SelfNode,
            name => About::Node(self.node_index(name)?),
        };
        Some(settings::Probe {
            name: probe.name.clone(),
            about,
            fall: probe.fall,
            rise: probe.rise,
        })
    }
}

fn configured(configured: &super::Segment) -> settings::Segment {
    settings::Segment {
        vlan: (!configured.vlan.is_empty()).then(|| Vlan::new(&configured.vlan)),
        ..segment(&configured.name)
    }
}

fn segment(name: &str) -> settings::Segment {
    settings::Segment {
        name: name.to_owned(),
        password: None,
        vlan: None,
    }
}

fn node(node: &super::Node) -> settings::Node {
    settings::Node {
        name: node.name.clone(),
        addresses: node.addresses.clone(),
        is_self: node.is_self,
        local: node.local.clone(),
    }
}

fn zone(zone: &super::Zone) -> settings::Zone {
    settings::Zone {
        name: zone.name.clone(),
        prefixes: zone.prefixes.clone(),
    }
}

fn canary(canary: &super::Canary) -> settings::Canary {
    settings::Canary {
        from: canary.from,
        to: canary.to,
        proto: canary.proto,
        every: canary.every,
    }
}
