//! `pfwatch maintenance`, `undo` and `test-hook`: orders to a running daemon.
//!
//! The daemon does it and says what it did; this only asks. Where no daemon runs, `undo` takes back itself what the ledger
//! holds.

use super::ask::{NoAnswer, Where, ask, understand};
use super::output::Stream;
use super::{Failure, exit};
use crate::act::actor::{self, Means};
use crate::config::{Config, parse_duration};
use crate::control::{Reply, Request};
use clap::ValueEnum;
use std::time::Duration;

/// Arguments of `maintenance`.
#[derive(clap::Args, Debug)]
pub(super) struct Maintenance {
    /// Begin, or end
    #[arg(value_enum)]
    switch: Switch,
    /// End by itself after so long ("2h"); otherwise it goes on until it is switched off, or the daemon ends
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    length: Option<Duration>,
    #[command(flatten)]
    place: Where,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Arguments of `undo`.
#[derive(clap::Args, Debug)]
pub(super) struct Undo {
    #[command(flatten)]
    place: Where,
}

/// Arguments of `test-hook`.
#[derive(clap::Args, Debug)]
pub(super) struct TestHook {
    /// Whose hooks
    #[arg(value_name = "ACTION", value_parser = ["promote", "demote", "restore", "notify"])]
    action: String,
    /// Only say what would be run
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Where,
}

/// Runs `maintenance`.
pub(super) fn maintenance(args: &Maintenance) -> Result<u8, Failure> {
    let on = args.switch == Switch::On;
    if !on && args.length.is_some() {
        return Err(Failure::Usage("--for belongs to `maintenance on`".into()));
    }
    // Less than a second is still some time.
    let seconds = args.length.map(|d| d.as_secs() + u64::from(d.subsec_nanos() > 0));
    order(&args.place, &Request::Maintenance { on, seconds })
}

/// Runs `undo`.
pub(super) fn undo(args: &Undo) -> Result<u8, Failure> {
    let answer = ask(&args.place, &Request::Undo);
    if answer.as_ref().is_err_and(|no| no.nobody)
        && let Some(config) = args.place.config()?
    {
        return undo_alone(&config);
    }
    done(answer)
}

/// Without a daemon. One that starts or hangs meanwhile holds the ledger, and then nothing is done here.
fn undo_alone(config: &Config) -> Result<u8, Failure> {
    match actor::undo_alone(&Means::of(config, false)) {
        Ok(lines) if lines.is_empty() => {
            let text = "no pfwatch runs, and its ledger holds nothing that is to be taken back\n";
            Stream::flush(&mut text.as_bytes().to_vec())?;
            Ok(exit::OK)
        }
        Ok(lines) => {
            Stream::flush(&mut format!("{}\n", lines.join("\n")).into_bytes())?;
            Ok(exit::OK)
        }
        Err(why) => {
            tracing::error!("{why}");
            Ok(exit::UNAVAILABLE)
        }
    }
}

/// Runs `test-hook`.
pub(super) fn test_hook(args: &TestHook) -> Result<u8, Failure> {
    let (action, dry_run) = (args.action.clone(), args.dry_run);
    order(&args.place, &Request::TestHook { action, dry_run })
}

fn order(place: &Where, request: &Request) -> Result<u8, Failure> {
    done(ask(place, request))
}

/// What became of it.
fn done(answer: Result<Vec<u8>, NoAnswer>) -> Result<u8, Failure> {
    match answer.and_then(|line| understand(&line)) {
        Ok(Reply::Done { text }) => {
            Stream::flush(&mut format!("{text}\n").into_bytes())?;
            Ok(exit::OK)
        }
        Ok(_) => Ok(NoAnswer::strange().report()),
        Err(no) => Ok(no.report()),
    }
}
