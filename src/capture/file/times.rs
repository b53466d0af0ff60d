//! What was found out about the times of capture files: plain data.
//!
//! Filled in while the files are read, put into words by the report. Times are the engine's, unless another clock is named.

use crate::capture::Net;
use crate::time::{OwnClock, Timestamp};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that is odd about the times of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Clocks that were set, in the order of their discovery.
    pub steps: Vec<Step>,
    /// Stretches of which no file tells anything.
    pub unrecorded: Vec<Unrecorded>,
    /// Nets whose files end before those of others.
    pub ended: Vec<Ended>,
    /// Files with frames out of line.
    pub strays: Vec<Strays>,
    /// Files whose frames all have the same time, or whose times run to and fro: nothing in them can be judged.
    pub timeless: Vec<PathBuf>,
    /// Files that were read no further when their clock was set, because another one of the same net went on.
    pub given_up: Vec<PathBuf>,
    /// Since when nothing may be concluded from two files together, because their clocks went apart.
    pub apart: Option<Timestamp>,
    /// What the capture's own clock showed at any moment of the engine.
    pub own: OwnClock,
}

/// The clock of a capturing host was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Whose frames went on with another time.
    pub files: Vec<PathBuf>,
    /// By how much, to the pause between two frames. A step forward may also be a time of which nothing was captured.
    pub by: Duration,
    /// Back, or forward?
    pub back: bool,
    /// In every file that was being read.
    pub all: bool,
}

/// A stretch between files that none of them tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrecorded {
    /// Of this net; none if of any.
    pub net: Option<Net>,
    /// The last frame before it.
    pub from: Timestamp,
    /// The first frame after it.
    pub to: Timestamp,
}

/// The files of some nets ended together, and those of others went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub nets: Vec<Net>,
    /// The end of the first of them.
    pub at: Timestamp,
    /// The end of all.
    pub until: Timestamp,
}

/// A few frames with times to which neither those before nor those behind them belong; they were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strays {
    /// In which file.
    pub file: PathBuf,
    /// How many.
    pub count: u64,
    /// What the first of them shows, on its own clock.
    pub first: Timestamp,
    /// How far that is from the frame beside it.
    pub by: Duration,
    /// Behind the others, or ahead of them?
    pub behind: bool,
}
