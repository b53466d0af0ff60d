//! `pfwatch run`: the daemon, in the foreground. It listens, and logs what happens and what should be done about it.
//!
//! Owns the loop that a live source and the engine go round in, and the signals. What to listen to is the business of
//! `plan`, what is done about it that of `acting`, what is said that of `journal` and `counts`, and how it looks that of
//! `layout`.

mod acting;
mod counts;
mod desk;
mod journal;
mod layout;
mod orders;
pub(super) mod plan;
mod service;
mod signals;
mod state;
mod web;

pub(super) use layout::start as start_log;

use super::failure::report_problems;
use super::output::Stream;
use super::{Common, Failure, exit};
use crate::capture::live::LiveSource;
use crate::capture::{GapCause, SourceError};
use crate::control::ServerError;
use crate::drive;
use crate::engine::Engine;
use crate::settings::Settings;
use crate::time::Timestamp;
use acting::Acting;
use counts::Counts;
use desk::Desk;
use journal::Journal;
use orders::Orders;
use plan::{Plan, Refused};
use service::Service;
use signals::Signals;
use state::State;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;
use web::{NoWeb, Outlets};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Configuration; without one, and without --interface, /etc/pfwatch.toml
    #[arg(short, long, value_name = "CONF")]
    config: Option<PathBuf>,
    /// The interface of the sync network, instead of those of the configuration; may be given several times
    #[arg(long, value_name = "IF")]
    interface: Vec<String>,
    /// Where what was learned survives a restart, instead of `memory` in [detect] of the configuration
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The control socket, instead of `socket` in [control] of the configuration
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(flatten)]
    web: web::Flags,
    /// Decide, but do nothing
    #[arg(long)]
    dry_run: bool,
    /// Only check the configuration; with -v print it back with all defaults
    #[arg(short = 'n', long)]
    no_run: bool,
}

impl Args {
    /// It will write a log, rather than answer somebody who waits.
    pub(super) const fn is_daemon(&self) -> bool {
        !self.no_run
    }

    fn plan(&self) -> Result<Plan, Refused> {
        let mut plan = Plan::make(self.config.as_deref(), &self.interface)?;
        if let Some(socket) = &self.socket {
            plan.config.control.socket.clone_from(socket);
        }
        Ok(plan)
    }

    fn memory(&self, plan: &Plan) -> Option<PathBuf> {
        self.state.clone().or_else(|| plan.config.detect.memory.clone())
    }
}

/// Runs.
pub(super) fn run(args: &Args, common: &Common) -> Result<u8, Failure> {
    let plan = match args.plan() {
        Ok(plan) => plan,
        Err(refused) => return Ok(refused.report()),
    };
    plan.warn();
    if args.no_run {
        let text = if common.verbose > 0 {
            plan.config.to_toml()
        } else {
            "configuration OK\n".into()
        };
        Stream::flush(&mut text.into_bytes())?;
        return Ok(exit::OK);
    }
    // Before the interfaces, so that no signal finds nobody.
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(e) => {
            tracing::error!("cannot catch signals: {e}");
            return Ok(exit::UNAVAILABLE);
        }
    };
    match Daemon::start(plan, args, common) {
        Ok(mut daemon) => Ok(daemon.watch(args, &signals)),
        Err(Unstarted::Source(e)) => Ok(refused(e)),
        Err(Unstarted::Control(e)) => {
            tracing::error!("{e}");
            Ok(exit::UNAVAILABLE)
        }
        Err(Unstarted::Threads(e)) => {
            tracing::error!("the system has no thread or pipe left ({e}): see the limits of processes and files");
            Ok(exit::UNAVAILABLE)
        }
        Err(Unstarted::Web(e)) => Ok(e.report()),
    }
}

/// Why nothing goes round.
enum Unstarted {
    Source(SourceError),
    Control(ServerError),
    Threads(io::Error),
    Web(NoWeb),
}

/// Says why there is no source, and returns the exit code.
fn refused(error: SourceError) -> u8 {
    report_problems(&[error]).unwrap_or(exit::UNAVAILABLE)
}

/// Everything that goes round.
struct Daemon {
    plan: Plan,
    source: LiveSource,
    engine: Engine,
    journal: Journal,
    counts: Counts,
    state: State,
    desk: Desk,
    acting: Acting,
    service: Service,
    outlets: Outlets,
}

impl Daemon {
    fn start(mut plan: Plan, args: &Args, common: &Common) -> Result<Self, Unstarted> {
        let source = LiveSource::open(&plan.inputs, plan.options.clone()).map_err(Unstarted::Source)?;
        // The socket first: whoever answers on it may be the one who holds the ledger.
        let desk = Desk::open(&plan.config.control, Orders::new(args.dry_run), source.now());
        let desk = desk.map_err(Unstarted::Control)?;
        let mut acting = Acting::start(&plan.config, args.dry_run).map_err(Unstarted::Threads)?;
        plan.settings.policy.live = acting.live();
        let zone = common.zone();
        let outlets = Outlets::open(&args.web, &plan.config.web, desk.board(), zone).map_err(Unstarted::Web)?;
        let counts = Counts::new(common.verbose > 0, source.now());
        let journal = Journal::new(common.zone());
        let mut engine = fresh(&plan.settings);
        let mut state = State::new(args.memory(&plan), source.now());
        state.recall(&mut engine);
        acting.resume(&mut engine, source.now(), &journal);
        Ok(Self {
            engine,
            state,
            journal,
            plan,
            source,
            counts,
            desk,
            acting,
            service: Service::new(),
            outlets,
        })
    }

    /// Goes round until a signal ends it. A source says what it has within a tenth of a second, so that no signal
    /// waits for longer.
    fn watch(&mut self, args: &Args, signals: &Signals) -> u8 {
        tracing::info!("{}", self.plan.listening());
        let sentence = self.acting.sentence(&self.plan.config);
        tracing::info!("{sentence}");
        self.service.ready();
        self.service.says(&sentence);
        while !signals.end.load(Ordering::Relaxed) {
            // What was decided, and is being carried out, comes to its end under the configuration that it began with.
            if signals.reload.load(Ordering::Relaxed) {
                self.hear();
                if !self.acting.busy() && signals.reload.swap(false, Ordering::Relaxed) {
                    self.service.reloading();
                    self.reload(args);
                    self.service.ready();
                }
            }
            match drive::step(&mut self.source, &mut self.engine) {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => return refused(e),
            }
            let now = self.source.now();
            self.service.tick(now);
            self.hear();
            if self.acting.tick(now, &mut self.engine, &self.journal) {
                self.desk.news();
            }
            if self.counts.is_due(now) {
                self.tell(now);
            }
            self.state.tick(now, &self.engine);
            self.journal.tick(now, &self.source);
            let Self {
                engine,
                source,
                plan,
                journal,
                desk,
                acting,
                ..
            } = self;
            desk.tick(now, engine, acting, (source, plan, journal));
        }
        self.service.stopping();
        self.hear();
        self.acting.end(self.source.now(), &mut self.engine, &self.journal);
        self.state.end(&self.engine);
        self.tell(self.source.now());
        tracing::info!("ended by a signal");
        exit::OK
    }

    /// What the engine has to say.
    fn hear(&mut self) {
        let now = self.source.now();
        while let Some(event) = self.engine.poll() {
            self.journal.event(now, &event, &self.engine, self.acting.acts());
            self.desk.event(&event, &self.engine, &self.journal);
            self.acting.event(&event, &mut self.engine, &self.journal);
        }
    }

    fn tell(&mut self, now: Timestamp) {
        let Self {
            counts,
            journal,
            engine,
            source,
            state,
            ..
        } = self;
        counts.tell(now, journal, engine, source, state);
    }

    /// Takes the configuration anew: all of it, or nothing.
    fn reload(&mut self, args: &Args) {
        const KEPT: &str = "the configuration stays as it was";
        if args.config.is_none() && !args.interface.is_empty() {
            tracing::warn!("there is no configuration to reload: this was started with --interface alone");
            return;
        }
        let mut plan = match args.plan() {
            Ok(plan) => plan,
            Err(refused) => {
                refused.report();
                tracing::warn!("{KEPT}");
                return;
            }
        };
        let reopen = plan.inputs != self.plan.inputs || plan.options != self.plan.options;
        if reopen {
            // The clock goes on, so that the engine can; the old interfaces are heard until the new ones are.
            match self.source.open_anew(&plan.inputs, plan.options.clone()) {
                Ok(source) => self.source = source,
                Err(e) => {
                    refused(e);
                    tracing::warn!("{KEPT}");
                    return;
                }
            }
        }
        plan.warn();
        let taken_up = self.acting.reload(&plan.config, args.dry_run);
        plan.settings.policy.live = self.acting.live();
        let relearn = plan.settings != self.plan.settings;
        let now = self.source.now();
        if relearn {
            // Who works and what is usual stays true, where nodes, paths and canaries are still called so.
            let memory = self.engine.remember();
            self.engine = fresh(&plan.settings);
            if let Err(e) = self.engine.recall(&memory, Duration::ZERO) {
                tracing::error!("what was learned cannot be taken over: {e}");
            }
        }
        if relearn || taken_up {
            self.acting.resume(&mut self.engine, now, &self.journal);
        }
        if relearn {
            self.desk.orders.resume(now, &mut self.engine);
            self.journal.forget();
            self.counts.forget();
            self.desk.forget();
        } else if reopen {
            // What came between two sources is lost.
            let length = now.since(self.engine.now());
            self.engine.gap(now, length, GapCause::InterfaceDown, 0);
        }
        let news = match (relearn, reopen) {
            (true, _) => {
                "configuration reloaded: nodes, segments, paths or limits changed, so health starts anew; of hosts, rates and \
                 pauses it is kept what was learned under the same names"
            }
            (false, true) => "configuration reloaded: what was learned is kept",
            (false, false) if plan.config == self.plan.config => "configuration reloaded: nothing changed",
            (false, false) => {
                "configuration reloaded: nothing changed in what is watched, and what was learned is kept"
            }
        };
        tracing::info!("{news}");
        if reopen {
            tracing::info!("{}", plan.listening());
        }
        self.state.move_to(args.memory(&plan));
        self.desk.move_to(&plan.config.control);
        let sentence = self.acting.sentence(&plan.config);
        tracing::info!("{sentence}");
        self.service.says(&sentence);
        self.outlets.move_to(&args.web, &plan.config.web);
        self.plan = plan;
    }
}

/// An engine that has learned nothing. The seed keeps whoever forges ids from knowing where they fall.
fn fresh(settings: &Settings) -> Engine {
    Engine::new(settings.clone(), RandomState::new().hash_one(0))
}
