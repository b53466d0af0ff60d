//! What `analyze` is asked to look at: files, segments, configuration, and which node is `self`.
//!
//! Turns arguments into the engine's settings and the inputs of a source; every refusal is a sentence that says what would
//! have been right.

use super::Failure;
use super::failure::sentence;
use crate::capture::Net;
use crate::capture::file::FileInput;
use crate::config::{Config, read_password};
use crate::settings::{Node, Settings};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A capture of a CARP segment: NAME=FILE.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// For clap.
pub(super) fn segment_file(text: &str) -> Result<SegmentFile, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(SegmentFile {
            name: name.to_owned(),
            path: path.into(),
        }),
        _ => Err("write the segment's name, = and the capture, such as lan=lan.pcap".into()),
    }
}

/// The engine's settings from the configuration, if there is one, and the arguments.
pub(super) fn settings(config: Option<&Path>, me: Option<&str>, segments: &[SegmentFile]) -> Result<Settings, Failure> {
    let names: Vec<String> = segments.iter().map(|s| s.name.clone()).collect();
    let loaded = config.map(Config::load).transpose()?;
    let given = loaded.unwrap_or_default();
    let mut settings = given.settings(&names);
    // The captures may be looked at anywhere; the passwords need not be there.
    for (name, path) in given.password_files() {
        match read_password(path) {
            Ok(password) => {
                if let Some(segment) = settings.segments.iter_mut().find(|s| s.name == name) {
                    segment.password = Some(password);
                }
            }
            Err(e) => tracing::warn!("{}; advertisements on {name} are believed without it", sentence(&e)),
        }
    }
    if let Some(me) = me {
        choose_self(&mut settings, me)?;
    }
    Ok(settings)
}

/// The address (or the configured name) says which node pfwatch would have run beside.
fn choose_self(settings: &mut Settings, me: &str) -> Result<(), Failure> {
    let address: Option<IpAddr> = me.parse().ok();
    if settings.nodes.is_empty() {
        let Some(address) = address else {
            let text = format!("--self {me} is not an address; names need a configuration (-c) that has them");
            return Err(Failure::Usage(text));
        };
        // Without a configuration it has no name.
        settings.nodes.push(Node {
            name: String::new(),
            addresses: vec![address],
            is_self: true,
            local: Vec::new(),
        });
        return Ok(());
    }
    let is_me = |n: &Node| n.name == me || address.is_some_and(|a| n.addresses.contains(&a));
    let Some(chosen) = settings.nodes.iter().position(is_me) else {
        let name = |n: &Node| {
            n.addresses
                .first()
                .map_or_else(|| n.name.clone(), |a| format!("{a} ({})", n.name))
        };
        let nodes: Vec<String> = settings.nodes.iter().map(name).collect();
        let text = format!(
            "--self {me} is no node of the configuration, which has {}",
            nodes.join(", ")
        );
        return Err(Failure::Usage(text));
    };
    for (i, node) in settings.nodes.iter_mut().enumerate() {
        node.is_self = i == chosen;
    }
    Ok(())
}

/// All files, each with the net that it was captured on.
pub(super) fn files(sync: &[PathBuf], segments: &[SegmentFile], settings: &Settings) -> Vec<FileInput> {
    let sync = sync.iter().map(|path| FileInput {
        path: path.clone(),
        net: Net::Sync,
    });
    let carp = segments.iter().filter_map(|s| {
        let net = Net::Segment(settings.segments.iter().position(|have| have.name == s.name)?);
        Some(FileInput {
            path: s.path.clone(),
            net,
        })
    });
    sync.chain(carp).collect()
}
