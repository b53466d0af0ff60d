//! `pfwatch-scoreboard`: runs the catalogue and prints the tables; its commands hold up what the tables rest on.

use clap::{Parser, Subcommand};
use pf_sim::scenario::{LoadName, Scenario};
use pfwatch_scoreboard::board::raw::{Line, Other, RawError, Store, build};
use pfwatch_scoreboard::board::table::Style;
use pfwatch_scoreboard::board::tables::Tables;
use pfwatch_scoreboard::board::{self, Job, Seeds, Stage};
use pfwatch_scoreboard::compare::{self, CompareArgs};
use pfwatch_scoreboard::evidence::commands::{self, AgreeArgs, SpansArgs};
use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{iter, thread};

/// pfwatch beside what people use today, on the same simulated frames, judged by the same truth
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Runs of each scenario at each load that does not say otherwise
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,
    /// Seeds count from here
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_seed: u64,
    /// Only these scenarios, separated by commas; the names are those of `pfwatch simulate --list`
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = scenario)]
    scenarios: Vec<String>,
    /// Only these loads: busy, office, branch, night, night+canary; with a number of seeds of their own as in busy=5
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = load)]
    loads: Vec<(String, Option<u64>)>,
    /// Everything once at a load that costs little, and what is broken at a heavier one: what the tests look at
    #[arg(long, conflicts_with_all = ["seeds", "first_seed", "loads"])]
    short: bool,
    /// Keep the results of single runs in this file, as JSON lines; what is in it already is not done again
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Take results in FILE that another build of this program made
    #[arg(long, requires = "out")]
    mixed: bool,
    /// Where another build made the results in FILE, move them to a file beside it, and begin anew
    #[arg(long, requires = "out", conflicts_with = "mixed")]
    aside: bool,
    /// Runs at the same time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Markdown rather than plain text
    #[arg(long)]
    markdown: bool,
}

/// What stands behind the tables.
#[derive(Subcommand, Debug)]
enum Command {
    Compare(CompareArgs),
    Agree(AgreeArgs),
    Spans(SpansArgs),
}

fn scenario(name: &str) -> Result<String, String> {
    Scenario::find(name).map(|s| s.name.to_owned()).ok_or_else(|| {
        let names: Vec<&str> = Scenario::all().iter().map(|s| s.name).collect();
        format!("there are {}", names.join(", "))
    })
}

fn load(word: &str) -> Result<(String, Option<u64>), String> {
    let (name, seeds) = match word.split_once('=') {
        Some((name, seeds)) => (name, Some(seeds.parse().map_err(|_| format!("{seeds} is no number"))?)),
        None => (word, None),
    };
    LoadName::parse(name)
        .map(|l| (l.as_str().to_owned(), seeds))
        .ok_or_else(|| {
            let names = LoadName::ALL.map(LoadName::as_str);
            format!("there are {}", names.join(", "))
        })
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if broken_pipe(e.as_ref()) => ExitCode::SUCCESS,
        Err(e) => {
            let first: &(dyn Error + 'static) = e.as_ref();
            let words: Vec<String> = iter::successors(Some(first), |&e| e.source())
                .map(ToString::to_string)
                .collect();
            // Nothing is left to do if even that fails.
            let _ = writeln!(io::stderr().lock(), "pfwatch-scoreboard: {}", words.join(": "));
            ExitCode::FAILURE
        }
    }
}

/// Whether this is, or comes from, a reader that left.
fn broken_pipe(e: &(dyn Error + 'static)) -> bool {
    let left = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    iter::successors(Some(e), |&e| e.source()).any(|e| e.downcast_ref().is_some_and(left))
}

fn run(args: &Args, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    match &args.command {
        None => scoreboard(args, out),
        Some(Command::Compare(args)) => compare::print(args, out),
        Some(Command::Agree(args)) => Ok(commands::agree(args, out)?),
        Some(Command::Spans(args)) => Ok(commands::spans(args, out)?),
    }
}

fn scoreboard(args: &Args, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (scenarios, loads, jobs) = plan(args);
    let mut store = match &args.out {
        Some(path) => Store::open(path, &build()?, other(args), &mut io::stderr().lock())?,
        None => Store::in_memory(),
    };
    let left: Vec<Job> = jobs
        .iter()
        .filter(|job| !store.lines.contains_key(job))
        .cloned()
        .collect();
    let threads = args
        .threads
        .or(thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    let mut progress = Progress::new(left.len(), jobs.len());
    let keep = |line: Line| -> Result<(), RawError> {
        progress.step(&line);
        store.keep(line)
    };
    board::run(&left, threads, &Stage::of, keep)?;
    let style = if args.markdown { Style::Markdown } else { Style::Text };
    let mut out = BufWriter::new(out);
    Tables::new(&scenarios, &loads, &jobs, &store.lines).write(&mut out, style)?;
    out.flush()?;
    Ok(())
}

/// What becomes of results that another build made.
fn other(args: &Args) -> Other {
    match (args.mixed, args.aside) {
        (true, _) => Other::Take,
        (_, true) => Other::Aside,
        _ => Other::Refuse,
    }
}

/// Every word once, where it stood first.
fn once(words: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for word in words {
        if !once.contains(word) {
            once.push(word.clone());
        }
    }
    once
}

/// Scenarios, loads, runs.
fn plan(args: &Args) -> (Vec<String>, Vec<String>, Vec<Job>) {
    let all = || Scenario::all().iter().map(|s| s.name.to_owned()).collect();
    let scenarios = if args.scenarios.is_empty() {
        all()
    } else {
        once(&args.scenarios)
    };
    if args.short {
        let (loads, jobs) = board::short(&scenarios);
        return (scenarios, loads, jobs);
    }
    let every = || LoadName::ALL.map(|l| (l.as_str().to_owned(), None)).into();
    let asked: Vec<_> = if args.loads.is_empty() {
        every()
    } else {
        args.loads.clone()
    };
    let mut loads: Vec<Seeds> = Vec::new();
    for (load, seeds) in asked {
        let seeds = seeds.unwrap_or(args.seeds);
        match loads.iter_mut().find(|l| l.load == load) {
            // Asked for twice: the larger number holds, and no seed is run again.
            Some(before) => before.seeds = before.seeds.max(seeds),
            None => loads.push(Seeds { load, seeds }),
        }
    }
    let jobs = board::jobs(&scenarios, &loads, args.first_seed);
    (scenarios, loads.into_iter().map(|l| l.load).collect(), jobs)
}

/// Says now and then how far it is, for a person who waits.
struct Progress {
    done: usize,
    left: usize,
    simulated: f64,
    cost: f64,
}

impl Progress {
    fn new(left: usize, all: usize) -> Self {
        if left < all {
            let _ = writeln!(io::stderr().lock(), "{} of {all} runs are done already", all - left);
        }
        Self {
            done: 0,
            left,
            simulated: 0.0,
            cost: 0.0,
        }
    }

    fn step(&mut self, line: &Line) {
        self.done += 1;
        self.simulated += line.length;
        self.cost += line.cost;
        if self.done.is_multiple_of(100) || self.done == self.left {
            let speed = self.simulated / self.cost.max(1e-9);
            // Whoever closed stderr does not want to know.
            let _ = writeln!(
                io::stderr().lock(),
                "{} of {} runs, {speed:.0} simulated seconds in one of a thread",
                self.done,
                self.left
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str]) -> Vec<Job> {
        let words = iter::once("pfwatch-scoreboard").chain(words.iter().copied());
        plan(&Args::try_parse_from(words).unwrap()).2
    }

    #[test]
    fn the_plan_is_what_was_asked_for() {
        let all = Scenario::all().len();
        assert_eq!(planned(&[]).len(), all * LoadName::ALL.len() * 20);
        let few = planned(&["--scenarios", "wedge,crash", "--loads", "busy=2,office", "--seeds", "5"]);
        assert_eq!(few.len(), 2 * (2 + 5));
        let first = &few[0];
        assert_eq!(
            (first.scenario.as_str(), first.load.as_str(), first.seed),
            ("wedge", "busy", 1)
        );
        assert!(planned(&["--short"]).len() > all);
        let later = planned(&["--scenarios", "wedge", "--loads", "busy=2", "--first-seed", "1001"]);
        assert_eq!(later.iter().map(|j| j.seed).collect::<Vec<_>>(), [1001, 1002]);
        assert!(planned(&["--scenarios", "wedge", "--first-seed", "18446744073709551615"]).len() >= 5);
    }

    #[test]
    fn what_is_asked_for_twice_is_done_once() {
        let jobs = planned(&["--scenarios", "wedge,wedge", "--loads", "office=1,busy=1,office=2"]);
        let words: Vec<_> = jobs.iter().map(|j| (j.load.as_str(), j.seed)).collect();
        assert_eq!(words, [("office", 1), ("busy", 1), ("office", 2)]);
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for words in [
            ["--scenarios", "crsh"],
            ["--loads", "bussy"],
            ["--loads", "busy=x"],
            ["--threads", "0"],
        ] {
            let words = iter::once("pfwatch-scoreboard").chain(words);
            assert!(Args::try_parse_from(words).is_err());
        }
    }
}
