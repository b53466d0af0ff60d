//! The file in which what was learned survives a restart: read at the start, written every few minutes and at the end.
//!
//! Asked by the loop. Written by a thread of its own, to a new file that takes the place of the old one when it is
//! whole: a slow disk delays no verdict, a full one costs a line of the log. A file that cannot be believed is put aside.

mod format;
#[cfg(test)]
mod tests;

use super::super::failure::sentence;
use crate::detect::memory::Memory;
use crate::engine::Engine;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often it is written.
const OFTEN: Duration = Duration::from_secs(300);
/// What 64 nodes and their hosts never fill.
const LARGEST: u64 = 64 << 20;

/// See the module.
pub(super) struct State {
    path: Option<PathBuf>,
    last: Timestamp,
    writer: Option<JoinHandle<io::Result<()>>>,
    saved: u64,
    failed: u64,
    damaged: u64,
}

impl State {
    /// With a file, or without.
    pub(super) fn new(path: Option<PathBuf>, now: Timestamp) -> Self {
        Self {
            path,
            last: now,
            writer: None,
            saved: 0,
            failed: 0,
            damaged: 0,
        }
    }

    /// Another file, or none, from now on.
    pub(super) fn move_to(&mut self, path: Option<PathBuf>) {
        self.path = path;
    }

    /// Gives the engine what the file holds. Whatever is wrong with it, the engine begins, if need be with nothing.
    pub(super) fn recall(&mut self, engine: &mut Engine) {
        let Some(path) = self.path.clone() else { return };
        // Renaming over a device or a pipe would take it away from everybody.
        if fs::metadata(&path).is_ok_and(|m| !m.is_file()) {
            self.failed += 1;
            self.path = None;
            tracing::error!(
                "{} is no regular file, so nothing is kept in it: name another",
                path.display()
            );
            return;
        }
        let text = match read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                tracing::info!("nothing is remembered yet in {}", path.display());
                return;
            }
            Err(e) => {
                self.failed += 1;
                tracing::error!("{}", about("cannot read what was learned in", &path, &e));
                return;
            }
        };
        let taken = format::parse(&text).and_then(|(memory, saved)| {
            let age = age(saved);
            engine.recall(&memory, age).map_err(|e| e.to_string())?;
            Ok((memory, age))
        });
        match taken {
            Ok((memory, age)) => tracing::info!("{}", taken_up(&path, &memory, age)),
            Err(why) => self.put_aside(&path, &why),
        }
    }

    fn put_aside(&mut self, path: &Path, why: &str) {
        self.damaged += 1;
        let aside = beside(path, ".damaged");
        let how = match fs::rename(path, &aside) {
            Ok(()) => format!("it is now {}", aside.display()),
            Err(_) => "it will be written over".to_owned(),
        };
        tracing::warn!(
            "{} is not what was learned, so learning starts anew; {how}: {why}",
            path.display()
        );
    }

    /// Writes from time to time.
    pub(super) fn tick(&mut self, now: Timestamp, engine: &Engine) {
        if self.writer.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait();
        }
        if now.since(self.last) < OFTEN || self.writer.is_some() {
            return;
        }
        self.last = now;
        if let Some(path) = self.path.clone() {
            let text = format::print(&engine.remember(), unix());
            let writer = thread::Builder::new().name("state".into());
            match writer.spawn(move || write(&path, &text)) {
                Ok(writer) => self.writer = Some(writer),
                Err(e) => self.done(&Err(e)),
            }
        }
    }

    /// Writes for the last time.
    pub(super) fn end(&mut self, engine: &Engine) {
        self.wait();
        if let Some(path) = &self.path {
            let result = write(path, &format::print(&engine.remember(), unix()));
            self.done(&result);
        }
    }

    fn wait(&mut self) {
        if let Some(writer) = self.writer.take() {
            let result = writer.join();
            self.done(&result.unwrap_or_else(|_| Err(io::Error::other("the writer gave up"))));
        }
    }

    fn done(&mut self, result: &io::Result<()>) {
        match (result, &self.path) {
            (Ok(()), _) => self.saved += 1,
            (Err(e), path) => {
                self.failed += 1;
                let path = path.as_deref().unwrap_or(Path::new(""));
                tracing::error!("{}", about("cannot keep what was learned in", path, e));
            }
        }
    }

    /// For the line with counters.
    pub(super) fn object(&self) -> Value {
        json!({ "saved": self.saved, "failed": self.failed, "damaged": self.damaged })
    }
}

/// An error of a file as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}", path.display())]
struct About<'a> {
    what: &'static str,
    path: &'a Path,
    source: io::Error,
}

fn about(what: &'static str, path: &Path, e: &io::Error) -> String {
    let source = e
        .raw_os_error()
        .map_or_else(|| io::Error::new(e.kind(), e.to_string()), io::Error::from_raw_os_error);
    sentence(&About { what, path, source })
}

fn read(path: &Path) -> io::Result<String> {
    let mut octets = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Whole or not at all. The new file is made, never followed: what lies there under its name may be a trap.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path, ".new");
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What is half written helps nobody; it may be all that fits on the disk.
        let _ = fs::remove_file(&new);
    }
    written
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// The wall clock: the only one that goes on while this program does not run.
fn unix() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "Unix times in milliseconds fit into an f64")]
    let now = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
    now
}

/// A file of the future is one of a clock that was wrong: taken as new.
fn age(saved: f64) -> Duration {
    Duration::try_from_secs_f64(unix() - saved).unwrap_or_default()
}

fn taken_up(path: &Path, memory: &Memory, age: Duration) -> String {
    let hosts: usize = memory
        .nodes
        .iter()
        .flat_map(|n| &n.paths)
        .map(|p| p.clients.len() + p.servers.len())
        .sum();
    let minutes = age.as_secs() / 60;
    format!(
        "what was learned until {minutes} min ago is taken up from {}: {} nodes, {hosts} hosts",
        path.display(),
        memory.nodes.len()
    )
}
