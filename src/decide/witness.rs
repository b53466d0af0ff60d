//! What the probes say, as far as decisions need it.
//!
//! Fed by the policy with each result. A probe without any result is neither good nor bad.

use crate::event::NodeId;
use crate::settings::{About, Probe};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A peer that was away when another took over was away this long before, at most.
const BEFORE: Duration = Duration::from_secs(60);

/// A failure longer ago says nothing about now.
const STALE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Word {
    #[default]
    Unknown,
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    word: Word,
    run: u32,
    last: Option<bool>,
    since: Timestamp,
    /// It was up before it was down.
    fell: bool,
    /// Last result.
    heard: Timestamp,
}

impl Default for State {
    fn default() -> Self {
        Self {
            word: Word::Unknown,
            run: 0,
            last: None,
            since: Timestamp::MIN,
            fell: false,
            heard: Timestamp::MIN,
        }
    }
}

/// All probes and what became of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Witnesses {
    about: Arc<[Probe]>,
    states: Vec<State>,
    /// When a peer last did not answer any more, in an earlier run, too.
    away: Option<Timestamp>,
    /// Goes on after a restart in which nobody asked: who does not answer then was heard before.
    resumed: bool,
}

impl Witnesses {
    pub(super) fn new(probes: &[Probe]) -> Self {
        Self {
            about: probes.into(),
            states: vec![State::default(); probes.len()],
            away: None,
            resumed: false,
        }
    }

    pub(super) fn resume(&mut self, away: Option<Timestamp>) {
        self.away = self.away.max(away);
        self.resumed = true;
    }

    /// When a probe about a peer last went down after it had been up.
    pub(super) fn away(&self) -> Option<Timestamp> {
        self.away
    }

    pub(super) fn result(&mut self, now: Timestamp, index: usize, ok: bool) {
        let (Some(state), Some(probe)) = (self.states.get_mut(index), self.about.get(index)) else {
            return;
        };
        state.run = if state.last == Some(ok) {
            state.run.saturating_add(1).min(probe.rise.max(probe.fall).max(1))
        } else {
            1
        };
        (state.last, state.heard) = (Some(ok), now);
        let word = match ok {
            true if state.run >= probe.rise.max(1) => Word::Up,
            false if state.run >= probe.fall.max(1) => Word::Down,
            _ => state.word,
        };
        if word != state.word {
            if word == Word::Down && (state.word == Word::Up || self.resumed) {
                state.fell = true;
                if probe.about != About::SelfNode {
                    self.away = Some(now);
                }
            }
            (state.word, state.since) = (word, now);
        }
    }

    /// The word for each, and since when.
    pub(super) fn states(&self) -> impl Iterator<Item = (&'static str, Option<Timestamp>)> {
        self.states.iter().map(|s| match s.word {
            Word::Unknown => ("unknown", None),
            Word::Up => ("up", Some(s.since)),
            Word::Down => ("down", Some(s.since)),
        })
    }

    fn of(&self, own: bool) -> impl Iterator<Item = &State> {
        let all = self.about.iter().zip(&self.states);
        all.filter(move |(p, _)| (p.about == About::SelfNode) == own)
            .map(|(_, s)| s)
    }

    fn all_up_for(&self, own: bool, now: Timestamp, recover: Duration) -> bool {
        let up = |s: &State| s.word == Word::Up && now.since(s.since) >= recover;
        self.of(own).next().is_some() && self.of(own).all(up)
    }

    /// Whether anything tells how far this node reaches.
    pub(super) fn any(&self) -> bool {
        self.of(true).next().is_some()
    }

    /// Whether anything tells whether others answer.
    pub(super) fn any_about_peers(&self) -> bool {
        self.of(false).next().is_some()
    }

    /// Whether any of it was ever heard.
    pub(super) fn report(&self) -> bool {
        self.of(true).any(|s| s.last.is_some())
    }

    /// All probes about self are up, if there are any.
    pub(super) fn up(&self) -> bool {
        self.of(true).all(|s| s.word == Word::Up)
    }

    /// A probe about self is down.
    pub(super) fn down(&self) -> bool {
        self.of(true).any(|s| s.word == Word::Down)
    }

    /// A probe about self failed, and not too long ago.
    pub(super) fn lost(&self, now: Timestamp) -> bool {
        self.of(true)
            .any(|s| s.last == Some(false) && now.since(s.heard) <= STALE)
    }

    /// And does not answer just now.
    pub(super) fn failing(&self) -> bool {
        self.of(true).any(|s| s.word == Word::Down && s.last == Some(false))
    }

    /// Each probe about self that reports at all was answered after `since`: an answer before the trouble says nothing about
    /// now, for what is dead may lie beyond both nodes and the probe has only not noticed yet.
    pub(super) fn answered_since(&self, since: Timestamp) -> bool {
        let answered = |s: &State| s.last.is_none_or(|ok| ok && s.heard > since);
        self.of(true).all(answered)
    }

    /// All probes about self are up for long enough.
    pub(super) fn recovered(&self, now: Timestamp, recover: Duration) -> bool {
        self.all_up_for(true, now, recover)
    }

    /// Every probe about a peer is up for long enough, and one of them saw it go away around `promoted`: a wedged firewall
    /// answers all the while, and going back to it would be the next outage.
    pub(super) fn peer_is_back(&self, now: Timestamp, promoted: Timestamp, recover: Duration) -> bool {
        let saw = self.away.is_some_and(|t| t + BEFORE >= promoted);
        saw && self.all_up_for(false, now, recover)
    }

    /// A probe about this peer that used to answer is down, and was not answered just now.
    pub(super) fn lost_peer(&self, now: Timestamp, peer: NodeId) -> bool {
        let about = |p: &Probe| p.about == About::Node(peer.index());
        let lost = |s: &State| s.word == Word::Down && s.last == Some(false) && s.fell;
        let mut all = self.about.iter().zip(&self.states);
        all.any(|(p, s)| about(p) && lost(s) && now.since(s.heard) <= STALE)
    }

    pub(super) fn age(&mut self, by: Duration, floor: Timestamp) {
        for s in &mut self.states {
            for t in [&mut s.since, &mut s.heard] {
                *t = (*t - by).max(floor);
            }
        }
        let past = |t: Timestamp| super::age::past(t, by, floor);
        self.away = self.away.map(past).filter(|t| *t > Timestamp::MIN);
    }
}
