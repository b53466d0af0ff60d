//! What an operator may order while the daemon runs: maintenance, undo, a try of a hook.
//!
//! Called by `desk`, on the loop's own thread, so nothing here waits: what takes time goes to `acting`, which answers the
//! [`Order`] when it is done.

use super::acting::Acting;
use crate::control::{Order, Reason, Reply, Request};
use crate::engine::Engine;
use crate::status::Maintenance;
use crate::time::Timestamp;
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(super) struct Orders {
    dry_run: bool,
    maintenance: Option<(Timestamp, Option<Timestamp>)>,
}

impl Orders {
    pub(super) const fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            maintenance: None,
        }
    }

    pub(super) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// A new engine is to know what goes on.
    pub(super) fn resume(&self, now: Timestamp, engine: &mut Engine) {
        if self.maintenance.is_some() {
            engine.maintenance(now, true);
        }
    }

    /// Maintenance may end by itself; true if it did just now.
    pub(super) fn tick(&mut self, now: Timestamp, engine: &mut Engine) -> bool {
        let over = self
            .maintenance
            .is_some_and(|(_, until)| until.is_some_and(|t| now >= t));
        if over {
            self.maintenance = None;
            engine.maintenance(now, false);
        }
        over
    }

    /// Carries it out, hands it on, or says why not.
    pub(super) fn carry_out(&mut self, now: Timestamp, order: Order, engine: &mut Engine, acting: &mut Acting) {
        let reply = match order.request.clone() {
            Request::Maintenance { on: true, seconds } => self.begin(now, seconds, engine),
            Request::Maintenance { on: false, .. } => self.end(now, engine),
            Request::Undo => return acting.undo(now, order, engine),
            Request::TestHook { action, dry_run } if self.dry_run && !dry_run => Reply::refused(
                Reason::Unable,
                format!("pfwatch runs with --dry-run, so nothing is run: `pfwatch test-hook {action} --dry-run`"),
            ),
            Request::TestHook { action, dry_run } => return acting.test_hook(order, &action, dry_run, engine),
            Request::Status | Request::Check { .. } => Reply::refused(Reason::Usage, "this is no order"),
        };
        order.answer(reply);
    }

    fn begin(&mut self, now: Timestamp, seconds: Option<u64>, engine: &mut Engine) -> Reply {
        let since = self.maintenance.map_or(now, |(since, _)| since);
        self.maintenance = Some((since, seconds.map(|s| now + Duration::from_secs(s))));
        engine.maintenance(now, true);
        let end = match seconds {
            Some(s) => format!("for {}", crate::config::format_duration(Duration::from_secs(s))),
            None => "until `pfwatch maintenance off`".into(),
        };
        let text = format!("maintenance {end}: nothing is done, whatever happens, and `check` finds no fault");
        tracing::warn!("{text}");
        Reply::done(text)
    }

    fn end(&mut self, now: Timestamp, engine: &mut Engine) -> Reply {
        if self.maintenance.take().is_none() {
            return Reply::done("there was no maintenance");
        }
        engine.maintenance(now, false);
        Reply::done("maintenance is over")
    }

    /// Since when and until when, for the snapshot.
    pub(super) fn maintenance(&self, unix: impl Fn(Timestamp) -> f64) -> Option<Maintenance> {
        self.maintenance.map(|(since, until)| Maintenance {
            since: unix(since),
            until: until.map(unix),
        })
    }
}
