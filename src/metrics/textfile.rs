//! The metrics as a file for the textfile collector of node_exporter: where no port may be open.
//!
//! One thread of its own, because a disk may hang. The file is replaced whole, so that nobody reads half of it, and it is gone
//! after an orderly end, so that nobody takes old news for new.

use crate::status::Status;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Its name, which ends as node_exporter wants it.
pub const NAME: &str = "pfwatch.prom";
/// Scrapes are seldom more often.
const EVERY: Duration = Duration::from_secs(5);

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum TextfileError {
    /// It cannot be written.
    #[error("cannot write {}: give --textfile the directory that node_exporter reads", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to be written.
    #[error("cannot make the metrics")]
    Render(#[from] prometheus::Error),
}

/// Writes until it is dropped.
#[derive(Debug)]
pub struct Textfile {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Textfile {
    /// Writes once, to know that it can, and from then on every few seconds. `trouble` is told when that begins to fail, and
    /// `read` gives the snapshot.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn start(
        folder: &Path,
        read: impl Fn() -> Status + Send + 'static,
        trouble: impl Fn(&TextfileError) + Send + 'static,
    ) -> Result<Self, TextfileError> {
        let folder = folder.to_owned();
        write(&folder, &read())?;
        let (stop, stopped) = channel();
        let path = folder.join(NAME);
        let keep = move || {
            let mut well = true;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let written = write(&folder, &read());
                if let Err(e) = &written
                    && well
                {
                    trouble(e);
                }
                well = written.is_ok();
            }
            let _ = fs::remove_file(folder.join(NAME));
        };
        let thread = thread::Builder::new().name("textfile".into()).spawn(keep);
        let thread = thread.map_err(|source| TextfileError::Write { path, source })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Textfile {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(folder: &Path, status: &Status) -> Result<(), TextfileError> {
    let text = super::render(status)?;
    let (path, new) = (folder.join(NAME), folder.join(format!("{NAME}.new")));
    let written = File::create(&new).and_then(|mut f| f.write_all(text.as_bytes()));
    let written = written.and_then(|()| fs::rename(&new, &path));
    written.map_err(|source| TextfileError::Write { path, source })
}
