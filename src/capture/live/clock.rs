//! The arithmetic of a live clock: which moment a frame belongs to, and when clocks or threads misbehave.
//!
//! Called by the reader threads and by the live source. Pure: the readings are arguments, so that tests invent them.
//! libpcap stamps frames with the wall clock, which may be stepped at any time; the engine lives on a clock that
//! cannot be. Only an AGE is therefore taken from the wall clock, and an age has bounds that we know.

use crate::time::Timestamp;
use std::time::Duration;

/// A step of the wall clock (or a suspended machine) is told from the noise of two readings by this much.
pub(super) const STEP: Duration = Duration::from_millis(500);
/// A thread that wakes at least every 100 ms and did not for this long was not allowed to.
pub(super) const STALL: Duration = Duration::from_secs(1);

/// When a frame that is read `now` (at wall time `wall_now`, both readings taken together) was captured, if libpcap
/// stamped it `wall_stamp` and everything before `oldest` was read already. Wall times are Unix nanoseconds.
pub(super) fn stamp(now: Timestamp, wall_now: i64, wall_stamp: i64, oldest: Timestamp) -> Timestamp {
    let age = u64::try_from(wall_now.saturating_sub(wall_stamp)).unwrap_or(0);
    now - Duration::from_nanos(age).min(now.since(oldest))
}

/// Watches the wall clock from the monotonic one.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Wall time minus monotonic time at the last look.
    offset: Option<i64>,
}

impl Steps {
    /// Looks at both clocks. A step that just happened is told as the time that we may have slept through: that
    /// of a step forwards (a suspended machine looks like one), nothing for a step backwards.
    pub(super) fn look(&mut self, now: Timestamp, wall_now: i64) -> Option<Duration> {
        let offset = wall_now.saturating_sub(now.as_nanos());
        // Compared with the last look, not the first: a clock that is slewed drifts away without ever stepping.
        let moved = offset.saturating_sub(self.offset.replace(offset)?);
        (Duration::from_nanos(moved.unsigned_abs()) > STEP)
            .then(|| Duration::from_nanos(u64::try_from(moved).unwrap_or(0)))
    }
}

/// Watches whether a thread is scheduled as often as it should be.
#[derive(Debug)]
pub(super) struct Pace {
    last: Timestamp,
}

impl Pace {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { last: now }
    }

    /// The thread did something of its own accord; what it waited for until now is nobody's stall.
    pub(super) const fn mark(&mut self, now: Timestamp) {
        self.last = now;
    }

    /// The thread woke from a short wait. Tells how long it was away, if that was too long.
    pub(super) fn woke(&mut self, now: Timestamp) -> Option<Duration> {
        let away = now.since(self.last);
        self.last = now;
        (away > STALL).then_some(away)
    }
}

/// Turns a counter that wraps into what was added since the last look.
#[derive(Debug, Default)]
pub(super) struct Counted {
    last: u32,
}

impl Counted {
    pub(super) const fn added(&mut self, now: u32) -> u32 {
        let added = now.wrapping_sub(self.last);
        self.last = now;
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WALL: i64 = 1_790_000_000_000_000_000;

    fn ms(n: i64) -> Timestamp {
        Timestamp::from_nanos(WALL + n * 1_000_000)
    }

    /// Wall reading, stamp and expected time in milliseconds since the start; the last read was at 900, now is 1000.
    #[test]
    fn frames_are_stamped_by_their_age() {
        let table = [
            ("fresh", 1000, 1000, 1000),
            ("waited 40 ms in the kernel", 1000, 960, 960),
            ("the clocks differ by a minute, as since any step", 61_000, 60_960, 960),
            (
                "stamped before the last read: impossible, so at the last read",
                1000,
                500,
                900,
            ),
            (
                "the wall clock was set forwards between stamp and read",
                3_601_000,
                990,
                900,
            ),
            (
                "the wall clock was set back between stamp and read",
                -3_599_000,
                990,
                1000,
            ),
            ("stamped in the future", 1000, 1005, 1000),
        ];
        for (what, wall, stamped, expected) in table {
            let at = stamp(ms(1000), ms(wall).as_nanos(), ms(stamped).as_nanos(), ms(900));
            assert_eq!(at, ms(expected), "{what}");
        }
    }

    #[test]
    fn steps_are_told_once_and_slewing_never() {
        let mut steps = Steps::default();
        let mut look = |now: i64, wall: i64| steps.look(ms(now), ms(wall).as_nanos()).map(|d| d.as_millis());
        assert_eq!(look(0, 0), None, "the first look has nothing to compare");
        assert_eq!(look(100, 100), None);
        for n in 2..1000 {
            assert_eq!(look(n * 100, n * 101), None, "slewed");
        }
        assert_eq!(look(100_000, 130_900), Some(29_901), "forwards, or suspended");
        assert_eq!(look(100_100, 131_000), None);
        assert_eq!(look(100_200, 31_100), Some(0), "backwards");
        assert_eq!(look(100_300, 31_699), None, "499 ms");
        assert_eq!(look(100_400, 32_300), Some(501));
    }

    #[test]
    fn stalls() {
        let mut pace = Pace::new(ms(0));
        assert_eq!(pace.woke(ms(100)), None);
        assert_eq!(pace.woke(ms(1100)), None);
        assert_eq!(pace.woke(ms(2101)), Some(Duration::from_millis(1001)));
        pace.mark(ms(9000));
        assert_eq!(pace.woke(ms(9100)), None);
    }

    #[test]
    fn counters_wrap() {
        let mut counted = Counted::default();
        assert_eq!(counted.added(7), 7);
        assert_eq!(counted.added(7), 0);
        assert_eq!(counted.added(u32::MAX), u32::MAX - 7);
        assert_eq!(counted.added(2), 3);
    }

    proptest! {
        #[test]
        fn a_stamp_is_never_outside_its_bounds(
            wall in any::<i64>(), stamped in any::<i64>(), now in any::<i64>(), waited in 0..i64::MAX,
        ) {
            let now = Timestamp::from_nanos(now);
            let last = Timestamp::from_nanos(now.as_nanos().saturating_sub(waited));
            let at = stamp(now, wall, stamped, last);
            prop_assert!(last <= at && at <= now);
        }
    }
}
