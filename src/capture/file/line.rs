//! Whether the times of a file go on from where they were: frames out of line, and clocks that were set back.
//!
//! Asked by `clocks` where a time is not near the one before it. Pure: sees times, not frames.

use crate::time::Timestamp;
use std::time::Duration;

/// Frames of several queues may be out of order by this much; nothing else is.
pub(super) const DISORDER: Duration = Duration::from_secs(3);
/// How many frames are looked at together.
pub(super) const AHEAD: usize = 16;
/// More than so many frames in a row are no accident.
pub(super) const FEW: usize = 3;
/// Where frames come so seldom that a clock that was set may hide in a pause, what may be a step of this size is looked at.
const HINT: Duration = Duration::from_secs(2);
/// A capture does not begin with a few frames so long before all others.
const PRELUDE: Duration = Duration::from_secs(600);
/// A pause is longer than others beside it if it lasts so many times as long.
const LONGER: u32 = 20;

/// What becomes of the next frame of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It comes after the others.
    InLine,
    /// So many frames fit neither to those before nor to those behind them.
    Strays(usize),
    /// From here on the clock shows another time than before.
    Back,
    /// It may be so: on a slow net a clock that was set back by little goes on hardly behind the line.
    MaybeBack,
}

/// Whether two times are as near as those of frames in a row.
#[inline]
pub(super) fn near(a: Timestamp, b: Timestamp) -> bool {
    a.since(b).max(b.since(a)) <= DISORDER
}

/// Whether a time behind the line is no disorder of queues, as far as it and the `mean` pause tell.
#[inline]
pub(super) fn hints(line: Timestamp, at: Timestamp, mean: Duration) -> bool {
    at < line && line.since(at).saturating_add(mean) > HINT
}

/// Says it of the first of these times; `latest` is the latest one before them, and `mean` the pause between two. Fewer than
/// [`AHEAD`] are the end of the file.
pub(super) fn next(latest: Option<Timestamp>, mean: Duration, ahead: &[Timestamp]) -> Next {
    let Some(&head) = ahead.first() else {
        return Next::InLine;
    };
    let behind = |at: Timestamp, line: Timestamp| line.since(at) > DISORDER;
    if let Some(line) = latest.filter(|line| behind(head, *line)) {
        let run = ahead.iter().take_while(|at| behind(**at, line)).count();
        // A clock that was set back by little reaches the line again, step by step.
        let walks = ahead.get(run.saturating_sub(1)..=run).is_some_and(|w| near(w[0], w[1]));
        // Nor is it a stray if a pause came meanwhile, and what comes after that is still behind.
        let behind = ahead.get(run).filter(|at| **at < line);
        let still = behind.is_some_and(|at| line.since(*at).saturating_add(mean) > HINT / 2);
        return match run <= FEW && !walks {
            true if still => Next::MaybeBack,
            true => Next::Strays(run),
            false => Next::Back,
        };
    }
    if latest.is_some_and(|line| hints(line, head, mean) && walks_over(line, mean, ahead)) {
        return Next::MaybeBack;
    }
    let returned = ahead.iter().position(|at| behind(*at, head));
    if let Some(run) = returned.filter(|run| *run <= FEW) {
        // What goes on behind the line is a clock that was set back, and these came before it.
        let rest = ahead.get(run..).unwrap_or(&[]);
        let on_line = |line: Timestamp| rest.first().is_some_and(|at| !behind(*at, line));
        // At the beginning of a file the others make the line.
        let most = || rest.iter().filter(|at| behind(**at, head)).count() * 2 > rest.len();
        if latest.map_or_else(most, on_line) {
            return Next::Strays(run);
        }
    }
    match prelude(ahead).filter(|_| latest.is_none()) {
        Some(run) => Next::Strays(run),
        None => Next::InLine,
    }
}

/// Whether times behind the line reach it again step by step, as those of a clock that goes on; those of queues leap.
fn walks_over(line: Timestamp, mean: Duration, ahead: &[Timestamp]) -> bool {
    let run = ahead.partition_point(|at| *at < line);
    let leap = ahead
        .get(run.saturating_sub(1)..=run)
        .map_or(Duration::ZERO, |w| w[1].since(w[0]));
    ahead.is_sorted() && leap <= mean * 2
}

/// How many frames at the beginning are far before all others.
fn prelude(ahead: &[Timestamp]) -> Option<usize> {
    let pauses: Vec<Duration> = ahead.windows(2).map(|w| w[1].since(w[0])).collect();
    let (run, pause) = pauses.iter().enumerate().take(FEW).max_by_key(|(_, pause)| **pause)?;
    let after = pauses.get(run + 1..)?;
    let begin = ahead.get(run + 1).copied()?;
    let steady = after.iter().all(|p| p.saturating_mul(LONGER) < *pause);
    let stays = ahead.iter().skip(run + 1).all(|at| begin.since(*at) <= DISORDER);
    let before = ahead.iter().take(run + 1).all(|at| begin.since(*at) > PRELUDE);
    (before && steady && stays && ahead.len() == AHEAD).then_some(run + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    /// Of a busy net.
    fn next(latest: Option<Timestamp>, ahead: &[Timestamp]) -> Next {
        super::next(latest, Duration::ZERO, ahead)
    }

    /// Sixteen frames, one a second: those given, then from `on` on.
    fn says(latest: Option<i64>, first: &[i64], on: i64) -> Next {
        let given = first.iter().copied();
        let times: Vec<_> = given.chain(on..).take(AHEAD).map(at).collect();
        next(latest.map(at), &times)
    }

    #[test]
    fn on_a_slow_net_a_small_step_back_is_a_hint() {
        let says = |mean: u64, first: i64| {
            let times: Vec<_> = (first..).take(AHEAD).map(at).collect();
            super::next(Some(at(100)), Duration::from_secs(mean), &times)
        };
        assert_eq!(says(1, 98), Next::MaybeBack);
        let paused = [96, 100, 101, 102].map(|t| at(t) - Duration::from_millis(500));
        assert_eq!(
            super::next(Some(at(100)), Duration::from_secs(1), &paused),
            Next::MaybeBack,
            "a pause came meanwhile"
        );
        assert_eq!(
            (says(1, 99), says(0, 98), says(5, 100)),
            (Next::InLine, Next::InLine, Next::InLine)
        );
        let times = [98, 101, 99, 102].map(at);
        assert_eq!(
            super::next(Some(at(100)), Duration::from_secs(1), &times),
            Next::InLine,
            "of two queues"
        );
    }

    #[test]
    fn a_few_frames_ahead_or_behind_are_strays() {
        assert_eq!(says(Some(100), &[3_700], 101), Next::Strays(1));
        assert_eq!(says(Some(100), &[3_700, 7_000, 3_702], 101), Next::Strays(3));
        assert_eq!(says(Some(100), &[110, 101], 102), Next::Strays(1));
        assert_eq!(says(Some(100), &[0, 1], 101), Next::Strays(2));
        assert_eq!(says(None, &[4_000], 100), Next::Strays(1));
        assert_eq!(says(None, &[100], 4_000), Next::Strays(1));
        // The last ones of a file.
        assert_eq!(next(Some(at(100)), &[at(50), at(51), at(52)]), Next::Strays(3));
    }

    #[test]
    fn a_clock_that_was_set_back_stays_there() {
        assert_eq!(says(Some(4_000), &[], 400), Next::Back);
        assert_eq!(says(Some(100), &[], 95), Next::Back);
        // The frame before it came after a pause; it is no stray.
        assert_eq!(says(Some(100), &[110], 5), Next::InLine);
    }

    #[test]
    fn pauses_and_the_disorder_of_queues_are_in_line() {
        assert_eq!(says(Some(100), &[], 101), Next::InLine);
        assert_eq!(says(Some(100), &[98, 100, 99], 101), Next::InLine);
        assert_eq!(says(Some(100), &[160, 158], 161), Next::InLine);
        assert_eq!(says(Some(100), &[], 90_000), Next::InLine);
        assert_eq!(says(None, &[100, 400, 700], 1_000), Next::InLine);
        assert_eq!(next(None, &[at(1), at(5_000)]), Next::InLine);
        assert_eq!(next(None, &[]), Next::InLine);
    }

    #[test]
    fn the_ends_of_time_are_times() {
        let ends = [Timestamp::MIN, Timestamp::MAX, at(0)];
        for latest in ends {
            for ahead in [[Timestamp::MIN, Timestamp::MAX], [Timestamp::MAX, Timestamp::MIN]] {
                let _ = next(Some(latest), &ahead);
                let _ = next(None, &ahead);
            }
        }
    }
}
