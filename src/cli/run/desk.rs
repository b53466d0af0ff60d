//! What outsiders get to see and to order: snapshots for the control socket, and its orders on their way to the loop.
//!
//! Asked by the loop on every round. Nobody behind it is waited for: a snapshot that cannot be left at once is left a
//! moment later, an order that takes time answers for itself.

use super::super::failure::sentence;
use super::acting::Acting;
use super::journal::Journal;
use super::orders::Orders;
use super::plan::Plan;
use crate::capture::Net;
use crate::capture::live::LiveSource;
use crate::config::Control;
use crate::control::{Clock, Order, Server, ServerError};
use crate::engine::Engine;
use crate::event::Event;
use crate::status::board::Board;
use crate::status::history::History;
use crate::status::{Facts, Interface, Status};
use crate::time::Timestamp;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// A snapshot is at most this old when the loop comes by; it does so ten times a second.
const OFTEN: Duration = Duration::from_millis(200);
/// Orders that wait for the loop, at most.
const ORDERS: usize = 8;

/// See the module.
pub(super) struct Desk {
    control: Control,
    clock: Clock,
    board: Arc<Board>,
    server: Option<Server>,
    to_orders: SyncSender<Order>,
    from_clients: Receiver<Order>,
    pub(super) orders: Orders,
    history: History,
    started: Timestamp,
    last: Timestamp,
    /// Something happened that is not on the board yet.
    news: bool,
}

impl Desk {
    /// Opens. A socket that another daemon answers on is an error; without any other socket it is watched all the same.
    pub(super) fn open(control: &Control, orders: Orders, now: Timestamp) -> Result<Self, ServerError> {
        let (to_orders, from_clients) = sync_channel(ORDERS);
        let clock = Clock::start();
        let first = Status {
            schema: 1,
            version: env!("CARGO_PKG_VERSION").into(),
            started: now.as_secs_f64(),
            at: now.as_secs_f64(),
            role: "unknown".into(),
            ..Status::default()
        };
        let mut desk = Self {
            control: control.clone(),
            clock,
            board: Arc::new(Board::new(first, clock.now())),
            server: None,
            to_orders,
            from_clients,
            orders,
            history: History::default(),
            started: now,
            last: Timestamp::MIN,
            news: true,
        };
        match desk.serve(control) {
            Ok(server) => desk.server = Some(server),
            Err(e @ ServerError::Taken(_)) => return Err(e),
            Err(e) => tracing::warn!("{}; `status`, `check` and orders will not work", sentence(&e)),
        }
        Ok(desk)
    }

    fn serve(&self, control: &Control) -> Result<Server, ServerError> {
        let (board, orders) = (Arc::clone(&self.board), self.to_orders.clone());
        Server::start(&control.socket, control.group.as_deref(), board, self.clock, orders)
    }

    /// For those who show the snapshot, and the clock by which it ages.
    pub(super) fn board(&self) -> (Arc<Board>, Clock) {
        (Arc::clone(&self.board), self.clock)
    }

    /// The configuration was loaded anew: the new socket is there before the old one goes, or the old one stays.
    pub(super) fn move_to(&mut self, control: &Control) {
        if *control == self.control && self.server.is_some() {
            return;
        }
        if control.socket == self.control.socket {
            // Its own file would keep it out.
            self.server = None;
        }
        match self.serve(control) {
            Ok(server) => self.server = Some(server),
            Err(e) => tracing::warn!("{}", sentence(&e)),
        }
        self.control = control.clone();
    }

    /// Another engine from now on.
    pub(super) fn forget(&mut self) {
        self.history.forget();
        self.news = true;
    }

    /// Something happened that shall be on the board at once.
    pub(super) const fn news(&mut self) {
        self.news = true;
    }

    /// An event of the engine.
    pub(super) fn event(&mut self, event: &Event, engine: &Engine, journal: &Journal) {
        self.history.note(event, engine, |t| unix(journal, t));
        self.news = true;
    }

    /// Carries out what was ordered, and leaves a snapshot if it is time to.
    pub(super) fn tick(
        &mut self,
        now: Timestamp,
        engine: &mut Engine,
        acting: &mut Acting,
        (source, plan, journal): (&LiveSource, &Plan, &Journal),
    ) {
        self.news |= self.orders.tick(now, engine);
        while let Ok(order) = self.from_clients.try_recv() {
            self.orders.carry_out(now, order, engine, acting);
            self.news = true;
        }
        for result in acting.fresh() {
            self.history.done(&result);
        }
        if !self.news && now.since(self.last) < OFTEN {
            return;
        }
        self.history.tick(now, engine, |t| unix(journal, t));
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION").into(),
            started: unix(journal, self.started),
            interfaces: interfaces(source, plan),
            acts: acting.acts(),
            dry_run: self.orders.is_dry_run(),
            unable: acting.unable(),
            ledger_unknown: acting.closed(),
            maintenance: self.orders.maintenance(|t| unix(journal, t)),
            ledger: acting.ledger(),
            actions: acting.results(),
            probes: acting.probes(engine, |t| unix(journal, t)),
            own_demotion: acting.own_demotion(),
        };
        let status = Status::of(engine, &self.history, facts, now, |t| unix(journal, t));
        if self.board.publish(status, self.clock.now()) {
            (self.last, self.news) = (now, false);
        }
    }
}

/// Seconds to the microsecond, which is what an f64 holds.
fn unix(journal: &Journal, at: Timestamp) -> f64 {
    (journal.unix(at).as_secs_f64() * 1e6).round() / 1e6
}

fn interfaces(source: &LiveSource, plan: &Plan) -> Vec<Interface> {
    let now = source.now();
    let segment = |i: usize| plan.settings.segments.get(i).map_or("?", |s| s.name.as_str());
    let interface = |i: &Arc<crate::capture::live::Interface>| Interface {
        interface: i.name().to_owned(),
        net: match i.net() {
            Net::Sync => "sync".into(),
            Net::Segment(n) => segment(n).to_owned(),
        },
        up: i.is_up(),
        frames: i.frames(),
        dropped: i.dropped(),
        behind: now.since(i.alive()).as_secs_f64(),
    };
    source.interfaces().iter().map(interface).collect()
}
