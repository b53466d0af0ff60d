//! The real `Run`: starts programs and sees to it that they end.
//!
//! Called by the worker of the queue and by the threads of the probes, never by the loop that listens: it waits. Knows
//! nothing of what the programs are for.

mod output;
mod running;
#[cfg(test)]
mod tests;

use super::clock;
use super::run::{Done, End, Job, Run};
use super::stop::Stopped;
use crate::config::model::Command;
use nix::unistd::{AccessFlags, access};
use running::Running;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

/// Where the programs of a system are that was started without a PATH, as rc(8) does.
const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
/// Between asking a process group to end and ending it.
const GRACE: Duration = Duration::from_millis(500);

/// Runs programs on this host, one at a time.
#[derive(Debug)]
pub struct System {
    stopped: Stopped,
    grace: Duration,
}

impl System {
    /// One that ends what runs, and starts nothing more, when it is stopped.
    #[must_use]
    pub const fn new(stopped: Stopped) -> Self {
        Self { stopped, grace: GRACE }
    }

    /// One whose programs have nothing to tidy up: they are killed without being asked first.
    #[must_use]
    pub const fn without_grace(stopped: Stopped) -> Self {
        let grace = Duration::ZERO;
        Self { stopped, grace }
    }
}

impl Run for System {
    fn run(&mut self, job: &Job) -> Done {
        let began = clock::now();
        let mut output = Vec::new();
        let end = if self.stopped.is() {
            End::Spawn("pfwatch is ending or was reloaded, run it again afterwards".into())
        } else {
            match Running::start(job) {
                Ok(mut running) => {
                    let end = running.watch(clock::after(began, job.timeout), self.grace, &self.stopped);
                    output = running.output();
                    end
                }
                Err(why) => End::Spawn(why),
            }
        };
        Done {
            end,
            output,
            took: clock::now().saturating_duration_since(began),
        }
    }
}

/// The program with its arguments and environment, and what to call it.
fn prepare(job: &Job) -> Result<(process::Command, &str), String> {
    let (name, arguments) = match &job.command {
        Command::Argv(argv) => {
            let (name, arguments) = argv.split_first().ok_or("the command is empty, name a program")?;
            (name.as_str(), arguments.iter().map(String::as_str).collect())
        }
        Command::Shell(line) => ("sh", vec!["-c", line]),
    };
    let mut command = process::Command::new(name);
    command.args(arguments);
    if let Some(path) = path(std::env::var_os("PATH").as_deref()) {
        command.env("PATH", path);
    }
    command.envs(job.env.iter().map(|(key, value)| (key, value)));
    Ok((command, name))
}

/// The program that a command with this name would start, if there is one that we may execute.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let may = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|p| may(p));
    }
    let inherited = std::env::var_os("PATH");
    let folders = path(inherited.as_deref()).map_or(inherited.clone().unwrap_or_default(), Into::into);
    std::env::split_paths(&folders).map(|f| f.join(name)).find(|p| may(p))
}

/// What PATH must be set to, if it is not inherited.
fn path(inherited: Option<&OsStr>) -> Option<&'static str> {
    inherited.is_none_or(OsStr::is_empty).then_some(PATH)
}

/// Why a program could not be started, and what to do about it.
fn refusal(name: &str, error: &io::Error) -> String {
    use nix::errno::Errno;
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT) => format!(
            "there is no program `{name}`, or not the interpreter that its first line names; install it or give its full path"
        ),
        Some(Errno::EACCES) => format!("`{name}` may not be executed; check its mode (chmod +x) and its owner"),
        Some(Errno::ENOEXEC) => {
            format!("`{name}` is no program; a script needs a first line that names its interpreter, as #!/bin/sh does")
        }
        Some(Errno::E2BIG) => format!("`{name}` is given more arguments and environment than this system allows"),
        Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE) => {
            format!("the system has no room for `{name}` ({error}); see the limits of processes, memory and files")
        }
        _ => format!("`{name}`: {error}"),
    }
}
