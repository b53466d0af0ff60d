//! The board: which runs there are, who runs them, and what is left in the end.
//!
//! Called by the binary. A run is simulated once, whoever watches it. Runs go to threads as these become free; results
//! are collected by what they are, not by when they came, so that the tables do not depend on how many threads there are.

mod faster;
pub mod raw;
pub mod stage;
pub mod summary;
pub mod table;
pub mod tables;
#[cfg(test)]
mod tests;
mod words;
mod wrongs;

use crate::effort::spent;
use crate::pair::Pair;
use crate::run::{Ear, judge};
use pf_sim::heard::Heard;
use pf_sim::scenario::Kind;
use pf_sim::truth::Truth;
use raw::{Judged, Line};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// One run by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    /// Scenario.
    pub scenario: String,
    /// Load.
    pub load: String,
    /// Seed of all its dice.
    pub seed: u64,
}

/// A run, ready to begin.
pub struct Stage {
    /// What its site is called where that is not like most.
    pub site: Option<&'static str>,
    /// What the watchers are told.
    pub pair: Pair,
    /// What they are not.
    pub truth: Truth,
    /// The simulation, and where each thing is heard.
    pub heard: Box<dyn Iterator<Item = (Ear, Heard)>>,
}

/// Makes runs. None where a scenario does not exist at a load.
pub type Stages<'a> = dyn Fn(&Job) -> Option<Stage> + Sync + 'a;

/// A load, and how many seeds there are of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The load.
    pub load: String,
    /// So many.
    pub seeds: u64,
}

/// All runs of these scenarios, loads and seeds, which count from `first`: seeds outermost, so that a board that is stopped
/// half-way knows something about every scenario.
#[must_use]
pub fn jobs(scenarios: &[String], loads: &[Seeds], first: u64) -> Vec<Job> {
    let mut jobs = Vec::new();
    let most = loads.iter().map(|l| l.seeds).max().unwrap_or(0);
    for (seed, number) in (first..=u64::MAX).zip(0..most) {
        for scenario in scenarios {
            for load in loads.iter().filter(|l| number < l.seeds) {
                jobs.push(Job {
                    scenario: scenario.clone(),
                    load: load.load.clone(),
                    seed,
                });
            }
        }
    }
    jobs
}

/// The short form, which every test run can afford: each scenario once at a light load, and where something is broken at
/// a heavier one too. The seed goes up with the scenario, so that every system has its turn.
#[must_use]
pub fn short(scenarios: &[String]) -> (Vec<String>, Vec<Job>) {
    let mut jobs = Vec::new();
    for (scenario, seed) in scenarios.iter().zip(1..) {
        let broken = tables::kind(scenario) != Kind::Fine;
        for load in [Some("branch"), broken.then_some("office")].into_iter().flatten() {
            jobs.push(Job {
                scenario: scenario.clone(),
                load: load.into(),
                seed,
            });
        }
    }
    (vec!["office".into(), "branch".into()], jobs)
}

/// Runs all jobs on so many threads and gives each result to `each` as it comes, in any order; stops early when `each`
/// fails.
///
/// # Errors
/// What `each` failed with.
pub fn run<E>(
    jobs: &[Job],
    threads: NonZeroUsize,
    stages: &Stages<'_>,
    mut each: impl FnMut(Line) -> Result<(), E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let (results, inbox) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.get().min(jobs.len()) {
            let (next, results) = (&next, results.clone());
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let line = stages(job).map(|stage| perform(job, stage));
                    if line.is_some_and(|line| results.send(line).is_err()) {
                        return;
                    }
                }
            });
        }
        drop(results);
        // Leaving with an error drops the inbox, and each thread ends after its run.
        inbox.into_iter().try_for_each(&mut each)
    })
}

fn perform(job: &Job, stage: Stage) -> Line {
    let began = spent();
    let length: Duration = stage.pair.length;
    let judged = judge(&stage.pair, &stage.truth, stage.heard);
    Line {
        scenario: job.scenario.clone(),
        load: job.load.clone(),
        site: stage.site.map(str::to_owned),
        seed: job.seed,
        length: length.as_secs_f64(),
        build: String::new(),
        cost: (spent() - began).as_secs_f64(),
        detectors: judged.into_iter().map(|(name, score)| Judged { name, score }).collect(),
    }
}
