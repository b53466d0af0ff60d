//! What the watcher gets of the frames on the segments: from a mirror port or on a node, and what its own host loses.
//!
//! ```text
//!   a frame reached the switch, or was sent or received by a node
//!      -> within the vantage? -> standing still? -> dropped by the kernel? -> heard
//! ```
//!
//! Called by the world with every frame, in order of time. Never looks into a frame.

#[cfg(test)]
mod tests;

use crate::Time;
use crate::dice::{Dice, stream};
use crate::heard::{Blindness, Heard};
use crate::site::{Net, Node};
use rand::RngExt;
use std::collections::VecDeque;
use std::time::Duration;

/// How often the kernel's drop counter is read.
const COUNTER: Duration = Duration::from_secs(1);

/// The watcher's ears.
#[derive(Clone, Debug)]
pub struct Observer {
    vantage: Option<Node>,
    dice: Dice,
    heard: VecDeque<Heard>,
    /// Share of the frames that the kernel drops.
    drops: f64,
    dropped: u64,
    /// When the drop counter is read next, and when it was last.
    counter: Option<(Time, Time)>,
    stall: Option<Stall>,
    /// After how long every frame comes once more.
    twice: Option<Duration>,
    /// Frames that do.
    again: VecDeque<(Time, Net, Vec<u8>)>,
}

/// The process stands still.
#[derive(Clone, Copy, Debug)]
struct Stall {
    from: Time,
    to: Time,
    lost: u64,
}

impl Observer {
    /// Hears everything from now on: as from a mirror port of the switch, or what the ports of a node send and receive.
    #[must_use]
    pub fn new(vantage: Option<Node>, seed: u64) -> Self {
        Self {
            vantage,
            dice: stream(seed, "observer"),
            heard: VecDeque::new(),
            drops: 0.0,
            dropped: 0,
            counter: None,
            stall: None,
            twice: None,
            again: VecDeque::new(),
        }
    }

    /// The same, and every frame comes once more after this long.
    #[must_use]
    pub fn hearing_twice(mut self, after: Option<Duration>) -> Self {
        self.twice = after;
        self
    }

    /// Whether it sits on this node: hears what its ports send, whatever becomes of it on the wire, and what gets to them.
    #[must_use]
    pub fn on(&self, node: Node) -> bool {
        self.vantage == Some(node)
    }

    /// Whether it hears what reaches the switch.
    #[must_use]
    pub fn mirrors(&self) -> bool {
        self.vantage.is_none()
    }

    /// A frame within the vantage.
    pub fn frame(&mut self, at: Time, net: Net, octets: Vec<u8>) {
        if let Some(after) = self.twice {
            self.again.push_back((at + after, net, octets.clone()));
        }
        self.capture(at, net, octets);
    }

    fn capture(&mut self, at: Time, net: Net, octets: Vec<u8>) {
        if let Some(stall) = &mut self.stall {
            stall.lost += 1;
        } else if self.drops > 0.0 && self.dice.random::<f64>() < self.drops {
            self.dropped += 1;
        } else {
            self.heard.push_back(Heard::Frame { at, net, octets });
        }
    }

    /// Anything that is no frame; the process has to be awake for it.
    pub fn news(&mut self, news: Heard) {
        if self.stall.is_none() {
            self.heard.push_back(news);
        }
    }

    /// The kernel drops this share of frames from now on; 0 ends it.
    pub fn drop_frames(&mut self, now: Time, share: f64) {
        self.drops = share;
        self.counter = self.counter.or((share > 0.0).then_some((now + COUNTER, now)));
    }

    /// The process stands still for this long; a longer one in progress is not cut short.
    pub fn stall(&mut self, now: Time, length: Duration) {
        let stall = self.stall.get_or_insert(Stall {
            from: now,
            to: now,
            lost: 0,
        });
        stall.to = stall.to.max(now.saturating_add(length));
    }

    /// Ends a stall that nobody knew the length of.
    pub fn wake(&mut self, now: Time) {
        if let Some(stall) = &mut self.stall {
            stall.to = now;
        }
        self.advance(now);
    }

    /// The wall clock of the watching host jumps.
    pub fn clock(&mut self, now: Time) {
        self.heard.push_back(Heard::Gap {
            at: now,
            length: Duration::ZERO,
            lost: 0,
            cause: Blindness::Clock,
        });
    }

    /// When [`Observer::advance`] must be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let counter = self.counter.map(|(next, _)| next);
        // A process that stands still reads no counter.
        let awake = self.stall.map(|s| s.to).or(counter);
        let again = self.again.front().map(|(at, ..)| *at);
        awake.into_iter().chain(again).min()
    }

    /// Timers: hears a second time, wakes up, reads the drop counter.
    pub fn advance(&mut self, now: Time) {
        while self.again.front().is_some_and(|(at, ..)| *at <= now)
            && let Some((at, net, octets)) = self.again.pop_front()
        {
            self.capture(at, net, octets);
        }
        if let Some(stall) = self.stall {
            if now < stall.to {
                return;
            }
            self.stall = None;
            self.gap(now, now - stall.from, stall.lost, Blindness::Stall);
        }
        if let Some((next, last)) = self.counter
            && next <= now
        {
            let lost = std::mem::take(&mut self.dropped);
            if lost > 0 {
                self.gap(now, now - last, lost, Blindness::Drops);
            }
            self.counter = (self.drops > 0.0).then_some((now + COUNTER, now));
        }
    }

    /// The next thing heard.
    pub fn poll(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn gap(&mut self, at: Time, length: Duration, lost: u64, cause: Blindness) {
        self.heard.push_back(Heard::Gap {
            at,
            length,
            lost,
            cause,
        });
    }
}
