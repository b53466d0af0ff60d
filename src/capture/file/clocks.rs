//! The clocks of capture files: frames out of line are left out, a clock that was set goes on where it was, and a time of which
//! nothing was captured is told from silence.
//!
//! The part of the timeline that deals with times that do not go on as they did. Looks ahead by a few frames of a file, never
//! further, and moves no frame before another of its file. Knows nothing of what is in the frames.

use super::line::{self, AHEAD, FEW, Next};
use super::pace::Pace;
use super::reader::Fault;
use super::{Ended, File, FileSource, State, Step, Strays, Times, Unrecorded};
use crate::capture::{GapCause, Input, Net};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
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

/// A clock that shows no step of its own may have been set with those of other nets, if its frames could come so many of their
/// longest usual pauses and a moment apart: a backup waits as long before it speaks.
const HIDDEN: u32 = 4;
const MOMENT: Duration = Duration::from_secs(1);

/// A net whose files end by so much before others, and so many of its longest usual pauses, was not captured to the end.
const SHORT: Duration = Duration::from_secs(3);

/// A file whose clock was set back, until it is known whether the others' were, too.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// By how much at least: the frame after the step came a pause later.
    back: Duration,
    /// And that pause, if it was one like others.
    mean: Duration,
    /// No disorder of queues explains it.
    sure: bool,
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
    gaps: VecDeque<Gap>,
    /// By net: the sync net, then the segments.
    paces: Vec<Pace>,
    /// Nets of which no file tells, since when.
    over: BTreeMap<Net, Timestamp>,
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
        self.gaps.pop_front().map(|Gap { at, length, cause }| Input::Gap {
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

    /// Whether a time behind another of the same file may show a clock that was set.
    #[cold]
    pub(super) fn hints(&self, net: Net, line: Timestamp, at: Timestamp) -> bool {
        line::hints(line, at, self.pace(net).mean())
    }

    /// How long a net may keep silent while its clock goes on as ever.
    fn hidden(&self, net: Net) -> Duration {
        let usual = self.pace(net).usual();
        usual.map_or(UNKNOWN_PACE, |usual| {
            usual.saturating_mul(HIDDEN).saturating_add(MOMENT)
        })
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

    /// Whether no file tells of what a net said meanwhile, if so long lies between two of its files: between files a pause is
    /// the less likely.
    fn is_hole(&self, net: Net, length: Duration) -> bool {
        let usual = self.pace(net).usual().unwrap_or(UNKNOWN_PACE);
        length > PAUSE.max(usual.saturating_mul(TOGETHER))
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

    fn tell(&mut self, at: Timestamp, length: Duration, cause: GapCause) {
        self.gaps.push_back(Gap { at, length, cause });
    }

    fn blind(&mut self, at: Timestamp, length: Duration, cause: GapCause) {
        self.tell(at, length, cause);
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

/// Whether so many frames that it is no coincidence begin with the same time.
fn has_one_time(ahead: &[Timestamp]) -> bool {
    ahead.len() == AHEAD && ahead.iter().all(|at| Some(at) == ahead.first())
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
            let (at, net, number) = self.choose()?;
            if std::mem::take(&mut self.closed) && !self.clocks.trusted {
                self.tell_ends(self.clocks.now.unwrap_or(at));
            }
            let quiet = self.clocks.now.is_some_and(|now| at.since(now) > PAUSE);
            if !quiet || self.clocks.trusted || !self.silence(number, at) {
                if !self.clocks.over.is_empty() {
                    self.resume(net, at);
                }
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
            let (net, mean) = (file.info.net, self.clocks.pace(file.info.net).mean());
            if file.latest.is_none() && net != Net::Sync && has_one_time(&ahead) {
                return self.pass_over(number);
            }
            match line::next(file.latest, mean, &ahead) {
                Next::Strays(run) if left + run <= FEW => {
                    left += run;
                    let beside = file.latest.or_else(|| ahead.get(run).copied());
                    if !self.leave_out(number, run, beside) {
                        return;
                    }
                }
                Next::Back if file.begins_anew() => return self.fail(number, Fault::Unordered, 0),
                Next::Back => return self.hold(number, true),
                Next::MaybeBack => return self.hold(number, false),
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

    /// Nothing that all came at one time is a witness of anything: reads to the end of it, and tells nothing.
    fn pass_over(&mut self, number: usize) {
        loop {
            if let Some(file) = self.files.get_mut(number)
                && let Some(at) = file.head()
            {
                file.info.count(at);
            }
            if !self.advance(number) {
                break;
            }
        }
        if let Some(file) = self.files.get(number) {
            self.clocks.timeless(&file.info.path);
        }
    }

    /// The clock of a file was set back, or may have been: it waits until it is known whether those of the others were, too.
    fn hold(&mut self, number: usize, sure: bool) {
        let Some(file) = self.files.get_mut(number) else { return };
        let (Some(latest), Some(head)) = (file.latest, file.head()) else {
            return;
        };
        if self.clocks.times.steps.len() >= MOST_STEPS {
            // The timeline stands still until its times come back.
            if sure {
                self.clocks.timeless(&file.info.path);
            }
            return;
        }
        let patience = self.clocks.patience(file.info.net);
        file.held = Some(Held {
            back: latest.since(head),
            mean: self.clocks.pace(file.info.net).mean(),
            sure,
        });
        let until = file.on_timeline(latest) + patience;
        self.clocks.held_until = self.clocks.held_until.max(Some(until));
        if let Some(line) = self.agreed() {
            self.clocks.held_until = Some(line);
        }
        self.current = None;
        // What this file would tell meanwhile is not missing.
        let at = self.clocks.now.unwrap_or(until);
        if sure {
            self.clocks.blind(at, Duration::ZERO, GapCause::ClockStep);
        }
    }

    /// The files that are held, and by how much the clock was set back at least that shows the largest step.
    fn held(&self) -> (Vec<(usize, Held)>, Duration) {
        let held = |n: &usize| Some((*n, self.files.get(*n)?.held?));
        let held: Vec<_> = self.open.iter().filter_map(held).collect();
        let by = held.iter().map(|(_, h)| h.back).max().unwrap_or_default();
        (held, by)
    }

    /// Where all clocks were set, if the sync net and another show it and no other file will: what the others tell from there on is of
    /// the new time, and must not be heard before what is held. The sync net shows a step where it is made.
    fn agreed(&mut self) -> Option<Timestamp> {
        let (held, by) = self.held();
        if !self.together_on_two(by, &held) {
            return None;
        }
        for number in self.open.clone() {
            if let Some(file) = self.files.get_mut(number)
                && file.held.is_none()
                && let State::Open(reader) = &mut file.state
            {
                let ahead = reader.ahead(AHEAD);
                if ahead.windows(2).any(|w| self.clocks.hints(file.info.net, w[0], w[1])) {
                    return None;
                }
            }
        }
        let files = held.iter().filter_map(|(n, _)| self.files.get(*n));
        files.filter_map(|f| Some(f.on_timeline(f.latest?))).max()
    }

    /// Whether the sync net and another show a step that all may have made: then it is one, however small.
    fn together_on_two(&self, by: Duration, held: &[(usize, Held)]) -> bool {
        let shows = |sync: bool| {
            let mut files = held.iter().filter_map(|(n, _)| self.files.get(*n));
            files.any(|f| (f.info.net == Net::Sync) == sync)
        };
        shows(true) && shows(false) && self.share_a_step(by, held)
    }

    /// Lets go of files that are held, once all are or `next`, the next frame of the others, shows that those were not set.
    /// False while there is nothing to let go of.
    pub(super) fn settle(&mut self, next: Option<Timestamp>) -> bool {
        let Some(until) = self.clocks.held_until.filter(|until| next.is_none_or(|at| at > *until)) else {
            return false;
        };
        self.clocks.held_until = None;
        let at = self.clocks.now.unwrap_or(until);
        let (held, by) = self.held();
        if !held.iter().any(|(_, h)| h.sure) && !self.together_on_two(by, &held) {
            held.iter().for_each(|(number, _)| self.release(*number));
            return true;
        }
        let all = self.share_a_step(by, &held);
        let held: Vec<(usize, Held)> = held.into_iter().filter(|(_, h)| h.sure || all).collect();
        // It would have come a pause later.
        let largest = held
            .iter()
            .map(|(_, h)| h.back.saturating_add(h.mean))
            .max()
            .unwrap_or_default();
        let cause = if all { self.together(at) } else { self.alone(at, &held) };
        let set = |n: &&usize| all || held.iter().any(|(h, _)| h == *n);
        let paths = |n: &usize| self.files.get(*n).map(|f| f.info.path.clone());
        self.clocks.stepped(Step {
            at,
            files: self.open.iter().filter(set).filter_map(paths).collect(),
            by: largest,
            back: true,
            all,
        });
        for number in self.open.clone() {
            self.release(number);
            if let Some(file) = self.files.get_mut(number)
                && (all || held.iter().any(|(h, _)| *h == number))
            {
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

    fn release(&mut self, number: usize) {
        if let Some(file) = self.files.get_mut(number) {
            file.held = None;
        }
    }

    /// Whether all files that are read may have been set back `by` so much at this moment: each shows it, but for a pause that
    /// may be; a net that shows nothing follows two that do, if that pause hides all of it.
    fn share_a_step(&self, by: Duration, held: &[(usize, Held)]) -> bool {
        let net = |n: usize| self.files.get(n).map(|f| f.info.net);
        let mut nets: Vec<_> = held.iter().filter_map(|(n, _)| net(*n)).collect();
        nets.dedup();
        let shows = |n: usize| held.iter().find(|(h, _)| *h == n).map(|(_, h)| h.back);
        self.open.iter().all(|n| {
            let hidden = net(*n).map_or(Duration::ZERO, |net| self.clocks.hidden(net));
            match shows(*n) {
                Some(back) => by.saturating_sub(back) <= hidden,
                None => by <= hidden && nets.len() > 1,
            }
        })
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

    /// Tells of nets whose files are all at their end since `since`, or go on much later, while those of others go on: what does
    /// not come any more is not missing.
    #[cold]
    fn tell_ends(&mut self, since: Timestamp) {
        let begun: Vec<Net> = self.begun().filter_map(|n| self.net(n)).collect();
        let goes_on = |net: &Net| {
            let soon = |at: Timestamp| !self.clocks.is_hole(*net, at.since(since));
            begun.contains(net) || self.begins(*net).is_some_and(soon)
        };
        let over = |f: &&File| f.info.frames > 0 && !goes_on(&f.info.net);
        let over: Vec<Net> = self.files.iter().filter(over).map(|f| f.info.net).collect();
        let nets = self.nets();
        let others = nets.iter().any(goes_on);
        for net in over {
            let last = !nets.is_empty() && self.begins(net).is_none();
            if (others || last) && !self.clocks.over.contains_key(&net) {
                self.clocks.over.insert(net, since);
                self.clocks.tell(since, Duration::ZERO, GapCause::Ended(net));
            }
        }
    }

    /// A file of a net goes on: what came since the one before it ended was not captured.
    #[cold]
    fn resume(&mut self, net: Net, at: Timestamp) {
        if let Some(from) = self.clocks.over.remove(&net) {
            self.clocks.tell(at, at.since(from), GapCause::Resumed(net));
            let net = Some(net);
            self.clocks.unrecorded(Unrecorded { net, from, to: at });
        }
    }

    /// No file tells of the time from `now` until `at`: all nets have this gap in common, and what one lacks beyond it is its own.
    fn share(&mut self, now: Timestamp, at: Timestamp) {
        for (net, from) in std::mem::take(&mut self.clocks.over) {
            if self.begins(net).is_none() {
                self.clocks.over.insert(net, from);
                continue;
            }
            let mut length = Duration::ZERO;
            if self.clocks.is_hole(net, now.since(from)) {
                length = now.since(from);
                let net = Some(net);
                self.clocks.unrecorded(Unrecorded { net, from, to: now });
            }
            self.clocks.tell(at, length, GapCause::Resumed(net));
        }
        let net = None;
        self.clocks.unrecorded(Unrecorded { net, from: now, to: at });
        self.clocks.blind(at, at.since(now), GapCause::Unrecorded);
        self.tell_ends(at);
    }

    /// Files that are being read, of which something was told.
    fn begun(&self) -> impl Iterator<Item = usize> {
        let begun = |n: &&usize| self.files.get(**n).is_some_and(|f| f.latest.is_some());
        self.open.iter().filter(begun).copied()
    }

    /// When the next file of a net begins.
    fn begins(&self, net: Net) -> Option<Timestamp> {
        let open = self
            .open
            .iter()
            .filter(|n| self.files.get(**n).is_some_and(|f| f.latest.is_none()));
        let open = open.filter_map(|n| self.key(*n));
        let keys = self.waiting.iter().copied().chain(open);
        keys.filter(|(_, of, _)| *of == net).map(|(at, ..)| at).min()
    }

    fn net(&self, number: usize) -> Option<Net> {
        self.files.get(number).map(|f| f.info.net)
    }

    /// There is no more input: by how much did files of a net end before others?
    pub(super) fn note_ends(&mut self) {
        let Some(until) = self.clocks.now else { return };
        let over = std::mem::take(&mut self.clocks.over);
        // Where clocks went apart nobody knows which ended first.
        for (net, at) in over.into_iter().filter(|_| self.clocks.times.apart.is_none()) {
            let usual = self.clocks.pace(net).usual().unwrap_or_default();
            let timeless = self.files.iter().any(|f| f.info.net == net && f.is_timeless());
            if until.since(at) > SHORT.max(usual.saturating_mul(TOGETHER)) && !timeless {
                let near = |e: &&mut Ended| e.at.since(at).max(at.since(e.at)) <= SHORT;
                match self.clocks.times.ended.iter_mut().find(near) {
                    Some(ended) => {
                        ended.nets.push(net);
                        ended.at = ended.at.min(at);
                    }
                    None => self.clocks.times.ended.push(Ended {
                        nets: vec![net],
                        at,
                        until,
                    }),
                }
            }
        }
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
        let length = at.since(now);
        let through: Vec<usize> = self.begun().collect();
        let between = through.is_empty() && nets.iter().all(|net| self.clocks.is_hole(*net, length));
        if self.clocks.asked.replace(at) == Some(at) || !(between || self.clocks.unusual(&nets, at)) {
            return false;
        }
        let last = nets.len() == 1;
        if last && through.contains(&number) && self.ends_astray(number) {
            return true;
        }
        if through.is_empty() {
            self.share(now, at);
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
