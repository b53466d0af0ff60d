//! pfwatch is killed with SIGKILL at random moments of a failover, of its healing, and of taking back.
//!
//! Then one of two things is done: it is started again, or it is not and `pfwatch undo` is called once all is healed. After
//! a restart a promotion may stay, if nobody ever saw the peer go away: then `undo` must take it back.

use super::catalogue::Deed;
use super::normal::differences;
use crate::bench::guard::Guard;
use crate::bench::{Bench, Setup};
use crate::clock;
use crate::emit::Speech;
use crate::error::LabError;
use crate::net::fault::Fault;
use crate::net::plan::{Net, Node, Place};
use pf_sim::dice::{Dice, stream};
use rand::RngExt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How often
    #[arg(long, value_name = "N", default_value_t = 100)]
    times: u32,
    /// Laboratories side by side
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Their tags begin so
    #[arg(long, value_name = "WORD", default_value = "kill")]
    tag: String,
    /// The pfwatch to use [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pfwatch: Option<PathBuf>,
}

/// How long the port is dead.
const FAULT: u64 = 12;
/// And how long after that somebody may still be killed: `recover` and the way back.
const HEALING: u64 = 16;

/// How it went.
#[derive(Debug, Default)]
struct Count {
    alone: AtomicU32,
    by_hand: AtomicU32,
    stayed: AtomicU32,
}

/// Kills. Tells what was left behind.
pub fn run(args: &Args, end: &Arc<AtomicBool>) -> Result<Vec<String>, LabError> {
    let left = AtomicU32::new(args.times);
    let count = Count::default();
    let found = thread::scope(|scope| {
        let (left, count) = (&left, &count);
        let work = |number| {
            let place = Place {
                tag: format!("{}{number}", args.tag),
            };
            scope.spawn(move || work(args, place, left, count, end))
        };
        let workers: Vec<_> = (0..args.jobs.max(1)).map(work).collect();
        let results = workers.into_iter().map(|w| w.join());
        results
            .map(|r| r.unwrap_or_else(|_| Err(LabError::Missing("a part of the laboratory failed, see above".into()))))
            .collect::<Result<Vec<Vec<String>>, _>>()
    })?;
    let found: Vec<String> = found.into_iter().flatten().collect();
    writeln!(
        std::io::stdout(),
        "killed {} times. Started again: {} times all was as before by itself, {} times only after `pfwatch undo`. Not \
         started, but undone by hand: {} times all was as before. Never: {} times",
        args.times,
        count.alone.load(Ordering::Relaxed),
        count.stayed.load(Ordering::Relaxed),
        count.by_hand.load(Ordering::Relaxed),
        found.len(),
    )?;
    Ok(found)
}

fn work(
    args: &Args,
    place: Place,
    left: &AtomicU32,
    count: &Count,
    end: &Arc<AtomicBool>,
) -> Result<Vec<String>, LabError> {
    let setup = Setup {
        rate: 20.0,
        speech: Speech::Openbsd,
        unicast: false,
        pfwatch: args.pfwatch.clone(),
    };
    let mut dice = stream(clock::unix().to_bits(), &place.tag);
    let mut bench = Bench::up(place, setup, Guard::Pfwatch, end)?;
    let mut found = Vec::new();
    let take = |n: u32| n.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        found.extend(bench.kill_once(&mut dice, count)?);
    }
    Ok(found)
}

impl Bench {
    fn kill_once(&mut self, dice: &mut Dice, count: &Count) -> Result<Option<String>, LabError> {
        let net = Net::SHARED[usize::from(dice.random::<bool>())];
        let moment = Duration::from_millis(dice.random_range(0..(FAULT + HEALING) * 1000));
        // The one that promotes has more to leave behind.
        let node = if dice.random_range(0..4) == 0 {
            Node::Fw1
        } else {
            Node::Fw2
        };
        let again: bool = dice.random();
        let deed = Deed::Break(Fault::Port(Node::Fw1, net));
        let fault = Duration::from_secs(FAULT);
        self.fresh()?;

        self.begin(deed)?;
        self.pause(moment.min(fault))?;
        if moment < fault {
            self.kill(node, again)?;
            self.pause(fault - moment)?;
        }
        self.heal(deed)?;
        if moment >= fault {
            self.pause(moment - fault)?;
            self.kill(node, again)?;
        }
        let by_hand = !again;
        if by_hand {
            self.undo(node)?;
            self.start_guard(node)?;
        }
        let mut left = self.settle()?;
        let stayed = !left.is_empty();
        if stayed {
            for each in Node::ALL {
                self.undo(each)?;
            }
            left = self.settle()?;
        }
        if left.is_empty() {
            let counter = match (by_hand, stayed) {
                (true, _) => &count.by_hand,
                (false, true) => &count.stayed,
                (false, false) => &count.alone,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let how = if again { "started again" } else { "undone by hand" };
        let story = format!(
            "{} port dead, pfwatch on {} killed after {:.1} s and {how}{}",
            net.name(),
            node.name(),
            moment.as_secs_f64(),
            if stayed { ", then undone" } else { "" }
        );
        let end = if left.is_empty() {
            "all is as before".into()
        } else {
            differences(self)?.join(", ")
        };
        writeln!(std::io::stdout(), "{story}: {end}")?;
        Ok((!left.is_empty()).then(|| format!("{story}: {end}")))
    }

    fn kill(&mut self, node: Node, again: bool) -> Result<(), LabError> {
        self.end_guard(node, false);
        if again { self.start_guard(node) } else { Ok(()) }
    }
}
