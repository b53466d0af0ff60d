//! What the binary offers of this level: `agree` shows that it comes to the same verdicts as frames do, `spans` runs years
//! with it. Both print Markdown.

mod agree;
mod spans;
#[cfg(test)]
mod tests;

pub use agree::{AgreeArgs, agree};
pub use spans::{SpansArgs, spans};

use super::life::Library;
use super::record::{self, Plan};
use pf_sim::firewall::System;
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::traffic::{Canary, Load, Mix};
use pfsync_proto::Dialect;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{io, thread};
use thiserror::Error;

/// Dice of the recordings; those of what is replayed are others.
const RECORDED: u64 = 7;

/// What can go wrong.
#[derive(Debug, Error)]
pub enum CommandError {
    /// Nobody takes what is printed.
    #[error("cannot print")]
    Print(#[from] io::Error),
    /// The file of results cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} line {line} is no result of this program: start with another file", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// The systems that are recorded: both kinds of kernel.
const SYSTEMS: [System; 2] = [System::OpenBsd, System::FreeBsd(Dialect::FreeBsd1400)];

/// Of [`SYSTEMS`], the one that is like this.
fn like(system: System) -> usize {
    usize::from(system != System::OpenBsd)
}

fn load(word: &str) -> Result<LoadName, String> {
    LoadName::parse(word).ok_or_else(|| {
        let names = LoadName::ALL.map(LoadName::as_str);
        format!("there are {}", names.join(", "))
    })
}

/// The site of a load as the catalogue has it.
fn site(load: LoadName) -> (Load, Vec<Canary>) {
    let steady = Scenario::find("steady").map(|s| s.build(load, 0).0);
    steady.map_or((Load::NIGHT, Vec::new()), |s| (s.load, s.canaries))
}

/// What was recorded at this part of the load.
fn recorded(name: LoadName, part: f64, system: usize, short: bool) -> Library {
    let (load, canaries) = site(name);
    let load = Load {
        flows_per_second: load.flows_per_second * part,
        ..load
    };
    let plan = if short {
        Plan::of(&load).short()
    } else {
        Plan::of(&load)
    };
    record::library(&load, &Mix::standard(), &canaries, SYSTEMS[system], plan, RECORDED)
}

fn threads(wanted: Option<NonZeroUsize>) -> usize {
    wanted
        .or(thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
}

/// Does all jobs, some at the same time, and hands over each result as soon as it is there.
fn all<J: Sync, R: Send, E>(
    jobs: &[J],
    threads: usize,
    work: impl Fn(&J) -> R + Sync,
    mut keep: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let (done, next, work) = (done.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(i) else { break };
                    // Who does not want to hear any more has failed already.
                    if done.send((i, work(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        results.into_iter().try_for_each(|(i, result)| keep(i, result))
    })
}
