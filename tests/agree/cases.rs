//! What is analysed: captures and drills, each with what `analyze` would be given.

use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Frame, Input, Net, Source};
use pfwatch::config::Config;
use pfwatch::drive;
use pfwatch::engine::Engine;
use pfwatch::report::Report;
use pfwatch::settings::Settings;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Like `pfwatch analyze SYNC -c CONFIG --self ME --segment NAME=FILE ...`, or a drill that is to be made first.
pub(crate) struct Case {
    pub(crate) name: String,
    /// A scenario that writes the files.
    scenario: Option<String>,
    sync: Vec<PathBuf>,
    config: Option<PathBuf>,
    me: Option<String>,
    segments: Vec<(String, PathBuf)>,
}

impl Case {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scenario: None,
            sync: Vec::new(),
            config: None,
            me: None,
            segments: Vec::new(),
        }
    }

    /// As the command does it.
    pub(crate) fn analyze(&self) -> (Report, Engine) {
        self.analyze_changed(|_, _| {})
    }

    /// The same of frames that somebody changed on their way.
    pub(crate) fn analyze_changed(&self, change: impl Fn(Net, &mut Vec<u8>)) -> (Report, Engine) {
        if let Some(scenario) = &self.scenario {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
            command
                .args(["simulate", scenario, "--load", "branch", "-o"])
                .arg(&self.sync[0]);
            let ran = command.output().unwrap();
            assert!(ran.status.success(), "{scenario}: {ran:?}");
        }
        let mut settings = self.settings();
        settings.policy.live.observes = true;
        let net = |name: &str| settings.segments.iter().position(|s| s.name == name).unwrap();
        let sync = self.sync.iter().map(|path| (path, Net::Sync));
        let carp = self.segments.iter().map(|(name, path)| (path, Net::Segment(net(name))));
        let files: Vec<FileInput> = sync
            .chain(carp)
            .map(|(path, net)| FileInput::new(path.clone(), net))
            .collect();
        let mut source = FileSource::open(&files);
        let mut engine = Engine::new(settings, 1);
        let mut report = Report::new();
        loop {
            let more = match source.next(engine.next_deadline()).unwrap() {
                Input::Frame(frame) => {
                    let mut data = frame.data.to_vec();
                    change(frame.net, &mut data);
                    drive::feed(&Input::Frame(Frame { data: &data, ..frame }), &mut engine)
                }
                other => drive::feed(&other, &mut engine),
            };
            if !more {
                break;
            }
            report.collect(&mut engine);
        }
        report.times = source.times();
        report.finish(source.files(), &mut engine);
        if self.scenario.is_some() {
            // Half a hundred of them would be much.
            files.iter().for_each(|f| fs::remove_file(&f.path).unwrap());
        }
        (report, engine)
    }

    fn settings(&self) -> Settings {
        let names: Vec<String> = self.segments.iter().map(|(name, _)| name.clone()).collect();
        let config = self.config.as_ref().map(|path| Config::load(path).unwrap());
        let mut settings = config.unwrap_or_default().settings(&names);
        if let Some(me) = &self.me {
            let me = me.parse().unwrap();
            settings
                .nodes
                .iter_mut()
                .for_each(|n| n.is_self = n.addresses.contains(&me));
        }
        settings
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

/// Everything below captures/: pairs from both sides and without their CARP, `case.json` as it says, and single files.
pub(crate) fn shipped() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut cases = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let files = files(&folder);
        let is_case = files.iter().any(|f| f.ends_with("case.json"));
        folders.extend(files.iter().filter(|f| f.is_dir()).cloned());
        if is_case {
            cases.extend(told(&folder));
            continue;
        }
        for file in files.iter().filter(|f| f.is_file()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let carp = name.ends_with(".carp.pcap");
            if let Some(base) = name.strip_suffix(".sync.pcap.zst") {
                cases.extend(pair(&folder, base));
            } else if !carp && [".pcap", ".pcapng"].iter().any(|end| name.ends_with(end)) {
                cases.push(Case {
                    sync: vec![file.clone()],
                    ..Case::new(name)
                });
            }
        }
    }
    cases
}

fn pair(folder: &Path, base: &str) -> Vec<Case> {
    let sync = vec![folder.join(format!("{base}.sync.pcap.zst"))];
    let segments: Vec<(String, PathBuf)> = ["lan", "wan"]
        .map(|net| (net.to_owned(), folder.join(format!("{base}.{net}.carp.pcap"))))
        .into();
    // The second pair is the first, on another day.
    let configs = [folder.join("pair.toml"), folder.join("../openbsd-pair/pair.toml")];
    let config = configs.into_iter().find(|c| c.exists());
    let seen_from = |me: &str, segments: &[(String, PathBuf)]| Case {
        sync: sync.clone(),
        config: config.clone(),
        me: Some(me.to_owned()),
        segments: segments.to_vec(),
        ..Case::new(format!("{base} from {me} with {} segments", segments.len()))
    };
    vec![
        seen_from("172.16.0.1", &segments),
        seen_from("172.16.0.2", &segments),
        seen_from("172.16.0.2", &segments[..1]),
        seen_from("172.16.0.2", &[]),
        Case {
            sync: sync.clone(),
            ..Case::new(format!("{base} alone"))
        },
    ]
}

/// The analyses that a `case.json` speaks of.
fn told(folder: &Path) -> Vec<Case> {
    let case: Value = serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let runs = case["runs"].as_array().unwrap().iter();
    let words = |run: &Value| -> Vec<String> {
        let args = run["args"].as_array().unwrap().iter();
        args.map(|a| a.as_str().unwrap().to_owned()).collect()
    };
    let analyses = runs.map(words).filter(|args| args[0] == "analyze");
    analyses.filter_map(|args| given(folder, &name, &args[1..])).collect()
}

fn given(folder: &Path, name: &str, args: &[String]) -> Option<Case> {
    let mut case = Case::new(name);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-c" => case.config = Some(folder.join(args.next()?)),
            "--self" => case.me = Some(args.next()?.clone()),
            "--segment" => {
                let (name, path) = args.next()?.split_once('=')?;
                // One interface of a capture is more than this knows to open.
                if name.contains('@') || path.contains('@') {
                    return None;
                }
                case.segments.push((name.to_owned(), folder.join(path)));
            }
            option if option.starts_with('-') => return None,
            file => case.sync.push(folder.join(file)),
        }
    }
    Some(case)
}

/// Every scenario, at a light load.
pub(crate) fn drills(folder: &Path) -> Vec<Case> {
    let list = Command::new(env!("CARGO_BIN_EXE_pfwatch"))
        .args(["simulate", "--list", "--format", "json"])
        .output()
        .unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let names = list["scenarios"].as_array().unwrap().iter();
    let drill = |name: &str| {
        let file = |end: &str| folder.join(format!("{name}{end}"));
        Case {
            scenario: Some(name.to_owned()),
            sync: vec![file(".pcap")],
            config: Some(file(".toml")),
            segments: ["lan", "wan"]
                .map(|net| (net.to_owned(), file(&format!(".{net}.pcap"))))
                .into(),
            ..Case::new(name)
        }
    };
    names.map(|s| drill(s["name"].as_str().unwrap())).collect()
}
