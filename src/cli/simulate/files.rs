//! The files of a simulated run, named after that of the sync net.

use super::configuration;
use crate::capture::file::write::Writer;
use crate::cli::Failure;
use crate::time::Timestamp;
use pf_sim::setup::Setup;
use pf_sim::site::Net;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

type Out = Writer<BufWriter<Box<dyn Write>>>;

struct Capture {
    net: Net,
    path: PathBuf,
    frames: u64,
    writer: Out,
}

/// Captures that are being written.
pub(super) struct Files {
    captures: Vec<Capture>,
    configuration: Option<PathBuf>,
}

/// What was written.
pub(super) struct Written {
    /// Net, file, frames; the sync net first.
    pub(super) captures: Vec<(Net, PathBuf, u64)>,
    /// The configuration; none where nothing stands beside the capture of the sync net.
    pub(super) configuration: Option<PathBuf>,
}

impl Files {
    /// Opens them. What is no regular file, such as the standard output (`-`) or a pipe, has nothing beside it.
    pub(super) fn create(sync: &Path, truth: Option<&Path>, setup: &Setup) -> Result<Self, Failure> {
        if sync == Path::new("-") {
            let out: Box<dyn Write> = Box::new(io::stdout());
            return Ok(Self {
                captures: vec![Capture::new(Net::Sync, sync.to_owned(), out)?],
                configuration: None,
            });
        }
        let special = fs::metadata(sync).is_ok_and(|m| !m.is_file());
        let beside = |end: &str| sync.with_extension(end);
        let names = [
            (Net::Sync, sync.to_owned()),
            (Net::Lan, beside("lan.pcap")),
            (Net::Wan, beside("wan.pcap")),
        ];
        let configuration = beside("toml");
        let wanted = if special { 1 } else { names.len() };
        if !special {
            let all: Vec<&Path> = names
                .iter()
                .map(|(_, path)| path.as_path())
                .chain([configuration.as_path()])
                .collect();
            refuse_to_write_over(&all, truth)?;
        } else if truth == Some(sync) {
            return Err(twice(sync));
        }
        let mut captures = Vec::new();
        for (net, path) in names.into_iter().take(wanted) {
            let file = File::create(&path).map_err(|source| failure(&path, source))?;
            captures.push(Capture::new(net, path, Box::new(file))?);
        }
        if !special {
            let text = configuration::text(setup);
            fs::write(&configuration, text).map_err(|source| failure(&configuration, source))?;
        }
        Ok(Self {
            captures,
            configuration: (!special).then_some(configuration),
        })
    }

    /// Appends a frame.
    pub(super) fn frame(&mut self, net: Net, at: Timestamp, octets: &[u8]) -> Result<(), Failure> {
        let Some(capture) = self.captures.iter_mut().find(|c| c.net == net) else {
            return Ok(());
        };
        capture.frames += 1;
        let written = capture.writer.frame(at, octets);
        written.map_err(|source| failure(&capture.path, source))
    }

    /// Closes them.
    pub(super) fn finish(self) -> Result<Written, Failure> {
        let mut captures = Vec::new();
        for c in self.captures {
            c.writer.finish().map_err(|source| failure(&c.path, source))?;
            captures.push((c.net, c.path, c.frames));
        }
        Ok(Written {
            captures,
            configuration: self.configuration,
        })
    }
}

impl Capture {
    fn new(net: Net, path: PathBuf, out: Box<dyn Write>) -> Result<Self, Failure> {
        let writer = Writer::new(BufWriter::new(out)).map_err(|source| failure(&path, source))?;
        Ok(Self {
            net,
            path,
            frames: 0,
            writer,
        })
    }
}

/// What was named may be written over, as every command does. What stands beside it, and nobody named, only if it comes
/// from an earlier drill: `-o pfwatch.pcap` must not cost anybody his pfwatch.toml.
fn refuse_to_write_over(all: &[&Path], truth: Option<&Path>) -> Result<(), Failure> {
    for (i, path) in all.iter().enumerate() {
        if truth == Some(path) || all.get(..i).is_some_and(|before| before.contains(path)) {
            return Err(twice(path));
        }
    }
    let [_, beside @ .., configuration] = all else {
        return Ok(());
    };
    let ours = fs::read_to_string(configuration).is_ok_and(|text| text.starts_with(configuration::MARK));
    let in_the_way = beside.iter().chain([configuration]).find(|path| path.exists());
    match in_the_way {
        Some(path) if !ours => Err(Failure::Usage(format!(
            "{} is there already and comes from no earlier simulation: name another file with -o",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn twice(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{} would be written twice, for the capture and for what goes beside it: name another file",
        path.display()
    ))
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
