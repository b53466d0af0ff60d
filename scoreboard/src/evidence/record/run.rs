//! One site in several runs, alike until something begins: well, in each trouble, and with clients that fall quiet.

use super::super::life::{Age, Place, Step, Trouble};
use super::Plan;
use super::draft::{Draft, Raw};
use super::told::{Table, Told, other, tail};
use crate::scene::ETHERNET;
use hashbrown::HashMap;
use pf_sim::Time;
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
use pfwatch::track::zones::octets;
use std::time::Duration;

/// What was told within this long of the end of a recording goes on.
const OPEN: Duration = Duration::from_secs(60);
/// What does not live long is over after this long, nearly always.
const LONG: Duration = Duration::from_secs(120);
/// What was under way when the recording began has found its pace by then.
const SETTLED: Duration = Duration::from_secs(40);
/// An opening this long before a trouble is a recent one.
const YOUNG: Duration = Duration::from_secs(2);

pub(super) struct Recorder<'a> {
    pub(super) load: Load,
    pub(super) mix: &'a Mix,
    pub(super) canaries: &'a [Canary],
    pub(super) system: System,
    pub(super) plan: Plan,
}

/// What a pair of hosts is about.
#[derive(Clone, Copy)]
struct Pair {
    at: u64,
    kind: Kind,
    bad: bool,
    already: bool,
}

impl Recorder<'_> {
    pub(super) fn run(&self, draft: &mut Draft, seed: u64) {
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
            engine.frame(&Frame::whole(epoch + at, Where::Sync, ETHERNET, &octets));
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

fn cause(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Unanswered => Fault::Upstream(Loss::ALL),
        Trouble::Stuck => Fault::Wedge(0),
        Trouble::Undelivered => Fault::Port(0, Net::Lan, Way::Out, Loss::ALL),
        Trouble::Deserted => Fault::ClientsGone(1.0),
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
