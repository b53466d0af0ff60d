//! What is asked of capture files and what is known of them: plain data, and the one place that opens a file by name.
//!
//! Filled in by the timeline in `file`, shown by the commands. Reads nothing.

use super::interfaces::Interfaces;
use crate::capture::{LinkType, Net, SourceError};
use crate::time::Timestamp;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file to read.
#[derive(Clone, Debug)]
pub struct FileInput {
    /// Its name; `-` is the standard input.
    pub path: PathBuf,
    /// The net it was captured on.
    pub net: Net,
    /// What is wanted of it.
    pub interfaces: Interfaces,
}

impl FileInput {
    /// All of a file.
    pub fn new(path: impl Into<PathBuf>, net: Net) -> Self {
        Self {
            path: path.into(),
            net,
            interfaces: Interfaces::default(),
        }
    }
}

/// What is known of a file so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// As it was named.
    pub path: PathBuf,
    /// The net it was captured on.
    pub net: Net,
    /// Link types in the order of their appearance, whether or not we can dissect them.
    pub links: Vec<LinkType>,
    /// Frames delivered.
    pub frames: u64,
    /// Earliest time delivered.
    pub first: Option<Timestamp>,
    /// Latest time delivered.
    pub last: Option<Timestamp>,
    /// Why it could not be read to its end.
    pub fault: Option<String>,
    /// It was not, because its interfaces come one after another.
    pub unordered: bool,
    /// Octets read, as they are stored.
    pub bytes_read: u64,
    /// Octets stored; none if nobody knows (standard input, a pipe).
    pub bytes_total: Option<u64>,
}

impl FileInfo {
    /// One more frame.
    #[inline]
    pub(super) fn count(&mut self, at: Timestamp) {
        self.frames += 1;
        self.first = Some(self.first.map_or(at, |t| t.min(at)));
        self.last = Some(self.last.map_or(at, |t| t.max(at)));
    }
}

/// How far a [`FileSource`] has read: cheap to ask, also from another thread.
#[derive(Clone, Debug)]
pub struct Progress {
    read: Vec<Arc<AtomicU64>>,
    total: Option<u64>,
}

impl Progress {
    pub(super) const fn new(read: Vec<Arc<AtomicU64>>, total: Option<u64>) -> Self {
        Self { read, total }
    }

    /// Octets read of all files, as they are stored.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.iter().map(|r| r.load(Ordering::Relaxed)).sum()
    }

    /// Octets stored in all files; none if nobody knows.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }
}

/// A file and its size; no size for what cannot be read twice.
pub(super) fn open_file(path: &Path) -> Result<(fs::File, Option<u64>), SourceError> {
    let explain = |e: io::Error| {
        let path = path.to_owned();
        match e.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => SourceError::Missing { path },
            ErrorKind::PermissionDenied => SourceError::Denied { path },
            ErrorKind::IsADirectory => SourceError::Directory { path },
            _ => SourceError::Read {
                path,
                frames: 0,
                source: Arc::new(e),
            },
        }
    };
    let file = fs::File::open(path).map_err(explain)?;
    let about = file.metadata().map_err(explain)?;
    if about.is_dir() {
        return Err(SourceError::Directory { path: path.to_owned() });
    }
    Ok((file, about.is_file().then_some(about.len())))
}
