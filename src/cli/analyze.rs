//! `pfwatch analyze`: the pipeline of the daemon over capture files, and a report of what it would have said and done.
//!
//! Drives the engine with a file source; the report is the business of `report`. Keeps nothing of the frames.

use super::bar::Bar;
use super::failure::report_problems;
use super::inputs::{self, SegmentFile};
use super::look::look;
use super::output::Target;
use super::{Common, Failure, exit, nothing};
use crate::capture::Net;
use crate::capture::file::{FileInfo, FileSource};
use crate::drive;
use crate::engine::Engine;
use crate::event::{Health, Verdict};
use crate::report::{Report, html, json, text};
use clap::ValueEnum;
use std::path::PathBuf;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Captures of the sync network (pcap or pcapng, plain or compressed by gzip or zstd); - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Configuration: names, addresses, zones, paths
    #[arg(short, long, value_name = "CONF")]
    config: Option<PathBuf>,
    /// The node that pfwatch would have run beside
    #[arg(long = "self", value_name = "ADDR")]
    me: Option<String>,
    /// A capture of a CARP segment, or one interface (its name, or #2) of a pcapng; may be given several times
    #[arg(long, value_name = "NAME=FILE[@INTERFACE]", value_parser = inputs::segment_file)]
    segment: Vec<SegmentFile>,
    /// How the report looks: text, one JSON object for programs, or one page with charts for a browser and for paper
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    /// Where the report goes instead of the standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Exit with 1 if a node was ever so on a critical path
    #[arg(long, value_enum, value_name = "HEALTH")]
    fail_on: Option<FailOn>,
}

/// How the report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    Text,
    Json,
    Html,
}

/// What is worth an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Down,
}

/// Runs.
pub(super) fn run(args: &Args, common: &Common) -> Result<u8, Failure> {
    let mut asked = inputs::settings(args.config.as_deref(), args.me.as_deref(), &args.segment)?;
    // As a daemon that only observes: each failure is told, not the first alone.
    asked.settings.policy.live.observes = true;
    let files = inputs::files(&args.files, &args.segment, &asked);
    let names: Vec<PathBuf> = files.iter().map(|f| f.path.clone()).collect();
    let target = Target::open(args.output.as_deref(), &names)?;
    let mut source = FileSource::open(&files);
    // The seed guards against forged ids; offline the same input shall take the same way twice.
    let mut engine = Engine::new(asked.settings, 1);
    let mut report = Report::new();
    let mut bar = Bar::new(source.progress());
    // An error comes after everything that could be read, and is among the problems.
    while let Ok(true) = drive::step(&mut source, &mut engine) {
        report.collect(&mut engine);
        bar.step();
    }
    bar.finish();
    report.times = source.times();
    report.finish(source.files(), &mut engine);
    let worth_reading = engine.counters().pfsync + engine.counters().carp > 0;
    let page = match args.format {
        Shape::Json => (engine.counters().frames > 0).then(|| format!("{}\n", json::render(&report, &engine))),
        Shape::Text => worth_reading.then(|| text::render(&report, &engine, &look(&target, common.zone()))),
        Shape::Html => worth_reading.then(|| html::render(&report, &engine, common.zone())),
    };
    if let Some(page) = page {
        target.write(&page)?;
    }
    Ok(verdict(args, &source, &report, &engine))
}

/// The exit code, after everything that is to be said about the input.
fn verdict(args: &Args, source: &FileSource, report: &Report, engine: &Engine) -> u8 {
    let problem = report_problems(source.problems());
    let unreadable = nothing::unreadable(&report.files);
    unreadable.iter().for_each(|sentence| tracing::error!("{sentence}"));
    // Whether it recovered before the capture ended is chance; that it happened is not.
    let down = |v: &Verdict| v.to == Health::Down && engine.is_critical(v.path);
    let failed = args.fail_on == Some(FailOn::Down) && report.verdicts.iter().any(down);
    if let Some(code) = problem {
        // What the good part proves, a bad one does not unsay.
        return if failed && code == exit::DATA {
            exit::NEGATIVE
        } else {
            code
        };
    }
    let sync: Vec<&FileInfo> = report.files.iter().filter(|f| f.net == Net::Sync).collect();
    if !unreadable.is_empty() {
        return exit::DATA;
    }
    if engine.counters().pfsync == 0 {
        let what = if engine.counters().carp == 0 {
            "pfsync or CARP"
        } else {
            "pfsync"
        };
        tracing::error!("{}", nothing::nothing(what, &sync, engine.counters().nested));
        return exit::DATA;
    }
    if let Some(why) = report.quality.why_not() {
        let whose = why
            .node
            .as_deref()
            .map_or_else(|| "nothing".into(), |name| format!("nothing of {name}"));
        tracing::error!("{whose} can be judged: {}", why.detail);
        return exit::DATA;
    }
    if failed { exit::NEGATIVE } else { exit::OK }
}
