//! What one (node, path) hears of the canaries, and what it is worth: how rarely are the two hosts that the operator chose
//! the ones that are dead?
//!
//! Fed and asked by `path`.

use super::{Canaries, Canary, SLACK, Try};
use crate::detect::hosts::{Ages, LAG, LASTING, Slot, is_ripe};
use crate::event::NodeId;
use crate::time::Timestamp;
use std::time::Duration;

/// Probability that a canary's target is dead just now although the firewall is well: three outages of five minutes a year.
/// Two canaries without a host in common then reach what `1 per 10y` asks for, one does with a split of CARP, and one
/// alone stays between suspicion and `down`.
const CANARY_GONE: f64 = 3e-5;
/// Answers through a node after which a canary that is not heard there is missing.
const REGULAR: u32 = 3;

/// What one (node, path) heard of one canary.
#[derive(Clone, Copy)]
struct Song {
    heard: Timestamp,
    answered: Timestamp,
    answers: u32,
    /// First failure since the last answer, and how many there were.
    failing_since: Timestamp,
    failed: u32,
    window: Miss,
    run: Miss,
}

/// Probability of its failures since some moment, were all well.
#[derive(Clone, Copy)]
struct Miss {
    epoch: u32,
    miss: f64,
    slot: Slot,
}

impl Miss {
    const NONE: Self = Self {
        epoch: 0,
        miss: 1.0,
        slot: Slot::EMPTY,
    };

    fn take(&mut self, now: Timestamp, epoch: u32, ratio: f64) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::NONE };
        }
        self.miss = (self.miss * self.slot.take(now, ratio)).max(CANARY_GONE);
    }

    fn since(&self, epoch: u32) -> Option<f64> {
        (self.epoch == epoch && self.miss < 1.0).then_some(self.miss)
    }
}

const SILENT: Song = Song {
    heard: Timestamp::MIN,
    answered: Timestamp::MIN,
    answers: 0,
    failing_since: Timestamp::MAX,
    failed: 0,
    window: Miss::NONE,
    run: Miss::NONE,
};

/// What one (node, path) hears of the canaries.
pub struct Songs {
    songs: Vec<Song>,
    epoch: u32,
    run: u32,
    /// Anybody's.
    last_answer: Timestamp,
    /// Answers of canaries in this window.
    pub answers: u32,
}

/// What failing canaries are worth by themselves, in suspicion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worth {
    /// Since the window opened.
    pub window: f64,
    /// Since the last answer that anybody got.
    pub run: f64,
    /// Canaries that fail.
    pub failing: u32,
    /// How many of their tries did, each since its last answer.
    pub failed: u32,
    /// Whether they have for long enough: see [`is_ripe`].
    pub ripe: bool,
    /// Share of their tries that is usually answered.
    pub usual: f64,
}

/// A doubt that needs no failing host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Canaries try, and it is long that one was answered.
    Failing,
    /// None comes any more: for so long, although one should come so often.
    Missing(Duration, Duration),
}

impl Default for Songs {
    fn default() -> Self {
        Self {
            songs: Vec::new(),
            epoch: 1,
            run: 1,
            last_answer: Timestamp::MIN,
            answers: 0,
        }
    }
}

impl Songs {
    fn song(&mut self, index: usize) -> &mut Song {
        if self.songs.len() <= index {
            self.songs.resize(index + 1, SILENT);
        }
        &mut self.songs[index]
    }

    /// Starts a new window.
    pub fn reset(&mut self) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
        self.answers = 0;
    }

    /// We were deaf until `now`: nothing was missing.
    pub fn forgive(&mut self, now: Timestamp) {
        let heard = self.songs.iter_mut().filter(|s| s.heard > Timestamp::MIN);
        heard.for_each(|s| s.heard = now);
    }

    /// Starts a new run without an answer.
    pub fn restart(&mut self) {
        self.run = self.run.wrapping_add(1).max(1);
    }

    /// Anybody got an answer.
    pub fn answer(&mut self, now: Timestamp) {
        self.restart();
        self.last_answer = now;
    }

    /// A canary got one.
    pub fn success(&mut self, now: Timestamp, index: usize) {
        self.answers = self.answers.saturating_add(1);
        let song = self.song(index);
        (song.heard, song.answered) = (now, now);
        song.answers = song.answers.saturating_add(1);
        (song.failing_since, song.failed) = (Timestamp::MAX, 0);
        song.window = Miss::NONE;
        song.run = Miss::NONE;
    }

    /// A canary tried and got none.
    pub fn failure(&mut self, now: Timestamp, t: Try) {
        let (epoch, run) = (self.epoch, self.run);
        let song = self.song(t.index);
        song.heard = now;
        song.failing_since = song.failing_since.min(now);
        song.failed = song.failed.saturating_add(1);
        song.window.take(now, epoch, t.ratio);
        song.run.take(now, run, t.ratio);
    }

    /// What the failing ones are worth, in the window that began at `start` and in the run. Only canaries without a host in common are
    /// independent, and what is not was counted once: a greedy choice, never too much.
    pub fn weigh(&self, now: Timestamp, start: Timestamp, ages: Ages, canaries: &Canaries) -> Worth {
        let mut worth = Worth::default();
        let mut times = Vec::new();
        let mut failing: Vec<(f64, f64, &Canary)> = Vec::new();
        for (song, canary) in self.songs.iter().zip(&canaries.list) {
            // One that never worked was never right.
            if canary.answers == 0 || song.failing_since == Timestamp::MAX || now.since(song.heard) > LASTING {
                continue;
            }
            // One that began to fail long before the others is broken by itself.
            let with = |others: Timestamp| song.failing_since + LAG >= others;
            let window = song.window.since(self.epoch).filter(|_| with(start));
            let run = song.run.since(self.run).filter(|_| with(self.last_answer));
            if window.is_none() && run.is_none() {
                continue;
            }
            failing.push((window.unwrap_or(1.0), run.unwrap_or(1.0), canary));
            times.push((song.failing_since, song.heard));
            worth.failed = worth.failed.saturating_add(song.failed);
            worth.usual += canary.rates.usual_of_seen();
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded by MOST")]
        let count = failing.len() as u32;
        worth.failing = count;
        worth.ripe = is_ripe(now, ages, self.last_answer, times);
        worth.usual /= f64::from(count.max(1));
        failing.sort_by(|a, b| a.0.total_cmp(&b.0));
        worth.window = independent(failing.iter().map(|(miss, _, c)| (*miss, *c)));
        failing.sort_by(|a, b| a.1.total_cmp(&b.1));
        worth.run = independent(failing.iter().map(|(_, miss, c)| (*miss, *c)));
        worth
    }

    /// How long a path is not quiet although nothing was proven, because a canary that works comes no more often.
    pub fn patience(&self, now: Timestamp, canaries: &Canaries) -> Duration {
        let works = |(s, c): &(&Song, &Canary)| s.answered > Timestamp::MIN && now.since(s.answered) <= c.late();
        let working = self.songs.iter().zip(&canaries.list).filter(works);
        working.map(|(_, c)| c.late()).max().unwrap_or_default()
    }

    /// What canaries make doubtful beside hosts that fail; `proven` = the last round trip of anybody through this node.
    pub fn doubt(&self, now: Timestamp, node: NodeId, proven: Timestamp, canaries: &Canaries) -> Option<Doubt> {
        let mut doubt = None;
        for (song, canary) in self.songs.iter().zip(&canaries.list) {
            let late = canary.late();
            if song.answered > Timestamp::MIN && now.since(song.answered) <= late {
                return None;
            }
            if song.heard == Timestamp::MIN || canary.answers == 0 {
                continue;
            }
            let silent = now.since(song.heard);
            if silent <= late {
                // Whoever else got through since shows that it is the target that is dead.
                if song.failing_since < Timestamp::MAX && proven <= song.failing_since {
                    doubt = Some(Doubt::Failing);
                }
            } else if doubt.is_none()
                && song.answers >= REGULAR
                && canary.place == Some(node)
                && proven <= song.heard + SLACK
            {
                doubt = Some(Doubt::Missing(silent, canary.every));
            }
        }
        doubt
    }

    /// For how long none of the canaries that regularly come through this node was answered any more, and the interval of the
    /// rarest, once that is twice their interval and a flush. (That some are heard says little: servers answer again what
    /// came before.) Their hosts may be dead; somebody else has to say that it is the node.
    pub fn fallen(&self, now: Timestamp, node: NodeId, canaries: &Canaries) -> Option<(Duration, Duration)> {
        let mut fallen: Option<(Duration, Duration)> = None;
        let regular = |(s, c): &(&Song, &Canary)| s.answers >= REGULAR && c.place == Some(node);
        for (song, canary) in self.songs.iter().zip(&canaries.list).filter(regular) {
            let silent = now.since(song.answered);
            if silent < canary.every * 2 + LAG {
                return None;
            }
            fallen = Some(fallen.map_or((silent, canary.every), |(s, e)| (s.min(silent), e.max(canary.every))));
        }
        fallen
    }

    /// Whether canaries were all that passed at the end: nothing else was heard for a while before the last of them.
    pub fn alone(&self, last_other: Timestamp) -> bool {
        let last = self
            .songs
            .iter()
            .filter(|s| s.answers >= REGULAR)
            .map(|s| s.heard)
            .max();
        last.is_some_and(|heard| last_other + SLACK * 2 < heard)
    }
}

fn independent<'a>(failing: impl Iterator<Item = (f64, &'a Canary)>) -> f64 {
    let mut taken: Vec<&Canary> = Vec::new();
    let mut sum = 0.0;
    for (miss, canary) in failing {
        let shared = |t: &&Canary| t.hosts.0 == canary.hosts.0 || t.hosts.1 == canary.hosts.1;
        if !taken.iter().any(shared) {
            taken.push(canary);
            sum -= miss.log10();
        }
    }
    sum
}
