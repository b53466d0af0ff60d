//! Plays scenarios: some laboratories side by side, each turn after turn. What came of it is written down at once.

use super::catalogue::{CATALOGUE, Scenario};
use super::outcome::Outcome;
use crate::bench::guard::Guard;
use crate::bench::{Bench, Setup};
use crate::clock;
use crate::emit::Speech;
use crate::error::LabError;
use crate::net::plan::Place;
use pf_sim::dice::{Dice, stream};
use rand::RngExt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Turns of the first scenarios; of the others fewer, in proportion
    #[arg(long, value_name = "N", default_value_t = 10)]
    repeats: u32,
    /// One turn of a few of them, with pfwatch: what tests look at
    #[arg(long)]
    short: bool,
    /// Only these scenarios, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    only: Vec<String>,
    /// Only with these guards, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    guards: Vec<Guard>,
    /// Laboratories side by side
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Their tags begin so
    #[arg(long, value_name = "WORD", default_value = "run")]
    tag: String,
    /// Where results are added, a line for each turn
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// The pfwatch to use [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pfwatch: Option<PathBuf>,
}

/// A scenario with one guard, so many times.
#[derive(Clone, Debug)]
struct Job {
    scenario: &'static Scenario,
    guard: Guard,
    turns: u32,
}

/// Plays. Tells what was not as it must be.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<Vec<String>, LabError> {
    let mut jobs = jobs(args)?;
    jobs.reverse();
    let (jobs, wrong) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let failed = thread::scope(|scope| {
        let (jobs, wrong) = (&jobs, &wrong);
        let work = |number| {
            let place = Place {
                tag: format!("{}{number}", args.tag),
            };
            scope.spawn(move || work(args, &place, jobs, wrong, end))
        };
        let workers: Vec<_> = (0..args.jobs.max(1)).map(work).collect();
        let results = workers.into_iter().map(|w| w.join());
        results
            .map(|r| r.unwrap_or_else(|_| Err(LabError::Missing("a part of the laboratory failed, see above".into()))))
            .collect::<Result<Vec<()>, _>>()
    });
    failed?;
    Ok(wrong.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn jobs(args: &Args) -> Result<Vec<Job>, LabError> {
    if let Some(name) = args.only.iter().find(|o| CATALOGUE.iter().all(|s| s.name != **o)) {
        let names: Vec<&str> = CATALOGUE.iter().map(|s| s.name).collect();
        return Err(LabError::Missing(format!(
            "there is no {name}; there are {}",
            names.join(", ")
        )));
    }
    let wanted =
        |s: &&Scenario| args.only.is_empty() && (!args.short || s.short) || args.only.iter().any(|o| o == s.name);
    let mut jobs = Vec::new();
    for scenario in CATALOGUE.iter().filter(wanted) {
        let guards = scenario
            .guards
            .iter()
            .filter(|g| args.guards.is_empty() || args.guards.contains(g));
        for guard in guards.filter(|g| !args.short || **g == Guard::Pfwatch) {
            let turns = (args.repeats * scenario.of_ten).div_ceil(10);
            jobs.push(Job {
                scenario,
                guard: *guard,
                turns: if args.short { 1 } else { turns },
            });
        }
    }
    Ok(jobs)
}

fn work(
    args: &Args,
    place: &Place,
    jobs: &Mutex<Vec<Job>>,
    wrong: &Mutex<Vec<String>>,
    end: &Arc<AtomicBool>,
) -> Result<(), LabError> {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut dice = stream(clock::unix().to_bits(), &place.tag);
    while let Some(job) = next() {
        match play(args, place, &job, &mut dice, wrong, end) {
            Ok(()) => {}
            Err(LabError::Ended) => return Err(LabError::Ended),
            // The others shall be played all the same.
            Err(e) => add(wrong, [format!("{} ({:?}): {e}", job.scenario.name, job.guard)]),
        }
    }
    Ok(())
}

fn add(wrong: &Mutex<Vec<String>>, found: impl IntoIterator<Item = String>) {
    wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
}

fn play(
    args: &Args,
    place: &Place,
    job: &Job,
    dice: &mut Dice,
    wrong: &Mutex<Vec<String>>,
    end: &Arc<AtomicBool>,
) -> Result<(), LabError> {
    let setup = Setup {
        rate: job.scenario.rate,
        speech: if job.scenario.freebsd {
            Speech::Freebsd1400
        } else {
            Speech::Openbsd
        },
        unicast: job.scenario.unicast,
        pfwatch: args.pfwatch.clone(),
    };
    let mut bench = Bench::up(place.clone(), setup, job.guard, end)?;
    for _ in 0..job.turns {
        // A script has ten seconds between two looks.
        let phase = Duration::from_millis(dice.random_range(0..10_000));
        let outcome = bench.turn(job.scenario, phase)?;
        say(&outcome)?;
        if let Some(path) = &args.results {
            note(path, &outcome)?;
        }
        if job.guard == Guard::Pfwatch {
            let found = outcome.wrong(job.scenario.must);
            add(wrong, found.into_iter().map(|w| format!("{}: {w}", job.scenario.name)));
        }
    }
    Ok(())
}

fn say(o: &Outcome) -> Result<(), LabError> {
    let back = o.back.map_or_else(|| "never".into(), |b| format!("{b:.1} s"));
    let down = o
        .down
        .as_ref()
        .map_or_else(String::new, |(at, who)| format!(", {who} down after {at:.1} s"));
    let left = if o.left.is_empty() {
        String::new()
    } else {
        format!("; LEFT: {}", o.left.join(", "))
    };
    writeln!(
        std::io::stdout(),
        "{} ({:?}): without service {:.1} s, back after {back}, while healing {:.1} s{down}; {}{left}",
        o.name,
        o.guard,
        o.without,
        o.healing,
        o.doings(),
    )?;
    Ok(())
}

fn note(path: &Path, outcome: &Outcome) -> Result<(), LabError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut f| writeln!(f, "{}", outcome.json()))
        .map_err(|source| LabError::File {
            path: path.to_owned(),
            source,
        })
}
