//! What `analyze` is asked to look at: files, segments, configuration, and which node is `self`.
//!
//! Turns arguments into the engine's settings and the inputs of a source; every refusal is a sentence that says what would
//! have been right.

use super::Failure;
use super::failure::sentence;
use crate::capture::Net;
use crate::capture::file::{FileInput, Interface, Interfaces};
use crate::config::{Config, read_password};
use crate::settings::{Node, Settings};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A capture of a CARP segment: NAME=FILE, or NAME=FILE@INTERFACE for one interface of a pcapng.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
    interface: Option<Interface>,
}

/// What the engine and the source are to be told.
pub(super) struct Asked {
    pub(super) settings: Settings,
    /// Interfaces that belong to one configured segment alone, as a pcapng of everything may have them.
    interfaces: Vec<(Interface, Option<usize>)>,
}

/// For clap.
pub(super) fn segment_file(text: &str) -> Result<SegmentFile, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            // Whoever has an @ in the names of his files need not rename them.
            let parts = path.rsplit_once('@').filter(|_| !Path::new(path).exists());
            let parts = parts.filter(|(file, interface)| !file.is_empty() && !interface.is_empty());
            let (path, interface) = parts.map_or((path, None), |(file, interface)| (file, Some(interface)));
            Ok(SegmentFile {
                name: name.to_owned(),
                path: path.into(),
                interface: interface.map(|name| Interface(name.to_owned())),
            })
        }
        _ => Err("write the segment's name, = and the capture, such as lan=lan.pcap".into()),
    }
}

/// The engine's settings from the configuration, if there is one, and the arguments.
pub(super) fn settings(config: Option<&Path>, me: Option<&str>, segments: &[SegmentFile]) -> Result<Asked, Failure> {
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
    given_twice(segments, &settings)?;
    Ok(Asked {
        interfaces: sole_interfaces(&given),
        settings,
    })
}

/// One file for two segments makes them look alike, unless something in it tells them apart.
fn given_twice(segments: &[SegmentFile], settings: &Settings) -> Result<(), Failure> {
    let vlan = |s: &SegmentFile| settings.segments.iter().find(|have| have.name == s.name)?.vlan;
    let place = |s: &SegmentFile| std::fs::canonicalize(&s.path).unwrap_or_else(|_| s.path.clone());
    for (i, a) in segments.iter().enumerate() {
        let same = |b: &&SegmentFile| {
            let apart = vlan(a).is_some() && vlan(b).is_some() && vlan(a) != vlan(b);
            a.name != b.name && a.interface == b.interface && !apart && place(a) == place(b)
        };
        if let Some(b) = segments.iter().skip(i + 1).find(same) {
            let text = format!(
                "{} is given for {} and for {}: give each segment its own capture, its interface of a pcapng \
                 (NAME=FILE@INTERFACE), or a `vlan` in its [[segment]]",
                a.path.display(),
                a.name,
                b.name
            );
            return Err(Failure::Usage(text));
        }
    }
    Ok(())
}

fn sole_interfaces(config: &Config) -> Vec<(Interface, Option<usize>)> {
    let all = || config.segments.iter().map(|s| s.interface.as_ref());
    let sole = |(i, name): (usize, Option<&String>)| {
        let name = name.filter(|name| all().flatten().filter(|other| other == name).count() == 1)?;
        Some((Interface(name.clone()), Some(i)))
    };
    all().enumerate().filter_map(sole).collect()
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
pub(super) fn files(sync: &[PathBuf], segments: &[SegmentFile], asked: &Asked) -> Vec<FileInput> {
    let place = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let sync = sync.iter().map(|path| {
        let same = segments.iter().filter(|s| place(&s.path) == place(path));
        let beside = same.filter_map(|s| Some((s.interface.clone()?, None)));
        FileInput {
            interfaces: Interfaces::All(beside.chain(asked.interfaces.iter().cloned()).collect()),
            ..FileInput::new(path, Net::Sync)
        }
    });
    let carp = segments.iter().filter_map(|s| {
        let net = Net::Segment(asked.settings.segments.iter().position(|have| have.name == s.name)?);
        let all = FileInput::new(&s.path, net);
        Some(match &s.interface {
            Some(interface) => FileInput {
                interfaces: Interfaces::One(interface.clone()),
                ..all
            },
            None => all,
        })
    });
    sync.chain(carp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_an_at_stands_an_interface_unless_the_file_is_called_so() {
        let parsed = |text: &str| {
            let s = segment_file(text).unwrap();
            (s.name, s.path.display().to_string(), s.interface.map(|i| i.0))
        };
        let given = |name: &str, path: &str, interface: Option<&str>| {
            (name.to_owned(), path.to_owned(), interface.map(str::to_owned))
        };
        assert_eq!(parsed("lan=all.pcapng@em0"), given("lan", "all.pcapng", Some("em0")));
        assert_eq!(parsed("lan=a@b.pcapng@#2"), given("lan", "a@b.pcapng", Some("#2")));
        assert_eq!(parsed("lan=-@em0"), given("lan", "-", Some("em0")));
        assert_eq!(parsed("lan=all.pcapng"), given("lan", "all.pcapng", None));
        assert_eq!(parsed("lan=all.pcapng@"), given("lan", "all.pcapng@", None));
        assert_eq!(parsed("lan=@em0"), given("lan", "@em0", None));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lan@home");
        std::fs::write(&path, "").unwrap();
        let path = path.display().to_string();
        assert_eq!(parsed(&format!("lan={path}")), given("lan", &path, None));
    }

    #[test]
    fn an_interface_of_two_segments_is_none_of_theirs_alone() {
        let segment = |name: &str, interface: Option<&str>| crate::config::Segment {
            name: name.into(),
            interface: interface.map(str::to_owned),
            vlan: Vec::new(),
            password_file: None,
        };
        let config = Config {
            segments: vec![
                segment("a", Some("em0")),
                segment("b", Some("em1")),
                segment("c", Some("em0")),
                segment("d", None),
            ],
            ..Config::default()
        };
        assert_eq!(*sole_interfaces(&config), [(Interface("em1".into()), Some(1))]);
    }
}
