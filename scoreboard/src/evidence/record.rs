//! Records lives: runs the world frame by frame and sorts what the tracker told by connection.
//!
//! The recording site has so many hosts that two of them hardly ever meet twice: then all that is told of a pair of
//! hosts is one connection with its retries.

use super::life::{Library, Life, Shelf, Step, Trouble};
use crate::scene::ETHERNET;
use hashbrown::HashMap;
use pf_sim::Time;
use pf_sim::fault::{Fault, Loss, Way};
use pf_sim::firewall::System;
use pf_sim::heard::Heard;
use pf_sim::setup::Setup;
use pf_sim::site::{self, Net};
use pf_sim::traffic::arrivals::{Arrival, Arrivals};
use pf_sim::traffic::{Load, Mix};
use pf_sim::world::World;
use pfwatch::capture::{Frame, Net as Where};
use pfwatch::engine::Engine;
use pfwatch::event::NodeId;
use pfwatch::settings::Settings;
use pfwatch::time::Timestamp;
use pfwatch::track::HostKey;
use pfwatch::track::zones::octets;
use std::time::Duration;

/// Hosts on each side of the recording site.
const HOSTS: usize = 50_000;
/// Openings to record, about, within the bounds of time below.
const OPENINGS: f64 = 20_000.0;
const SHORTEST: Duration = Duration::from_secs(200);
const LONGEST: Duration = Duration::from_secs(4 * 3_600);
/// What was told within this long of the end of a recording goes on.
const OPEN: Duration = Duration::from_secs(20);

/// Records a site of this load on this system.
#[must_use]
pub fn library(load: &Load, mix: &Mix, system: System, seed: u64) -> Library {
    let mut library = Library::default();
    record(load, mix, system, seed, None, &mut library.well, &mut library.bad);
    for (i, trouble) in Trouble::ALL.into_iter().enumerate() {
        let seed = seed.wrapping_add(1 + i as u64);
        let fault = Some(trouble);
        record(
            load,
            mix,
            system,
            seed,
            fault,
            &mut library.fresh[i],
            &mut library.tails[i],
        );
    }
    library
}

/// How long one recording at this load is.
#[must_use]
pub fn length(load: &Load) -> Duration {
    Duration::from_secs_f64(OPENINGS / load.flows_per_second.max(0.01)).clamp(SHORTEST, LONGEST)
}

fn cause(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Unanswered => Fault::Upstream(Loss::ALL),
        Trouble::Stuck => Fault::Wedge(0),
        Trouble::Undelivered => Fault::Port(0, Net::Lan, Way::Out, Loss::ALL),
        Trouble::Deserted => Fault::ClientsGone(1.0),
    }
}

fn record(
    load: &Load,
    mix: &Mix,
    system: System,
    seed: u64,
    trouble: Option<Trouble>,
    whole: &mut Shelf,
    others: &mut Shelf,
) {
    let load = Load {
        clients: HOSTS,
        servers: HOSTS,
        daily: false,
        ..*load
    };
    let end = length(&load);
    // Half of the time well, so that there is something to cut.
    let cut = trouble.map_or(Time::MAX, |_| end / 2);
    let mut setup = Setup::pair(system, load, seed).lasting(end);
    setup.mix = mix.clone();
    // CARP would answer some of these troubles by a takeover: here the node itself is looked at.
    setup.nodes.truncate(1);
    setup.pings = false;
    setup.faults.extend(trouble.map(|t| (cut, cause(t))));
    let told = told(setup);
    let mut arrivals: HashMap<(HostKey, HostKey), Arrival, foldhash::fast::FixedState> = HashMap::default();
    let all = Arrivals::new(&load, mix, seed);
    let servers = all.servers();
    for a in all.take_while(|a| a.at < end) {
        let hosts = (octets(site::client(a.client)), octets(site::server(a.server)));
        arrivals.entry(hosts).or_insert(a);
    }
    for (hosts, steps) in told {
        let Some(arrival) = arrivals.get(&hosts).filter(|a| !a.already) else {
            continue;
        };
        let open = steps.last().is_some_and(|(at, ..)| *at + OPEN > end);
        let life = |from: Time, steps: &[(Time, Step)]| Life {
            steps: steps
                .iter()
                .map(|(at, step)| Step {
                    after: millis(at.saturating_sub(from)),
                    ..*step
                })
                .collect(),
            open,
        };
        if arrival.server >= servers {
            // Where nobody answers anyway, no trouble changes anything.
            if trouble.is_none() {
                others.put(arrival.kind, life(arrival.at, &steps));
            }
        } else if arrival.at >= cut || trouble.is_none() {
            whole.put(arrival.kind, life(arrival.at, &steps));
        } else if let Some(first) = steps.iter().position(|(at, _)| *at >= cut) {
            others.put(arrival.kind, life(steps[first].0, &steps[first..]));
        }
    }
}

fn millis(d: Duration) -> u32 {
    u32::try_from(d.as_millis()).unwrap_or(u32::MAX)
}

type Told = Vec<((HostKey, HostKey), Vec<(Time, Step)>)>;

/// What the tracker told of each pair of hosts, in the order of their first word.
fn told(setup: Setup) -> Told {
    let epoch = Timestamp::from_nanos(setup.epoch);
    let mut engine = Engine::new(Settings::default(), 1);
    engine.observations();
    let mut world = World::new(setup);
    let mut index: HashMap<(HostKey, HostKey), usize, foldhash::fast::FixedState> = HashMap::default();
    let mut told: Told = Vec::new();
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
        engine.frame(&Frame {
            at: epoch + at,
            net: Where::Sync,
            link: ETHERNET,
            data: &octets,
            wire_len: u32::try_from(octets.len()).unwrap_or(u32::MAX),
        });
        while engine.poll().is_some() {}
        for heard in engine.observations() {
            let (Some(hosts), NodeId(0)) = (heard.observation.hosts, heard.node) else {
                continue;
            };
            let i = *index.entry(hosts).or_insert_with(|| {
                told.push((hosts, Vec::new()));
                told.len() - 1
            });
            let step = Step {
                after: 0,
                movement: heard.observation.movement,
                delivery: heard.observation.delivery,
                trial: heard.observation.trial,
            };
            told[i].1.push((at, step));
        }
    }
    told
}
