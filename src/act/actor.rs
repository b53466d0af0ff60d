//! Who acts: takes decisions, carries them out one at a time in a thread of its own, and tells what became of each.
//!
//! Owned by the daemon's loop, which hands in work and fetches news and never waits; only the start and a reload look at
//! the ledger themselves. Judges nothing: what is to be done was decided, whether it can be done is the system's to say.
//! Whoever is only told (`notify`) has a queue of his own, so that he delays no action.

mod alone;
mod perform;
#[cfg(test)]
mod tests;

use super::boot::{Boot, this_boot};
use super::change::Resumed;
use super::hooks::{self, Kind, Occasion, Report};
use super::in_full;
use super::ledger::disk::FileDisk;
use super::ledger::{Book, Entry, Ledger};
use super::preset::win::Heard;
use super::queue::Queue;
use super::run::Run;
use super::stop::{Stopped, pair};
use super::system::System;
use crate::config::model::{Actions, Config, Fence, Hooks, Preset};
use crate::event::Action;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use alone::undo_alone;

/// What the configuration gives to act with.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// Preset and numbers.
    pub actions: Actions,
    /// The operator's programs.
    pub hooks: Hooks,
    /// The device that switches a peer off.
    pub fence: Option<Fence>,
    /// Decide, but do nothing.
    pub dry_run: bool,
}

impl Means {
    /// Of a configuration.
    #[must_use]
    pub fn of(config: &Config, dry_run: bool) -> Self {
        Self {
            actions: config.actions.clone(),
            hooks: config.hooks.clone(),
            fence: config.fence.clone(),
            dry_run,
        }
    }

    /// Why no decision is carried out, if so.
    #[must_use]
    pub fn idle(&self) -> Option<&'static str> {
        let hooks = [&self.hooks.promote, &self.hooks.demote];
        if self.dry_run {
            Some("--dry-run")
        } else if self.actions.preset == Some(Preset::Ifstated) {
            Some("preset ifstated: decisions are told, and ifstated acts")
        } else if self.actions.preset.is_none() && hooks.iter().all(|h| h.is_empty()) {
            Some("neither a preset in [actions] nor a program in [hooks] is configured")
        } else {
            None
        }
    }
}

/// A decision to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// Its number.
    pub seq: u64,
    /// What.
    pub action: Action,
    /// As hooks are told it.
    pub occasion: Occasion,
    /// Of a promotion: the masters that are in its way.
    pub masters: Vec<Heard>,
    /// Now, in Unix seconds; for people and for the ledger.
    pub when: i64,
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A decision: its number.
    Decision(Action, u64),
    /// What the operator asked for.
    Undo,
    /// What was seen of a peer was kept.
    Saw,
    /// A try of hooks.
    Test(Kind),
    /// Somebody was told.
    Notify,
}

impl Task {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision(Action::Promote, _) => "promote",
            Self::Decision(Action::Demote, _) => "demote",
            Self::Decision(Action::Restore, _) | Self::Undo => "restore",
            Self::Decision(Action::Fence, _) => "fence",
            Self::Saw => "ledger",
            Self::Test(_) => "test-hook",
            Self::Notify => "notify",
        }
    }
}

/// What became of a piece of work.
#[derive(Clone, Debug)]
pub struct News {
    /// What `Actor` called it when it was handed in.
    pub ticket: u64,
    /// What it was.
    pub task: Task,
    /// It did what it was for.
    pub ok: bool,
    /// In one sentence.
    pub text: String,
    /// More of it, a line each.
    pub lines: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// What the ledger holds from now on; none: as before.
    pub ledger: Option<Book>,
}

/// What only the worker touches while it works.
struct Tools {
    ledger: Ledger,
    boot: Boot,
    /// For hooks, which run while a plan is being carried out by another.
    run: Box<dyn Run + Send>,
}

impl Tools {
    /// Whoever holds `hands` is stopped with them.
    ///
    /// # Errors
    /// The boot is unknown, or the ledger cannot be used; a sentence. Then nothing may be done.
    fn open(means: &Means, hands: &Stopped) -> Result<Self, String> {
        let mut run = System::new(hands.clone());
        let boot = this_boot(&mut run).map_err(|e| in_full(&e))?;
        let disk = FileDisk::open(&means.actions.ledger).map_err(|e| in_full(&e))?;
        let ledger = Ledger::open(Box::new(disk)).map_err(|e| in_full(&e))?;
        let run = Box::new(run);
        Ok(Self { ledger, boot, run })
    }
}

/// See the module. Dropped, it kills what runs.
pub struct Actor {
    means: Arc<Means>,
    tools: Option<Arc<Mutex<Tools>>>,
    /// What an earlier run left half done is settled.
    resumed: bool,
    /// Why the ledger cannot be used.
    closed: Option<String>,
    book: Book,
    deeds: Queue<News>,
    notes: Queue<News>,
    hands: Stopped,
    tickets: u64,
    open: usize,
}

impl Actor {
    /// Starts the threads and takes up the ledger, by the programs of this host.
    ///
    /// # Errors
    /// The system has no thread or pipe left. A ledger that cannot be used is no error: then nothing is done, and
    /// [`Actor::idle`] says why.
    pub fn start(means: Means) -> io::Result<(Self, Option<Resumed>)> {
        let (stop, stopped) = pair()?;
        let (stop_notes, notes_stopped) = pair()?;
        let mut actor = Self {
            means: Arc::new(means),
            tools: None,
            resumed: false,
            closed: None,
            book: Book::default(),
            deeds: Queue::start(Box::new(System::new(stopped.clone())), stop)?,
            notes: Queue::start(Box::new(System::new(notes_stopped)), stop_notes)?,
            hands: stopped,
            tickets: 0,
            open: 0,
        };
        let resumed = actor.take_up();
        Ok((actor, resumed))
    }

    /// The configuration was loaded anew; only while nothing is being carried out. Answers what a ledger that was opened
    /// means now.
    pub fn reload(&mut self, mut means: Means) -> Option<Resumed> {
        let old = &self.means.actions.ledger;
        if *old != means.actions.ledger {
            if self.book.entries.is_empty() {
                (self.tools, self.resumed) = (None, false);
            } else {
                let place = old.display();
                tracing::warn!(
                    "the ledger stays {place} until what it holds is taken back: then load the configuration again"
                );
                means.actions.ledger.clone_from(old);
            }
        }
        self.means = Arc::new(means);
        self.take_up()
    }

    /// Opens the ledger, where one is needed and none is open, and settles what an earlier run left half done. Who only
    /// observes looks whether something stands in it.
    fn take_up(&mut self) -> Option<Resumed> {
        let idle = self.means.idle().is_some();
        if self.tools.is_none() {
            self.closed = None;
            if !idle || FileDisk::is_there(&self.means.actions.ledger) {
                match Tools::open(&self.means, &self.hands) {
                    Ok(tools) => self.tools = Some(Arc::new(Mutex::new(tools))),
                    Err(why) => self.closed = Some(why),
                }
            }
        }
        let tools = self.tools.clone()?;
        let mut tools = lock(&tools);
        let resumed = (!idle && !self.resumed).then(|| {
            let mut run = System::new(self.hands.clone());
            alone::resume(&self.means.hooks, &mut tools, &mut run)
        });
        self.resumed |= resumed.is_some();
        self.book = tools.ledger.standing(&tools.boot);
        resumed
    }

    /// Why decisions are not carried out, if so.
    #[must_use]
    pub fn idle(&self) -> Option<&str> {
        self.means.idle().or(self.closed())
    }

    /// A fault keeps decisions from being carried out, rather than the operator's will.
    #[must_use]
    pub fn unable(&self) -> Option<&str> {
        self.closed().filter(|_| self.means.idle().is_none())
    }

    /// Why it is not known what is to be taken back, if so.
    #[must_use]
    pub fn closed(&self) -> Option<&str> {
        self.closed.as_deref()
    }

    /// What is to be taken back, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.book.entries
    }

    /// All that the ledger holds.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Something is being carried out.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.open > 0
    }

    /// Carries out a decision. False: nothing is carried out now, see [`Actor::idle`].
    pub fn act(&mut self, deed: Deed) -> bool {
        let Some(tools) = self.tools.clone().filter(|_| self.idle().is_none()) else {
            return false;
        };
        let means = Arc::clone(&self.means);
        self.hand_in(move |ticket, run| {
            let mut tools = lock(&tools);
            let task = Task::Decision(deed.action, deed.seq);
            perform::decision(&deed, &means, &mut tools, run).news(ticket, task, &tools.ledger)
        });
        true
    }

    /// Keeps that a peer was seen to go away, in Unix seconds, for whoever goes on after us.
    pub fn saw(&mut self, away: i64) {
        let Some(tools) = self.tools.clone().filter(|_| self.idle().is_none()) else {
            return;
        };
        self.hand_in(move |ticket, _| {
            let mut tools = lock(&tools);
            perform::saw(away, &mut tools.ledger).news(ticket, Task::Saw, &tools.ledger)
        });
    }

    /// Takes back everything that the ledger holds; none: there is no ledger here.
    pub fn undo(&mut self, occasion: Occasion) -> Option<u64> {
        let (tools, means) = (self.tools.clone()?, Arc::clone(&self.means));
        Some(self.hand_in(move |ticket, run| {
            let mut tools = lock(&tools);
            perform::take_back(&occasion, &means.hooks, &mut tools, run).news(ticket, Task::Undo, &tools.ledger)
        }))
    }

    /// Runs the hooks of an action as if it had been decided; nothing else of it, and nothing of it is written.
    pub fn test(&mut self, kind: Kind, occasion: Occasion) -> u64 {
        let means = Arc::clone(&self.means);
        self.hand_in(move |ticket, run| {
            let report = if occasion.dry_run {
                hooks::would(&means.hooks, kind)
            } else {
                hooks::carry_out(run, &means.hooks, kind, &occasion)
            };
            told(ticket, Task::Test(kind), report)
        })
    }

    /// Tells the operator's programs of something.
    pub fn notify(&mut self, occasion: Occasion) {
        if self.means.hooks.notify.is_empty() {
            return;
        }
        let (means, ticket) = (Arc::clone(&self.means), self.ticket());
        self.notes.tell(Box::new(move |run| {
            let report = hooks::carry_out(run, &means.hooks, Kind::Notify, &occasion);
            told(ticket, Task::Notify, report)
        }));
    }

    /// The next piece of news. Does not wait.
    pub fn poll(&mut self) -> Option<News> {
        match self.deeds.poll() {
            Some(news) => Some(self.done(news)),
            None => self.notes.poll(),
        }
    }

    /// The same, but waits so long for what is being carried out.
    pub fn wait(&mut self, length: Duration) -> Option<News> {
        let news = self.deeds.results().recv_timeout(length).ok()?;
        Some(self.done(news))
    }

    fn done(&mut self, news: News) -> News {
        self.open = self.open.saturating_sub(1);
        if let Some(book) = &news.ledger {
            self.book.clone_from(book);
        }
        news
    }

    /// One piece of work after the other.
    fn hand_in(&mut self, work: impl FnOnce(u64, &mut dyn Run) -> News + Send + 'static) -> u64 {
        let ticket = self.ticket();
        self.open += 1;
        self.deeds.act(Box::new(move |run| work(ticket, run)));
        ticket
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

fn told(ticket: u64, task: Task, report: Report) -> News {
    let failures = report.failures();
    let what = report.kind.as_str();
    let text = match (report.hooks.len(), failures) {
        (0, _) => format!("no {what} hooks are configured: name programs in [hooks]"),
        (_, 0) => format!("{what} hooks: ok"),
        (all, n) => format!("{what} hooks: {n} of {all} failed"),
    };
    let took = report.took();
    News {
        ticket,
        task,
        // Whoever tries hooks wants to see one run.
        ok: failures == 0 && !report.hooks.is_empty(),
        text,
        lines: report.lines().collect(),
        took,
        ledger: None,
    }
}

/// Nobody but the worker locks it, and whatever it was doing, the ledger on disk is whole.
fn lock(tools: &Mutex<Tools>) -> MutexGuard<'_, Tools> {
    tools.lock().unwrap_or_else(PoisonError::into_inner)
}
