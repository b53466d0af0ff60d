//! The last minutes, a sample each second: what the charts of the page are drawn from.
//!
//! Kept by the daemon's loop. Bounded in time and by the number of nodes; a snapshot shares the samples instead of copying
//! them.

use crate::engine::Engine;
use crate::engine::counters::PathCounters;
use crate::event::NodeId;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// Five minutes.
pub const SAMPLES: usize = 300;

/// One second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Its end, in Unix seconds.
    pub at: f64,
    /// How long it really was, in seconds.
    pub seconds: f64,
    /// By node and path, each in the order of the snapshot.
    pub nodes: Vec<Vec<Point>>,
}

/// A node on a path in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// At the end of it.
    pub suspicion: f64,
    /// Packets that passed and moved nothing, per second.
    pub attempt: f64,
    /// One direction moved, per second.
    pub one_way: f64,
    /// Round trips per second.
    pub end_to_end: f64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Trend {
    ring: VecDeque<Arc<Sample>>,
    last: Option<Timestamp>,
    before: Vec<Vec<PathCounters>>,
}

impl Trend {
    /// Another engine counts from now on, and its nodes may be others.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes a sample if a second is over.
    pub fn tick(&mut self, now: Timestamp, engine: &Engine, unix: impl Fn(Timestamp) -> f64) {
        let Some(last) = self.last else {
            self.last = Some(now);
            self.before = counted(engine);
            return;
        };
        if now < last + EVERY {
            return;
        }
        let after = counted(engine);
        let seconds = now.since(last).as_secs_f64();
        let nodes = engine.node_ids().zip(&after).enumerate();
        let nodes = nodes.map(|(i, (id, paths))| points(engine, id, self.before.get(i), paths, seconds));
        let sample = Sample {
            at: unix(now),
            seconds,
            nodes: nodes.collect(),
        };
        if self.ring.len() >= SAMPLES {
            self.ring.pop_front();
        }
        self.ring.push_back(Arc::new(sample));
        (self.last, self.before) = (Some(now), after);
    }

    /// Oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<Arc<Sample>> {
        self.ring.iter().cloned().collect()
    }
}

fn counted(engine: &Engine) -> Vec<Vec<PathCounters>> {
    engine.counters().nodes.iter().map(|n| n.paths.clone()).collect()
}

fn points(
    engine: &Engine,
    node: NodeId,
    before: Option<&Vec<PathCounters>>,
    after: &[PathCounters],
    seconds: f64,
) -> Vec<Point> {
    let point = |(path, now): (usize, &PathCounters)| {
        let was = before.and_then(|b| b.get(path)).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "what comes in a second is far below 2^52")]
        let rate = |now: u64, was: u64| now.saturating_sub(was) as f64 / seconds;
        Point {
            suspicion: engine.path_health(node, path).map_or(0.0, |h| h.suspicion),
            attempt: rate(now.attempt, was.attempt),
            one_way: rate(now.forward + now.reverse, was.forward + was.reverse),
            end_to_end: rate(now.end_to_end, was.end_to_end),
        }
    };
    after.iter().enumerate().map(point).collect()
}
