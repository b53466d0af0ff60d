//! `pfwatch simulate`: captures of a pair that never was, with the truth about it, for drills and tuning.
//!
//! Runs a scenario of `pf-sim` and writes what would be captured at mirror ports: the sync net, the CARP advertisements of
//! both segments, a configuration that fits, and what really happened when. The only room of the program that knows the
//! simulator.

mod clock;
mod configuration;
mod files;
mod said;
mod truth;

use super::output::{Stream, Target};
use super::{Common, Failure, Format, exit};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clock::WallClock;
use files::Files;
use pf_sim::heard::Heard;
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::world::World;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  pfwatch simulate outside-port-dead -o drill.pcap --truth drill.json
writes drill.pcap, drill.lan.pcap, drill.wan.pcap and drill.toml, and prints the command that shows what pfwatch makes of them.
The same scenario, load and seed give the same octets on every machine.")]
pub(super) struct Args {
    /// What happens; --list shows all
    #[arg(value_name = "SCENARIO", conflicts_with = "list")]
    scenario: Option<String>,
    /// Show all scenarios
    #[arg(long)]
    list: bool,
    /// How much happens at the site: 500, 20, 2 or 0.1 new connections a second; night+canary has three canaries as well
    #[arg(long, value_name = "LOAD", default_value = "office", value_parser = load())]
    load: LoadName,
    /// The dice; another number gives another run of the same scenario
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where the capture of the sync net goes; the CARP advertisements of both segments and a configuration that fits go
    /// beside it. - is the standard output, for the sync net alone
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the truth goes, as JSON: when what happened, and what must and must not be said about it
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// How the list, or what is said about the files, looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn load() -> impl TypedValueParser<Value = LoadName> {
    let names = PossibleValuesParser::new(LoadName::ALL.map(LoadName::as_str));
    names.try_map(|name| LoadName::parse(&name).ok_or("no such load"))
}

/// Runs.
pub(super) fn run(args: &Args, _: &Common) -> Result<u8, Failure> {
    if args.list {
        Stream::flush(&mut said::list(args.format).into_bytes())?;
        return Ok(exit::OK);
    }
    let scenario = find(args.scenario.as_deref())?;
    let stdout = Path::new("-");
    let output = args.output.as_deref().unwrap_or(stdout);
    let truth_out = args.truth.as_deref();
    if output == stdout && truth_out == Some(stdout) {
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
    let mut files = Files::create(output, truth_out, &setup)?;
    let target = truth_out.map(|path| Target::open(Some(path), &[])).transpose()?;
    let clock = WallClock::new(&setup);
    let mut world = World::new(setup.clone());
    while let Some(heard) = world.next() {
        if let Heard::Frame { at, net, octets, .. } = heard {
            files.frame(net, clock.at(at), &octets)?;
        }
    }
    let written = files.finish()?;
    if let Some(target) = target {
        target.write(&truth::json(scenario, args.load, args.seed, &setup, &truth, &clock))?;
    }
    if output != stdout && truth_out != Some(stdout) {
        let text = said::written(args, scenario, &setup, &clock, &written);
        Stream::flush(&mut text.into_bytes())?;
    }
    Ok(exit::OK)
}

fn find(name: Option<&str>) -> Result<&'static Scenario, Failure> {
    let Some(name) = name else {
        return Err(Failure::Usage(
            "there is no scenario; `pfwatch simulate --list` shows all".into(),
        ));
    };
    Scenario::find(name).ok_or_else(|| {
        let near = Scenario::all()
            .iter()
            .map(|s| s.name)
            .min_by_key(|known| strsim::damerau_levenshtein(known, name))
            .filter(|known| strsim::jaro_winkler(known, name) > 0.75);
        let hint = near.map_or_else(String::new, |known| format!("did you mean `{known}`? "));
        Failure::Usage(format!(
            "there is no scenario `{name}`: {hint}`pfwatch simulate --list` shows all"
        ))
    })
}
