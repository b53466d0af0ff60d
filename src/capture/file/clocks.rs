//! The clocks of capture files: frames out of line are left out, a clock that was set goes on where it was, and a time of which
//! nothing was captured is told from silence.
//!
//! The part of the timeline that deals with times that do not go on as they did. Looks ahead by a few frames of a file, never
//! further, and moves no frame before another of its file. Knows nothing of what is in the frames.

use super::line::{self, AHEAD, FEW, Next};
use super::pace::Pace;
use super::{File, FileSource, State, Step, Strays, Times, Unrecorded};
use crate::capture::{GapCause, Input, Net};
use crate::time::Timestamp;
use std::path::Path;
use std::time::Duration;

/// More steps than anybody's clock makes: such times mean nothing, and the rest of the file stands still.
const MOST_STEPS: usize = 64;
/// And so many stretches without a capture are remembered.
const MOST_UNRECORDED: usize = 1024;
/// So many frames of one time are no coincidence.
const TIMELESS: u64 = 30;

/// Shorter silence is nothing to look at.
const PAUSE: Duration = Duration::from_secs(5);
/// From here on, and from so many times the usual pause of a net, silence of all nets is a gap.
const LONG: Duration = Duration::from_secs(60);
const UNUSUAL: u32 = 20;
/// So many times the usual pause suffice where two or more nets with a pace fall silent together.
const TOGETHER: u32 = 4;

/// How long files whose clocks were set back together differ in telling so: twice the usual pause, within these bounds.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// Where that pause is not known.
const UNKNOWN_PACE: Duration = Duration::from_secs(10);

/// A file whose clock was set back, until it is known whether the others' were, too.
#[derive(Clone, Copy)]
pub(super) struct Held {
    by: Duration,
    patience: Duration,
}

/// What is known of the clocks of all files.
#[derive(Default)]
pub(super) struct Clocks {
    /// Times are taken as they are.
    pub(super) trusted: bool,
    /// The latest moment of the timeline.
    now: Option<Timestamp>,
    /// Until when files are held at most.
    held_until: Option<Timestamp>,
    /// The last head of which it was asked whether the time before it was captured.
    asked: Option<Timestamp>,
    gap: Option<Gap>,
    /// By net: the sync net, then the segments.
    paces: Vec<Pace>,
    times: Times,
}

#[derive(Clone, Copy)]
struct Gap {
    at: Timestamp,
    length: Duration,
    cause: GapCause,
}

impl Clocks {
    pub(super) const fn held_until(&self) -> Option<Timestamp> {
        self.held_until
    }

    /// What the engine must hear before the next frame.
    #[inline]
    pub(super) fn gap<'a>(&mut self) -> Option<Input<'a>> {
        self.gap.take().map(|Gap { at, length, cause }| Input::Gap {
            at,
            length,
            cause,
            lost: 0,
        })
    }

    #[inline]
    pub(super) fn heard(&mut self, net: Net, at: Timestamp) {
        self.now = Some(self.now.map_or(at, |now| now.max(at)));
        let lane = lane(net);
        match self.paces.get_mut(lane) {
            Some(pace) => pace.heard(at),
            None => self.paces.resize(lane + 1, Pace::default()),
        }
    }

    #[cold]
    pub(super) fn timeless(&mut self, path: &Path) {
        if !self.times.timeless.iter().any(|p| p == path) {
            self.times.timeless.push(path.to_owned());
        }
    }

    fn pace(&self, net: Net) -> Pace {
        self.paces.get(lane(net)).copied().unwrap_or_default()
    }

    /// How long a file with this pace may keep silent about a clock that was set.
    fn patience(&self, net: Net) -> Duration {
        let (least, most) = PATIENCE;
        let usual = self.pace(net).usual();
        usual.map_or(UNKNOWN_PACE, |usual| (usual * 2).clamp(least, most))
    }

    /// Whether nothing of any of these nets until `at` can be no pause of theirs.
    fn unusual(&self, nets: &[Net], at: Timestamp) -> bool {
        let paces = nets.iter().map(|net| self.pace(*net));
        let known: Vec<_> = paces.filter_map(|p| Some((p.pause(at), p.usual()?))).collect();
        let silence = self.now.map_or(Duration::ZERO, |now| at.since(now));
        let longer = |times: u32| move |(pause, usual): &(Duration, Duration)| *pause > usual.saturating_mul(times);
        let alone = silence > LONG && known.iter().any(longer(UNUSUAL));
        let together = known.len() > 1 && known.len() == nets.len() && known.iter().all(longer(TOGETHER));
        alone || together
    }

    fn blind(&mut self, at: Timestamp, length: Duration, cause: GapCause) {
        self.gap = Some(Gap { at, length, cause });
        self.paces.iter_mut().for_each(|pace| pace.forgive(at));
    }

    fn unrecorded(&mut self, stretch: Unrecorded) {
        if self.times.unrecorded.len() < MOST_UNRECORDED {
            self.times.unrecorded.push(stretch);
        }
    }

    fn longest_pause(&self, nets: &[Net], at: Timestamp) -> Duration {
        nets.iter()
            .map(|net| self.pace(*net).pause(at))
            .max()
            .unwrap_or_default()
    }

    /// Whether these nets kept silent for longer than the `length` for which nothing at all came.
    fn missed_others(&self, nets: &[Net], at: Timestamp, length: Duration) -> bool {
        let missed = |net: &Net| {
            let pace = self.pace(*net);
            let missed = pace.pause(at).saturating_sub(length);
            missed > PAUSE
                && pace
                    .usual()
                    .is_some_and(|usual| missed > usual.saturating_mul(TOGETHER))
        };
        nets.iter().all(missed)
    }

    fn stepped(&mut self, step: Step) {
        if self.times.steps.len() < MOST_STEPS {
            self.times.steps.push(step);
        }
    }
}

const fn lane(net: Net) -> usize {
    match net {
        Net::Sync => 0,
        Net::Segment(i) => i.saturating_add(1),
    }
}

impl File {
    /// Whether all its frames have one time.
    pub(super) fn is_timeless(&self) -> bool {
        self.info.frames >= TIMELESS && self.info.first == self.info.last
    }

    fn stray(&mut self, at: Timestamp, beside: Timestamp) {
        let strays = self.strays.get_or_insert_with(|| Strays {
            file: self.info.path.clone(),
            count: 0,
            first: at,
            by: at.since(beside).max(beside.since(at)),
            behind: at < beside,
        });
        strays.count += 1;
    }

    /// Moves it so that its own time `own` is `at` on the timeline.
    fn move_to(&mut self, own: Timestamp, at: Timestamp) {
        self.shift = at.as_nanos().saturating_sub(own.as_nanos());
    }
}

impl FileSource {
    /// What is odd about the times that were read so far.
    #[must_use]
    pub fn times(&self) -> Times {
        Times {
            strays: self.files.iter().filter_map(|f| f.strays.clone()).collect(),
            ..self.clocks.times.clone()
        }
    }

    /// The file whose frame comes next, and when, after everything that is odd about its time was seen to.
    #[inline]
    pub(super) fn following(&mut self) -> Option<(usize, Timestamp)> {
        loop {
            let (at, _, number) = self.choose()?;
            let quiet = self.clocks.now.is_some_and(|now| at.since(now) > PAUSE);
            if !quiet || self.clocks.trusted || !self.silence(number, at) {
                return Some((number, at));
            }
        }
    }

    /// Looks at a head whose time is not near that of the frame before it.
    #[cold]
    pub(super) fn inspect(&mut self, number: usize) {
        let mut left = 0;
        while !self.clocks.trusted
            && let Some(file) = self.files.get_mut(number)
            && let State::Open(reader) = &mut file.state
        {
            let ahead = reader.ahead(AHEAD);
            match line::next(file.latest, &ahead) {
                Next::Strays(run) if left + run <= FEW => {
                    left += run;
                    let beside = file.latest.or_else(|| ahead.get(run).copied());
                    if !self.leave_out(number, run, beside) {
                        return;
                    }
                }
                Next::Back => return self.hold(number),
                Next::Strays(_) | Next::InLine => return,
            }
        }
    }

    /// Passes over frames; false if these were the last.
    fn leave_out(&mut self, number: usize, run: usize, beside: Option<Timestamp>) -> bool {
        for _ in 0..run {
            if let Some(file) = self.files.get_mut(number)
                && let Some(at) = file.head()
            {
                file.stray(at, beside.unwrap_or(at));
            }
            if !self.advance(number) {
                return false;
            }
        }
        true
    }

    /// The clock of a file was set back: it waits until it is known whether those of the others were, too.
    fn hold(&mut self, number: usize) {
        let Some(file) = self.files.get_mut(number) else { return };
        let (Some(latest), Some(head)) = (file.latest, file.head()) else {
            return;
        };
        if self.clocks.times.steps.len() >= MOST_STEPS {
            // The timeline stands still until its times come back.
            return self.clocks.timeless(&file.info.path);
        }
        let patience = self.clocks.patience(file.info.net);
        // It would have come a pause later.
        let by = latest
            .since(head)
            .saturating_add(self.clocks.pace(file.info.net).mean());
        file.held = Some(Held { by, patience });
        let until = file.on_timeline(latest) + patience;
        self.clocks.held_until = self.clocks.held_until.max(Some(until));
        self.current = None;
        // What this file would tell meanwhile is not missing.
        let at = self.clocks.now.unwrap_or(until);
        self.clocks.blind(at, Duration::ZERO, GapCause::ClockStep);
    }

    /// Lets go of files that are held, once all are or `next`, the next frame of the others, shows that those were not set.
    /// False while there is nothing to let go of.
    pub(super) fn settle(&mut self, next: Option<Timestamp>) -> bool {
        let Some(until) = self.clocks.held_until.filter(|until| next.is_none_or(|at| at > *until)) else {
            return false;
        };
        self.clocks.held_until = None;
        let at = self.clocks.now.unwrap_or(until);
        let held = |n: &usize| Some((*n, self.files.get(*n)?.held?));
        let held: Vec<(usize, Held)> = self.open.iter().filter_map(held).collect();
        let largest = held.iter().map(|(_, h)| h.by).max().unwrap_or_default();
        let smallest = held.iter().map(|(_, h)| h.by).min().unwrap_or_default();
        let patience = held.iter().map(|(_, h)| h.patience).max().unwrap_or_default();
        let all = held.len() == self.open.len() && largest.saturating_sub(smallest) <= patience;
        let cause = if all { self.together(at) } else { self.alone(at, &held) };
        let paths = |(n, _): &(usize, Held)| self.files.get(*n).map(|f| f.info.path.clone());
        self.clocks.stepped(Step {
            at,
            files: held.iter().filter_map(paths).collect(),
            by: largest,
            back: true,
            all,
        });
        for (number, _) in held {
            if let Some(file) = self.files.get_mut(number) {
                file.held = None;
                file.latest = file.head();
            }
        }
        self.clocks.blind(at, Duration::ZERO, cause);
        let clock = self.open.iter().filter_map(|n| self.files.get(*n));
        // Verdicts are about what the sync net tells.
        if let Some(file) = clock.min_by_key(|f| f.info.net) {
            self.clocks.times.own.set(at, file.shift);
        }
        true
    }

    /// All clocks were set by the same amount; so that times across files stay what they are, all are moved by the same.
    fn together(&mut self, at: Timestamp) -> GapCause {
        let heads = self.open.iter().filter_map(|n| self.files.get(*n));
        let first = heads.filter_map(|f| Some(f.on_timeline(f.head()?))).min();
        let by = at.as_nanos().saturating_sub(first.unwrap_or(at).as_nanos());
        for number in &self.open {
            if let Some(file) = self.files.get_mut(*number) {
                file.shift = file.shift.saturating_add(by);
            }
        }
        self.move_waiting(by, None);
        GapCause::ClockStep
    }

    /// Some clocks were set, and each in its own way: every file goes on where it was, and nothing is concluded from two.
    fn alone(&mut self, at: Timestamp, held: &[(usize, Held)]) -> GapCause {
        for (number, _) in held {
            let Some(file) = self.files.get(*number) else { continue };
            let (net, before) = (file.info.net, file.shift);
            let others = |n: &&usize| *n != number && self.files.get(**n).is_some_and(|f| f.info.net == net);
            if self.open.iter().any(|n| others(&n)) {
                // Of the same net another file goes on; side by side, the two would tell everything twice.
                self.give_up(*number);
                continue;
            }
            if let Some(file) = self.files.get_mut(*number)
                && let Some(head) = file.head()
            {
                file.move_to(head, at);
                let by = file.shift.saturating_sub(before);
                self.move_waiting(by, Some(net));
            }
        }
        self.apart(at)
    }

    /// What is said of clocks that went apart, if there are two nets still to be read.
    fn apart(&mut self, at: Timestamp) -> GapCause {
        let nets = self.nets();
        if nets.iter().all(|net| Some(net) == nets.first()) {
            return GapCause::ClockStep;
        }
        self.clocks.times.apart.get_or_insert(at);
        GapCause::ClocksApart
    }

    /// The nets of all files that are not at their end.
    fn nets(&self) -> Vec<Net> {
        let waiting = self.waiting.iter().map(|(_, net, _)| *net);
        let open = self.open.iter().filter_map(|n| self.files.get(*n)).map(|f| f.info.net);
        open.chain(waiting).collect()
    }

    fn give_up(&mut self, number: usize) {
        self.close(number, State::Done);
        let path = self.files.get(number).map(|f| f.info.path.clone());
        self.clocks.times.given_up.extend(path);
    }

    /// Files that are still to be opened are on the clock that was set.
    fn move_waiting(&mut self, by: i64, of: Option<Net>) {
        for (key, net, number) in &mut self.waiting {
            if of.is_none_or(|of| of == *net)
                && let Some(file) = self.files.get_mut(*number)
            {
                *key = Timestamp::from_nanos(key.as_nanos().saturating_add(by));
                file.shift = file.shift.saturating_add(by);
            }
        }
        self.waiting.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Nothing came from any file until `at`, when `number` goes on: was it silence, or was nothing captured? True if that was no
    /// frame to go on with.
    #[cold]
    fn silence(&mut self, number: usize, at: Timestamp) -> bool {
        let nets = self.nets();
        let (Some(now), false) = (self.clocks.now, self.clocks.held_until.is_some()) else {
            return false;
        };
        if self.clocks.asked.replace(at) == Some(at) || !self.clocks.unusual(&nets, at) {
            return false;
        }
        let length = at.since(now);
        let last = nets.len() == 1;
        let goes_on = |n: &&usize| self.files.get(**n).is_some_and(|f| f.latest.is_some());
        let through: Vec<usize> = self.open.iter().filter(goes_on).copied().collect();
        if last && through.contains(&number) && self.ends_astray(number) {
            return true;
        }
        if through.is_empty() {
            self.clocks.unrecorded(Unrecorded { from: now, to: at });
            self.clocks.blind(at, length, GapCause::Unrecorded);
            return false;
        }
        // Where others went on to their end while the last file kept silent, its clock alone may have been set.
        let alone = last && self.clocks.missed_others(&nets, at, length);
        let by = if alone {
            self.clocks.longest_pause(&nets, at)
        } else {
            length
        };
        let paths = through
            .iter()
            .filter_map(|n| self.files.get(*n))
            .map(|f| f.info.path.clone());
        self.clocks.stepped(Step {
            at,
            files: paths.collect(),
            by,
            back: false,
            all: !alone,
        });
        let cause = if alone {
            GapCause::ClocksApart
        } else {
            GapCause::ClockStep
        };
        if alone {
            self.clocks.times.apart.get_or_insert(at);
        }
        self.clocks.blind(at, length, cause);
        false
    }

    /// Leaves out what little is left of a file.
    fn ends_astray(&mut self, number: usize) -> bool {
        let Some(file) = self.files.get_mut(number) else {
            return false;
        };
        let State::Open(reader) = &mut file.state else {
            return false;
        };
        let (rest, beside) = (reader.ahead(AHEAD).len(), file.latest);
        if rest > FEW {
            return false;
        }
        self.leave_out(number, rest, beside);
        true
    }
}
