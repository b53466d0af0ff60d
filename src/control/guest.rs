//! One connection: what was heard so far, what is still to be said, and until when.
//!
//! Moved on by the server's thread whenever its socket is ready; never waits. Holds at most one request and one reply.

use super::clock::Clock;
use super::order::{Bell, Order, Reason};
use super::peer::may_order;
use super::protocol::{LONGEST, Reply, Request, parse};
use crate::status::board::Board;
use crate::time::Timestamp;
use nix::poll::PollFlags;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::Duration;

/// To say what one wants.
const HEARING: Duration = Duration::from_secs(1);
/// To listen to the answer.
const TELLING: Duration = Duration::from_secs(2);

/// What every guest is answered from.
pub(super) struct Desk {
    pub(super) board: Arc<Board>,
    pub(super) orders: SyncSender<Order>,
    pub(super) bell: Bell,
    pub(super) clock: Clock,
}

/// See the module.
pub(super) struct Guest {
    pub(super) stream: UnixStream,
    stage: Stage,
    /// Then it goes, done or not.
    pub(super) until: Timestamp,
}

enum Stage {
    Hearing(Vec<u8>),
    Waiting(Receiver<Reply>),
    Telling(Vec<u8>, usize),
}

impl Guest {
    pub(super) fn new(stream: UnixStream, now: Timestamp) -> Self {
        Self {
            stream,
            stage: Stage::Hearing(Vec::new()),
            until: now + HEARING,
        }
    }

    /// What its socket must be ready for.
    pub(super) fn wants(&self) -> PollFlags {
        match self.stage {
            Stage::Hearing(_) => PollFlags::POLLIN,
            Stage::Waiting(_) => PollFlags::empty(),
            Stage::Telling(..) => PollFlags::POLLOUT,
        }
    }

    /// The loop carries out its order.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_))
    }

    /// Goes on as far as it can without waiting. False: it is done.
    pub(super) fn advance(&mut self, desk: &Desk) -> bool {
        if matches!(self.stage, Stage::Hearing(_)) && !self.hear(desk) {
            return false;
        }
        if let Stage::Waiting(reply) = &self.stage {
            match reply.try_recv() {
                Ok(reply) => self.tell(desk, &reply),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => {
                    self.tell(
                        desk,
                        &Reply::refused(Reason::Unable, "the daemon is ending, so nothing is done"),
                    );
                }
            }
        }
        self.write()
    }

    /// Its time is over. False: it goes; otherwise it is told so.
    pub(super) fn expire(&mut self, desk: &Desk) -> bool {
        if !self.is_waiting() {
            return false;
        }
        let text = "the daemon has not done it yet and may still do it: look at `pfwatch status`";
        self.tell(desk, &Reply::refused(Reason::Busy, text));
        self.write()
    }

    fn tell(&mut self, desk: &Desk, reply: &Reply) {
        self.stage = Stage::Telling(reply.line(), 0);
        self.until = desk.clock.now() + TELLING;
    }

    fn hear(&mut self, desk: &Desk) -> bool {
        let mut piece = [0; LONGEST + 1];
        loop {
            let Stage::Hearing(heard) = &mut self.stage else {
                return true;
            };
            let ended = match self.stream.read(&mut piece) {
                Ok(n) => {
                    heard.extend_from_slice(piece.get(..n).unwrap_or_default());
                    n == 0
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return false,
            };
            let line = heard.iter().position(|b| *b == b'\n');
            let length = line.unwrap_or(heard.len());
            if length > LONGEST {
                let text = format!("the request is longer than {LONGEST} octets: write one short line");
                self.tell(desk, &Reply::refused(Reason::Usage, text));
            } else if line.is_some() || (ended && length > 0) {
                let request = parse(heard.get(..length).unwrap_or_default());
                self.serve(desk, request);
            } else if ended {
                return false;
            }
        }
    }

    fn serve(&mut self, desk: &Desk, request: Result<Request, String>) {
        let reply = match request {
            Err(text) => Reply::refused(Reason::Usage, text),
            Ok(Request::Status) => Reply::Status {
                status: Box::new(desk.board.status(desk.clock.now())),
            },
            Ok(Request::Check { node }) => {
                let (status, age) = desk.board.read(desk.clock.now());
                Reply::check(&status, age, node.as_deref())
            }
            Ok(_) if !may_order(&self.stream) => {
                let text = "only root and the user that the daemon runs as may change anything: become one of them";
                Reply::refused(Reason::Permission, text)
            }
            Ok(request) => match self.hand_on(desk, request) {
                Ok(()) => return,
                Err(reply) => reply,
            },
        };
        self.tell(desk, &reply);
    }

    fn hand_on(&mut self, desk: &Desk, request: Request) -> Result<(), Reply> {
        let patience = request.patience();
        let (order, reply) = Order::new(request, desk.bell.clone());
        match desk.orders.try_send(order) {
            Ok(()) => {
                self.stage = Stage::Waiting(reply);
                self.until = desk.clock.now() + patience;
                Ok(())
            }
            Err(TrySendError::Full(_)) => {
                let text = "the daemon has not done yet what it was told before: try again in a moment";
                Err(Reply::refused(Reason::Busy, text))
            }
            Err(TrySendError::Disconnected(_)) => Err(Reply::refused(
                Reason::Unable,
                "the daemon is ending, so nothing is done",
            )),
        }
    }

    fn write(&mut self) -> bool {
        let Stage::Telling(line, told) = &mut self.stage else {
            return true;
        };
        while let Some(rest) = line.get(*told..).filter(|r| !r.is_empty()) {
            match self.stream.write(rest) {
                Ok(n) => *told += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        false
    }
}
