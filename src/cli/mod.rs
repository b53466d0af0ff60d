//! The command line: arguments in, exit code out. The only room that knows all others.
//!
//! Called by `main`. This file knows the commands and the exit codes; each command has a file of its own. What a command
//! finds goes to the standard output, everything said about it to the standard error, one sentence each.

mod analyze;
mod ask;
mod bar;
mod check;
mod decode;
mod doctor;
mod failure;
mod inputs;
mod log;
mod look;
mod nothing;
mod order;
mod output;
mod run;
mod simulate;
mod status;
mod usage;
mod watch;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use failure::Failure;
use jiff::tz::TimeZone;
use std::ffi::OsString;

/// A passive watchdog for high-availability pairs of pf firewalls.
#[derive(Parser, Debug)]
#[command(name = "pfwatch", version, about, disable_help_subcommand = true)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "With every command")]
struct Common {
    /// Say more; with decode, one line per message
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// How messages on the standard error look
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    log_format: Format,
    /// Send messages to syslog (facility daemon) instead of the standard error
    #[arg(long, global = true)]
    syslog: bool,
    /// Times in this host's time zone instead of UTC
    #[arg(long, global = true)]
    local: bool,
}

impl Common {
    fn zone(&self) -> TimeZone {
        if self.local { TimeZone::system() } else { TimeZone::UTC }
    }
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show every pfsync, CARP and VRRP message of capture files
    Decode(decode::Args),
    /// Say what capture files tell about the firewalls: when which of them stopped forwarding, why, what to do
    Analyze(analyze::Args),
    /// Listen on the firewalls' networks and log what happens to the firewalls, and what should be done about it
    Run(run::Args),
    /// Show what the running daemon knows
    Status(status::Args),
    /// Ask the running daemon whether a node is fit, for other programs: exit code 0 or 1 within 50 ms, and not a word
    Check(check::Args),
    /// Keep the running daemon from acting, for a while or until further notice
    Maintenance(order::Maintenance),
    /// Let the running daemon take back everything that it changed on this host
    Undo(order::Undo),
    /// Let the running daemon run the hooks of an action
    TestHook(order::TestHook),
    /// Look at this host and listen for a moment: what is wrong with it, its configuration and its networks
    Doctor(doctor::Args),
    /// Write a capture of firewalls to which something happens, with the truth about it: for drills and tuning
    Simulate(simulate::Args),
}

/// For eyes or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Exit codes: 0, 1 and those of sysexits(3) that scripts may rely on. Sources bring their own (`ErrorClass`).
mod exit {
    pub(super) const OK: u8 = 0;
    /// The answer to what was asked is no.
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const DATA: u8 = 65;
    pub(super) const UNAVAILABLE: u8 = 69;
    pub(super) const PERMISSION: u8 = 77;
    pub(super) const CONFIG: u8 = 78;
}

/// Runs the command that the process was started with and returns the exit code.
#[must_use]
pub fn run() -> u8 {
    run_with(std::env::args_os())
}

fn run_with(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let code = usage::answer(&error);
            let is_mistake = code != exit::OK;
            return check::misused(&arguments).filter(|_| is_mistake).unwrap_or(code);
        }
    };
    let _log = match &args.command {
        Command::Run(command) if command.is_daemon() => run::start_log(&args.common),
        _ => log::start(&args.common),
    };
    let result = match &args.command {
        Command::Decode(command) => decode::run(command, &args.common),
        Command::Analyze(command) => analyze::run(command, &args.common),
        Command::Run(command) => run::run(command, &args.common),
        Command::Status(command) => status::run(command, &args.common),
        Command::Check(command) => Ok(check::run(command)),
        Command::Maintenance(command) => order::maintenance(command),
        Command::Undo(command) => order::undo(command),
        Command::TestHook(command) => order::test_hook(command),
        Command::Doctor(command) => doctor::run(command),
        Command::Simulate(command) => simulate::run(command, &args.common),
    };
    result.unwrap_or_else(|failure| failure.report())
}
