//! A daemon that knows what it is told, and a pfwatch that asks it wherever a script thinks it is asking the usual one.

use crate::{BUILT, Stage};
use pfwatch::control::{Clock, Order, Server};
use pfwatch::status::board::Board;
use pfwatch::status::{Node, Path, Probe, Status};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

pub(super) struct Daemon {
    clock: Clock,
    board: Arc<Board>,
    _server: Server,
    _orders: Receiver<Order>,
}

impl Daemon {
    /// Its socket is `s` on the stage.
    pub(super) fn start(stage: &Stage, status: Status) -> Self {
        let clock = Clock::start();
        let board = Arc::new(Board::new(status, clock.now()));
        let (sender, orders) = sync_channel(1);
        let server = Server::start(&stage.path("s"), None, Arc::clone(&board), clock, sender);
        Self {
            clock,
            board,
            _server: server.unwrap(),
            _orders: orders,
        }
    }

    /// From now on it knows this.
    pub(super) fn knows(&self, status: Status) {
        assert!(self.board.publish(status, self.clock.now()));
    }
}

/// A script that stands for the installed binary and asks the daemon of this stage.
pub(super) fn pfwatch(stage: &Stage) -> PathBuf {
    let socket = stage.path("s");
    stage.script(
        "pfwatch",
        &format!("#!/bin/sh\nexec '{BUILT}' \"$@\" --socket '{}'\n", socket.display()),
    )
}

/// It becomes true. Who asks and is late himself is told that all is well, and a busy machine may be late once.
pub(super) fn soon(mut is: impl FnMut() -> bool) -> bool {
    (0..20).any(|_| is())
}

/// A pair of which one node may be down, seen from a node whose probe may fail.
pub(super) fn pair(down: Option<&str>, probe: &str) -> Status {
    let node = |name: &str| {
        let health = if down == Some(name) { "down" } else { "up" };
        Node {
            address: format!("address of {name}"),
            name: Some(name.into()),
            health: health.into(),
            frames: 1,
            paths: vec![Path {
                critical: true,
                health: health.into(),
                reason: Some("nothing comes back".into()),
                ..Path::default()
            }],
            ..Node::default()
        }
    };
    Status {
        schema: 1,
        role: "backup".into(),
        nodes: vec![node("fw1"), node("fw2")],
        probes: vec![Probe {
            name: "internet".into(),
            about: "self".into(),
            state: probe.into(),
            since: None,
        }],
        ..Status::default()
    }
}
