//! A fixed timeout on pfsync: "the active node said nothing for 3 s, so it is dead".
//!
//! The simplest thing that a script over tcpdump(8) can do. It looks only at nodes on duty, so that a backup, which has
//! nothing to say, is not held against it; it starts with the first frame of each duty. What it would do: promote the
//! other node when one falls silent, and take that back when it is heard again.

use super::{Act, Said, Watch};
use crate::pair::Pair;
use crate::scene::{Duty, Scene, Sound};
use pf_sim::Time;
use pf_sim::heard::{Blindness, Heard};
use pf_sim::site::Node;
use std::time::Duration;

/// When each node is overdue: what this and phi-accrual have in common.
#[derive(Debug)]
pub(super) struct Timers {
    due: Vec<Option<Time>>,
    /// When the process last came back from standing still: no alarm is older.
    awake: Time,
    said: Said,
}

impl Timers {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            due: vec![None; nodes],
            awake: Time::ZERO,
            said: Said::default(),
        }
    }

    pub(super) fn said(&self) -> &Said {
        &self.said
    }

    /// Alarms for timers that ran out before `to`, in the order in which they did.
    pub(super) fn advance(&mut self, to: Time) {
        while let Some((at, node)) = self.first().filter(|(at, _)| *at < to) {
            self.due[node] = None;
            let at = at.max(self.awake);
            self.said.output(at, node, true);
            // In a pair the other one. Of three, the first other one: a script has no better idea.
            let me = usize::from(node == 0);
            self.said.deed(at, me, Act::Promote, Some(node));
        }
    }

    fn first(&self) -> Option<(Time, Node)> {
        let all = self.due.iter().enumerate();
        all.filter_map(|(n, due)| Some(((*due)?, n))).min()
    }

    /// `node` was heard at `at` and must be heard again before `due`.
    pub(super) fn heard(&mut self, at: Time, node: Node, due: Time) {
        self.all_right(at, node);
        self.due[node] = Some(due);
    }

    /// What is heard is no frame of a node on duty: who is off duty is nobody's concern any more.
    pub(super) fn other(&mut self, heard: &Heard, scene: &Scene) {
        if let Heard::Gap {
            at,
            cause: Blindness::Stall,
            ..
        } = heard
        {
            self.awake = *at;
        }
        for node in (0..scene.pair().nodes()).filter(|&n| scene.duty(n) == Duty::Off) {
            self.forget(heard.at(), node);
        }
    }

    /// `node` is nobody's concern any more.
    fn forget(&mut self, at: Time, node: Node) {
        self.due[node] = None;
        self.all_right(at, node);
    }

    fn all_right(&mut self, at: Time, node: Node) {
        if self.said.is_down(node) {
            self.said.output(at, node, false);
            let me = usize::from(node == 0);
            self.said.deed(at, me, Act::Restore, Some(node));
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Silence {
    name: String,
    timeout: Duration,
    timers: Timers,
}

impl Silence {
    /// With a timeout in seconds.
    #[must_use]
    pub fn new(pair: &Pair, seconds: u64) -> Self {
        Self {
            name: format!("pfsync silent {seconds} s"),
            timeout: Duration::from_secs(seconds),
            timers: Timers::new(pair.nodes()),
        }
    }
}

impl Watch for Silence {
    fn name(&self) -> &str {
        &self.name
    }

    fn advance(&mut self, to: Time, _: &Scene) {
        self.timers.advance(to);
    }

    fn heard(&mut self, heard: &Heard, scene: &Scene) {
        let at = heard.at();
        match scene.sound() {
            Sound::Pfsync(node) if scene.duty(node) == Duty::On => self.timers.heard(at, node, at + self.timeout),
            _ => self.timers.other(heard, scene),
        }
    }

    fn said(&self) -> &Said {
        self.timers.said()
    }
}
