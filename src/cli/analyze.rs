//! `pfwatch analyze`.

use crate::capture::Net;
use crate::capture::file::{FileInput, FileSource};
use crate::config::Config;
use crate::drive;
use crate::engine::Engine;
use crate::report::{Report, json};
use crate::settings::Settings;
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Captures of the sync network.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[arg(short)]
    config: Option<PathBuf>,
    #[arg(long = "self")]
    me: Option<IpAddr>,
    #[arg(long)]
    segment: Vec<String>,
    #[arg(long, default_value = "text")]
    format: String,
}

/// Runs.
#[must_use]
pub fn run(args: &Args) -> u8 {
    let extra: Vec<String> = args
        .segment
        .iter()
        .filter_map(|s| s.split_once('='))
        .map(|(n, _)| n.to_owned())
        .collect();
    let mut settings = match &args.config {
        Some(path) => Config::load(path).expect("config").settings(&extra),
        None => Settings::default(),
    };
    if let Some(me) = args.me {
        for n in &mut settings.nodes {
            n.is_self = n.addresses.contains(&me);
        }
    }
    let mut inputs: Vec<FileInput> = args
        .files
        .iter()
        .map(|p| FileInput {
            path: p.clone(),
            net: Net::Sync,
        })
        .collect();
    for (name, file) in args.segment.iter().filter_map(|s| s.split_once('=')) {
        let i = settings.segments.iter().position(|s| s.name == name).unwrap_or(0);
        inputs.push(FileInput {
            path: file.into(),
            net: Net::Segment(i),
        });
    }
    let mut source = FileSource::open(&inputs);
    let mut engine = Engine::new(settings, 1);
    let mut report = Report::new();
    while matches!(drive::step(&mut source, &mut engine), Ok(true)) {
        report.collect(&mut engine);
    }
    report.files = source.files();
    let v = json::render(&report, &engine);
    let _ = writeln!(std::io::stdout(), "{v}");
    0
}
