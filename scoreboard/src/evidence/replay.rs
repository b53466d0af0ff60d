//! Replays lives to the detector: arrivals as the world draws them, each with a life of its kind that fits the mood.

use super::life::{Library, Life, Step, Trouble};
use super::mood::Mood;
use pf_sim::Time;
use pf_sim::dice::{self, Dice};
use pf_sim::site;
use pf_sim::traffic::arrivals::{Arrival, Arrivals};
use pf_sim::traffic::{Kind, Load, Mix};
use pfwatch::detect::Detector;
use pfwatch::detect::carp::CarpView;
use pfwatch::event::{Health, NodeId, Verdict};
use pfwatch::settings::Settings;
use pfwatch::time::Timestamp;
use pfwatch::track::flow::{Class, Movement, Outcome};
use pfwatch::track::zones::octets;
use pfwatch::track::{HostKey, Observation};
use rand::RngExt;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Everything is told at multiples of this: what is told within one such moment came in one frame.
const SLOT: Duration = Duration::from_millis(50);
/// Slots in the wheel: what is told later waits in a heap.
const WHEEL: usize = 1 << 12;
/// A connection that outlived its recording goes on with this probability each time the recording ends.
const GOES_ON: f64 = 0.8;
const NODE: NodeId = NodeId(0);

/// A connection under way.
#[derive(Clone, Copy)]
struct Running {
    client: u32,
    server: u32,
    kind: Kind,
    /// What it began with; `None` = well (or towards a bad address).
    trouble: Option<Trouble>,
    part: Part,
    life: u32,
    step: u32,
    /// Slot that its steps count from.
    base: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Well,
    Bad,
    Fresh,
    Tail,
}

/// A site, its mood and the detector that watches it.
pub struct Replay<'l> {
    library: &'l Library,
    arrivals: std::iter::Peekable<Arrivals>,
    servers: usize,
    /// What goes on at the site.
    pub mood: Mood,
    /// The detector.
    pub detector: Detector,
    carp: CarpView,
    clients_keys: Vec<HostKey>,
    servers_keys: Vec<HostKey>,
    wheel: Vec<Vec<Running>>,
    far: BinaryHeap<Reverse<(u64, u64)>>,
    far_runs: hashbrown::HashMap<u64, Running, foldhash::fast::FixedState>,
    serial: u64,
    slot: u64,
    dice: Dice,
    /// What is told arrives in flushes this far apart; nothing = as recorded.
    flush: Option<u64>,
    verdicts: Vec<Verdict>,
    /// Things told so far.
    pub told: u64,
}

impl<'l> Replay<'l> {
    /// A site that begins at time 0.
    #[must_use]
    pub fn new(library: &'l Library, load: &Load, mix: &Mix, settings: &Settings, mood: Mood, seed: u64) -> Self {
        let arrivals = Arrivals::new(load, mix, seed);
        let servers = arrivals.servers();
        let mut detector = Detector::new(&settings.detect, 1, seed);
        detector.add_node();
        let key = |address| octets(address);
        Self {
            library,
            servers,
            arrivals: arrivals.peekable(),
            mood,
            detector,
            carp: CarpView::default(),
            clients_keys: (0..load.clients.max(1)).map(|n| key(site::client(n))).collect(),
            // Beyond the servers that answer are those that do not.
            servers_keys: (0..servers * 2 + 16).map(|n| key(site::server(n))).collect(),
            wheel: vec![Vec::new(); WHEEL],
            far: BinaryHeap::new(),
            far_runs: hashbrown::HashMap::default(),
            serial: 0,
            slot: 0,
            dice: dice::stream(seed, "replay"),
            // With some flows a second each bucket flushes once a second, and all that happened comes at once.
            flush: (0.5..100.0).contains(&load.flows_per_second).then_some(20),
            verdicts: Vec::new(),
            told: 0,
        }
    }

    /// Goes on until `end` and hands every verdict to `say`.
    pub fn run(&mut self, end: Time, say: &mut dyn FnMut(Time, &Verdict)) {
        let last = slot(end);
        while self.slot < last {
            let now = at(self.slot);
            if self.mood.due().is_some_and(|t| t <= now) {
                self.mood.advance(now);
            }
            while self.arrivals.peek().is_some_and(|a| a.at <= now) {
                if let Some(arrival) = self.arrivals.next() {
                    self.open(&arrival);
                }
            }
            while let Some(Reverse((due, n))) = self.far.peek().copied()
                && due < self.slot + WHEEL as u64
            {
                self.far.pop();
                if let Some(run) = self.far_runs.remove(&n) {
                    self.wheel[index(due)].push(run);
                }
            }
            let mut due = std::mem::take(&mut self.wheel[index(self.slot)]);
            if !due.is_empty() {
                self.deadlines(now, say);
                self.detector.frame(stamp(now), NODE);
                for run in due.drain(..) {
                    self.tell(run);
                }
            }
            self.wheel[index(self.slot)] = due;
            self.deadlines(now + SLOT, say);
            self.slot += 1;
        }
    }

    /// Lets the detector look at what is due before `until`.
    fn deadlines(&mut self, until: Time, say: &mut dyn FnMut(Time, &Verdict)) {
        if self.told == 0 {
            return;
        }
        let until = stamp(until);
        while let Some(due) = self.detector.next_deadline()
            && due < until
        {
            let due = due.max(stamp(at(self.slot)) - SLOT);
            self.detector.judge(due, &self.carp, &mut self.verdicts);
            for v in self.verdicts.drain(..) {
                say(Duration::from_nanos(u64::try_from(due.as_nanos()).unwrap_or(0)), &v);
            }
            if self.detector.next_deadline().is_some_and(|next| next <= due) {
                break;
            }
        }
    }

    /// Health now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.detector.health(NODE, 0)
    }

    fn open(&mut self, a: &Arrival) {
        if self.mood.quiet(a.client) {
            return;
        }
        let trouble = self.mood.trouble(a.client, a.server);
        let (part, shelf) = match trouble {
            // It does not send, or its packets do not even arrive.
            Some(Trouble::Deserted) => return,
            _ if a.server >= self.servers => (Part::Bad, &self.library.bad),
            Some(t) => (Part::Fresh, &self.library.fresh[t as usize]),
            None => (Part::Well, &self.library.well),
        };
        let Some(life) = shelf.draw(a.kind, &mut self.dice) else {
            return;
        };
        let run = Running {
            client: u32::try_from(a.client).unwrap_or(0),
            server: u32::try_from(a.server).unwrap_or(0),
            kind: a.kind,
            trouble,
            part,
            life,
            step: 0,
            base: slot(a.at),
        };
        self.wait(run);
    }

    fn life(&self, run: &Running) -> &'l Life {
        let t = run.trouble.unwrap_or(Trouble::Unanswered) as usize;
        let shelf = match run.part {
            Part::Well => &self.library.well,
            Part::Bad => &self.library.bad,
            Part::Fresh => &self.library.fresh[t],
            Part::Tail => &self.library.tails[t],
        };
        &shelf.of(run.kind)[run.life as usize]
    }

    /// Puts a connection where its next step is due.
    fn wait(&mut self, mut run: Running) {
        let life = self.life(&run);
        if run.step as usize >= life.steps.len() {
            let half = life.steps.len() / 2;
            if !life.open || half == 0 || self.dice.random::<f64>() >= GOES_ON {
                return;
            }
            // On from the middle: what it did then, it goes on doing.
            let length = life.steps[life.steps.len() - 1].after - life.steps[half].after + 1_000;
            run.base += u64::from(length) / SLOT.as_millis() as u64;
            run.step = u32::try_from(half).unwrap_or(0);
        }
        let mut due = run.base + u64::from(life.steps[run.step as usize].after) / SLOT.as_millis() as u64;
        if let Some(period) = self.flush {
            // Two buckets, half a second apart; the wait for the flush is in the recording already.
            let phase = u64::from(run.client ^ run.server) % 2 * period / 2;
            due = (due.saturating_sub(period / 2) + phase).div_ceil(period) * period - phase;
        }
        let due = due.max(self.slot + 1);
        if due < self.slot + WHEEL as u64 {
            self.wheel[index(due)].push(run);
        } else {
            self.serial += 1;
            self.far.push(Reverse((due, self.serial)));
            self.far_runs.insert(self.serial, run);
        }
    }

    fn tell(&mut self, mut run: Running) {
        let (client, server) = (run.client as usize, run.server as usize);
        let trouble = self.mood.trouble(client, server);
        if self.mood.quiet(client) && run.part == Part::Well {
            return;
        }
        match (run.part, trouble) {
            (Part::Well, Some(trouble)) => {
                // Broken under way: this is when it notices.
                let Some(life) = self.library.tails[trouble as usize].draw(run.kind, &mut self.dice) else {
                    return;
                };
                run = Running {
                    trouble: Some(trouble),
                    part: Part::Tail,
                    life,
                    step: 0,
                    base: self.slot,
                    ..run
                };
            }
            (Part::Fresh | Part::Tail, now) if now != run.trouble => {
                // Mended (or broken otherwise): the next try gets through.
                if now.is_none() {
                    let class = if run.part == Part::Fresh {
                        Class::HalfOpen
                    } else {
                        Class::Stalled
                    };
                    let step = Step {
                        after: 0,
                        movement: Movement::EndToEnd,
                        trial: Some((class, Outcome::Success)),
                        delivery: Some(Outcome::Success),
                    };
                    self.say(&run, &step);
                }
                return;
            }
            _ => {}
        }
        let life = self.life(&run);
        // What came in one frame is told at once.
        let moment = life.steps[run.step as usize].after;
        while let Some(step) = life.steps.get(run.step as usize)
            && step.after == moment
        {
            self.say(&run, step);
            run.step += 1;
        }
        self.wait(run);
    }

    fn say(&mut self, run: &Running, step: &Step) {
        let (Some(client), Some(server)) = (
            self.clients_keys.get(run.client as usize),
            self.servers_keys.get(run.server as usize),
        ) else {
            return;
        };
        let o = Observation {
            path: 0,
            movement: step.movement,
            trial: step.trial,
            delivery: step.delivery,
            partner: None,
            hosts: Some((*client, *server)),
        };
        self.told += 1;
        self.detector.observe(stamp(at(self.slot)), NODE, &o, None);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below the size of the wheel")]
fn index(slot: u64) -> usize {
    (slot % WHEEL as u64) as usize
}

fn slot(t: Time) -> u64 {
    u64::try_from(t.as_millis() / SLOT.as_millis()).unwrap_or(u64::MAX)
}

fn at(slot: u64) -> Time {
    Duration::from_millis(slot * 50)
}

fn stamp(t: Time) -> Timestamp {
    Timestamp::from_nanos(i64::try_from(t.as_nanos()).unwrap_or(i64::MAX))
}
