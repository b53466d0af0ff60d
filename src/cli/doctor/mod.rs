//! `pfwatch doctor`: what is wrong on this host, with its configuration and on its networks, each with what to do.
//!
//! A list of independent checks. What they look at is gathered once: the configuration (as `run` reads it), the host, and a
//! few seconds of its networks. Changes nothing, and needs no running daemon. It does run the probes and asks the fence agent
//! for its status, once each.

mod addresses;
mod carp;
mod clock;
mod configuration;
mod daemon;
mod ear;
mod finding;
mod host;
mod listen;
mod preset;
mod probes;
mod programs;
mod quality;
mod sync;
#[cfg(test)]
mod tests;

use super::output::Stream;
use super::run::plan::Plan;
use super::{Failure, Format, exit};
use crate::act::stop;
use crate::act::system::System;
use finding::{Finding, Outcome, count, printed, problem};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Configuration; without one, and without --interface, /etc/pfwatch.toml
    #[arg(short, long, value_name = "CONF")]
    config: Option<PathBuf>,
    /// The interface of the sync network, instead of those of the configuration; may be given several times
    #[arg(long, value_name = "IF")]
    interface: Vec<String>,
    /// How long to listen; 0: not at all
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=3600))]
    seconds: u64,
    /// For eyes or for programs
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
}

/// Runs.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let plan = match Plan::make(args.config.as_deref(), &args.interface) {
        Ok(plan) => plan,
        Err(refused) => return Ok(refused.report()),
    };
    let findings = examine(&plan, Duration::from_secs(args.seconds));
    Stream::flush(&mut printed(&findings, args.format).into_bytes())?;
    Ok(match count(&findings, Outcome::Problem) {
        0 => exit::OK,
        _ => exit::NEGATIVE,
    })
}

/// All checks, in the order in which somebody would look.
fn examine(plan: &Plan, length: Duration) -> Vec<Finding> {
    let config = &plan.config;
    let mut findings = configuration::check(config, plan.warnings());
    match host::interfaces() {
        Ok(interfaces) => {
            findings.extend(host::check(&plan.inputs, &interfaces));
            findings.extend(addresses::check(config, &interfaces));
        }
        Err(e) => findings.push(problem("interfaces", format!("the interfaces cannot be listed ({e})"))),
    }
    match stop::pair() {
        Ok((_stop, stopped)) => {
            let run = &mut System::new(stopped);
            findings.extend(probes::check(config, run));
            findings.extend(programs::check(config, run));
            findings.extend(preset::check(config, run));
            findings.extend(daemon::check(config, run));
        }
        Err(e) => findings.push(problem("probes", format!("no program can be run here ({e})"))),
    }
    if !length.is_zero() {
        let (heard, refused) = listen::listen(plan, length);
        findings.extend(refused);
        if let Some(heard) = heard {
            findings.extend(sync::check(config, &heard));
            findings.extend(carp::check(config, &heard));
            findings.extend(clock::check(&heard));
            findings.extend(quality::check(&heard));
        }
    }
    findings
}

/// `a, b and c`.
fn list(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
