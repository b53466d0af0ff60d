//! How long nothing usually comes on one net: tells a pause from a time that was not captured.
//!
//! Kept by the timeline, fed with every frame of the net. A pause that came once or twice (one master was taken over from
//! another) is not usual.

use crate::time::Timestamp;
use std::time::Duration;

/// Frames after which the longest pause means something.
const LEARNED: u64 = 30;
/// Frames after which an older one is forgotten; at most twice as many.
const MEMORY: u64 = 1024;

/// The shortest of so many longest pauses is a usual one.
const RARE: usize = 3;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    last: Option<Timestamp>,
    frames: u64,
    /// All pauses together.
    pauses: Duration,
    /// The longest pauses of late, the longest first, and what was usual before.
    longest: [Duration; RARE],
    before: Duration,
}

impl Pace {
    #[inline]
    pub(super) fn heard(&mut self, at: Timestamp) {
        if let Some(last) = self.last {
            let pause = at.since(last);
            self.pauses = self.pauses.saturating_add(pause);
            self.note(pause);
        }
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.frames += 1;
        if self.frames.is_multiple_of(MEMORY) {
            self.before = self.of_late();
            self.longest = [Duration::ZERO; RARE];
        }
    }

    #[inline]
    fn note(&mut self, pause: Duration) {
        if pause > self.of_late() {
            self.longest[RARE - 1] = pause;
            self.longest.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    const fn of_late(&self) -> Duration {
        self.longest[RARE - 1]
    }

    /// What was missed until `at` is no pause of the net.
    pub(super) fn forgive(&mut self, at: Timestamp) {
        self.last = self.last.map(|last| last.max(at));
    }

    /// How long nothing came.
    pub(super) fn pause(&self, at: Timestamp) -> Duration {
        self.last.map_or(Duration::ZERO, |last| at.since(last))
    }

    /// How long it is from one frame to the next.
    pub(super) fn mean(&self) -> Duration {
        self.pauses / u32::try_from(self.frames.max(1)).unwrap_or(u32::MAX)
    }

    /// The longest pause that is usual; none while that is not known.
    pub(super) fn usual(&self) -> Option<Duration> {
        (self.frames >= LEARNED).then(|| self.of_late().max(self.before))
    }
}
