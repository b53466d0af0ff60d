//! What an operator may order while the daemon runs: maintenance, undo, a try of a hook.
//!
//! Called by `desk`, on the loop's own thread, so nothing here waits: what takes time keeps the [`Order`] and answers it
//! from a thread of its own. THE SEAM: whoever acts puts his own `undo` and `test_hook` here and adds what he knows to
//! `facts`; `maintenance` says whether he may act.

use crate::config::Config;
use crate::control::{Order, Reason, Reply, Request};
use crate::status::{Facts, Maintenance};
use crate::time::Timestamp;
use std::time::Duration;

/// What is said of anything that would need them.
const NOTHING: &str = "no preset and no hooks are configured";
const OBSERVES: &str = "this version never acts";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Orders {
    dry_run: bool,
    configured: bool,
    maintenance: Option<(Timestamp, Option<Timestamp>)>,
}

impl Orders {
    pub(super) fn new(config: &Config, dry_run: bool) -> Self {
        let mut orders = Self {
            dry_run,
            ..Self::default()
        };
        orders.reload(config);
        orders
    }

    /// The configuration was loaded anew. Maintenance goes on.
    pub(super) fn reload(&mut self, config: &Config) {
        let hooks = &config.hooks;
        let any = [&hooks.promote, &hooks.demote, &hooks.restore, &hooks.notify];
        self.configured = config.actions.preset.is_some() || any.iter().any(|h| !h.is_empty());
    }

    /// Maintenance may end by itself; true if it did just now.
    pub(super) fn tick(&mut self, now: Timestamp) -> bool {
        let over = self
            .maintenance
            .is_some_and(|(_, until)| until.is_some_and(|t| now >= t));
        if over {
            self.maintenance = None;
            tracing::warn!("maintenance is over");
        }
        over
    }

    /// Carries it out, or says why not.
    pub(super) fn carry_out(&mut self, now: Timestamp, order: Order) {
        let reply = match &order.request {
            Request::Maintenance { on: true, seconds } => self.begin(now, *seconds),
            Request::Maintenance { on: false, .. } => self.end(),
            Request::Undo => self.undo(),
            Request::TestHook { action, .. } => self.test_hook(action),
            Request::Status | Request::Check { .. } => Reply::refused(Reason::Usage, "this is no order"),
        };
        order.answer(reply);
    }

    fn begin(&mut self, now: Timestamp, seconds: Option<u64>) -> Reply {
        let since = self.maintenance.map_or(now, |(since, _)| since);
        self.maintenance = Some((since, seconds.map(|s| now + Duration::from_secs(s))));
        let end = match seconds {
            Some(s) => format!("for {}", crate::config::format_duration(Duration::from_secs(s))),
            None => "until `pfwatch maintenance off`".into(),
        };
        let text = format!("maintenance {end}: nothing is done, whatever is decided, and `check` finds no fault");
        tracing::warn!("{text}");
        Reply::done(text)
    }

    fn end(&mut self) -> Reply {
        if self.maintenance.take().is_none() {
            return Reply::done("there was no maintenance");
        }
        tracing::warn!("maintenance is over");
        Reply::done("maintenance is over")
    }

    fn undo(&self) -> Reply {
        let why = if self.configured { OBSERVES } else { NOTHING };
        Reply::done(format!("{why}: there is nothing to take back"))
    }

    fn test_hook(&self, action: &str) -> Reply {
        if !["promote", "demote", "restore", "notify"].contains(&action) {
            let text = format!("there is no action {action}; there are promote, demote, restore and notify");
            return Reply::refused(Reason::Usage, text);
        }
        let why = if self.configured { OBSERVES } else { NOTHING };
        Reply::refused(Reason::Unable, format!("{why}: there is nothing to run"))
    }

    /// What the acting part knows, for the snapshot.
    pub(super) fn facts(&self, unix: impl Fn(Timestamp) -> f64) -> Facts {
        Facts {
            acts: false,
            dry_run: self.dry_run,
            maintenance: self.maintenance.map(|(since, until)| Maintenance {
                since: unix(since),
                until: until.map(unix),
            }),
            ..Facts::default()
        }
    }
}
