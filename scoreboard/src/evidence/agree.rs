//! Do both levels come to the same verdicts? The same scenario, load and seed frame by frame and as evidence.

use super::life::Library;
use super::mood::Mood;
use super::replay::Replay;
use super::weather::Weather;
use crate::scene::ETHERNET;
use pf_sim::Time;
use pf_sim::heard::Heard;
use pf_sim::setup::Setup;
use pf_sim::site::Net;
use pf_sim::traffic::{Canary, Probe};
use pf_sim::truth::{Grade, Truth};
use pf_sim::world::World;
use pfwatch::capture::{Frame, Net as Where};
use pfwatch::engine::Engine;
use pfwatch::event::{Event, Health, NodeId, Verdict};
use pfwatch::settings::{self, Settings};
use pfwatch::time::Timestamp;
use std::time::Duration;

/// What one level said about the active node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// From the onset to the first `down`, where there is an outage.
    pub found: Option<Duration>,
    /// `down` where nothing was wrong.
    pub false_alarms: u32,
    /// The words of the first of all these, and when.
    pub words: Option<String>,
}

/// What pfwatch is told of canaries.
#[must_use]
pub fn settings(canaries: &[Canary]) -> Settings {
    let canary = |c: &Canary| settings::Canary {
        from: c.client,
        to: c.server,
        proto: match c.kind {
            Probe::Tcp => 6,
            Probe::Icmp => 1,
        },
        every: c.every,
    };
    Settings {
        canaries: canaries.iter().map(canary).collect(),
        ..Settings::default()
    }
}

/// Frame by frame, by pfsync alone.
#[must_use]
pub fn by_frames(setup: &Setup, truth: &Truth) -> Said {
    let mut setup = setup.clone();
    // The lives of a single node were recorded; CARP would move what is asked about.
    setup.nodes.truncate(1);
    let epoch = Timestamp::from_nanos(setup.epoch);
    let end = epoch + setup.length;
    let mut engine = Engine::new(settings(&setup.canaries), 1);
    let mut world = World::new(setup);
    let mut said = Said::default();
    loop {
        let heard = world.next();
        let until = heard.as_ref().map_or(end, |h| epoch + h.at());
        while engine.next_deadline() < until {
            engine.idle(engine.next_deadline());
        }
        if let Some(Heard::Frame {
            at,
            net: Net::Sync,
            octets,
            ..
        }) = &heard
        {
            engine.frame(&Frame::whole(epoch + *at, Where::Sync, ETHERNET, octets));
        }
        while let Some(event) = engine.poll() {
            if let Event::Verdict(v) = event {
                said.note(v.at.since(epoch), &v, truth);
            }
        }
        if heard.is_none() {
            return said;
        }
    }
}

/// As evidence. `None` if this level does not know what happens in the scenario.
#[must_use]
pub fn by_evidence(library: &Library, setup: &Setup, truth: &Truth) -> Option<Said> {
    let load = &setup.load;
    let (clients, servers) = (setup.mix.clients(load), setup.mix.servers(load));
    let mood = Mood::new(clients, servers, setup.canaries.len(), Weather::CALM, setup.seed);
    let site = (load, &setup.mix, &setup.canaries[..]);
    let levels = std::slice::from_ref(library);
    let mut replay = Replay::new(levels, site, &settings(&setup.canaries), mood, setup.seed);
    let mut said = Said::default();
    let mut say = |at: Time, v: &Verdict, _: &Mood| said.note(at, v, truth);
    for (at, fault) in &setup.faults {
        replay.run(*at, &mut say);
        if !replay.mood.change(fault) {
            return None;
        }
        replay.breaks();
    }
    replay.run(setup.length, &mut say);
    Some(said)
}

impl Said {
    fn note(&mut self, at: Time, verdict: &Verdict, truth: &Truth) {
        if verdict.to != Health::Down || verdict.node != NodeId(0) {
            return;
        }
        self.words
            .get_or_insert_with(|| format!("after {:.1} s {}", at.as_secs_f64(), verdict.sentence()));
        match truth.down(0, at, Duration::from_secs(2)) {
            Some(outage) if outage.grade == Grade::Must || self.found.is_none() => {
                self.found.get_or_insert(at.saturating_sub(outage.from));
            }
            Some(_) => {}
            None => self.false_alarms += 1,
        }
    }
}
