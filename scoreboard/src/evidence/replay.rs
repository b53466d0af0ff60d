//! Replays lives to the detector: arrivals as the world draws them, each with a life of its kind that fits the mood.

use super::life::{Age, Library, Life, Place, Shelf, Since, Step, Trouble};
use super::mood::Mood;
use super::wheel::{Slot, Wheel};
use pf_sim::Time;
use pf_sim::dice::{self, Dice};
use pf_sim::site;
use pf_sim::traffic::arrivals::{Arrival, Arrivals};
use pf_sim::traffic::{Canary, Kind, Load, Mix};
use pfwatch::detect::Detector;
use pfwatch::detect::carp::CarpView;
use pfwatch::event::{Health, NodeId, Verdict};
use pfwatch::settings::Settings;
use pfwatch::time::Timestamp;
use pfwatch::track::flow::{Class, Movement, Outcome};
use pfwatch::track::zones::octets;
use pfwatch::track::{HostKey, Observation};
use rand::RngExt;
use std::time::Duration;

/// Everything is told at multiples of this: what is told within one such moment came in one flush, for which the
/// detector waits as long.
const SLOT: Duration = Duration::from_millis(50);
const MS: u32 = 50;
const SECOND: Slot = 20;
/// Slots end here.
pub const UNTIL: Time = Duration::from_millis(MS as u64 * Slot::MAX as u64);
/// While nothing is suspected and nothing new is told, the detector's own ticks only close empty windows: then it is
/// asked so seldom.
const CALM: Slot = SECOND;
/// A connection whose first words are not older than this when a trouble begins is a recent one, see `record`.
const YOUNG: Slot = 2 * SECOND;
/// So often one that goes on is looked for: of what lives long nearly all do.
const DRAWS: usize = 8;
/// Strangers that scanners try; enough that the detector has forgotten one before it comes again.
const STRANGERS: usize = 20_000;
const NODE: NodeId = NodeId(0);

/// A connection under way.
#[derive(Clone, Copy)]
struct Running {
    client: u32,
    server: u32,
    life: u32,
    step: u32,
    /// Slot that its steps count from.
    base: Slot,
    kind: Kind,
    part: Part,
    /// Of the libraries.
    level: u8,
}

/// Which shelf a life is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Well,
    Bad,
    Fresh(Trouble),
    Tail(Trouble, Place),
    /// What goes on by itself while its client is quiet, beside the connection that waits for the client's return; whether
    /// towards nobody.
    Lunch(bool),
}

/// The hosts of a site. Index and key are the same thing in two words.
struct Hosts {
    clients: Vec<HostKey>,
    servers: Vec<HostKey>,
}

/// A site, its mood and the detector that watches it.
pub struct Replay<'l> {
    levels: &'l [Library],
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
    /// What was told, for those who study evidence.
    pub tap: Option<Vec<(Time, Observation)>>,
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
        let mut wheel = Wheel::new();
        let mut dice = dice::stream(seed, "replay");
        for canary in canaries {
            hosts.clients.push(octets(canary.client));
            hosts.servers.push(octets(canary.server));
            let Some(life) = levels.first().and_then(|l| l.well.draw(Kind::Probe, &mut dice)) else {
                continue;
            };
            let run = Running {
                client: count(hosts.clients.len() - 1),
                server: count(hosts.servers.len() - 1),
                life,
                step: 0,
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
            level: nearest(levels, rate),
            opened: (0, 0.0, rate),
            servers,
            arrivals: arrivals.peekable(),
            mood,
            detector,
            carp: CarpView::default(),
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
            tap: None,
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
                for run in due.drain(..) {
                    self.tell(run);
                }
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

    /// Something broke: what is under way notices when it would have told something next.
    pub fn breaks(&mut self) {
        let lull = self.mood.lull();
        let begins = lull.is_some() && lull != self.lull;
        self.lull = lull;
        for (due, run) in self.wheel.drain() {
            let (client, server) = (run.client as usize, run.server as usize);
            if begins && self.mood.quiet(client) {
                self.rests(&run);
                // Nobody comes back to what was never answered.
                if run.part == Part::Bad {
                    continue;
                }
            }
            let trouble = self.mood.trouble(client, server).filter(|_| run.part == Part::Well);
            let Some(trouble) = trouble else {
                self.wheel.put(due, run);
                continue;
            };
            let levels = self.levels;
            let library = &levels[usize::from(run.level)];
            let broken = &library.broken[trouble as usize];
            let step = next(&library.well.of(run.kind)[run.life as usize], run.step);
            // If it talked all the time it would have told something else in a moment.
            let ahead = (due.saturating_sub(self.slot)) * MS;
            let wait = match step.and_then(|s| s.left) {
                Some(left) if ahead > left.from => ahead - left.from,
                Some(left) if ahead > left.to => ahead.min(self.dice.random_range(0..=left.gap)),
                _ => ahead,
            };
            let from = self.slot + wait / MS;
            if step.is_some_and(|s| self.dice.random::<f64>() < broken.flight.share(s, wait)) {
                // Told as it was; then it is looked at again.
                self.wheel.put(from, run);
            } else {
                self.turn(run, trouble, Since::Before, from);
            }
        }
        self.broke = self.slot;
    }

    /// The client of a connection falls quiet: its firewall tells what goes on without it.
    fn rests(&mut self, run: &Running) {
        let part = match run.part {
            Part::Well => Part::Lunch(false),
            Part::Bad => Part::Lunch(true),
            _ => return,
        };
        if let Some(life) = shelf(self.levels, run.level, part).draw(run.kind, &mut self.dice) {
            self.wait(Running {
                part,
                life,
                step: 0,
                base: self.slot,
                ..*run
            });
        }
    }

    /// From `from` on a connection tells what it tells in trouble.
    fn turn(&mut self, run: Running, trouble: Trouble, since: Since, from: Slot) {
        let age = if self.slot.saturating_sub(run.base) > YOUNG {
            Age::Old
        } else {
            Age::Young
        };
        let levels = self.levels;
        let broken = &levels[usize::from(run.level)].broken[trouble as usize];
        let places = [age, age.other()].map(|age| Place { age, since });
        let drawn = places
            .into_iter()
            .find_map(|p| Some((broken.tails(p).draw(run.kind, &mut self.dice)?, p)));
        if let Some((life, place)) = drawn {
            self.wait(Running {
                part: Part::Tail(trouble, place),
                life,
                step: 0,
                base: from,
                ..run
            });
        }
    }

    /// Health now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.detector.health(NODE, 0)
    }

    fn open(&mut self, a: &Arrival) {
        self.opened.1 += 1.0;
        if self.mood.quiet(a.client) {
            return;
        }
        let trouble = self.mood.trouble(a.client, a.server);
        let part = match trouble {
            // It does not send, or its packets do not even arrive.
            Some(Trouble::Deserted) => return,
            Some(t) => Part::Fresh(t),
            None if a.server >= self.servers => Part::Bad,
            None => Part::Well,
        };
        let levels = self.levels;
        let Some(life) = shelf(levels, self.level, part).draw(a.kind, &mut self.dice) else {
            return;
        };
        self.wait(Running {
            client: count(a.client),
            server: count(a.server),
            kind: a.kind,
            part,
            life,
            step: 0,
            base: slot(a.at),
            level: self.level,
        });
    }

    fn life(&self, run: &Running) -> &'l Life {
        &shelf(self.levels, run.level, run.part).of(run.kind)[run.life as usize]
    }

    /// Puts a connection where its next step is due.
    fn wait(&mut self, mut run: Running) {
        if run.step as usize >= self.life(&run).steps.len() && !self.goes_on(&mut run) {
            return;
        }
        let life = self.life(&run);
        let mut due = run.base + life.steps[run.step as usize].after / MS;
        if let Some(period) = self.levels[usize::from(run.level)].flush() {
            // Two buckets, half a period apart; the wait for the flush is in the recording already.
            let phase = (run.client ^ run.server) % 2 * period / 2;
            due = (due.saturating_sub(period / 2) + phase).div_ceil(period) * period - phase;
        }
        self.wheel.put(due.max(self.slot + 1), run);
    }

    /// A connection that outlived its recording does again what one like it did in the second half of its own, at the pace
    /// of the hour.
    fn goes_on(&mut self, run: &mut Running) -> bool {
        let Some(until) = self.life(run).until else {
            return false;
        };
        run.base += until / MS;
        if run.part == Part::Well && run.level != self.level {
            let now = &self.levels[usize::from(self.level)].well;
            // One that goes on, too: the hour ends no connection. Where none is found soon it keeps its own.
            let mut draw = || now.draw(run.kind, &mut self.dice);
            let drawn = (0..DRAWS).find_map(|_| draw().filter(|n| now.of(run.kind)[*n as usize].until.is_some()));
            if let Some(life) = drawn {
                (run.level, run.life) = (self.level, life);
            }
        }
        let life = self.life(run);
        let Some(until) = life.until else { return false };
        let half = until / 2;
        let step = life.steps.partition_point(|s| s.after < half);
        // Lives are exponential: as likely to go on as at any time before. Canaries never end.
        let more = match run.kind {
            Kind::Probe => 1.0,
            kind => (-f64::from(half) / 1_000.0 / kind.life().unwrap_or(1.0)).exp(),
        };
        run.base = run.base.saturating_sub(half / MS);
        run.step = count(step);
        step < life.steps.len() && self.dice.random::<f64>() < more
    }

    fn tell(&mut self, mut run: Running) {
        let (client, server) = (run.client as usize, run.server as usize);
        let trouble = self.mood.trouble(client, server);
        match (run.part, trouble) {
            (Part::Well, None) if self.mood.quiet(client) => {
                // Looks again when it may be over.
                run.base += SECOND;
                return self.wheel.put(self.slot + SECOND, run);
            }
            // Those that refuse are not heard any more either.
            (Part::Bad, Some(_)) => return,
            (Part::Lunch(bad), now) if now.is_some() || !(bad || self.mood.quiet(client)) => return,
            (Part::Fresh(t) | Part::Tail(t, _), now) if now != Some(t) => {
                // Mended (or broken otherwise): the next try gets through. Who was away has forgotten everything.
                if now.is_none() && t != Trouble::Deserted {
                    self.mended(&run);
                }
                if run.kind == Kind::Probe && now.is_none() {
                    self.well_again(run, run.server);
                }
                return;
            }
            _ => {}
        }
        let life = self.life(&run);
        // What came in one frame is told at once.
        let moment = life.steps[run.step as usize].after / MS;
        while let Some(step) = life.steps.get(run.step as usize)
            && step.after / MS == moment
        {
            if step.other && self.elsewhere(run, trouble) {
                return;
            }
            self.say(&run, step);
            run.step += 1;
        }
        match (run.part, trouble) {
            // What was in flight when it broke is told; perhaps the next word is, too.
            (Part::Well, Some(t)) => {
                let Some(next) = next(life, run.step) else { return };
                let after = (self.slot - self.broke) * MS + next.after.saturating_sub(moment * MS);
                let flight = &self.levels[usize::from(run.level)].broken[t as usize].flight;
                if self.dice.random::<f64>() < flight.share(next, after) {
                    self.wait(run);
                } else {
                    self.turn(run, t, Since::Told, self.slot);
                }
            }
            _ => self.wait(run),
        }
    }

    /// Asks the other resolver; says whether that one answers.
    fn elsewhere(&mut self, run: Running, trouble: Option<Trouble>) -> bool {
        let other = self.other(run.server);
        if self.mood.trouble(run.client as usize, other as usize) == trouble {
            return false;
        }
        self.well_again(run, other);
        true
    }

    fn other(&self, server: u32) -> u32 {
        // The resolvers are the second and third of the servers, see `traffic::arrivals`.
        match server {
            1 | 2 if self.servers > 2 => 3 - server,
            _ => server,
        }
    }

    fn well_again(&mut self, run: Running, server: u32) {
        let levels = self.levels;
        if let Some(life) = shelf(levels, run.level, Part::Well).draw(run.kind, &mut self.dice) {
            self.wait(Running {
                server,
                part: Part::Well,
                life,
                step: 0,
                base: self.slot,
                ..run
            });
        }
    }

    fn mended(&mut self, run: &Running) {
        let class = match (run.part, run.kind.tcp()) {
            (_, false) => Class::OneWay,
            (Part::Fresh(_), true) => Class::HalfOpen,
            _ => Class::Stalled,
        };
        let step = Step {
            after: 0,
            left: None,
            movement: Movement::EndToEnd,
            trial: Some((class, Outcome::Success)),
            delivery: run.kind.tcp().then_some(Outcome::Success),
            tries: 1,
            deliveries: 1,
            other: false,
        };
        self.say(run, &step);
    }

    fn say(&mut self, run: &Running, step: &Step) {
        if step.plain() {
            return;
        }
        let server = if step.other { self.other(run.server) } else { run.server };
        let (Some(client), Some(server)) = (
            self.hosts.clients.get(run.client as usize),
            self.hosts.servers.get(server as usize),
        ) else {
            return;
        };
        let mut o = Observation {
            path: 0,
            movement: step.movement,
            trial: step.trial,
            delivery: step.delivery,
            partner: None,
            hosts: Some((*client, *server)),
        };
        self.hear(&o);
        o.delivery = None;
        for _ in 1..step.tries {
            self.hear(&o);
        }
        if step.delivery.is_some() {
            (o.movement, o.trial, o.delivery) = (Movement::Both, None, step.delivery);
            for _ in 1..step.deliveries {
                self.hear(&o);
            }
        }
    }

    fn hear(&mut self, o: &Observation) {
        let now = at(self.slot);
        self.told += 1;
        if let Some(tap) = &mut self.tap {
            tap.push((now, *o));
        }
        self.detector.observe(stamp(now), NODE, o, None);
    }
}

impl Library {
    /// How far apart flushes are, in slots, where that is long enough to matter and things meet in them.
    fn flush(&self) -> Option<Slot> {
        // A bucket whose frames do not fill up is flushed a second after something came in.
        (0.5..6.0).contains(&self.frames).then_some(SECOND)
    }
}

/// The next word of a life; if several come at once, the one that proves most.
fn next(life: &Life, step: u32) -> Option<&Step> {
    let steps = life.steps.get(step as usize..)?;
    let moment = steps.first()?.after / MS;
    let together = steps.iter().take_while(|s| s.after / MS == moment);
    together.max_by_key(|s| s.proof())
}

fn shelf(levels: &[Library], level: u8, part: Part) -> &Shelf {
    let library = &levels[usize::from(level)];
    match part {
        Part::Well => &library.well,
        Part::Bad => &library.bad,
        Part::Fresh(t) => &library.broken[t as usize].fresh,
        Part::Tail(t, place) => library.broken[t as usize].tails(place),
        Part::Lunch(false) => &library.lunch.well,
        Part::Lunch(true) => &library.lunch.bad,
    }
}

/// What was recorded at about this many openings a second.
fn nearest(levels: &[Library], rate: f64) -> u8 {
    let apart = |l: &Library| (l.rate / rate.max(1e-6)).ln().abs();
    let nearest = levels
        .iter()
        .enumerate()
        .min_by(|a, b| apart(a.1).total_cmp(&apart(b.1)));
    nearest.map_or(0, |(i, _)| u8::try_from(i).unwrap_or(0))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn slot(t: Time) -> Slot {
    Slot::try_from(t.as_millis() / SLOT.as_millis()).unwrap_or(Slot::MAX)
}

fn at(slot: Slot) -> Time {
    SLOT * slot
}

fn stamp(t: Time) -> Timestamp {
    Timestamp::from_nanos(i64::try_from(t.as_nanos()).unwrap_or(i64::MAX))
}

/// The first slot that is not before `t`.
fn slot_of(t: Timestamp) -> Slot {
    let slot = i64::try_from(SLOT.as_nanos()).unwrap_or(1);
    Slot::try_from(t.as_nanos().div_euclid(slot) + i64::from(t.as_nanos().rem_euclid(slot) > 0)).unwrap_or(Slot::MAX)
}
