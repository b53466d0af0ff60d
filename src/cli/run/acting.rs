//! Where decisions meet those who carry them out: the actor and the probes on one side, the engine on the other.
//!
//! Asked by the loop on every round; nothing here waits but the start, a reload and the end. Says what became of
//! everything in the log, and keeps the last of it for the snapshot.

mod results;
mod words;

use super::journal::Journal;
use crate::act::actor::{Actor, Deed, Means, News, Task};
use crate::act::change::{Resumed, What};
use crate::act::hooks::{Kind, Occasion};
use crate::act::ledger::{Entry, Made};
use crate::act::preset::win::Heard;
use crate::act::probes::Probes;
use crate::act::thing::Thing;
use crate::config::{Config, Preset, Probe};
use crate::control::{Order, Reason, Reply};
use crate::decide::{Carried, Past, Role};
use crate::detect::carp::Protocol;
use crate::engine::Engine;
use crate::event::{Action, Decision, Event};
use crate::settings::Live;
use crate::status::{ActionResult, LedgerEntry, Probe as ProbeState};
use crate::time::Timestamp;
use results::{Results, reply};
use std::io;
use std::time::Duration;
use words::Words;

/// What is being carried out when we are to end gets so long to come to its end.
const LAST: Duration = Duration::from_secs(5);
/// Answers of probes taken in one round: they come seldom, and a round is short.
const ANSWERS: usize = 64;

const BUSY: &str = "something is being carried out just now: try again in a moment";

/// See the module.
pub(super) struct Acting {
    actor: Actor,
    probes: Option<Probes>,
    asked: Vec<Probe>,
    /// The interface of each segment.
    segments: Vec<Option<String>>,
    words: Words,
    results: Results,
    /// When a peer was last seen to go away, as far as it is kept.
    away: Option<Timestamp>,
    /// Who ordered something that is being carried out, by its ticket.
    waiting: Vec<(u64, Order)>,
    /// Who ordered to take back what the engine has now decided to take back.
    undoing: Option<Order>,
}

impl Acting {
    /// Starts everything and takes up the ledger.
    pub(super) fn start(config: &Config, dry_run: bool) -> io::Result<Self> {
        let (actor, resumed) = Actor::start(Means::of(config, dry_run))?;
        if let Some(resumed) = resumed {
            tell(&resumed);
        }
        let mut acting = Self {
            actor,
            probes: None,
            asked: Vec::new(),
            segments: Vec::new(),
            words: Words::default(),
            results: Results::default(),
            away: None,
            waiting: Vec::new(),
            undoing: None,
        };
        acting.ask(config)?;
        acting.complain();
        Ok(acting)
    }

    /// The configuration was loaded anew; only while not [`Acting::busy`]. True: another ledger holds something, and the
    /// engine must go on where that stands.
    pub(super) fn reload(&mut self, config: &Config, dry_run: bool) -> bool {
        let resumed = self.actor.reload(Means::of(config, dry_run));
        if let Some(resumed) = &resumed {
            tell(resumed);
        }
        if let Err(e) = self.ask(config) {
            tracing::error!("the probes cannot be started: {e}");
        }
        self.words.dry_run = !self.acts();
        self.complain();
        if resumed.is_some() {
            self.away = None; // That ledger does not hold it yet.
        }
        resumed.is_some_and(|r| r.role.is_some())
    }

    /// Starts the probes, if they are others than before.
    fn ask(&mut self, config: &Config) -> io::Result<()> {
        self.segments = config.segments.iter().map(|s| s.interface.clone()).collect();
        if self.asked == config.probes && self.probes.is_some() {
            return Ok(());
        }
        self.probes = None;
        self.probes = Some(Probes::start(&config.probes)?);
        self.asked.clone_from(&config.probes);
        Ok(())
    }

    fn complain(&self) {
        if let Some(why) = self.actor.unable() {
            tracing::error!("nothing will be done: {why}");
        } else if let Some(why) = self.actor.closed() {
            tracing::warn!("what is to be taken back is not known: {why}");
        }
    }

    /// Whether and why not, for the log at the start.
    pub(super) fn sentence(&self, config: &Config) -> String {
        match (self.actor.idle(), config.actions.preset) {
            (Some(why), _) => format!("observing: nothing will be done ({why})"),
            (None, Some(preset)) => format!("acting: decisions are carried out (preset {})", name(preset)),
            (None, None) => "acting: decisions are carried out (hooks)".into(),
        }
    }

    /// What policy is to know of us.
    pub(super) fn live(&self) -> Live {
        Live::daemon(self.acts())
    }

    /// Decisions are carried out.
    pub(super) fn acts(&self) -> bool {
        self.actor.idle().is_none()
    }

    /// Something is being carried out.
    pub(super) fn busy(&self) -> bool {
        self.actor.busy()
    }

    /// A new engine goes on where the ledger stands.
    pub(super) fn resume(&mut self, engine: &mut Engine, now: Timestamp, journal: &Journal) {
        let at = |unix: i64| {
            let unix = Timestamp::from_nanos(unix.saturating_mul(1_000_000_000));
            journal.engine_time(unix)
        };
        let past = |unix: i64| at(unix).min(now);
        let book = self.actor.book();
        let promotions: Vec<Timestamp> = book.promotions.iter().map(|t| past(*t)).collect();
        let last = book.entries.last();
        let role = match last.map(|e| e.role) {
            Some(Made::Promoted) => Role::Promoted,
            Some(Made::Demoted) => Role::Demoted,
            None => Role::Unknown,
        };
        let since = last.map_or(now, |e| past(e.when));
        // What a clock that was set back since calls the future would count for a promotion that it does not belong to.
        let away = book.away.map(at).filter(|t| *t <= now);
        self.away = away;
        engine.resume(&Past {
            role,
            since,
            promotions: &promotions,
            away,
            owed: book.owed,
        });
        self.words.role = engine.role();
        self.words.dry_run = !self.acts();
        self.words.forget();
    }

    /// Something came out of the engine.
    pub(super) fn event(&mut self, event: &Event, engine: &mut Engine, journal: &Journal) {
        match event {
            Event::Verdict(v) => {
                let occasion = self.words.verdict(v, engine);
                self.actor.notify(occasion);
            }
            Event::Decision(d) => self.decision(d, engine, journal),
            _ => {}
        }
    }

    fn decision(&mut self, d: &Decision, engine: &mut Engine, journal: &Journal) {
        let occasion = self.words.decision(d, engine);
        self.actor.notify(occasion.clone());
        // First: whoever goes on after a promotion must know it.
        self.keep(engine, journal);
        let deed = Deed {
            seq: d.seq,
            action: d.action,
            occasion,
            masters: match d.action {
                Action::Promote => self.masters(engine),
                Action::Demote | Action::Restore | Action::Fence => Vec::new(),
            },
            when: unix_seconds(journal, d.at),
        };
        // Policy awaits a result only where decisions are carried out at all.
        if !self.actor.act(deed) {
            engine.result(d.at, d.seq, false);
            self.answer_undo(Reply::refused(Reason::Unable, "nothing is carried out now"));
        }
    }

    /// What the next run must know to take a promotion back by itself. Once: by a clock that is set later it would move away
    /// from the promotion that it belongs to.
    fn keep(&mut self, engine: &Engine, journal: &Journal) {
        let away = engine.peer_away();
        if away > self.away
            && let Some(at) = away
        {
            self.away = away;
            self.actor.saw(unix_seconds(journal, at));
        }
    }

    /// Who is in the way of a promotion.
    fn masters(&self, engine: &Engine) -> Vec<Heard> {
        let all = engine.masters_beside_me().into_iter();
        // By what VRRP announces nobody can tell what a promotion of ours would announce.
        let known = all.filter(|(_, ad)| ad.protocol == Protocol::Carp);
        known
            .map(|(segment, carp)| Heard {
                interface: self.segments.get(segment).cloned().flatten(),
                vhid: carp.vhid,
                advbase: carp.advbase,
                advskew: carp.advskew,
                demotion: carp.demote,
            })
            .collect()
    }

    /// Fetches what the probes and the worker have to say; whether anything was done.
    pub(super) fn tick(&mut self, now: Timestamp, engine: &mut Engine, journal: &Journal) -> bool {
        self.words.role = engine.role();
        for _ in 0..ANSWERS {
            let Some(answer) = self.probes.as_ref().and_then(Probes::poll) else {
                break;
            };
            engine.probe(now - answer.ago, answer.probe, answer.ok);
        }
        self.keep(engine, journal);
        let mut any = false;
        while let Some(news) = self.actor.poll() {
            self.news(now, &news, engine, journal);
            any = true;
        }
        any
    }

    fn news(&mut self, now: Timestamp, news: &News, engine: &mut Engine, journal: &Journal) {
        if news.task == Task::Saw {
            if !news.ok {
                tracing::warn!(
                    "after a restart a promotion would have to be taken back by hand: {}",
                    news.text
                );
            }
            return;
        }
        if let Task::Decision(_, seq) = news.task {
            let carried = match (news.ok, self.actor.entries().is_empty()) {
                (true, _) => Carried::Out,
                (false, true) => Carried::Not,
                (false, false) => Carried::Half,
            };
            engine.result(now, seq, carried);
        }
        self.results.note(now, news, journal);
        if matches!(news.task, Task::Decision(Action::Restore, _)) {
            self.answer_undo(reply(news));
        }
        if let Some(i) = self.waiting.iter().position(|(ticket, _)| *ticket == news.ticket) {
            self.waiting.swap_remove(i).1.answer(reply(news));
        }
    }

    fn answer_undo(&mut self, reply: Reply) {
        if let Some(order) = self.undoing.take() {
            order.answer(reply);
        }
    }

    /// `pfwatch undo`.
    pub(super) fn undo(&mut self, now: Timestamp, order: Order, engine: &mut Engine) {
        if self.busy() {
            return order.answer(Reply::refused(Reason::Busy, BUSY));
        }
        // Who only observes takes back what the ledger holds; what was only told is over with that.
        if engine.undo(now) && self.acts() {
            // Its decision comes out of the engine in this round and is answered with what became of it.
            self.undoing = Some(order);
            return;
        }
        let occasion = Occasion {
            dry_run: false, // An order is carried out.
            ..self.words.undo(engine)
        };
        match (self.actor.undo(occasion), self.actor.closed()) {
            (Some(ticket), _) => self.waiting.push((ticket, order)),
            (None, Some(why)) => order.answer(Reply::refused(
                Reason::Unable,
                format!("whether something is to be taken back is not known: {why}"),
            )),
            (None, None) => order.answer(Reply::done(format!(
                "there is nothing to take back: {}",
                self.actor.idle().unwrap_or("nothing was done")
            ))),
        }
    }

    /// `pfwatch test-hook`.
    pub(super) fn test_hook(&mut self, order: Order, action: &str, dry_run: bool, engine: &Engine) {
        let kind = match action {
            "promote" => Kind::Action(Action::Promote),
            "demote" => Kind::Action(Action::Demote),
            "restore" => Kind::Action(Action::Restore),
            "notify" => Kind::Notify,
            _ => {
                let text = format!("there is no action {action}; there are promote, demote, restore and notify");
                return order.answer(Reply::refused(Reason::Usage, text));
            }
        };
        if self.busy() {
            return order.answer(Reply::refused(Reason::Busy, BUSY));
        }
        let mut occasion = Occasion {
            dry_run,
            ..self.words.order(action, "test", engine)
        };
        if kind == Kind::Action(Action::Restore) {
            // What it would have to take back; where nothing stands, as after a promotion.
            let made = self.actor.entries().last().map_or(Made::Promoted, |e| e.role);
            occasion.previous_role = made.to_string();
        }
        let ticket = self.actor.test(kind, occasion);
        self.waiting.push((ticket, order));
    }

    /// We are to end: what is being carried out shall not be cut in the middle.
    pub(super) fn end(&mut self, now: Timestamp, engine: &mut Engine, journal: &Journal) {
        self.probes = None;
        if self.busy() {
            tracing::info!("waiting for what is being carried out");
        }
        while self.busy() {
            let Some(news) = self.actor.wait(LAST) else {
                tracing::warn!(
                    "it did not come to its end; the next start, or `pfwatch undo`, takes back what is half done"
                );
                break;
            };
            self.news(now, &news, engine, journal);
        }
        if let Some(entry) = self.actor.entries().last() {
            tracing::warn!(
                "this node stays {}: the next start goes on from there, `pfwatch undo` takes it back",
                entry.role
            );
        }
    }

    /// Why decisions are not carried out though they should be.
    pub(super) fn unable(&self) -> Option<String> {
        self.actor.unable().map(str::to_owned)
    }

    /// Why it is not known what is to be taken back.
    pub(super) fn closed(&self) -> Option<String> {
        self.actor.closed().map(str::to_owned)
    }

    pub(super) fn results(&self) -> Vec<ActionResult> {
        self.results.list()
    }

    /// Those that were not counted yet.
    pub(super) fn fresh(&mut self) -> Vec<ActionResult> {
        self.results.fresh()
    }

    /// What was added to the demotion of this host and is not taken back.
    pub(super) fn own_demotion(&self) -> i64 {
        let added = |e: &Entry| match e.thing {
            Thing::Counter { added, .. } => added,
            _ => 0,
        };
        self.actor.entries().iter().map(added).fold(0, i64::saturating_add)
    }

    pub(super) fn ledger(&self) -> Vec<LedgerEntry> {
        let line = |e: &Entry| LedgerEntry {
            #[expect(clippy::cast_precision_loss, reason = "Unix seconds fit into an f64")]
            at: e.when as f64,
            action: match e.role {
                Made::Promoted => "promote".into(),
                Made::Demoted => "demote".into(),
            },
            text: e.thing.to_string(),
        };
        self.actor.entries().iter().map(line).collect()
    }

    pub(super) fn probes(&self, engine: &Engine, unix: impl Fn(Timestamp) -> f64) -> Vec<ProbeState> {
        let states = engine.probe_states();
        let all = self.asked.iter().zip(states);
        all.map(|(probe, (state, since))| ProbeState {
            name: probe.name.clone(),
            about: probe.about.clone(),
            state: state.into(),
            since: since.map(&unix),
        })
        .collect()
    }
}

fn unix_seconds(journal: &Journal, t: Timestamp) -> i64 {
    journal.unix(t).as_nanos().div_euclid(1_000_000_000)
}

fn name(preset: Preset) -> &'static str {
    let named = Preset::ALL.iter().find(|(_, p)| *p == preset);
    named.map_or("?", |(name, _)| name)
}

/// What the ledger of an earlier run means now.
fn tell(resumed: &Resumed) {
    for outcome in &resumed.outcomes {
        if matches!(outcome.what, What::Failed(_) | What::NotOurs(_) | What::Unclear { .. }) {
            tracing::warn!("{outcome}");
        } else {
            tracing::info!("{outcome}");
        }
    }
    match (resumed.role, resumed.owed) {
        (Some(role), false) => tracing::warn!("this node is {role} by an earlier run, and goes on so"),
        (Some(role), true) => tracing::warn!("this node is {role} by an earlier run; what is left of it is taken back"),
        (None, _) => {}
    }
}
