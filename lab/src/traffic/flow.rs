//! One flow of a client: a connection with some turns, or a lookup with its repetitions.
//!
//! Driven by the crowd: told when its socket is ready and when its time has come. Closes its socket when dropped.

use super::{LONGEST, REQUEST, TCP_PORT, UDP_PORT};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// What a flow is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) from: Ipv4Addr,
    pub(super) to: Ipv4Addr,
    pub(super) kind: Kind,
    /// Octets of each piece of an answer.
    pub(super) size: u16,
    /// Pieces of each answer.
    pub(super) pieces: u16,
    /// Given up when nothing moved for so long.
    pub(super) patience: Duration,
}

/// What kind of flow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A connection: so many requests, so long after each answer.
    Tcp { turns: u32, rest: Duration },
    /// A lookup: asked again so often, each time after this wait.
    Udp { tries: u32, wait: Duration },
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Goes,
    Done,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// So many octets of the answer are to come.
    Waiting(u32),
    /// Until the next request.
    Resting,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Flow {
    socket: Socket,
    plan: Plan,
    stage: Stage,
    /// Turns or tries that are left.
    left: u32,
    /// When something is to be done though nothing came.
    timer: Instant,
    pub(super) began: Instant,
}

impl Flow {
    pub(super) fn open(plan: Plan, now: Instant) -> io::Result<Self> {
        let (kind, port) = match plan.kind {
            Kind::Tcp { .. } => (Type::STREAM, TCP_PORT),
            Kind::Udp { .. } => (Type::DGRAM, UDP_PORT),
        };
        let socket = Socket::new(Domain::IPV4, kind, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddrV4::new(plan.from, 0).into())?;
        match socket.connect(&SocketAddrV4::new(plan.to, port).into()) {
            Ok(()) => {}
            Err(e) if e.raw_os_error() == Some(nix::errno::Errno::EINPROGRESS as i32) => {}
            Err(e) => return Err(e),
        }
        let mut flow = Self {
            socket,
            plan,
            stage: Stage::Connecting,
            left: match plan.kind {
                Kind::Tcp { turns, .. } => turns,
                Kind::Udp { tries, .. } => tries,
            },
            timer: now + plan.patience,
            began: now,
        };
        if let Kind::Udp { .. } = plan.kind {
            flow.ask(now);
        }
        Ok(flow)
    }

    /// Whether it waits to write rather than to read.
    pub(super) fn wants_to_write(&self) -> bool {
        self.stage == Stage::Connecting
    }

    /// When it wants to be called at the latest.
    pub(super) fn deadline(&self) -> Instant {
        self.timer
    }

    /// Something can be read or written.
    pub(super) fn ready(&mut self, now: Instant) -> Fate {
        match self.stage {
            Stage::Connecting => match self.socket.take_error() {
                Ok(None) => self.ask(now),
                _ => Fate::Failed,
            },
            Stage::Waiting(left) => self.read(now, left),
            // Nobody speaks unasked: the other end is gone.
            Stage::Resting => Fate::Failed,
        }
    }

    /// Its time has come, perhaps.
    pub(super) fn tick(&mut self, now: Instant) -> Fate {
        if now < self.timer {
            return Fate::Goes;
        }
        match (self.stage, self.plan.kind) {
            (Stage::Resting, _) => self.ask(now),
            (Stage::Waiting(_), Kind::Udp { .. }) if self.left > 0 => self.ask(now),
            _ => Fate::Failed,
        }
    }

    fn ask(&mut self, now: Instant) -> Fate {
        self.left -= 1;
        let (pieces, size) = (self.plan.pieces.max(1), self.plan.size.clamp(1, LONGEST));
        let [[a, b], [c, d]] = [pieces.to_be_bytes(), size.to_be_bytes()];
        let request: [u8; REQUEST] = [a, b, c, d];
        // A lookup that the net refuses is repeated like one that was lost.
        let sent = (&self.socket).write(&request);
        let lookup = matches!(self.plan.kind, Kind::Udp { .. });
        if !lookup && sent.is_err() {
            return Fate::Failed;
        }
        self.stage = Stage::Waiting(u32::from(pieces) * u32::from(size));
        self.timer = now
            + match self.plan.kind {
                Kind::Tcp { .. } => self.plan.patience,
                Kind::Udp { wait, .. } => wait,
            };
        Fate::Goes
    }

    fn read(&mut self, now: Instant, left: u32) -> Fate {
        let mut buffer = [0; LONGEST as usize];
        let len = match (&self.socket).read(&mut buffer) {
            Ok(0) => return Fate::Failed,
            Ok(len) => u32::try_from(len).unwrap_or(u32::MAX),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Fate::Goes,
            Err(_) if matches!(self.plan.kind, Kind::Udp { .. }) => return Fate::Goes,
            Err(_) => return Fate::Failed,
        };
        let Kind::Tcp { rest, .. } = self.plan.kind else {
            return Fate::Done;
        };
        if len < left {
            self.stage = Stage::Waiting(left - len);
            self.timer = now + self.plan.patience;
            return Fate::Goes;
        }
        if self.left == 0 {
            let _ = self.socket.shutdown(Shutdown::Both);
            return Fate::Done;
        }
        self.stage = Stage::Resting;
        self.timer = now + rest;
        Fate::Goes
    }
}

impl AsFd for Flow {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
