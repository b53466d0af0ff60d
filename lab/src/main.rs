//! `pfwatch-lab`: real packets, real CARP, real faults, in network namespaces of one Linux machine.
//!
//! `run` is the laboratory; the other commands are the parts that it starts inside its namespaces, or for eyes. Needs
//! Linux, root, and iproute2, nftables, ucarp, ping, flock and ps. Sends nothing anywhere but inside its namespaces.

use clap::{Parser, Subcommand};
use pfwatch_lab::bench::guard::Guard;
use pfwatch_lab::bench::{Bench, Setup};
use pfwatch_lab::error::LabError;
use pfwatch_lab::net::plan::Place;
use pfwatch_lab::{clock, emit, net, play, traffic};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// pfwatch on real packets: two firewalls with real CARP in network namespaces, and what goes wrong with them
#[derive(Parser, Debug)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Break everything, and measure what comes of it
    Run(play::runner::Args),
    /// Kill pfwatch at random moments of failovers, and look what is left behind
    Kills(play::kills::Args),
    /// The table of what `run` wrote down, as Markdown
    Report(play::report::Args),
    /// Build a laboratory and let it run until a signal ends it
    Up(UpArgs),
    /// End everything that is left of any laboratory
    Clean,
    /// (inside a firewall) Announce by pfsync what really passes
    Emit(emit::Args),
    /// (inside) Be the clients
    Clients(traffic::clients::Args),
    /// (inside) Be the servers
    Serve(traffic::servers::Args),
    /// (inside) Be the user, and note what it is like
    User(traffic::user::Args),
}

#[derive(clap::Args, Debug)]
struct UpArgs {
    /// Laboratories with different tags can run side by side
    #[arg(long, value_name = "WORD", default_value = "a")]
    tag: String,
    /// Who looks after the pair
    #[arg(long, value_enum, default_value_t = Guard::Observe)]
    guard: Guard,
    #[command(flatten)]
    setup: Setup,
}

fn main() -> ExitCode {
    match command(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "pfwatch-lab: {e}");
            ExitCode::FAILURE
        }
    }
}

fn command(command: Command) -> Result<(), LabError> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&end))?;
    }
    match command {
        Command::Run(args) => judge(&play::runner::run(&args, &end)?),
        Command::Kills(args) => judge(&play::kills::run(&args, &end)?),
        Command::Report(args) => Ok(write!(std::io::stdout(), "{}", play::report::page(&args)?)?),
        Command::Up(args) => up(args, &end),
        Command::Clean => clean(),
        Command::Emit(args) => emit::run(args, &end),
        Command::Clients(args) => traffic::clients::run(&args, &end),
        Command::Serve(args) => traffic::servers::run(&args, &end),
        Command::User(args) => traffic::user::run(&args, &end),
    }
}

fn clean() -> Result<(), LabError> {
    for place in net::build::clean()? {
        let folder = place.folder();
        writeln!(
            std::io::stderr(),
            "{} is in use: end its pfwatch-lab first",
            folder.display()
        )?;
    }
    Ok(())
}

fn judge(wrong: &[String]) -> Result<(), LabError> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(LabError::Missing(format!("not as it must be: {}", wrong.join("; "))))
}

fn up(args: UpArgs, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let place = Place { tag: args.tag };
    let bench = Bench::up(place, args.setup, args.guard, end)?;
    writeln!(std::io::stdout(), "{} runs", bench.place.folder().display())?;
    while !end.load(Ordering::Relaxed) {
        clock::pause(Duration::from_millis(100));
    }
    Ok(())
}
