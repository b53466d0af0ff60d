//! The table that shows on how many runs both levels say the same.

use super::super::agree::{Said, by_evidence, by_frames};
use super::{CommandError, all, like, load, recorded, threads};
use clap::Args;
use pf_sim::scenario::{LoadName, Scenario};
use std::io::Write;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What this level knows of.
const SCENARIOS: [&str; 14] = [
    "steady",
    "outside-port-dead",
    "inside-port-dead",
    "reply-lost",
    "wedge",
    "reply-lost-inside",
    "clients-lost-inside",
    "upstream-dead",
    "clients-gone",
    "half-servers-dead",
    "busiest-dead",
    "half-clients-gone",
    "lull",
    "silence",
];

/// Judge the same runs frame by frame and by evidence alone, and print how far both agree
#[derive(Args, Clone, Debug)]
pub struct AgreeArgs {
    /// Runs of each scenario at each load but busy, which has a tenth of them; seeds count from 1
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub seeds: u64,
    /// Only these loads: busy, office, branch, night, night+canary
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = load, default_value = "busy,office,branch,night,night+canary")]
    pub loads: Vec<LoadName>,
    /// Only these scenarios
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub scenarios: Vec<String>,
    /// Record less: what the tests look at
    #[arg(long)]
    pub short: bool,
    /// Runs at the same time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// One scenario at one load.
#[derive(Clone, Debug, Default)]
struct Row {
    runs: usize,
    same: usize,
    frames: Column,
    evidence: Column,
}

#[derive(Clone, Debug, Default)]
struct Column {
    found: Vec<Duration>,
    alarms: u32,
}

impl Column {
    fn add(&mut self, said: &Said) {
        self.found.extend(said.found);
        self.found.sort_unstable();
        self.alarms += said.false_alarms;
    }

    fn quantile(&self, percent: usize) -> String {
        let n = self.found.len();
        let found = n.checked_sub(1).map(|last| self.found[(n * percent / 100).min(last)]);
        found.map_or("-".into(), |t| format!("{:.1}", t.as_secs_f64()))
    }
}

impl Row {
    fn add(&mut self, frames: &Said, evidence: &Said) {
        self.runs += 1;
        self.same += usize::from(same_answer(frames, evidence));
        self.frames.add(frames);
        self.evidence.add(evidence);
    }
}

/// Runs everything and prints the table.
///
/// # Errors
/// What cannot be printed.
pub fn agree(args: &AgreeArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let threads = threads(args.threads);
    writeln!(
        out,
        "| load | scenario | runs | same answer | found: frames | by evidence | median T_D: frames | by evidence | p90: frames | by evidence | false alarms: frames | by evidence |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    let (mut runs, mut same) = (0, 0);
    let mut differ = Vec::new();
    for &name in &args.loads {
        let seeds = if name == LoadName::Busy && !args.short {
            args.seeds.div_ceil(10)
        } else {
            args.seeds
        };
        let mut libraries = Vec::new();
        all(
            &[0, 1],
            threads,
            |system| recorded(name, 1.0, *system, args.short),
            |i, library| {
                libraries.push((i, library));
                Ok::<_, CommandError>(())
            },
        )?;
        libraries.sort_by_key(|l| l.0);
        let wanted = |s: &&&str| args.scenarios.is_empty() || args.scenarios.iter().any(|w| w == **s);
        let scenarios: Vec<&Scenario> = SCENARIOS
            .iter()
            .filter(wanted)
            .filter_map(|s| Scenario::find(s))
            .collect();
        let jobs: Vec<(usize, u64)> = (0..scenarios.len())
            .flat_map(|s| (1..=seeds).map(move |seed| (s, seed)))
            .collect();
        let mut rows = vec![Row::default(); scenarios.len()];
        let run = |&(s, seed): &(usize, u64)| {
            let (setup, truth) = scenarios[s].build(name, seed);
            let library = &libraries[like(setup.nodes[0].system)].1;
            (
                by_frames(&setup, &truth),
                by_evidence(library, &setup, &truth).unwrap_or_default(),
            )
        };
        let mut apart = Vec::new();
        all(&jobs, threads, run, |i, (frames, evidence)| {
            let (s, seed) = jobs[i];
            rows[s].add(&frames, &evidence);
            if !same_answer(&frames, &evidence) {
                apart.push((i, difference(name, scenarios[s], seed, &frames, &evidence)));
            }
            Ok::<_, CommandError>(())
        })?;
        // They come as they are done, which is never twice the same.
        apart.sort_by_key(|a| a.0);
        differ.extend(apart.into_iter().map(|a| a.1));
        for (scenario, row) in scenarios.iter().zip(&rows) {
            let Row {
                runs: n,
                same: s,
                frames: f,
                evidence: e,
            } = row;
            runs += n;
            same += s;
            writeln!(
                out,
                "| {} | {} | {n} | {s} | {} | {} | {} | {} | {} | {} | {} | {} |",
                name.as_str(),
                scenario.name,
                f.found.len(),
                e.found.len(),
                f.quantile(50),
                e.quantile(50),
                f.quantile(90),
                e.quantile(90),
                f.alarms,
                e.alarms,
            )?;
        }
    }
    writeln!(out, "\nThe same answer in {same} of {runs} runs.")?;
    if !differ.is_empty() {
        writeln!(out, "\nThe others:\n")?;
    }
    for line in differ {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Whether both found the outage, and whether both cried wolf.
fn same_answer(frames: &Said, evidence: &Said) -> bool {
    let answer = |s: &Said| (s.found.is_some(), s.false_alarms > 0);
    answer(frames) == answer(evidence)
}

/// A run in which both levels say something else, and what, so that somebody can look for the cause.
fn difference(load: LoadName, scenario: &Scenario, seed: u64, frames: &Said, evidence: &Said) -> String {
    let says = |s: &Said| s.words.clone().unwrap_or_else(|| "nothing".into());
    format!(
        "* {}, {}, seed {seed}: frames: {}; by evidence: {}",
        load.as_str(),
        scenario.name,
        says(frames),
        says(evidence),
    )
}
