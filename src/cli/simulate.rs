//! `pfwatch simulate`: captures of a pair that never was, with the truth about it, for drills and tuning.
//!
//! Runs a scenario of `pf-sim` and writes what a watchdog would have heard: the sync net, the CARP advertisements of
//! both segments, a configuration that fits, and what really happened when.

mod files;
mod truth;

use super::output::Stream;
use super::{Common, Failure};
use files::Files;
use pf_sim::heard::Heard;
use pf_sim::scenario::{Kind, LoadName, Scenario};
use pf_sim::world::World;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What happens; --list shows all
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    scenario: Option<String>,
    /// Show all scenarios
    #[arg(long)]
    list: bool,
    /// How much happens at the site: busy, office, branch, night, night+canary
    #[arg(long, value_name = "LOAD", default_value = "office", value_parser = load)]
    load: LoadName,
    /// The dice; the same number gives the same capture on every machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where the capture of the sync net goes; the CARP advertisements of both segments and a configuration that fits
    /// go beside it. - is the standard output, for the sync net alone
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the truth goes, as JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

fn load(name: &str) -> Result<LoadName, String> {
    let all = LoadName::ALL.map(LoadName::as_str).join(", ");
    LoadName::parse(name).ok_or_else(|| format!("there is {all}"))
}

/// Runs.
pub(super) fn run(args: &Args, _: &Common) -> Result<u8, Failure> {
    if args.list {
        Stream::flush(&mut list().into_bytes())?;
        return Ok(super::exit::OK);
    }
    let scenario = find(args.scenario.as_deref().unwrap_or_default())?;
    let stdout = Path::new("-");
    let output = args.output.as_deref().unwrap_or(stdout);
    if output == stdout && args.truth.as_deref() == Some(stdout) {
        return Err(Failure::Usage(
            "the capture and the truth cannot both go to the standard output: name a file with -o".into(),
        ));
    }
    if output == stdout && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a capture is nothing for a terminal: name a file with -o".into(),
        ));
    }
    let (setup, truth) = scenario.build(args.load, args.seed);
    let mut files = Files::create(output, &setup)?;
    let mut world = World::new(setup.clone());
    while let Some(heard) = world.next() {
        if let Heard::Frame { at, net, octets, .. } = heard {
            files.frame(net, setup.epoch, at, &octets)?;
        }
    }
    let written = files.finish()?;
    if let Some(path) = &args.truth {
        let text = truth::json(scenario, args.load, args.seed, &setup, &truth);
        super::output::Target::open(Some(path), &[])?.write(&text)?;
    }
    for line in written {
        tracing::info!("{line}");
    }
    Ok(super::exit::OK)
}

fn find(name: &str) -> Result<&'static Scenario, Failure> {
    Scenario::find(name).ok_or_else(|| {
        let near = Scenario::all()
            .iter()
            .map(|s| s.name)
            .min_by_key(|known| strsim::damerau_levenshtein(known, name))
            .filter(|known| strsim::jaro_winkler(known, name) > 0.75);
        let hint = near.map_or_else(String::new, |known| format!(": did you mean {known}?"));
        Failure::Usage(format!(
            "there is no scenario {name}{hint} `pfwatch simulate --list` shows all",
            hint = if hint.is_empty() { ";".to_owned() } else { hint }
        ))
    })
}

fn list() -> String {
    let mut text = String::new();
    let kinds = [
        (Kind::Crash, "The active firewall stops"),
        (Kind::Blackhole, "The active firewall lives, and its traffic disappears"),
        (Kind::Degraded, "Something is broken that another node may not mend"),
        (Kind::Fine, "Every firewall is fine, whatever it looks like"),
    ];
    for (kind, title) in kinds {
        let _ = writeln!(text, "{title}:");
        for s in Scenario::all().iter().filter(|s| s.kind == kind) {
            let _ = writeln!(text, "  {:<26} {}", s.name, s.what);
        }
    }
    text
}
