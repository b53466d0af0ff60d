//! The daemon's side: one thread that answers everybody, however many they are and however they behave.
//!
//! Started by `run`. A few dozen guests at a time; when another comes, the one that has been here longest without an order
//! goes, so that silent ones cannot keep anybody out. Every guest has a deadline. No thread is ever made for one.

use super::clock::{Clock, timeout};
use super::guest::{Desk, Guest};
use super::order::{Bell, Order};
use super::socket::SocketFile;
use crate::status::board::Board;
use crate::time::Timestamp;
use nix::poll::{PollFd, PollFlags, poll};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Guests at a time.
const GUESTS: usize = 64;
/// Let in before the others are looked at again.
const AT_ONCE: usize = 16;
/// Where no more files can be opened, somebody must close one first.
const BREATH: Duration = Duration::from_millis(100);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody answers on it.
    #[error(
        "another pfwatch answers on {}: end it first, or give this one a socket of its own with --socket", .0.display()
    )]
    Taken(PathBuf),
    /// Something else bears that name.
    #[error("{} is no socket: set another `socket` in [control], or take it away", .0.display())]
    NoSocket(PathBuf),
    /// It cannot be given to that group.
    #[error("there is no group {0}: correct `group` in [control]")]
    Group(String),
    /// It cannot be made.
    #[error("cannot make the control socket {}", path.display())]
    Make {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Server {
    stop: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
    _file: SocketFile,
}

impl Server {
    /// Makes the socket and answers from `board`, whose times are those of `clock`; what changes something goes to
    /// `orders`.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start(
        path: &Path,
        group: Option<&str>,
        board: Arc<Board>,
        clock: Clock,
        orders: SyncSender<Order>,
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Make {
            path: path.to_owned(),
            source,
        };
        let (file, listener) = SocketFile::make(path, group)?;
        let (woken, bell) = UnixStream::pair().map_err(failed)?;
        woken.set_nonblocking(true).map_err(failed)?;
        bell.set_nonblocking(true).map_err(failed)?;
        let bell = Bell::new(bell);
        let stop = Arc::new(AtomicBool::new(false));
        let house = House {
            listener,
            woken,
            stop: Arc::clone(&stop),
            guests: Vec::new(),
            closed_until: Timestamp::MIN,
            desk: Desk {
                board,
                orders,
                bell: bell.clone(),
                clock,
            },
        };
        let thread = thread::Builder::new().name("control".into());
        let thread = thread.spawn(move || house.keep()).map_err(failed)?;
        Ok(Self {
            stop,
            bell,
            thread: Some(thread),
            _file: file,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // It never waits for anybody.
            let _ = thread.join();
        }
    }
}

/// Why it woke.
struct Found {
    /// Somebody wants in.
    knock: bool,
    /// An order is done: whose, they see for themselves.
    rung: bool,
    /// Each guest can go on.
    ready: Vec<bool>,
}

/// What the thread owns.
struct House {
    listener: UnixListener,
    woken: UnixStream,
    stop: Arc<AtomicBool>,
    guests: Vec<Guest>,
    closed_until: Timestamp,
    desk: Desk,
}

impl House {
    fn keep(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let found = self.wait();
            self.serve(&found);
            if found.knock {
                self.let_in();
            }
        }
    }

    /// Until something is to be done.
    fn wait(&mut self) -> Found {
        let now = self.desk.clock.now();
        let open = now >= self.closed_until;
        let mut due = self.guests.iter().map(|g| g.until).min();
        if !open {
            due = due.into_iter().chain([self.closed_until]).min();
        }
        let door = if open { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::new(self.woken.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.listener.as_fd(), door),
        ];
        fds.extend(self.guests.iter().map(|g| PollFd::new(g.stream.as_fd(), g.wants())));
        let limit = due.map_or(nix::poll::PollTimeout::NONE, |due| timeout(due.since(now)));
        // Interrupted, or short of memory: then nobody is ready, and the deadlines are looked at.
        let found = poll(&mut fds, limit).is_ok();
        let is_ready = |fd: &PollFd<'_>| found && fd.any().unwrap_or(true);
        let rung = fds.first().is_some_and(is_ready);
        let knock = fds.get(1).is_some_and(is_ready);
        let ready = fds.iter().skip(2).map(is_ready).collect();
        drop(fds);
        if rung {
            let _ = self.woken.read(&mut [0; 64]);
        }
        Found { knock, rung, ready }
    }

    fn serve(&mut self, found: &Found) {
        let (desk, now) = (&self.desk, self.desk.clock.now());
        let mut ready = found.ready.iter();
        self.guests.retain_mut(|guest| {
            let ready = *ready.next().unwrap_or(&false);
            // Nothing is wanted of its socket, so it hung up. Its order is carried out all the same.
            if ready && guest.is_waiting() {
                return false;
            }
            let stays = !(ready || (found.rung && guest.is_waiting())) || guest.advance(desk);
            stays && (now < guest.until || guest.expire(desk))
        });
    }

    fn let_in(&mut self) {
        for _ in 0..AT_ONCE {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
                Err(_) => {
                    self.make_room();
                    self.closed_until = self.desk.clock.now() + BREATH;
                    return;
                }
            };
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            let mut guest = Guest::new(stream, self.desk.clock.now());
            // Most have said what they want already, and go at once.
            if guest.advance(&self.desk) {
                if self.guests.len() >= GUESTS {
                    self.make_room();
                }
                self.guests.push(guest);
            }
        }
    }

    /// They stand in the order in which they came.
    fn make_room(&mut self) {
        if let Some(oldest) = self.guests.iter().position(|g| !g.is_waiting()) {
            self.guests.remove(oldest);
        }
    }
}
