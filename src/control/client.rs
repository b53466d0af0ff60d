//! The client's side: one question, one answer, and never longer than the caller can wait.
//!
//! Used by the commands. Every step has the same deadline: neither a daemon that hangs nor a full queue makes it longer.

use super::clock::{Clock, timeout};
use super::protocol::{Reply, Request};
use crate::time::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, socket};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// No answer is longer, in octets.
const LONGEST: usize = 64 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Absent {
    /// No file, or nobody behind it.
    #[error("nobody answers")]
    Nobody,
    /// The file is not for us.
    #[error("it is not for this user")]
    Denied,
    /// The deadline came first.
    #[error("no answer came in time")]
    Late,
    /// It hung up, or said what we do not understand.
    #[error("its answer cannot be understood")]
    Garbled,
    /// Anything else.
    #[error("the socket failed")]
    Broken(#[source] io::Error),
}

impl From<io::Error> for Absent {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Self::Nobody,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Garbled,
            _ => Self::Broken(e),
        }
    }
}

impl From<Errno> for Absent {
    fn from(e: Errno) -> Self {
        io::Error::from(e).into()
    }
}

/// Asks, and gives the line that was answered.
///
/// # Errors
/// See [`Absent`].
pub fn ask(path: &Path, request: &Request, clock: &Clock, until: Timestamp) -> Result<Vec<u8>, Absent> {
    let mut line = serde_json::to_vec(request).map_err(|e| Absent::Broken(e.into()))?;
    line.push(b'\n');
    let mut stream = connect(path, clock, until)?;
    write(&mut stream, &line, clock, until)?;
    read(&mut stream, clock, until)
}

/// The same, understood.
///
/// # Errors
/// See [`Absent`].
pub fn converse(path: &Path, request: &Request, clock: &Clock, until: Timestamp) -> Result<Reply, Absent> {
    let line = ask(path, request, clock, until)?;
    serde_json::from_slice(&line).map_err(|_| Absent::Garbled)
}

pub(super) fn connect(path: &Path, clock: &Clock, until: Timestamp) -> Result<UnixStream, Absent> {
    let address = UnixAddr::new(path)?;
    let stream = UnixStream::from(socket(
        AddressFamily::Unix,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?);
    loop {
        // Where the queue is full, whoever waits in the kernel gets his turn; who tries again and again is too late each
        // time. A BSD refuses at once.
        stream.set_write_timeout(Some(left(clock, until)?))?;
        match connect_to(stream.as_raw_fd(), &address) {
            Ok(()) | Err(Errno::EISCONN) => break,
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(e) => return Err(e.into()),
        }
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn left(clock: &Clock, until: Timestamp) -> Result<Duration, Absent> {
    let left = until.since(clock.now());
    if left.is_zero() { Err(Absent::Late) } else { Ok(left) }
}

fn wait(stream: &UnixStream, what: PollFlags, clock: &Clock, until: Timestamp) -> Result<(), Absent> {
    loop {
        let left = left(clock, until)?;
        match poll(&mut [PollFd::new(stream.as_fd(), what)], timeout(left)) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}

fn write(stream: &mut UnixStream, mut line: &[u8], clock: &Clock, until: Timestamp) -> Result<(), Absent> {
    while !line.is_empty() {
        match stream.write(line) {
            Ok(n) => line = line.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(stream, PollFlags::POLLOUT, clock, until)?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // Whoever hangs up may have said why before.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

fn read(stream: &mut UnixStream, clock: &Clock, until: Timestamp) -> Result<Vec<u8>, Absent> {
    let mut line = Vec::new();
    let mut piece = [0; 16 * 1024];
    while line.last() != Some(&b'\n') {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => line.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(stream, PollFlags::POLLIN, clock, until)?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
        if line.len() > LONGEST {
            return Err(Absent::Garbled);
        }
    }
    if line.last() == Some(&b'\n') {
        Ok(line)
    } else {
        Err(Absent::Garbled)
    }
}
