//! Results of single runs as JSON lines: kept as soon as they are there, read again so that no run is done twice, and the
//! only thing that tables are made of.

use super::Job;
use crate::score::Score;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// One watcher in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What the tables call it.
    pub name: String,
    /// How it did.
    pub score: Score,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Scenario.
    pub scenario: String,
    /// Load.
    pub load: String,
    /// What its site is called where that is not like most.
    pub site: Option<String>,
    /// Seed of all its dice.
    pub seed: u64,
    /// Simulated seconds.
    pub length: f64,
    /// Which program made it: results of different ones do not belong into one table.
    pub build: String,
    /// Seconds of processor time that it took.
    pub cost: f64,
    /// Everybody who took part.
    pub detectors: Vec<Judged>,
}

impl Line {
    /// The rows of the tables that it belongs to: what is special about a site must not hide in an average.
    #[must_use]
    pub fn row(&self) -> String {
        let site = self.site.iter().map(|site| format!(", {site}"));
        site.fold(self.load.clone(), |row, site| row + &site)
    }

    /// Which run it is.
    #[must_use]
    pub fn job(&self) -> Job {
        Job {
            scenario: self.scenario.clone(),
            load: self.load.clone(),
            seed: self.seed,
        }
    }
}

/// What is wrong with a file of results.
#[derive(Debug, Error)]
pub enum RawError {
    /// It cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} line {line} is no result of this program: start with another file", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is a device or a folder.
    #[error("{} is no file: results are read again, so they need one", path.display())]
    NoFile {
        /// Which.
        path: PathBuf,
    },
    /// Its results are of another build.
    #[error("{} has results of another build of this program: say --aside to move them away, or --mixed to take them", path.display())]
    Build {
        /// Which.
        path: PathBuf,
    },
}

/// What becomes of results that another build made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// They are refused.
    Refuse,
    /// They are taken.
    Take,
    /// Their file gets the name of their build, and a new one begins.
    Aside,
}

/// Tells builds of this program apart: a detector that was changed must not share a table with the one before.
///
/// # Errors
/// If the program cannot be read.
pub fn build() -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(env::current_exe()?)?);
    Ok(format!("{:016x}", hasher.finish()))
}

/// All that results of any build are expected to have.
#[derive(Deserialize)]
struct Maker {
    build: String,
}

/// Results by run, in memory and, if wanted, in a file.
pub struct Store {
    file: Option<(PathBuf, File)>,
    build: String,
    /// What there is.
    pub lines: BTreeMap<Job, Line>,
}

impl Store {
    /// In memory alone.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            file: None,
            build: String::new(),
            lines: BTreeMap::new(),
        }
    }

    /// With what the file already holds; it is made if there is none. A last line that was cut short, as by a kill in
    /// the middle of a write, is dropped: its run is done again. What happens to results of another build is told to `say`.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path, build: &str, other: Other, say: &mut impl Write) -> Result<Self, RawError> {
        let io = |source| RawError::Io {
            path: path.to_owned(),
            source,
        };
        // A device may have no end.
        if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            return Err(RawError::NoFile { path: path.to_owned() });
        }
        let mut text = match fs::read_to_string(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(io)?,
        };
        let makers = || text.lines().filter_map(|line| serde_json::from_str::<Maker>(line).ok());
        if let Some(old) = makers().find(|m| m.build != build && other == Other::Aside) {
            let names = (0_u64..).map(|n| match n {
                0 => format!("{}.jsonl", old.build),
                n => format!("{}.{n}.jsonl", old.build),
            });
            let mut free = names.map(|name| path.with_extension(name)).filter(|to| !to.exists());
            let to = free.next().unwrap_or_default();
            fs::rename(path, &to).map_err(io)?;
            // Whoever closed stderr does not want to know.
            let _ = writeln!(
                say,
                "{} was made by another build: it is {} now",
                path.display(),
                to.display()
            );
            text.clear();
        }
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = BTreeMap::new();
        for (i, text) in text[..whole].lines().enumerate() {
            let line: Line = serde_json::from_str(text).map_err(|source| RawError::Format {
                path: path.to_owned(),
                line: i + 1,
                source,
            })?;
            if line.build != build && other != Other::Take {
                return Err(RawError::Build { path: path.to_owned() });
            }
            lines.insert(line.job(), line);
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        file.set_len(whole as u64).map_err(io)?;
        Ok(Self {
            file: Some((path.to_owned(), file)),
            build: build.to_owned(),
            lines,
        })
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self, mut line: Line) -> Result<(), RawError> {
        line.build.clone_from(&self.build);
        if let Some((path, file)) = &mut self.file {
            let io = |source| RawError::Io {
                path: path.clone(),
                source,
            };
            // One write for the whole line: a kill leaves at most its beginning.
            let mut text = serde_json::to_string(&line).map_err(|e| io(e.into()))?;
            text.push('\n');
            file.write_all(text.as_bytes()).map_err(io)?;
        }
        self.lines.insert(line.job(), line);
        Ok(())
    }
}
