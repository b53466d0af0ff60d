//! One user who opens a new connection ten times a second and notes what came of it: what everybody feels.
//!
//! Writes a line for each try, `UNIX-TIME 1|0`, when it is known. A try that is not served within 0.9 s has failed: that is
//! before a kernel repeats its SYN, so a try counts for the moment at which it was made.

use super::crowd::Crowd;
use super::flow::{Kind, Plan};
use crate::clock;
use crate::error::LabError;
use crate::net::plan;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two tries.
pub const EVERY: Duration = Duration::from_millis(100);
/// Longer is no service.
pub const PATIENCE: Duration = Duration::from_millis(900);

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where the lines go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Servers that are used one after the other
    #[arg(long, value_name = "N", default_value_t = plan::SERVERS)]
    servers: u8,
}

/// Runs until it is told to end.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let fail = |source| LabError::File {
        path: args.out.clone(),
        source,
    };
    let mut file = std::fs::File::create(&args.out).map_err(fail)?;
    let mut crowd = Crowd::default();
    let mut next = clock::now();
    let mut number: u8 = 0;
    let begun = (clock::now(), clock::unix());
    while !end.load(Ordering::Relaxed) {
        let now = clock::now();
        let mut lines = String::new();
        let mut note = |began: std::time::Instant, served: bool| {
            let at = begun.1 + began.saturating_duration_since(begun.0).as_secs_f64();
            lines += &format!("{at:.3} {}\n", u8::from(served));
        };
        while next <= now {
            let plan = Plan {
                from: plan::user(),
                to: plan::server(number % args.servers.max(1)),
                kind: Kind::Tcp {
                    turns: 1,
                    rest: Duration::ZERO,
                },
                size: 200,
                pieces: 1,
                patience: PATIENCE,
            };
            if !crowd.open(plan, next) {
                note(next, false);
            }
            number = (number + 1) % args.servers.max(1);
            next += EVERY;
        }
        crowd.wait(next, &mut note)?;
        file.write_all(lines.as_bytes()).map_err(fail)?;
    }
    Ok(())
}
