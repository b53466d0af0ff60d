//! The command line: arguments in, exit code out. The only room that knows all others.

pub mod analyze;

use clap::{Parser, Subcommand};

/// A passive watchdog for high-availability pairs of pf firewalls.
#[derive(Parser, Debug)]
#[command(name = "pfwatch", version, about)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Verdicts and decisions over capture files.
    Analyze(analyze::Args),
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn run() -> u8 {
    match Args::parse().command {
        Command::Analyze(args) => analyze::run(&args),
    }
}
