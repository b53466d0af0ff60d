//! The clients of a site: many addresses that open connections and look things up, at a rate.
//!
//! Of ten flows six are short connections, three are lookups, one is a session that goes on for some seconds. Openings are
//! a Poisson process. Some servers are popular and some are not, as everywhere.

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
    let short = Kind::Tcp {
        turns: 1,
        rest: Duration::ZERO,
    };
    let kind = match dice.random_range(0..10) {
        0..6 => short,
        6..9 => Kind::Udp {
            tries: 3,
            wait: Duration::from_secs(2),
        },
        _ => Kind::Tcp {
            turns: dice.random_range(5..20),
            rest: Duration::from_millis(dice.random_range(300..1500)),
        },
    };
    Plan {
        from: plan::client(dice.random_range(0..args.clients.max(1))),
        to: plan::server(server),
        kind,
        size: dice.random_range(100..4000),
        patience: Duration::from_secs(10),
    }
}
