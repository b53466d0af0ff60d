//! One program from its start to its end. Used by `System` alone.
//!
//! Signals go to the process group, which bears the number of its leader: they are sent only while the leader is not yet
//! reaped, or while that has just happened, so that nobody else can have got the number.

use super::super::clock;
use super::super::run::{End, Job};
use super::super::stop::{Stopped, ready};
use super::output::Output;
use super::{prepare, refusal};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, write};
use std::io::{self, PipeWriter};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Programs end unannounced where others hold their output: they are looked at this often, at first and later.
const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(50);
/// Who is not gone so long after SIGKILL hangs in the kernel, and is not waited for.
const LAST: Duration = Duration::from_millis(500);

/// What has been done to end it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing.
    Runs,
    /// SIGTERM.
    Asked,
    /// SIGKILL.
    Killed,
}

/// A program that was started.
#[derive(Debug)]
pub(super) struct Running<'a> {
    child: Option<Child>,
    group: Option<Pid>,
    output: Output,
    input: Option<(PipeWriter, &'a [u8])>,
}

impl<'a> Running<'a> {
    /// Starts it; or a sentence that says why not.
    pub(super) fn start(job: &'a Job) -> Result<Self, String> {
        let (mut command, name) = prepare(job)?;
        let pipes = || -> io::Result<_> {
            let (ours, theirs) = io::pipe()?;
            unblock(&ours)?;
            let input = match job.input.as_slice() {
                [] => None,
                octets => {
                    let (theirs, ours) = io::pipe()?;
                    unblock(&ours)?;
                    Some((theirs, (ours, octets)))
                }
            };
            Ok((ours, theirs.try_clone()?, theirs, input))
        };
        let (output, stdout, stderr, input) = pipes().map_err(|e| refusal(name, &e))?;
        let (stdin, input) = input.unzip();
        command
            .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0);
        let child = command.spawn().map_err(|e| refusal(name, &e))?;
        // `command` holds the program's ends of the pipes: with it they are closed here, or the output would never end.
        drop(command);
        Ok(Self {
            group: i32::try_from(child.id()).ok().map(Pid::from_raw),
            child: Some(child),
            output: Output::new(output),
            input,
        })
    }

    /// Waits for its end, and brings it about at the deadline or when we are stopped.
    pub(super) fn watch(&mut self, deadline: Instant, grace: Duration, stopped: &Stopped) -> End {
        let mut phase = Phase::Runs;
        let mut until = deadline;
        let mut stop = false;
        let mut pause = SOON;
        loop {
            // Of a group that was asked to end others may live on: its leader is let be, for the sake of its number, until
            // nobody holds the output any more.
            if phase != Phase::Asked || self.output.pipe.is_none() {
                match self.reap() {
                    Ok(None) => {}
                    Ok(Some(status)) => {
                        if phase == Phase::Asked {
                            self.signal(Signal::SIGKILL);
                        }
                        self.output.finish();
                        let late = phase != Phase::Runs && !stop;
                        return if late { End::Timeout } else { ended(status) };
                    }
                    Err(e) => {
                        self.signal(Signal::SIGKILL);
                        return End::Spawn(format!(
                            "its end cannot be learned ({e}); do not start pfwatch with SIGCHLD ignored"
                        ));
                    }
                }
            }
            let now = clock::now();
            if now >= until {
                (phase, until) = match phase {
                    Phase::Runs => {
                        self.signal(Signal::SIGTERM);
                        (Phase::Asked, now + grace)
                    }
                    Phase::Asked => {
                        self.signal(Signal::SIGKILL);
                        (Phase::Killed, now + LAST)
                    }
                    Phase::Killed => {
                        self.abandon();
                        return if stop {
                            End::Signal(Signal::SIGKILL as i32)
                        } else {
                            End::Timeout
                        };
                    }
                };
                pause = SOON;
                continue;
            }
            let awake = if phase == Phase::Runs { Some(stopped) } else { None };
            let open = self.output.pipe.is_some();
            if self.wait(pause.min(until - now), awake) {
                stop = true;
                until = now;
            }
            let closed = open && self.output.pipe.is_none();
            pause = if closed { SOON } else { (pause * 2).min(LATER) };
        }
    }

    /// What it said.
    pub(super) fn output(self) -> Vec<u8> {
        self.output.into_octets()
    }

    /// Waits a little for something to read or to write, and does so; whether we are stopped.
    fn wait(&mut self, length: Duration, stopped: Option<&Stopped>) -> bool {
        let asked = [
            self.output.pipe.as_ref().map(|p| (p.as_fd(), PollFlags::POLLIN)),
            self.input.as_ref().map(|(p, _)| (p.as_fd(), PollFlags::POLLOUT)),
            stopped.map(|s| (s.as_fd(), PollFlags::POLLIN)),
        ];
        let [readable, writable, stop] = ready(asked, length);
        if readable {
            self.output.read();
        }
        if writable {
            self.feed();
        }
        stop
    }

    /// Writes as much as it takes; closes when all is written or nobody reads.
    fn feed(&mut self) {
        use nix::errno::Errno;
        let Some((pipe, octets)) = &mut self.input else { return };
        match write(&*pipe, octets) {
            Ok(n) => *octets = octets.get(n..).unwrap_or_default(),
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            Err(_) => *octets = &[],
        }
        if octets.is_empty() {
            self.input = None;
        }
    }

    fn reap(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// To all of them. An error means that nobody is left, or that they are not ours to kill: both show by themselves.
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = killpg(group, signal);
        }
    }

    /// Leaves it to a thread that waits until the kernel lets it go, so that no zombie stays.
    fn abandon(&mut self) {
        self.output.finish();
        if let Some(mut child) = self.child.take() {
            let waiting = thread::Builder::new().name("reaper".into());
            // Without a thread a zombie is left, which is the least that is wrong then.
            let _ = waiting.spawn(move || child.wait());
        }
    }
}

fn unblock(pipe: &impl AsFd) -> io::Result<()> {
    fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Exit(-1),
    }
}
