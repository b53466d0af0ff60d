//! The files of a simulated run, named after that of the sync net.

use crate::capture::file::write::Writer;
use crate::cli::Failure;
use crate::time::Timestamp;
use pf_sim::Time;
use pf_sim::setup::Setup;
use pf_sim::site::{self, Net};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

type Out = Writer<BufWriter<Box<dyn Write>>>;

/// Captures that are being written.
pub(super) struct Files {
    captures: Vec<(Net, PathBuf, Out)>,
    configuration: Option<PathBuf>,
}

impl Files {
    /// Opens them; `sync` may be `-`.
    pub(super) fn create(sync: &Path, setup: &Setup) -> Result<Self, Failure> {
        if sync == Path::new("-") {
            let out: Box<dyn Write> = Box::new(io::stdout());
            let capture = (Net::Sync, sync.to_owned(), Writer::new(BufWriter::new(out))?);
            return Ok(Self {
                captures: vec![capture],
                configuration: None,
            });
        }
        let mut captures = Vec::new();
        for net in [Net::Sync, Net::Lan, Net::Wan] {
            let path = match net {
                Net::Sync => sync.to_owned(),
                _ => sync.with_extension(format!("{}.pcap", net.name())),
            };
            let open = |path: &Path| {
                let out: Box<dyn Write> = Box::new(File::create(path)?);
                Writer::new(BufWriter::new(out))
            };
            let writer = open(&path).map_err(|source| failure(&path, source))?;
            captures.push((net, path, writer));
        }
        let path = sync.with_extension("toml");
        fs::write(&path, configuration(setup)).map_err(|source| failure(&path, source))?;
        Ok(Self {
            captures,
            configuration: Some(path),
        })
    }

    /// Appends a frame heard `at` after `epoch` (Unix time in nanoseconds).
    pub(super) fn frame(&mut self, net: Net, epoch: i64, at: Time, octets: &[u8]) -> Result<(), Failure> {
        let Some((_, path, writer)) = self.captures.iter_mut().find(|(n, ..)| *n == net) else {
            return Ok(());
        };
        let written = writer.frame(Timestamp::from_nanos(epoch) + at, octets);
        written.map_err(|source| failure(path, source))
    }

    /// Closes them and says what to do with them.
    pub(super) fn finish(self) -> Result<Vec<String>, Failure> {
        let mut command = "pfwatch analyze".to_owned();
        for (net, path, writer) in self.captures {
            writer.finish().map_err(|source| failure(&path, source))?;
            let _ = match net {
                Net::Sync => write!(command, " {}", path.display()),
                _ => write!(command, " --segment {}={}", net.name(), path.display()),
            };
        }
        let Some(path) = self.configuration else {
            return Ok(Vec::new());
        };
        Ok(vec![format!(
            "to see what pfwatch makes of it: {command} -c {}",
            path.display()
        )])
    }
}

fn failure(path: &Path, source: io::Error) -> Failure {
    if path == Path::new("-") {
        return source.into();
    }
    Failure::Write {
        path: path.to_owned(),
        source,
    }
}

/// The nodes of the simulated site; the last one is where pfwatch runs, for it is the one that could take over.
fn configuration(setup: &Setup) -> String {
    let mut text = "# The nodes of a simulated site.\n".to_owned();
    let last = setup.nodes.len().saturating_sub(1);
    for node in 0..setup.nodes.len() {
        let mut local = vec![site::address(Net::Lan, node), site::address(Net::Wan, node)];
        for vhid in 1..=setup.vhids {
            local.extend([site::shared(Net::Lan, vhid), site::shared(Net::Wan, vhid)]);
        }
        let local: Vec<String> = local.iter().map(|a| format!("\"{a}\"")).collect();
        let _ = write!(
            text,
            "\n[[node]]\nname = \"fw{}\"\naddress = [\"{}\"]\nself = {}\nlocal = [{}]\n",
            node + 1,
            site::address(Net::Sync, node),
            node == last,
            local.join(", ")
        );
    }
    for canary in &setup.canaries {
        let _ = write!(
            text,
            "\n[[canary]]\nfrom = \"{}\"\nto = \"{}\"\nproto = \"tcp\"\nevery = \"{}ms\"\n",
            canary.client,
            canary.server,
            canary.every.as_millis()
        );
    }
    text
}
