//! Replays lives to the detector: arrivals as the world draws them, each with a life of its kind that fits the mood.

mod book;
mod flow;
mod news;
mod running;
mod say;
mod time;
mod trouble;

pub use time::UNTIL;

use super::life::Library;
use super::mood::Mood;
use super::wheel::{Slot, Wheel};
use book::Book;
use news::News;
use pf_sim::Time;
use pf_sim::dice::{self, Dice};
use pf_sim::site;
use pf_sim::traffic::arrivals::{Arrival, Arrivals};
use pf_sim::traffic::{Canary, Kind, Load, Mix};
use pfwatch::detect::Detector;
use pfwatch::detect::carp::CarpView;
use pfwatch::event::{Health, NodeId, Verdict};
use pfwatch::settings::Settings;
use pfwatch::track::HostKey;
use pfwatch::track::zones::octets;
use running::{Part, Running, count, nearest};
use std::hint::black_box;
use time::{SECOND, at, slot, slot_of, stamp};

/// While nothing is suspected and nothing new is told, the detector's own ticks only close empty windows: then it is
/// asked so seldom.
const CALM: Slot = SECOND;
/// Strangers that scanners try; enough that the detector has forgotten one before it comes again.
const STRANGERS: usize = 20_000;
const NODE: NodeId = NodeId(0);

/// The hosts of a site. Index and key are the same thing in two words.
struct Hosts {
    clients: Vec<HostKey>,
    servers: Vec<HostKey>,
}

/// A site, its mood and the detector that watches it.
pub struct Replay<'l> {
    levels: &'l [Library],
    books: Vec<Book>,
    level: u8,
    arrivals: std::iter::Peekable<Arrivals>,
    /// Openings in this minute, and a second of late.
    opened: (Slot, f64, f64),
    servers: usize,
    /// What goes on at the site.
    pub mood: Mood,
    /// The detector.
    pub detector: Detector,
    carp: CarpView,
    hosts: Hosts,
    wheel: Wheel<Running>,
    news: News,
    /// Whether answers that are no news are left out, see `news`; for those who compare.
    pub thrifty: bool,
    /// Nothing is suspected.
    serene: bool,
    slot: Slot,
    dice: Dice,
    /// Nothing was told since this slot.
    still: Slot,
    judged: Slot,
    /// When something broke last.
    broke: Slot,
    /// The lull that connections under way know of.
    lull: Option<u64>,
    canaries: bool,
    strangers: usize,
    verdicts: Vec<Verdict>,
    /// Things told so far.
    pub told: u64,
}

impl<'l> Replay<'l> {
    /// A site that begins at time 0. `levels` = what was recorded at this load, and at the same site when less goes on.
    #[must_use]
    pub fn new(
        levels: &'l [Library],
        (load, mix, canaries): (&Load, &Mix, &[Canary]),
        settings: &Settings,
        mood: Mood,
        seed: u64,
    ) -> Self {
        let arrivals = Arrivals::new(load, mix, seed);
        let servers = arrivals.servers();
        let mut detector = Detector::new(&settings.detect, 1, seed);
        detector.watch(&settings.canaries);
        detector.add_node();
        let clients = mix.clients(load);
        // Beyond the servers that answer are those that do not.
        let mut hosts = Hosts {
            clients: (0..clients).map(|n| octets(site::client(n))).collect(),
            servers: (0..servers * 2 + 16 + STRANGERS)
                .map(|n| octets(site::server(n)))
                .collect(),
        };
        let books: Vec<Book> = levels.iter().map(Book::new).collect();
        let mut wheel = Wheel::new();
        let mut dice = dice::stream(seed, "replay");
        for canary in canaries {
            hosts.clients.push(octets(canary.client));
            hosts.servers.push(octets(canary.server));
            let Some(word) = books.first().and_then(|b| b.draw(Part::Well, Kind::Probe, &mut dice)) else {
                continue;
            };
            let run = Running {
                client: count(hosts.clients.len() - 1),
                server: count(hosts.servers.len() - 1),
                word,
                base: 0,
                kind: Kind::Probe,
                part: Part::Well,
                level: 0,
            };
            wheel.put(1, run);
        }
        let rate = load.flows_per_second * if load.daily { 0.1 } else { 1.0 };
        Self {
            levels,
            books,
            level: nearest(levels, rate),
            opened: (0, 0.0, rate),
            servers,
            arrivals: arrivals.peekable(),
            mood,
            detector,
            carp: CarpView::default(),
            news: News::new(hosts.clients.len(), servers * 2 + 16),
            thrifty: true,
            serene: false,
            hosts,
            wheel,
            slot: 0,
            dice,
            still: 0,
            judged: 0,
            broke: 0,
            lull: None,
            canaries: !canaries.is_empty(),
            strangers: 0,
            verdicts: Vec::new(),
            told: 0,
        }
    }

    /// Goes on until `end` and hands every verdict to `say`, with the mood in which it came.
    pub fn run(&mut self, end: Time, say: &mut dyn FnMut(Time, &Verdict, &Mood)) {
        let end = slot(end);
        while self.slot < end {
            let now = at(self.slot);
            self.change(now);
            while let Some(arrival) = self.arrivals.next_if(|a| a.at <= now) {
                self.open(&arrival);
            }
            self.wheel.advance(self.slot);
            self.judge(say);
            let mut due = self.wheel.take();
            if !due.is_empty() {
                self.detector.frame(stamp(now), NODE);
                // Who reads one after the other waits for memory each time, who looks at all of them first waits once.
                let glance = |run: &Running| self.books[usize::from(run.level)].glance(run.word);
                black_box(due.iter().map(glance).fold(0, u32::wrapping_add));
                for run in due.drain(..) {
                    self.tell(run);
                }
                self.count();
                self.still = self.slot;
            }
            self.wheel.give_back(due);
            self.slot = self.next(end);
        }
    }

    /// When next there is something to do.
    fn next(&mut self, end: Slot) -> Slot {
        let mut next = self.wheel.next(end);
        if let Some(a) = self.arrivals.peek() {
            next = next.min(slot(a.at) + 1);
        }
        next = next.min(self.mood.due().map_or(end, slot).saturating_add(1));
        let pests = self.mood.pests.iter().map(|p| slot(p.at) + 1).min();
        next = next.min(pests.unwrap_or(end));
        if self.told > 0
            && let Some(due) = self.detector.next_deadline()
        {
            let due = if self.calm() { self.judged + CALM } else { slot_of(due) };
            next = next.min(due);
        }
        next.max(self.slot + 1).min(end)
    }

    /// Nothing is suspected, nothing waits for its judgement, and what was told is settled.
    fn calm(&self) -> bool {
        !self.canaries
            && self.judged >= self.still + CALM
            && self.detector.path(NODE, 0).is_some_and(|p| {
                p.suspicion <= 0.0 && p.due().is_none() && matches!(p.health, Health::Up | Health::Idle)
            })
    }

    /// Lets the detector look at what is due.
    fn judge(&mut self, say: &mut dyn FnMut(Time, &Verdict, &Mood)) {
        let now = stamp(at(self.slot));
        if self.told == 0 || self.detector.next_deadline().is_none_or(|due| due > now) {
            return;
        }
        self.judged = self.slot;
        self.detector.judge(now, &self.carp, &mut self.verdicts);
        let path = self.detector.path(NODE, 0);
        self.serene = self.thrifty && path.is_some_and(|p| p.suspicion <= 0.0 && p.health == Health::Up);
        for v in self.verdicts.drain(..) {
            say(at(self.slot), &v, &self.mood);
        }
    }

    /// The mood changes by itself.
    fn change(&mut self, now: Time) {
        if self.mood.due().is_some_and(|t| t <= now) && self.mood.advance(now) {
            self.breaks();
        }
        let mut i = 0;
        while i < self.mood.pests.len() {
            let mut pest = self.mood.pests[i];
            if pest.at > now {
                i += 1;
                continue;
            }
            self.strangers = (self.strangers + 1) % STRANGERS;
            let stranger = self.servers * 2 + 16 + self.strangers;
            self.open(&Arrival {
                at: pest.at,
                client: pest.client,
                server: pest.server.unwrap_or(stranger),
                kind: Kind::WebShort,
                seed: 0,
                already: false,
            });
            if pest.go_on(&mut self.dice) {
                self.mood.pests[i] = pest;
            } else {
                self.mood.pests.swap_remove(i);
            }
        }
        if self.slot >= self.opened.0 + 60 * SECOND {
            let (_, opened, rate) = self.opened;
            let rate = rate + (opened / 60.0 - rate) * 0.2;
            self.opened = (self.slot, 0.0, rate);
            self.level = nearest(self.levels, rate);
        }
    }

    /// Health now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.detector.health(NODE, 0)
    }
}
