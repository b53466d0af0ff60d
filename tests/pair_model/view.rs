//! What the engine beside one node makes of the world: CARP as it is heard there, splits, and health with some delay.

use super::T0;
use super::world::{SEGMENTS, World};
use pfwatch::decide::{Fault, Rival, Role, Signs, Situation, Unclear};
use pfwatch::event::{Cause, Health, NodeId};
use std::time::Duration;

/// Steps without an advertisement after which it is gone.
const GONE: u8 = 3;
/// Steps after which nobody asks any more who held a segment before.
const HISTORY: u8 = 28;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Verdict {
    Fine,
    Unknown,
    Blackhole,
    Silence,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct View {
    me: usize,
    /// Steps by which a verdict comes late.
    late: u8,
    /// Who is master of each segment, and for how many steps he has been silent.
    master: [Option<usize>; SEGMENTS],
    silent: [u8; SEGMENTS],
    /// Who lost a segment without giving it away.
    robbed: [Option<usize>; SEGMENTS],
    /// For how many steps; what was long ago is history.
    robbed_for: [u8; SEGMENTS],
    /// Who was last master of both.
    common: usize,
    split: Option<u8>,
    said: [Verdict; 2],
    /// For how many steps another verdict has been due.
    due: [u8; 2],
    heard: [u8; 2],
}

impl View {
    pub(super) fn new(me: usize, late: u8) -> Self {
        Self {
            me,
            late,
            master: [None; SEGMENTS],
            silent: [0; SEGMENTS],
            robbed: [None; SEGMENTS],
            robbed_for: [0; SEGMENTS],
            common: 0,
            split: None,
            said: [Verdict::Fine; 2],
            due: [0; 2],
            heard: [0; 2],
        }
    }

    /// One second of listening.
    pub(super) fn step(&mut self, w: &World) {
        let peer = 1 - self.me;
        for s in 0..SEGMENTS {
            let speaks = |n: usize| {
                if n == self.me {
                    w.master[n][s]
                } else {
                    w.hears(self.me, s)
                }
            };
            let Some(holder) = self.master[s] else {
                self.master[s] = (0..2).find(|&n| speaks(n));
                self.silent[s] = 0;
                continue;
            };
            let rival = 1 - holder;
            if speaks(holder) {
                self.silent[s] = 0;
            } else if speaks(rival) {
                // He gave way to a better one at once, or said before that he is not to be preferred.
                let gave = w.demoted[holder] || (self.silent[s] < 2 && w.beats(rival));
                self.robbed[s] = (!gave).then_some(holder);
                (self.master[s], self.silent[s]) = (Some(rival), 0);
            } else {
                self.silent[s] = (self.silent[s] + 1).min(GONE + 2);
            }
            if self.robbed[s].is_some_and(|n| self.master[s] == Some(n) || speaks(n)) {
                self.robbed[s] = None;
            }
            self.robbed_for[s] = self.robbed[s].map_or(0, |_| (self.robbed_for[s] + 1).min(HISTORY));
        }
        match self.master {
            [Some(a), Some(b)] if a == b => (self.common, self.split) = (a, None),
            [Some(_), Some(_)] => self.split = Some(self.split.map_or(0, |age| (age + 1).min(20))),
            _ => self.split = None,
        }
        for n in 0..2 {
            let heard = !w.is_off(n) && (w.cable || n == self.me);
            let alive = heard || (n == peer && self.advertises(w));
            self.heard[n] = if alive { 0 } else { (self.heard[n] + 1).min(20) };
            let verdict = self.verdict(n, w, heard);
            self.due[n] = if verdict == self.said[n] { 0 } else { self.due[n] + 1 };
            if self.due[n] > self.late {
                (self.said[n], self.due[n]) = (verdict, 0);
            }
        }
    }

    fn advertises(&self, w: &World) -> bool {
        (0..SEGMENTS).any(|s| w.hears(self.me, s))
    }

    /// The segments that a node holds or was robbed of, and whether it is silent there.
    fn held(&self, n: usize) -> impl Iterator<Item = bool> + '_ {
        let lost = move |s: usize| self.robbed[s] == Some(n) && self.robbed_for[s] < HISTORY;
        (0..SEGMENTS)
            .filter(move |&s| self.master[s] == Some(n) || lost(s))
            .map(move |s| self.robbed[s] == Some(n) || self.silent[s] >= GONE)
    }

    fn gone(&self, n: usize) -> bool {
        n != self.me && self.held(n).next().is_some() && self.held(n).all(|silent| silent)
    }

    fn suspect(&self) -> Option<usize> {
        let lost = self.robbed.contains(&Some(self.common));
        (self.split.is_some_and(|age| age >= 1) && lost).then_some(self.common)
    }

    fn verdict(&self, n: usize, w: &World, heard: bool) -> Verdict {
        let split = self.split.is_some_and(|age| age >= 1);
        match heard {
            false if self.gone(n) => Verdict::Silence,
            false => Verdict::Unknown,
            // In a split both halves fail, and only who lost a part is blamed.
            true if w.fails(n) && (!split || self.suspect() == Some(n)) => Verdict::Blackhole,
            true => Verdict::Fine,
        }
    }

    pub(super) fn calls_down(&self, n: usize) -> bool {
        matches!(self.said[n], Verdict::Blackhole | Verdict::Silence)
    }

    pub(super) fn is_torn(&self, n: usize) -> bool {
        self.suspect() == Some(n)
    }

    pub(super) fn situation(&self, w: &World, role: Role) -> Situation {
        let ago = |age: u8| T0 - Duration::from_secs(u64::from(age));
        let split = self.split.filter(|&age| age >= 1);
        let health = |n: usize| match self.said[n] {
            Verdict::Fine if w.carrier() == Some(n) => (Health::Up, None),
            Verdict::Fine => (Health::Idle, None),
            Verdict::Unknown => (Health::Unknown, None),
            Verdict::Blackhole => (Health::Down, Some(Cause::BlackholeForward)),
            Verdict::Silence => (Health::Down, Some(Cause::Silence)),
        };
        let fault = |n: usize| match () {
            () if w.cable && w.is_stuck(n) => Fault::Stuck(9, 0),
            () if self.held(n).any(|silent| silent) && !self.held(n).all(|silent| silent) => Fault::Missing,
            () => Fault::Unseen,
        };
        let peer = 1 - self.me;
        let signs = |n: usize| Signs {
            advertises: n == peer && self.advertises(w),
            demoted: n == peer && self.advertises(w) && w.demoted[n],
            missing: self.held(n).any(|silent| silent) && !self.held(n).all(|silent| silent),
            canary: false,
            heard: Some(ago(self.heard[n])),
            hearsay: false,
        };
        let node = |n: usize| NodeId(u16::try_from(n).unwrap_or(0));
        let rival = |s: usize| Rival {
            node: self.master[s].map(node),
            place: String::new(),
        };
        let mine = (0..SEGMENTS).filter(|&s| self.master[s] == Some(self.me)).count();
        let all = self.master.iter().flatten().count();
        let others = (0..SEGMENTS).filter(|&s| self.master[s] == Some(peer));
        Situation {
            mastership: (mine, all),
            vacant: all < SEGMENTS,
            split: split.map(ago),
            suspect: self.suspect().map(node),
            deaf: self.held(peer).any(|silent| silent) && !self.held(peer).all(|silent| silent),
            unclear: split.filter(|&age| age < 2).map(|_| Unclear::Chance),
            foreign_master: false,
            health: (0..2).map(health).collect(),
            firm: vec![true; 2],
            faults: (0..2).map(fault).collect(),
            tries: (0..2).map(|n| (ago(w.failed[n]), ago(w.worked[n]))).collect(),
            gone: (0..2).map(|n| self.gone(n)).collect(),
            bulk: None,
            signs: (0..2).map(signs).collect(),
            rivals: others.filter(|_| role == Role::Promoted).map(rival).collect(),
        }
    }
}
