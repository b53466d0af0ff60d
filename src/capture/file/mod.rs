//! Capture files as one timeline: a [`Source`] whose clock is the time that was recorded.
//!
//! Made by the commands that work offline. Files are streamed: memory grows with their number only, and of a rotated
//! set only those that overlap in time are open. Inside one file frames come in the order recorded, even where
//! their times run backwards (a capture on several queues); between files the earliest frame comes first, at equal
//! times the sync net before the segments and otherwise the file named first. Where the clock of a capture was set, the
//! timeline goes on in the order of the file (`clocks`). Never calls libpcap: that would make damaged files the business of
//! a C library, and it cannot read compressed ones.

mod classic;
mod clocks;
mod decompress;
mod info;
mod interfaces;
mod line;
mod pace;
mod pcapng;
mod reader;
mod times;
mod window;
pub mod write;

pub use self::info::{FileInfo, FileInput, Progress};
pub use self::interfaces::{Interface, Interfaces};
pub use self::times::{Ended, Step, Strays, Times, Unrecorded};

use self::clocks::{Clocks, Held};
use self::info::open_file;
use self::reader::{Fault, Reader};
use crate::capture::{Frame, Input, Net, Source, SourceError};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of so many interfaces it is remembered that they had frames; a file with more is read as if all had.
const MOST_LANES: usize = 65_536;

/// Where in the timeline a frame belongs.
type Key = (Timestamp, Net, usize);

struct File {
    info: FileInfo,
    wanted: Interfaces,
    read: Arc<AtomicU64>,
    state: State,
    /// The latest time delivered, on its own clock as that is set now.
    latest: Option<Timestamp>,
    /// Nanoseconds from its own clock to the timeline.
    shift: i64,
    /// Its clock was set back, and nobody knows yet whether the others were, too.
    held: Option<Held>,
    strays: Option<Strays>,
    /// The lane of the frame before, and those of all frames so far.
    lane: usize,
    lanes: BTreeSet<usize>,
}

enum State {
    /// Its first frame is known and it is closed until then.
    Waiting,
    /// It has a head.
    Open(Box<Reader>),
    /// At its end, or damaged.
    Done,
}

/// See the module.
pub struct FileSource {
    files: Vec<File>,
    /// Files that wait, the earliest last.
    waiting: Vec<Key>,
    /// Files that are open.
    open: Vec<usize>,
    /// The file whose head comes next, as long as that is before `bound`.
    current: Option<usize>,
    bound: Option<Key>,
    /// The head of `current` was delivered and is still lent.
    delivered: bool,
    problems: Vec<SourceError>,
    told: bool,
    /// A file came to its end since it was last asked which nets go on.
    closed: bool,
    clocks: Clocks,
}

impl FileSource {
    /// Opens the files. What is wrong with one of them is found in [`FileSource::problems`]; the others are read.
    #[must_use]
    pub fn open(inputs: &[FileInput]) -> Self {
        let mut source = Self::empty();
        source.add(inputs);
        source
    }

    fn add(&mut self, inputs: &[FileInput]) {
        let mut stdin_taken = false;
        for input in inputs {
            let number = self.files.len();
            let mut keep_open = inputs.len() == 1;
            let mut total = None;
            let octets: Result<Box<dyn Read + Send>, SourceError> = if input.path == Path::new("-") {
                keep_open = true;
                let taken = std::mem::replace(&mut stdin_taken, true);
                if taken {
                    Err(SourceError::StdinTwice)
                } else {
                    Ok(Box::new(io::stdin()))
                }
            } else {
                open_file(&input.path).map(|(file, size)| {
                    keep_open |= size.is_none();
                    total = size;
                    Box::new(file) as Box<dyn Read + Send>
                })
            };
            self.files.push(File::new(input.clone(), total));
            match octets {
                Ok(octets) => self.start(number, octets, keep_open),
                Err(e) => self.problems.push(e),
            }
        }
        self.waiting.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Reads captures that somebody else opened; the path is only a name.
    pub fn from_readers(inputs: impl IntoIterator<Item = (PathBuf, Net, Box<dyn Read + Send>)>) -> Self {
        let mut source = Self::empty();
        for (path, net, octets) in inputs {
            let number = source.files.len();
            source.files.push(File::new(FileInput::new(path, net), None));
            source.start(number, octets, true);
        }
        source
    }

    /// The same source, which takes all times as they are: to show frames, not to judge by them.
    #[must_use]
    pub fn as_recorded(inputs: &[FileInput]) -> Self {
        let mut source = Self::empty();
        source.clocks.trusted = true;
        source.add(inputs);
        source
    }

    /// What is known of each file so far, in the order in which they were named.
    #[must_use]
    pub fn files(&self) -> Vec<FileInfo> {
        let info = |f: &File| FileInfo {
            bytes_read: f.read.load(Ordering::Relaxed),
            ..f.info.clone()
        };
        self.files.iter().map(info).collect()
    }

    /// What went wrong so far. [`Source::next`] fails with the first of these after everything readable was delivered.
    #[must_use]
    pub fn problems(&self) -> &[SourceError] {
        &self.problems
    }

    /// A counter of the octets read.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let total = self.files.iter().map(|f| f.info.bytes_total).sum();
        Progress::new(self.files.iter().map(|f| Arc::clone(&f.read)).collect(), total)
    }

    fn empty() -> Self {
        Self {
            files: Vec::new(),
            waiting: Vec::new(),
            open: Vec::new(),
            current: None,
            bound: None,
            delivered: false,
            problems: Vec::new(),
            told: false,
            closed: false,
            clocks: Clocks::default(),
        }
    }

    /// Reads up to the first frame, and closes the file again if it need not stay open.
    fn start(&mut self, number: usize, octets: Box<dyn Read + Send>, keep_open: bool) {
        let Some(file) = self.files.get_mut(number) else { return };
        match decompress::open(octets, Arc::clone(&file.read))
            .map_err(Fault::from)
            .and_then(|octets| Reader::open(octets, &file.wanted))
        {
            Ok(reader) => {
                file.info.links.extend(reader.link());
                file.state = State::Open(Box::new(reader));
                self.open.push(number);
            }
            Err(fault) => return self.fail(number, fault, 0),
        }
        self.step(number);
        if !keep_open && let Some(key) = self.key(number) {
            self.close(number, State::Waiting);
            self.waiting.push(key);
        }
    }

    /// Opens the earliest file that waits.
    fn wake(&mut self) {
        let Some((_, _, number)) = self.waiting.pop() else {
            return;
        };
        let Some(file) = self.files.get_mut(number) else { return };
        file.read.store(0, Ordering::Relaxed);
        file.info.links.clear();
        file.strays = None;
        file.state = State::Done;
        match open_file(&file.info.path) {
            Ok((octets, _)) => self.start(number, Box::new(octets), true),
            Err(e) => self.problems.push(e),
        }
    }

    /// Leaves the head of a file behind.
    #[inline]
    fn step(&mut self, number: usize) {
        if self.advance(number)
            && let Some(file) = self.files.get(number)
            && let Some(at) = file.head()
            && !file.latest.is_some_and(|latest| {
                line::near(latest, at) && !(at < latest && self.clocks.hints(file.info.net, latest, at))
            })
        {
            self.inspect(number);
        }
    }

    /// Whether the file has a next frame.
    #[inline]
    fn advance(&mut self, number: usize) -> bool {
        let Some(File {
            state: State::Open(reader),
            ..
        }) = self.files.get_mut(number)
        else {
            return false;
        };
        match reader.advance() {
            Ok(true) => return true,
            Ok(false) => self.end(number),
            Err(fault) => {
                let offset = reader.offset();
                self.fail(number, fault, offset);
            }
        }
        false
    }

    /// There is no next frame; was there any of what is wanted?
    #[cold]
    fn end(&mut self, number: usize) {
        if let Some(file) = self.files.get(number)
            && let (Interfaces::One(wanted), State::Open(reader)) = (&file.wanted, &file.state)
            && !reader.has(wanted)
        {
            self.problems.push(SourceError::NotInFile {
                path: file.info.path.clone(),
                interface: wanted.0.clone(),
                known: reader.interfaces(),
            });
        }
        self.close(number, State::Done);
    }

    #[cold]
    fn fail(&mut self, number: usize, fault: Fault, offset: u64) {
        self.close(number, State::Done);
        let Some(file) = self.files.get(number) else {
            return;
        };
        let (path, frames) = (file.info.path.clone(), file.info.frames);
        let problem = match fault {
            Fault::Empty => SourceError::Empty { path },
            Fault::NotACapture => SourceError::NotACapture { path },
            Fault::NotPcapng => SourceError::NotPcapng {
                path,
                interface: match &file.wanted {
                    Interfaces::One(wanted) => wanted.0.clone(),
                    Interfaces::All(_) => String::new(),
                },
            },
            Fault::Cut => SourceError::Cut { path, frames },
            Fault::Unordered => SourceError::Unordered { path, frames },
            Fault::Corrupt(what) => SourceError::Corrupt {
                path,
                frames,
                offset,
                what,
            },
            Fault::Io(e) => SourceError::Read {
                path,
                frames,
                source: Arc::new(e),
            },
        };
        if let Some(file) = self.files.get_mut(number)
            && frames > 0
        {
            file.info.fault = Some(problem.to_string());
            file.info.unordered = matches!(problem, SourceError::Unordered { .. });
        }
        self.problems.push(problem);
    }

    fn close(&mut self, number: usize, state: State) {
        self.open.retain(|n| *n != number);
        if self.current == Some(number) {
            self.current = None;
        }
        if let Some(file) = self.files.get_mut(number) {
            if file.is_timeless() && matches!(state, State::Done) {
                self.clocks.timeless(&file.info.path);
            }
            file.held = None;
            file.state = state;
        }
        self.closed = true;
    }

    #[inline]
    fn key(&self, number: usize) -> Option<Key> {
        let file = self.files.get(number)?;
        let at = file.head().filter(|_| file.held.is_none())?;
        Some((file.on_timeline(at), file.info.net, number))
    }

    /// Makes the earliest head current. Most frames come from the file that the frame before came from, so
    /// the others are only looked at when that file reaches the next of them.
    #[inline]
    fn choose(&mut self) -> Option<Key> {
        if let Some(number) = self.current
            && let Some(key) = self.key(number)
            && self.bound.is_none_or(|bound| key < bound)
        {
            return Some(key);
        }
        self.choose_among_all()
    }

    #[inline(never)]
    fn choose_among_all(&mut self) -> Option<Key> {
        loop {
            let mut keys = self.open.iter().filter_map(|n| self.key(*n));
            let mut best = keys.next();
            let mut second = None;
            for key in keys {
                if best.is_some_and(|b| key < b) {
                    second = best.replace(key);
                } else if second.is_none_or(|s| key < s) {
                    second = Some(key);
                }
            }
            let waiting = self.waiting.last().copied();
            let next = [best, waiting].into_iter().flatten().min();
            if self.settle(next.map(|(at, ..)| at)) {
                continue;
            }
            if waiting.is_some() && waiting == next {
                self.wake();
                continue;
            }
            let held = self.clocks.held_until().map(|until| (until, Net::Sync, 0));
            self.bound = [second, waiting, held].into_iter().flatten().min();
            self.current = best.map(|(_, _, number)| number);
            return best;
        }
    }
}

impl File {
    fn new(input: FileInput, bytes_total: Option<u64>) -> Self {
        let info = FileInfo {
            path: input.path,
            net: input.net,
            links: vec![],
            frames: 0,
            first: None,
            last: None,
            fault: None,
            unordered: false,
            bytes_read: 0,
            bytes_total,
        };
        Self {
            info,
            wanted: input.interfaces,
            read: Arc::default(),
            state: State::Done,
            latest: None,
            shift: 0,
            held: None,
            strays: None,
            lane: usize::MAX,
            lanes: BTreeSet::new(),
        }
    }

    /// When its next frame was captured, on its own clock.
    #[inline]
    fn head(&self) -> Option<Timestamp> {
        let State::Open(reader) = &self.state else { return None };
        reader.head().map(|head| head.at)
    }

    /// Whether what comes next is of interfaces of which nothing came so far: they were not captured after the others.
    fn begins_anew(&self) -> bool {
        let State::Open(reader) = &self.state else { return false };
        let known = |lane| self.lanes.len() >= MOST_LANES || self.lanes.contains(&lane);
        self.latest.is_some() && !reader.lanes().any(known)
    }

    #[inline]
    const fn on_timeline(&self, own: Timestamp) -> Timestamp {
        Timestamp::from_nanos(own.as_nanos().saturating_add(self.shift))
    }
}

impl Source for FileSource {
    #[inline]
    fn next(&mut self, deadline: Timestamp) -> Result<Input<'_>, SourceError> {
        if std::mem::take(&mut self.delivered)
            && let Some(number) = self.current
        {
            self.step(number);
        }
        let Some((number, at)) = self.following() else {
            self.note_ends();
            return match self.problems.first() {
                Some(e) if !std::mem::replace(&mut self.told, true) => Err(e.clone()),
                _ => Ok(Input::End),
            };
        };
        if let Some(gap) = self.clocks.gap() {
            return Ok(gap);
        }
        if at > deadline {
            return Ok(Input::Idle(deadline));
        }
        let Some(file) = self.files.get_mut(number) else {
            return Ok(Input::End);
        };
        let State::Open(reader) = &file.state else {
            return Ok(Input::End);
        };
        let Some(head) = reader.head() else {
            return Ok(Input::End);
        };
        self.delivered = true;
        self.clocks.heard(head.net.unwrap_or(file.info.net), at);
        let info = &mut file.info;
        info.count(head.at);
        if head.lane != file.lane {
            file.lane = head.lane;
            if file.lanes.len() < MOST_LANES {
                file.lanes.insert(head.lane);
            }
        }
        file.latest = Some(file.latest.map_or(head.at, |t| t.max(head.at)));
        if info.links.last() != Some(&head.link) && !info.links.contains(&head.link) {
            info.links.push(head.link);
        }
        let (link, wire_len, net) = (head.link, head.wire_len, head.net.unwrap_or(info.net));
        Ok(Input::Frame(Frame {
            at,
            net,
            interface: reader.interface(head.interface),
            direction: head.direction,
            link,
            data: reader.data(),
            wire_len,
        }))
    }
}
