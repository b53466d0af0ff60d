//! A program that runs on in a namespace, with a log of its own.

use crate::error::LabError;
use crate::net::plan::Place;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// See the module.
#[derive(Debug)]
pub struct Process {
    /// As its log is called.
    pub name: String,
    child: Child,
}

/// Starts a program. What it says is appended to `NAME.log` in the laboratory's folder. `ip netns exec` becomes the program
/// itself, so the pid is the program's.
pub fn spawn(place: &Place, space: &str, name: &str, program: &Path, arguments: &[&str]) -> Result<Process, LabError> {
    let path = place.folder().join(format!("{name}.log"));
    let open = || OpenOptions::new().create(true).append(true).open(&path);
    let fail = |source| LabError::File {
        path: path.clone(),
        source,
    };
    let child = Command::new("ip")
        .args(["netns", "exec", &place.namespace(space)])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(open().map_err(fail)?)
        .stderr(open().map_err(fail)?)
        .spawn()?;
    Ok(Process {
        name: name.to_owned(),
        child,
    })
}

impl Process {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // A process that is gone needs none.
        let _ = kill(self.pid(), signal);
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it, in its own way, and waits for it.
    pub fn end(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
    }

    /// Ends it in no way at all.
    pub fn reap(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
