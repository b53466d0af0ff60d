//! Tells the detector what a word of a life says, as often as it stands for others.

use super::book::Word;
use super::running::{Part, Running};
use super::time::{at, stamp};
use super::{NODE, Replay};
use pf_sim::traffic::Kind;
use pfwatch::track::Observation;
use pfwatch::track::flow::{CLASSES, Class, Movement, Outcome};

const ALL: [Class; CLASSES] = [
    Class::NewTcp,
    Class::NewUdp,
    Class::NewIcmp,
    Class::HalfOpen,
    Class::OneWay,
    Class::Active,
    Class::Stalled,
    Class::Delivery,
];

impl Replay<'_> {
    pub(super) fn mended(&mut self, run: &Running) {
        let class = match (run.part, run.kind.tcp()) {
            (_, false) => Class::OneWay,
            (Part::Fresh(_), true) => Class::HalfOpen,
            _ => Class::Stalled,
        };
        self.say(run, &Word::mended(class, run.kind.tcp()));
    }

    pub(super) fn say(&mut self, run: &Running, word: &Word) {
        if word.plain() {
            return;
        }
        let server = if word.other { self.other(run.server) } else { run.server };
        let calm = self.serene && run.kind != Kind::Probe;
        if !self.news.is(self.slot, run, server, word, calm) {
            return;
        }
        let (Some(client), Some(server)) = (
            self.hosts.clients.get(run.client as usize),
            self.hosts.servers.get(server as usize),
        ) else {
            return;
        };
        let mut o = Observation {
            path: 0,
            movement: word.movement,
            trial: word.trial,
            delivery: word.delivery,
            partner: None,
            whole: None,
            hosts: Some((*client, *server)),
            left: false,
        };
        self.hear(&o);
        o.delivery = None;
        self.hear_again(&o, word.tries, run.kind);
        if word.delivery.is_some() {
            (o.movement, o.trial, o.delivery) = (Movement::Both, None, word.delivery);
            self.hear_again(&o, word.deliveries, run.kind);
        }
    }

    /// What was left out of this moment counts all the same.
    pub(super) fn count(&mut self) {
        for class in ALL {
            let times = self.news.left(class);
            if times == 0 {
                continue;
            }
            self.told += u64::from(times);
            let success = Some(Outcome::Success);
            let (trial, delivery) = match class {
                Class::Delivery => (None, success),
                _ => (success.map(|o| (class, o)), None),
            };
            let o = Observation {
                path: 0,
                movement: Movement::EndToEnd,
                trial,
                delivery,
                partner: None,
                hosts: None,
                whole: None,
                left: false,
            };
            self.detector.repeat(stamp(at(self.slot)), NODE, &o, times);
        }
    }

    fn hear_again(&mut self, o: &Observation, times: u16, kind: Kind) {
        let more = u32::from(times.saturating_sub(1));
        // What is counted of a canary is told one by one.
        if kind == Kind::Probe {
            (0..more).for_each(|_| self.hear(o));
        } else if more > 0 {
            self.told += u64::from(more);
            self.detector.repeat(stamp(at(self.slot)), NODE, o, more);
        }
    }

    fn hear(&mut self, o: &Observation) {
        let now = at(self.slot);
        self.told += 1;
        self.detector.observe(stamp(now), NODE, o, None);
    }
}
