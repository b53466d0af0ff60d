//! What to listen to and what to look for: made from the configuration and the arguments, at the start and at each SIGHUP;
//! and by `doctor`.
//!
//! Reads the configuration and the password files; opens no interface. A plan is whole or there is none.

use super::super::failure::sentence;
use super::super::{Failure, exit};
use crate::capture::Net;
use crate::capture::live::{ConfigSync, LiveInput, Options};
use crate::config::{Canary, Config, DEFAULT_PATH, PasswordError, format_duration, read_password};
use crate::settings::Settings;
use std::io::ErrorKind;
use std::path::Path;

/// See the module.
pub(in crate::cli) struct Plan {
    /// With what the arguments changed in it.
    pub(in crate::cli) config: Config,
    pub(in crate::cli) settings: Settings,
    pub(in crate::cli) inputs: Vec<LiveInput>,
    pub(in crate::cli) options: Options,
}

/// Why there is no plan.
pub(in crate::cli) enum Refused {
    Config(Failure),
    Said(String, u8),
}

impl Refused {
    /// Says it and returns the exit code.
    pub(in crate::cli) fn report(&self) -> u8 {
        match self {
            Self::Config(failure) => failure.report(),
            Self::Said(text, code) => {
                tracing::error!("{text}");
                *code
            }
        }
    }
}

impl Plan {
    /// Reads everything that is needed.
    pub(in crate::cli) fn make(path: Option<&Path>, interfaces: &[String]) -> Result<Self, Refused> {
        let mut config = read(path, interfaces)?;
        if !interfaces.is_empty() {
            config.sync.interfaces = interfaces.to_vec();
        }
        let mut settings = config.settings(&[]);
        passwords(&config, &mut settings)?;
        settings.own_interfaces = !config.sync.mirrored;
        Ok(Self {
            inputs: inputs(&config)?,
            options: Options {
                config_sync: ConfigSync {
                    nodes: config.nodes.iter().flat_map(|n| n.addresses.iter().copied()).collect(),
                    ports: config.sync.config_sync_ports.clone(),
                },
                mirrored: config.sync.mirrored,
                ..Options::default()
            },
            settings,
            config,
        })
    }

    /// Says what is no mistake but will be missed.
    pub(super) fn warn(&self) {
        for text in self.warnings() {
            tracing::warn!("{text}");
        }
    }

    /// What is no mistake but will be missed.
    pub(in crate::cli) fn warnings(&self) -> Vec<String> {
        let mut all = self.of_canaries();
        let sync = &self.config.sync.interfaces;
        if sync.iter().all(|name| name.starts_with("pfsync")) {
            all.push(format!(
                "{} shows only what this node sends itself, so nothing will be known of any other: name the physical \
                 interface of the sync network",
                sync.join(", ")
            ));
        }
        for segment in self.config.segments.iter().filter(|s| s.interface.is_none()) {
            all.push(format!(
                "segment {} has no interface, so its CARP advertisements are not heard: set `interface` in its [[segment]]",
                segment.name
            ));
        }
        if self.config.segments.iter().all(|s| s.interface.is_none()) {
            all.push(
                "no CARP segment is listened to: without CARP there are verdicts, but no role and no decision".into(),
            );
        } else if self.config.self_node().is_none() {
            all.push("no node has `self = true`: without it there are verdicts, but no role and no decision".into());
        }
        if self.config.sync.mirrored && self.config.self_node().is_some() {
            all.push(
                "`mirrored` is set on a firewall: whoever can send it a tunnelled packet can say anything in the nodes' names".into(),
            );
        }
        all
    }

    /// Canaries of which nothing can be expected.
    fn of_canaries(&self) -> Vec<String> {
        let canaries = &self.config.canaries;
        let max = self.config.detect.max;
        let seldom = canaries.iter().filter(|c| c.every.saturating_mul(4) > max);
        let mut all: Vec<String> = seldom
            .map(|c| {
                format!(
                    "the canary from {} to {} comes too seldom to prove a failure: three tries must fall into `max` ({}), so \
                     let it come at least every {}",
                    c.from,
                    c.to,
                    format_duration(max),
                    format_duration(max / 4)
                )
            })
            .collect();
        let apart = |i: usize, c: &Canary| canaries.iter().skip(i + 1).any(|o| o.from != c.from && o.to != c.to);
        if !canaries.is_empty() && !canaries.iter().enumerate().any(|(i, c)| apart(i, c)) {
            all.push(
                "all canaries share a host, so that what is dead may be that host: alone they make a node suspect and never \
                 down; add one from another host to another target"
                    .into(),
            );
        }
        all
    }

    /// Where is listened, as a sentence.
    pub(super) fn listening(&self) -> String {
        let name = |input: &LiveInput| match input.net {
            Net::Sync => format!("{} (sync)", input.interface),
            Net::Segment(i) => {
                let segment = self.settings.segments.get(i).map_or("?", |s| s.name.as_str());
                format!("{} ({segment})", input.interface)
            }
        };
        let names: Vec<String> = self.inputs.iter().map(name).collect();
        format!("listening on {}", names.join(", "))
    }
}

fn read(path: Option<&Path>, interfaces: &[String]) -> Result<Config, Refused> {
    let default = Path::new(DEFAULT_PATH);
    let path = match path {
        Some(path) => path,
        None if !interfaces.is_empty() => return Ok(Config::default()),
        None if default.exists() => default,
        None => {
            let text =
                format!("there is no {DEFAULT_PATH}: name the configuration with -c, or an interface with --interface");
            return Err(Refused::Said(text, exit::CONFIG));
        }
    };
    Config::load(path).map_err(|e| Refused::Config(e.into()))
}

/// One input per interface: a frame must not be heard twice.
fn inputs(config: &Config) -> Result<Vec<LiveInput>, Refused> {
    let refused = |text: &str| Err(Refused::Said(text.to_owned(), exit::CONFIG));
    let mut inputs: Vec<LiveInput> = Vec::new();
    let mut listen = |interface: &str, net: Net| match inputs.iter_mut().find(|i| i.interface == interface) {
        // pfsync is taken from any net, CARP only from that of its segment.
        Some(known) => known.net = net,
        None => inputs.push(LiveInput {
            interface: interface.to_owned(),
            net,
        }),
    };
    for interface in &config.sync.interfaces {
        listen(interface, Net::Sync);
    }
    let segments = config.segments.iter().enumerate();
    for (i, interface) in segments.filter_map(|(i, s)| Some((i, s.interface.as_deref()?))) {
        listen(interface, Net::Segment(i));
    }
    let sync = &config.sync.interfaces;
    if sync.is_empty() {
        return refused("there is no sync interface to listen on: set `interface` in [sync], or give --interface");
    }
    if sync.iter().any(|i| i == "any") && inputs.len() > 1 {
        return refused("`any` would hear the other interfaces a second time: name the sync interface instead");
    }
    Ok(inputs)
}

/// A password that cannot be read must not turn into a segment on which everything is believed.
fn passwords(config: &Config, settings: &mut Settings) -> Result<(), Refused> {
    for (name, path) in config.password_files() {
        let password = read_password(path).map_err(|e| {
            let denied =
                matches!(&e, PasswordError::Read { source, .. } if source.kind() == ErrorKind::PermissionDenied);
            let code = if denied { exit::PERMISSION } else { exit::CONFIG };
            Refused::Said(sentence(&e), code)
        })?;
        if let Some(segment) = settings.segments.iter_mut().find(|s| s.name == name) {
            segment.password = Some(password);
        }
    }
    Ok(())
}
