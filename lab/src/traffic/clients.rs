//! The clients of a site: many addresses that open connections and look things up, at a rate.
//!
//! Of twenty flows eleven are short connections, six are lookups, two are sessions that go on for some seconds, and one is a
//! stream from the server to the client. Openings are a Poisson process. Some servers are popular and some are not, as
//! everywhere.

use super::crowd::Crowd;
use super::flow::{Kind, Plan};
use crate::clock;
use crate::error::LabError;
use crate::net::plan;
use pf_sim::dice::{Dice, stream};
use rand::RngExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// New flows each second
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    rate: f64,
    /// How many clients there are
    #[arg(long, value_name = "N", default_value_t = plan::CLIENTS)]
    clients: u8,
    /// How many servers they use
    #[arg(long, value_name = "N", default_value_t = plan::SERVERS)]
    servers: u8,
    /// Of the dice
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Runs until it is told to end.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<(), LabError> {
    let mut dice = stream(args.seed, "clients");
    let mut crowd = Crowd::default();
    let mut next = clock::now();
    while !end.load(Ordering::Relaxed) {
        let now = clock::now();
        while next <= now {
            crowd.open(draw(args, &mut dice), now);
            let even: f64 = dice.random();
            let pause = -(1.0 - even).ln() / args.rate.max(0.01);
            next += Duration::from_secs_f64(pause.min(60.0));
        }
        crowd.wait(next.min(now + Duration::from_millis(100)), |_, _| {})?;
    }
    Ok(())
}

fn draw(args: &Args, dice: &mut Dice) -> Plan {
    // The lower of two throws: the first server is twice as popular as the one in the middle.
    let server = dice
        .random_range(0..args.servers.max(1))
        .min(dice.random_range(0..args.servers.max(1)));
    let tcp = |turns, rest| Kind::Tcp {
        turns,
        rest: Duration::from_millis(rest),
    };
    let (kind, pieces) = match dice.random_range(0..20) {
        0..11 => (tcp(1, 0), 1),
        11..17 => {
            let (tries, wait) = (3, Duration::from_secs(2));
            (Kind::Udp { tries, wait }, 1)
        }
        17..19 => (tcp(dice.random_range(5..20), dice.random_range(300..1500)), 1),
        _ => (tcp(1, 0), dice.random_range(25..100)),
    };
    Plan {
        from: plan::client(dice.random_range(0..args.clients.max(1))),
        to: plan::server(server),
        kind,
        size: dice.random_range(100..4000),
        pieces,
        patience: Duration::from_secs(10),
    }
}
