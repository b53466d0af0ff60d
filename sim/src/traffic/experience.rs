//! What the users feel. Canaries, floods and scans are not users.

use super::draw::{Ns, SEC, time};
use crate::Time;

/// Attempts to open something, by what became of them. Retries are attempts of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Opened in this second, of the kinds that wait for an answer.
    pub tried: u32,
    /// Of these: answered.
    pub established: u32,
    /// Of these: refused, or given up.
    pub failed: u32,
    /// Broken off in this second though they were once answered, whenever they were opened.
    pub broken: u32,
}

/// What the users feel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Experience {
    seconds: Vec<Second>,
    canaries: Second,
    last: Option<Time>,
}

impl Experience {
    /// By second since the start; what comes later is not there yet.
    #[must_use]
    pub fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> Second {
        self.seconds.iter().fold(Second::default(), |a, b| Second {
            tried: a.tried + b.tried,
            established: a.established + b.established,
            failed: a.failed + b.failed,
            broken: a.broken + b.broken,
        })
    }

    /// Probes of canaries, all together.
    #[must_use]
    pub fn canaries(&self) -> Second {
        self.canaries
    }

    /// When last something that a user wanted was done to its end.
    #[must_use]
    pub fn last_completion(&self) -> Option<Time> {
        self.last
    }

    pub(super) fn tried(&mut self, opened: Opened) {
        self.at(opened).tried += 1;
    }

    pub(super) fn established(&mut self, opened: Opened) {
        self.at(opened).established += 1;
    }

    pub(super) fn failed(&mut self, opened: Opened) {
        self.at(opened).failed += 1;
    }

    pub(super) fn broken(&mut self, now: Ns, canary: bool) {
        self.at(Opened { at: now, canary }).broken += 1;
    }

    pub(super) fn completed(&mut self, now: Ns, opened: Opened) {
        if !opened.canary {
            self.last = self.last.max(Some(time(now)));
        }
    }

    fn at(&mut self, opened: Opened) -> &mut Second {
        if opened.canary {
            return &mut self.canaries;
        }
        let n = usize::try_from(opened.at / SEC).unwrap_or(usize::MAX);
        if n >= self.seconds.len() {
            self.seconds.resize(n + 1, Second::default());
        }
        &mut self.seconds[n]
    }
}

/// When something was opened, and whether a canary did it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub(super) at: Ns,
    pub(super) canary: bool,
}
