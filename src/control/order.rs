//! What changes something: a request on its way to the daemon's loop, and the way of the answer back.
//!
//! Made by the server for whoever may, carried out by the loop or by whom it hands the order to, from any thread. An order
//! that is dropped is answered too.

use super::protocol::{Reply, Request};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

pub use super::protocol::Why as Reason;

/// See the module.
#[derive(Debug)]
pub struct Order {
    /// What is to be done: `Maintenance`, `Undo` or `TestHook`.
    pub request: Request,
    /// Until it is dropped.
    answer: Option<SyncSender<Reply>>,
    bell: Bell,
}

impl Order {
    pub(super) fn new(request: Request, bell: Bell) -> (Self, Receiver<Reply>) {
        let (answer, reply) = sync_channel(1);
        let order = Self {
            request,
            answer: Some(answer),
            bell,
        };
        (order, reply)
    }

    /// Tells whoever asked. Never waits; if nobody listens any more, nobody is told.
    pub fn answer(self, reply: Reply) {
        if let Some(answer) = &self.answer {
            let _ = answer.try_send(reply);
        }
    }
}

impl Drop for Order {
    fn drop(&mut self) {
        // First: whoever is woken and finds neither an answer nor its end would wait for ever.
        self.answer = None;
        self.bell.ring();
    }
}

/// Wakes the server's thread.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<UnixStream>);

impl Bell {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(Arc::new(stream))
    }

    pub(super) fn ring(&self) {
        // Full: then it rings already. Closed: then nobody is to be woken.
        let _ = (&*self.0).write(&[1]);
    }
}
