//! What an analysis found, collected from the engine's events and counters, ready to be rendered.
//!
//! Filled by `analyze`, rendered by `json`, `text` and `html`. Knows no engine internals beyond its accessors. `text::status`
//! and `watch` show the snapshot of a daemon instead.

pub mod html;
pub mod json;
pub mod margins;
pub mod series;
mod tell;
pub mod text;
mod times;
mod void;
pub mod watch;

use crate::capture::GapCause;
use crate::capture::file::{FileInfo, Times};
use crate::engine::Engine;
use crate::engine::quality::Quality;
use crate::event::{Advertiser, Decision, Event, Health, NodeId, Notice, Verdict};
use crate::time::Timestamp;
use margins::Margins;
use series::Series;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Seconds of one column of the series.
const STEP: Duration = Duration::from_secs(1);
/// Notices and gaps kept; a hostile sender can cause any number of them.
const MAX_NOTICES: usize = 10_000;
/// Columns kept; then neighbours are added together, so that memory does not grow with the file.
const MAX_COLUMNS: usize = 4096;

/// One mastership of one vhid.
#[derive(Clone, Debug, PartialEq)]
pub struct Mastership {
    /// Advertised from.
    pub address: IpAddr,
    /// First advertisement.
    pub from: Timestamp,
    /// When it ended; `None` = still so.
    pub to: Option<Timestamp>,
}

/// Who advertised one vhid at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoMasters {
    /// Two or more.
    pub who: Vec<Advertiser>,
    /// Onset.
    pub from: Timestamp,
    /// When the first of them fell silent; `None` = still so.
    pub to: Option<Timestamp>,
}

/// From when until when; without an end where the capture ended first.
pub type Span = (Timestamp, Option<Timestamp>);

/// Spans of each vhid, by (segment, vhid), in order.
type ByVhid<T> = BTreeMap<(usize, u8), Vec<T>>;

/// Everything that an analysis shows.
#[derive(Debug, Default)]
pub struct Report {
    /// Input files.
    pub files: Vec<FileInfo>,
    /// What is odd about their times; all others here are the engine's.
    pub times: Times,
    /// Changes of health.
    pub verdicts: Vec<Verdict>,
    /// Decisions that this configuration would have taken.
    pub decisions: Vec<Decision>,
    /// Worth a line.
    pub notices: Vec<Notice>,
    /// Masterships.
    pub masters: ByVhid<Mastership>,
    /// Times with more than one master.
    pub two_masters: ByVhid<TwoMasters>,
    /// Times without one.
    pub no_master: ByVhid<Span>,
    /// Times during which the pair was unsynchronised.
    pub unsynchronised: Vec<Span>,
    /// Whether the capture is fit to judge by.
    pub quality: Quality,
    /// When we were blind: until when, how long, why.
    pub gaps: Vec<(Timestamp, Duration, GapCause)>,
    /// When a node that was down was first seen to be itself at fault, and not what lies beyond it.
    pub at_fault: Vec<(NodeId, Timestamp)>,
    /// How close each node came to a false alarm, per day.
    pub margins: Margins,
    /// Per node, per path.
    pub series: Vec<Vec<Series>>,
    /// First and last moment of the capture.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Length of one column.
    pub step: Duration,
    /// Notices beyond those that were kept.
    pub unmentioned: u64,
    /// The column that is being filled, and when it is over.
    filling: usize,
    due: Timestamp,
}

impl Report {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            step: STEP,
            due: Timestamp::MIN,
            ..Self::default()
        }
    }

    /// Takes what the engine has to say.
    pub fn collect(&mut self, engine: &mut Engine) {
        let mut news = false;
        while let Some(event) = engine.poll() {
            news = true;
            match event {
                Event::Verdict(v) => self.verdicts.push(v),
                Event::Decision(d) => self.decisions.push(d),
                Event::Notice(n) => self.notice(n),
                Event::Master {
                    segment,
                    vhid,
                    master,
                    since,
                    ..
                } => self.master((segment, vhid), master, since),
                Event::TwoMasters {
                    segment,
                    vhid,
                    since,
                    until,
                    who,
                    ..
                } => self.several((segment, vhid), since, until, who),
                Event::NoMaster {
                    segment,
                    vhid,
                    since,
                    until,
                    ..
                } => self.nobody((segment, vhid), since, until),
                Event::Unsynchronised { since: Some(from), .. } => self.unsynchronised.push((from, None)),
                Event::Unsynchronised { at, since: None } => {
                    if let Some(last) = self.unsynchronised.last_mut() {
                        last.1 = Some(at);
                    }
                }
                Event::ConfigSync { at, node } => {
                    self.notice(Notice::config_sync(at, node, &engine.label(node)));
                }
                Event::Gap { at, length, cause } if self.gaps.len() < MAX_NOTICES => {
                    self.gaps.push((at, length, cause));
                }
                Event::Node { .. } | Event::Gap { .. } => {}
            }
        }
        // The counters only go up, so that a look per column is enough.
        let due = engine.now() >= self.due;
        if due {
            self.sample(engine);
        }
        if due || news {
            self.blame(engine);
        }
    }

    /// Takes the rest when there is no more input.
    pub fn finish(&mut self, files: Vec<FileInfo>, engine: &mut Engine) {
        self.due = Timestamp::MIN;
        self.collect(engine);
        self.margins.finish(engine);
        self.files = files;
        self.quality = engine.quality();
        times::withdraw(self, |network| engine.segment_of(network));
        times::add(
            &self.times,
            &self.files,
            |ended| tell::doubt::ends(engine, ended),
            |net| engine.net_name(net).to_owned(),
            &mut self.quality,
        );
        void::add(self, engine);
    }

    /// Notes which nodes that are down are seen to be themselves at fault.
    fn blame(&mut self, engine: &Engine) {
        for node in engine.node_ids().filter(|n| engine.is_at_fault(*n)) {
            let went = self
                .verdicts
                .iter()
                .rev()
                .find(|v| v.node == node && v.to == Health::Down);
            let began = went.map_or(Timestamp::MIN, |v| v.at);
            if !self.at_fault.iter().any(|(n, at)| *n == node && *at >= began) {
                self.at_fault.push((node, engine.now()));
            }
        }
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.len() < MAX_NOTICES {
            self.notices.push(notice);
        } else {
            self.unmentioned += 1;
        }
    }

    fn master(&mut self, key: (usize, u8), master: Option<IpAddr>, since: Timestamp) {
        let list = self.masters.entry(key).or_default();
        if let Some(last) = list.last_mut() {
            last.to.get_or_insert(since);
        }
        list.extend(master.map(|address| Mastership {
            address,
            from: since,
            to: None,
        }));
    }

    fn several(&mut self, key: (usize, u8), from: Timestamp, to: Option<Timestamp>, who: Vec<Advertiser>) {
        let list = self.two_masters.entry(key).or_default();
        let found = TwoMasters { who, from, to };
        match list.last_mut().filter(|last| last.from == from) {
            Some(last) => *last = found,
            None => list.push(found),
        }
    }

    fn nobody(&mut self, key: (usize, u8), from: Timestamp, to: Option<Timestamp>) {
        let list = self.no_master.entry(key).or_default();
        match list.last_mut().filter(|last| last.0 == from) {
            Some(last) => last.1 = to,
            None => list.push((from, to)),
        }
    }

    /// Adds what was counted since the last look to the column that was being filled; only the first input of the next
    /// column is in it too.
    fn sample(&mut self, engine: &Engine) {
        let now = engine.now();
        if now == Timestamp::MIN {
            return;
        }
        let (first, _) = *self.span.get_or_insert((now, now));
        self.span = Some((first, now));
        self.margins.look(engine);
        for (i, node) in engine.counters().nodes.iter().enumerate() {
            if self.series.len() <= i {
                self.series.push(vec![Series::default(); node.paths.len()]);
            }
            for (series, p) in self.series[i].iter_mut().zip(&node.paths) {
                series.take(self.filling, p);
            }
        }
        let column = |step: Duration| {
            usize::try_from(now.since(first).as_nanos() / step.as_nanos().max(1)).unwrap_or(usize::MAX)
        };
        while column(self.step) >= MAX_COLUMNS {
            self.step *= 2;
            self.series.iter_mut().flatten().for_each(Series::halve);
        }
        self.filling = column(self.step);
        self.due = first + self.step * u32::try_from(self.filling + 1).unwrap_or(u32::MAX);
    }
}
