//! A captured pair: its frames in memory, its truth, and an engine that looks at them beside one of the nodes.

use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Frame, Input, LinkType, Net, Source, SourceError};
use pfwatch::detect::memory::Memory;
use pfwatch::drive;
use pfwatch::engine::Engine;
use pfwatch::report::Report;
use pfwatch::settings::{Node, Segment, Settings};
use pfwatch::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// See the module.
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) truth: Value,
    pub(crate) frames: Vec<Owned>,
}

/// A frame that stays.
pub(crate) struct Owned {
    pub(crate) at: Timestamp,
    pub(crate) net: Net,
    pub(crate) link: LinkType,
    pub(crate) data: Vec<u8>,
    pub(crate) wire_len: u32,
}

/// All pairs in a folder of captures/.
pub(crate) fn pairs(folder: &str) -> Vec<Pair> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures").join(folder);
    let mut bases: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .filter_map(|e| Some(e.unwrap().path().to_str()?.strip_suffix(".truth.json")?.into()))
        .collect();
    bases.sort();
    bases.iter().map(|base| Pair::load(base)).collect()
}

impl Pair {
    fn load(base: &Path) -> Self {
        let file = |end: &str| PathBuf::from(format!("{}.{end}", base.display()));
        let nets = [
            ("sync.pcap.zst", Net::Sync),
            ("lan.carp.pcap", Net::Segment(0)),
            ("wan.carp.pcap", Net::Segment(1)),
        ];
        let inputs: Vec<FileInput> = nets.iter().map(|(end, net)| FileInput::new(file(end), *net)).collect();
        let mut source = FileSource::as_recorded(&inputs);
        let mut frames = Vec::new();
        while let Input::Frame(f) = source.next(Timestamp::MAX).unwrap() {
            frames.push(Owned {
                at: f.at,
                net: f.net,
                link: f.link,
                data: f.data.to_vec(),
                wire_len: f.wire_len,
            });
        }
        Self {
            name: base.file_name().unwrap().to_string_lossy().into_owned(),
            truth: serde_json::from_slice(&std::fs::read(file("truth.json")).unwrap()).unwrap(),
            frames,
        }
    }

    /// Addresses on the sync network, in order.
    pub(crate) fn nodes(&self) -> Vec<String> {
        self.truth["local"].as_object().unwrap().keys().cloned().collect()
    }

    /// Both nodes as the truth describes them.
    pub(crate) fn settings(&self, me: &str) -> Settings {
        let locals: BTreeMap<String, Vec<IpAddr>> = serde_json::from_value(self.truth["local"].clone()).unwrap();
        let node = |(i, (address, local)): (usize, (String, Vec<IpAddr>))| Node {
            name: format!("fw{}", i + 1),
            is_self: address == me,
            addresses: vec![address.parse().unwrap()],
            local,
        };
        Settings {
            nodes: locals.into_iter().enumerate().map(node).collect(),
            segments: ["lan", "wan"]
                .map(|name| Segment {
                    name: name.into(),
                    password: None,
                    vlan: None,
                })
                .into(),
            ..Settings::default()
        }
    }

    /// What `analyze` finds in the frames up to and including `until`.
    pub(crate) fn analyze(&self, me: &str, until: Timestamp) -> (Report, Engine) {
        self.analyze_with(self.settings(me), (Timestamp::MIN, until), None)
    }

    /// The same with other settings, frames later than `span.0` up to and including `span.1`, and something to begin with.
    pub(crate) fn analyze_with(
        &self,
        settings: Settings,
        span: (Timestamp, Timestamp),
        memory: Option<(&Memory, Duration)>,
    ) -> (Report, Engine) {
        let mut engine = Engine::new(settings, 1);
        if let Some((memory, age)) = memory {
            engine.recall(memory, age).unwrap();
        }
        let mut report = Report::new();
        let mut source = Replay {
            frames: self.frames.iter().filter(|f| span.0 < f.at && f.at <= span.1).collect(),
            next: 0,
        };
        while drive::step(&mut source, &mut engine).unwrap() {
            report.collect(&mut engine);
        }
        report.finish(Vec::new(), &mut engine);
        (report, engine)
    }
}

/// Frames from memory, as a file would give them.
struct Replay<'a> {
    frames: Vec<&'a Owned>,
    next: usize,
}

impl Source for Replay<'_> {
    fn next(&mut self, deadline: Timestamp) -> Result<Input<'_>, SourceError> {
        let Some(f) = self.frames.get(self.next) else {
            return Ok(Input::End);
        };
        if f.at > deadline {
            return Ok(Input::Idle(deadline));
        }
        self.next += 1;
        Ok(Input::Frame(Frame {
            at: f.at,
            net: f.net,
            interface: "",
            direction: None,
            link: f.link,
            data: &f.data,
            wire_len: f.wire_len,
        }))
    }
}
