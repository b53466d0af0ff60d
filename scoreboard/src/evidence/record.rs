//! Records lives: runs the world frame by frame and sorts what the tracker told by connection.
//!
//! The recording site has so many hosts that two of them hardly ever meet twice: then all that is told of a pair of
//! hosts is one connection with its retries. Each run is made six times from the same dice, once well, once for each trouble
//! and once with clients that fall quiet, and the runs are the same until that begins: so it is known of each connection
//! under way what it would have told, from where on it tells something else, and what was told as it was because it waited
//! for a flush.

use super::life::{Age, Broken, Library, Life, Place, Since, Step, Trouble};
use super::thin::{self, Keep, thin};
use crate::scene::ETHERNET;
use hashbrown::HashMap;
use pf_sim::Time;
use pf_sim::dice;
use pf_sim::fault::{Fault, Loss, Way};
use pf_sim::firewall::System;
use pf_sim::heard::Heard;
use pf_sim::setup::Setup;
use pf_sim::site::{self, Net};
use pf_sim::traffic::arrivals::Arrivals;
use pf_sim::traffic::{Canary, Kind, Load, Mix};
use pf_sim::world::World;
use pfwatch::capture::{Frame, Net as Where};
use pfwatch::engine::Engine;
use pfwatch::event::NodeId;
use pfwatch::settings::Settings;
use pfwatch::time::Timestamp;
use pfwatch::track::HostKey;
use pfwatch::track::flow::Outcome;
use pfwatch::track::zones::octets;
use std::time::Duration;

/// Hosts on each side of the recording site.
const HOSTS: usize = 50_000;
/// What was told within this long of the end of a recording goes on.
const OPEN: Duration = Duration::from_secs(60);
/// What does not live long is over after this long, nearly always.
const LONG: Duration = Duration::from_secs(120);
/// What was under way when the recording began has found its pace by then.
const SETTLED: Duration = Duration::from_secs(40);
/// An opening this long before a trouble is a recent one.
pub(super) const YOUNG: Duration = Duration::from_secs(2);
/// A step that is told this much earlier or later than it would have been is the same.
const SHIFT: u64 = 1_200;

/// How much is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Runs, each of other dice.
    pub runs: u64,
    /// Until the trouble begins.
    pub cut: Duration,
    /// From then on.
    pub rest: Duration,
}

impl Plan {
    /// Enough for this load: some thousand openings, and some hundred connections under way when a trouble begins. What
    /// lasts longer than a recording goes on from its middle.
    #[must_use]
    pub fn of(load: &Load) -> Self {
        let plan = |runs, cut, rest| Self {
            runs,
            cut: Duration::from_secs(cut),
            rest: Duration::from_secs(rest),
        };
        match load.flows_per_second {
            r if r > 100.0 => plan(1, 60, 60),
            r if r > 30.0 => plan(2, 80, 80),
            r if r > 10.0 => plan(4, 120, 120),
            r if r > 4.0 => plan(6, 200, 200),
            r if r > 1.0 => plan(16, 300, 300),
            r if r > 0.4 => plan(24, 600, 500),
            _ => plan(60, 1_500, 900),
        }
    }

    /// A small part of it, for tests.
    #[must_use]
    pub fn short(self) -> Self {
        Self {
            runs: self.runs.min(2),
            ..self
        }
    }
}

/// Records a site of this load on this system.
#[must_use]
pub fn library(load: &Load, mix: &Mix, canaries: &[Canary], system: System, plan: Plan, seed: u64) -> Library {
    let mut draft = Draft::default();
    let recorder = Recorder {
        load: Load {
            clients: HOSTS,
            servers: HOSTS,
            daily: false,
            ..*load
        },
        mix,
        canaries,
        system,
        plan,
    };
    for run in 0..plan.runs {
        recorder.run(&mut draft, seed.wrapping_mul(1_000).wrapping_add(run));
    }
    draft.library(load.flows_per_second, plan, seed)
}

fn cause(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Unanswered => Fault::Upstream(Loss::ALL),
        Trouble::Stuck => Fault::Wedge(0),
        Trouble::Undelivered => Fault::Port(0, Net::Lan, Way::Out, Loss::ALL),
        Trouble::Deserted => Fault::ClientsGone(1.0),
    }
}

/// A life that is not thinned yet; times are milliseconds.
struct Raw {
    kind: Kind,
    from: u64,
    until: Option<u64>,
    steps: Vec<(u64, Step)>,
}

#[derive(Default)]
struct Draft {
    well: Vec<Raw>,
    bad: Vec<Raw>,
    fresh: [Vec<Raw>; Trouble::ALL.len()],
    tails: [Vec<(Place, Raw)>; Trouble::ALL.len()],
    /// Well, bad.
    lunch: [Vec<Raw>; 2],
    library: Library,
    frames: u64,
}

impl Draft {
    #[expect(clippy::cast_precision_loss, reason = "numbers of frames")]
    fn library(self, rate: f64, plan: Plan, seed: u64) -> Library {
        let Self {
            well,
            bad,
            fresh,
            tails,
            lunch,
            mut library,
            frames,
        } = self;
        library.rate = rate;
        library.frames = frames as f64 / ((plan.cut + plan.rest).as_secs_f64() * plan.runs as f64);
        // Before anything is left out, each try is told once.
        let usual = thin::counts(
            [&well, &bad]
                .into_iter()
                .flatten()
                .map(|raw| Life {
                    steps: raw.steps.iter().map(|s| s.1).collect(),
                    until: None,
                })
                .collect::<Vec<_>>()
                .iter(),
        );
        let keep = Keep::of(rate, library.frames);
        let dice = &mut dice::stream(seed, "thin");
        let mut life = |r: &Raw| r.life(thin(&r.steps, keep, &usual, dice));
        for (shelf, raw) in [(&mut library.well, well), (&mut library.bad, bad)] {
            raw.iter().for_each(|r| shelf.put(r.kind, life(r)));
        }
        for ((broken, fresh), tails) in library.broken.iter_mut().zip(fresh).zip(tails) {
            fresh.iter().for_each(|r| broken.fresh.put(r.kind, life(r)));
            for (place, r) in &tails {
                broken.tails_mut(*place).put(r.kind, life(r));
            }
        }
        for (shelf, raw) in [&mut library.lunch.well, &mut library.lunch.bad].into_iter().zip(lunch) {
            raw.iter().for_each(|r| shelf.put(r.kind, life(r)));
        }
        thin::balance(&mut library, &usual, dice);
        library
    }
}

impl Raw {
    fn life(&self, steps: Vec<(u64, Step)>) -> Life {
        let from = |(at, step): (u64, Step)| Step {
            after: u32::try_from(at.saturating_sub(self.from)).unwrap_or(u32::MAX),
            ..step
        };
        Life {
            steps: steps.into_iter().map(from).collect(),
            until: self.until.map(|t| u32::try_from(t - self.from).unwrap_or(u32::MAX)),
        }
    }
}

struct Recorder<'a> {
    load: Load,
    mix: &'a Mix,
    canaries: &'a [Canary],
    system: System,
    plan: Plan,
}

/// What a pair of hosts is about.
#[derive(Clone, Copy)]
struct Pair {
    at: u64,
    kind: Kind,
    bad: bool,
    already: bool,
}

type Hosts = (HostKey, HostKey);
type Table<T> = HashMap<Hosts, T, foldhash::fast::FixedState>;

impl Recorder<'_> {
    fn run(&self, draft: &mut Draft, seed: u64) {
        let end = self.plan.cut + self.plan.rest;
        let (cut, pairs) = (millis(self.plan.cut), self.pairs(seed, end));
        let (well, frames) = self.told(seed, None, &pairs);
        draft.frames += frames;
        let ends = millis(end);
        // What lives long goes on unless it is seen to end.
        let until = |kind: Kind, steps: &[(u64, Step)]| {
            let late = steps.last().is_some_and(|s| s.0 + millis(OPEN) > ends);
            (kind == Kind::Probe || (late && kind.life().is_some())).then_some(ends)
        };
        // Of what is short it must be known how it ends, of what is long how it goes on.
        let whole = |p: &Pair| p.at + millis(self.plan.rest.min(LONG) / 2) <= ends;
        for (hosts, steps) in &well.list {
            let pair = pairs[hosts];
            let canary = pair.kind == Kind::Probe;
            if (pair.already || !whole(&pair)) && !canary {
                continue;
            }
            let from = if canary { millis(SETTLED) } else { pair.at };
            let raw = Raw {
                kind: pair.kind,
                from,
                until: until(pair.kind, steps),
                steps: steps.iter().filter(|s| s.0 >= from).copied().collect(),
            };
            if pair.bad { &mut draft.bad } else { &mut draft.well }.push(raw);
        }
        for (i, trouble) in Trouble::ALL.into_iter().enumerate() {
            let (told, _) = self.told(seed, Some(cause(trouble)), &pairs);
            for (hosts, pair) in told.order(&well).map(|h| (h, pairs[&h])).filter(|(_, p)| !p.bad) {
                let steps = told.of(&hosts);
                if pair.at >= cut {
                    if whole(&pair) {
                        draft.fresh[i].push(Raw {
                            kind: pair.kind,
                            from: pair.at,
                            until: until(pair.kind, steps),
                            steps: steps.to_vec(),
                        });
                    }
                    continue;
                }
                let age = if cut - pair.at > millis(YOUNG) {
                    Age::Old
                } else {
                    Age::Young
                };
                if let Some((since, mut tail)) = tail(well.of(&hosts), steps, cut, &mut draft.library.broken[i]) {
                    (tail.kind, tail.until) = (pair.kind, until(pair.kind, steps));
                    draft.tails[i].push((Place { age, since }, tail));
                }
            }
        }
        let (told, _) = self.told(seed, Some(Fault::Quiet(1.0)), &pairs);
        for (hosts, pair) in told.order(&well).map(|h| (h, pairs[&h])) {
            // Canaries never rest.
            if pair.at >= cut || pair.kind == Kind::Probe {
                continue;
            }
            let all = |told: &Told| told.of(&hosts).iter().filter(|s| s.0 >= cut).copied().collect();
            let (as_it_was, steps): (Vec<_>, Vec<_>) = (all(&well), all(&told));
            // What would have said nothing more is over, and not under way where lives are replayed.
            if as_it_was.is_empty() && steps.is_empty() {
                continue;
            }
            draft.lunch[usize::from(pair.bad)].push(Raw {
                kind: pair.kind,
                from: cut,
                until: until(pair.kind, &steps),
                steps,
            });
        }
    }

    /// Who talks to whom about what, as far as two hosts have only one thing to talk about.
    fn pairs(&self, seed: u64, end: Time) -> Table<Pair> {
        let mut pairs: Table<Pair> = HashMap::default();
        let mut several = Vec::new();
        let all = Arrivals::new(&self.load, self.mix, seed);
        let servers = all.servers();
        for a in all.take_while(|a| a.at < end) {
            let pair = Pair {
                at: millis(a.at),
                kind: a.kind,
                bad: a.server >= servers,
                already: a.already,
            };
            let hosts = (octets(site::client(a.client)), octets(site::server(a.server)));
            if pairs.insert(hosts, pair).is_some() {
                several.push(hosts);
            }
        }
        // What is told of those cannot be parted.
        for hosts in several {
            pairs.remove(&hosts);
        }
        for canary in self.canaries {
            let pair = Pair {
                at: 0,
                kind: Kind::Probe,
                bad: false,
                already: true,
            };
            pairs.insert((octets(canary.client), octets(canary.server)), pair);
        }
        pairs
    }

    /// What the tracker told of each pair of hosts, in the order of their first word, and how many frames it took.
    fn told(&self, seed: u64, fault: Option<Fault>, pairs: &Table<Pair>) -> (Told, u64) {
        let mut setup = Setup::pair(self.system, self.load, seed).lasting(self.plan.cut + self.plan.rest);
        setup.mix = self.mix.clone();
        setup.canaries = self.canaries.to_vec();
        // CARP would answer some of these troubles by a takeover: here the node itself is looked at.
        setup.nodes.truncate(1);
        setup.pings = false;
        setup.faults.extend(fault.map(|f| (self.plan.cut, f)));
        let epoch = Timestamp::from_nanos(setup.epoch);
        let mut engine = Engine::new(Settings::default(), 1);
        engine.observations();
        let mut world = World::new(setup);
        let (mut told, mut frames) = (Told::default(), 0);
        while let Some(heard) = world.next() {
            let Heard::Frame {
                at,
                net: Net::Sync,
                octets,
                ..
            } = heard
            else {
                continue;
            };
            frames += 1;
            engine.frame(&Frame {
                at: epoch + at,
                net: Where::Sync,
                link: ETHERNET,
                data: &octets,
                wire_len: u32::try_from(octets.len()).unwrap_or(u32::MAX),
            });
            while engine.poll().is_some() {}
            for heard in engine.observations() {
                let o = heard.observation;
                let (Some(hosts), NodeId(0)) = (o.hosts, heard.node) else {
                    continue;
                };
                let mut step = Step {
                    after: 0,
                    left: None,
                    movement: o.movement,
                    trial: o.trial,
                    delivery: o.delivery,
                    tries: 1,
                    deliveries: 1,
                    other: false,
                };
                if pairs.contains_key(&hosts) {
                    told.put(hosts, millis(at), step);
                } else if let Some(asked) = other(&hosts).filter(|h| pairs.contains_key(h)) {
                    step.other = true;
                    told.put(asked, millis(at), step);
                }
            }
        }
        (told, frames)
    }
}

/// Of a client and a resolver: the same client and the other resolver.
fn other(hosts: &Hosts) -> Option<Hosts> {
    let resolvers = [1, 2].map(|n| octets(site::server(n)));
    let i = resolvers.iter().position(|r| *r == hosts.1)?;
    Some((hosts.0, resolvers[1 - i]))
}

/// What a connection that was under way tells from where on it tells something else; `None` if there is nothing to tell.
fn tail(well: &[(u64, Step)], broken: &[(u64, Step)], cut: u64, notes: &mut Broken) -> Option<(Since, Raw)> {
    let after = |steps: &[(u64, Step)]| steps.partition_point(|s| s.0 < cut);
    let (well, broken) = (&well[after(well)..], &broken[after(broken)..]);
    let same = |(w, b): &(&(u64, Step), &(u64, Step))| w.1.says_what(&b.1) && w.0.abs_diff(b.0) <= SHIFT;
    let told = well.iter().zip(broken).take_while(same).count();
    for (i, (at, step)) in well.iter().enumerate().take(told + 1) {
        let after = u32::try_from(at - cut).unwrap_or(u32::MAX);
        notes.flight.note(step, after, i < told);
    }
    let next = well.get(told).or(broken.get(told))?.0;
    let (since, from) = match told.checked_sub(1) {
        Some(last) => (Since::Told, broken[last].0),
        None => (Since::Before, next),
    };
    let raw = Raw {
        kind: Kind::Probe,
        from,
        until: None,
        steps: broken[told..].iter().filter(|s| !in_flight(s, cut)).copied().collect(),
    };
    Some((since, raw))
}

/// What is told so soon after a trouble began, and is good news, was in flight: how often that is told is known by itself.
fn in_flight((at, step): &(u64, Step), cut: u64) -> bool {
    *at < cut + SHIFT && step.proof() > 0
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

/// What was told of each pair, in the order of their first word.
#[derive(Default)]
struct Told {
    index: Table<usize>,
    list: Vec<(Hosts, Vec<(u64, Step)>)>,
}

impl Told {
    fn put(&mut self, hosts: Hosts, at: u64, step: Step) {
        let i = *self.index.entry(hosts).or_insert_with(|| {
            self.list.push((hosts, Vec::new()));
            self.list.len() - 1
        });
        self.list[i].1.push((at, step));
    }

    fn of(&self, hosts: &Hosts) -> &[(u64, Step)] {
        self.index.get(hosts).map_or(&[], |i| &self.list[*i].1)
    }

    /// All pairs of both, each once.
    fn order<'a>(&'a self, well: &'a Self) -> impl Iterator<Item = Hosts> + 'a {
        let news = self.list.iter().filter(|(h, _)| !well.index.contains_key(h));
        well.list.iter().chain(news).map(|(h, _)| *h)
    }
}
