//! What comes many times at once, counted instead of told: for those who replay what they have counted before.

use super::Detector;
use crate::event::NodeId;
use crate::time::Timestamp;
use crate::track::Observation;
use crate::track::flow::Outcome;

impl Detector {
    /// What was observed just now came `times` more at the same moment, through one node and not of a canary. It is counted;
    /// who failed or was answered is known already.
    pub fn repeat(&mut self, now: Timestamp, node: NodeId, o: &Observation, times: u32) {
        let Some(n) = self.nodes.get_mut(node.index()).filter(|_| now >= self.grace_until) else {
            return;
        };
        let succeeded = matches!(o.trial, Some((_, Outcome::Success))) || o.delivery == Some(Outcome::Success);
        if !succeeded && now < n.grace_until {
            return;
        }
        if o.trial.is_some() {
            n.carrier.tried_again(times);
        }
        if let Some(p) = n.paths.get_mut(o.path) {
            p.repeat(o, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::carp::CarpView;
    use crate::settings::Settings;
    use crate::track::flow::{Class, Movement};
    use std::net::IpAddr;
    use std::time::Duration;

    const NODE: NodeId = NodeId(0);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_millis(ms)
    }

    fn told(n: u8) -> Observation {
        let (movement, outcome) = match n % 3 {
            0 => (Movement::EndToEnd, Outcome::Success),
            1 => (Movement::Forward, Outcome::Partial),
            _ => (Movement::Attempt, Outcome::Failure),
        };
        Observation {
            path: 0,
            movement,
            trial: Some((Class::Active, outcome)),
            delivery: (!n.is_multiple_of(2)).then_some(outcome),
            partner: None,
            hosts: Some(([n % 5; 16], [n % 7; 16])),
            whole: None,
            left: false,
        }
    }

    /// Tells each of many things seven times, by `more` after the first.
    fn detector(more: fn(&mut Detector, Timestamp, &Observation)) -> Detector {
        let mut d = Detector::new(&Settings::default().detect, 1, 1);
        d.add_node();
        let (carp, mut verdicts) = (CarpView::default(), Vec::new());
        for n in 0..200_u8 {
            let now = at(u64::from(n) * 70);
            d.frame(now, NODE);
            d.observe(now, NODE, &told(n), None);
            more(&mut d, now, &told(n));
            d.judge(now, &carp, &mut verdicts);
        }
        d
    }

    #[test]
    fn what_is_counted_is_worth_what_it_is_when_told() {
        let one_by_one = detector(|d, now, o| (0..6).for_each(|_| d.observe(now, NODE, o, None)));
        let counted = detector(|d, now, o| d.repeat(now, NODE, o, 6));
        let memory = |d: &Detector| {
            let names = ["any".to_owned()];
            d.remember(at(20_000), NODE, IpAddr::from([10, 0, 0, 1]), &names)
                .unwrap()
        };
        assert_eq!(memory(&one_by_one), memory(&counted));
        assert!(memory(&counted).paths[0].round_trips > 0.0);
        let (told, repeated) = (one_by_one.path(NODE, 0).unwrap(), counted.path(NODE, 0).unwrap());
        assert_eq!(told.suspicion.to_bits(), repeated.suspicion.to_bits());
    }
}
