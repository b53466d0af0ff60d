//! Running a program: the one door through which anything is spawned.
//!
//! A trait, so that presets and the ledger are tested against a system that exists on paper only.

use crate::config::model::Command;
use std::fmt;
use std::time::Duration;

/// A program to run, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The program.
    pub command: Command,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
    /// Written to its standard input, which is then closed.
    pub input: Vec<u8>,
    /// Then its whole process group is killed.
    pub timeout: Duration,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It took too long and was killed.
    Timeout,
    /// It could not be started: why.
    Spawn(String),
}

impl End {
    /// Whether it did what it was for.
    #[must_use]
    pub fn ok(&self) -> bool {
        *self == Self::Exit(0)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(0) => f.write_str("ok"),
            Self::Exit(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::Timeout => f.write_str("timeout"),
            Self::Spawn(why) => write!(f, "cannot be started: {why}"),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// How it ended.
    pub end: End,
    /// What it wrote to its standard output and error, as it came, up to a limit.
    pub output: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

/// Somebody who runs programs.
pub trait Run {
    /// Runs one and waits for its end, at most for its timeout and a moment.
    fn run(&mut self, job: &Job) -> Done;
}
