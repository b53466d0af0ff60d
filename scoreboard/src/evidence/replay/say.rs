//! Tells the detector what a step of a life says, as often as it stands for others.

use super::super::life::Step;
use super::running::{Part, Running};
use super::time::{at, stamp};
use super::{NODE, Replay};
use pfwatch::track::Observation;
use pfwatch::track::flow::{Class, Movement, Outcome};

impl Replay<'_> {
    pub(super) fn mended(&mut self, run: &Running) {
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

    pub(super) fn say(&mut self, run: &Running, step: &Step) {
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
            whole: None,
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
