//! Stories of two nodes, and of the two questions: who is to blame, and who is not.

use super::tests::{FW, at, client, server};
use super::*;
use crate::track::flow::{Class, Movement};
use pfsync_proto::Carp;
use std::net::{IpAddr, Ipv4Addr};

pub(super) const OTHER: NodeId = NodeId(1);

pub(super) struct Pair {
    pub(super) detector: Detector,
    pub(super) carp: CarpView,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) now: f64,
    pub(super) n: u32,
}

/// What one try of a client shows at a node.
pub(super) fn told(client: HostKey, server: HostKey, trial: Option<Outcome>, delivery: Option<Outcome>) -> Observation {
    Observation {
        path: 0,
        movement: Movement::Attempt,
        trial: trial.map(|o| (Class::NewTcp, o)),
        delivery,
        partner: None,
        whole: None,
        hosts: Some((client, server)),
        left: false,
    }
}

impl Pair {
    pub(super) fn new() -> Self {
        let mut detector = Detector::new(&Detect::default(), 1, 1);
        detector.add_node();
        detector.add_node();
        Self {
            detector,
            carp: CarpView::default(),
            verdicts: Vec::new(),
            now: 0.0,
            n: 0,
        }
    }

    pub(super) fn until(&mut self, t: f64) {
        while self.now < t {
            self.now += 0.05;
            self.carp.settle(at(self.now), &mut Vec::new());
            self.detector.judge(at(self.now), &self.carp, &mut self.verdicts);
        }
    }

    /// Twenty tries a second of twenty clients to twelve servers; `show` tells who hears what of each. Advertisements of
    /// the first node on the segments in `advertised`.
    fn run(
        &mut self,
        from: f64,
        to: f64,
        advertised: &[usize],
        show: impl Fn(HostKey, HostKey) -> Vec<(NodeId, Observation)>,
    ) {
        let mut t = from;
        let mut second = from.ceil();
        while t < to {
            self.until(t);
            if t >= second {
                second += 1.0;
                for &segment in advertised {
                    self.advertise(FW, segment, 0);
                }
            }
            let (c, s) = (client(self.n.wrapping_mul(7) % 20), server(self.n.wrapping_mul(5) % 12));
            for (node, o) in show(c, s) {
                self.hear(node, &o);
            }
            self.n += 1;
            t += 0.05;
        }
        self.until(to);
    }

    pub(super) fn hear(&mut self, node: NodeId, o: &Observation) {
        self.detector.frame(at(self.now), node);
        self.detector.observe(at(self.now), node, o, self.carp.split());
    }

    pub(super) fn advertise(&mut self, node: NodeId, segment: usize, advskew: u8) {
        let carp = Carp {
            vhid: 1,
            advskew,
            advbase: 1,
            demote: 0,
            authlen: 7,
            counter: 1,
            hmac: [0; 20],
            cksum_ok: true,
            bow_out: false,
        };
        let host = u8::try_from(10 * segment + node.index()).unwrap();
        let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
        let now = at(self.now);
        self.detector.signal(now, node);
        self.carp
            .advertisement(now, segment, addr, Some(node), &carp, &mut Vec::new());
    }

    pub(super) fn down(&self, node: NodeId) -> Option<(f64, Cause)> {
        let v = self.verdicts.iter().find(|v| v.node == node && v.to == Health::Down)?;
        Some((v.at.since(at(0.0)).as_secs_f64(), v.cause))
    }
}

pub(super) const WELL: Option<Outcome> = Some(Outcome::Success);
pub(super) const LOST: Option<Outcome> = Some(Outcome::Failure);
const PAIR: Option<Outcome> = Some(Outcome::Pair);

#[test]
fn answers_that_never_arrive_are_a_blackhole_although_every_try_is_answered() {
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 66.0, &[], |c, s| vec![(FW, told(c, s, WELL, LOST))]);
    let (when, cause) = p.down(FW).unwrap();
    assert!(when > 60.9 && when < 62.0, "{when}");
    assert_eq!(cause, Cause::BlackholeReverse);
    let v = p.verdicts.iter().find(|v| v.to == Health::Down).unwrap();
    assert!(
        v.evidence.undelivered && v.sentence().contains("do not go on"),
        "{}",
        v.sentence()
    );
    p.run(66.0, 70.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    assert_eq!(p.detector.health(FW, 0), Health::Up, "it recovers by the same account");
}

#[test]
fn one_client_that_acknowledges_nothing_is_no_blackhole() {
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 90.0, &[], |c, s| {
        let delivery = if c == client(7) { LOST } else { WELL };
        vec![(FW, told(c, s, WELL, delivery))]
    });
    assert_eq!(p.down(FW), None);
}

#[test]
fn where_requests_and_replies_take_different_nodes_both_are_credited() {
    let mut p = Pair::new();
    p.run(0.0, 90.0, &[], |c, s| {
        let asked = told(c, s, LOST, None);
        let answered = Observation {
            partner: Some(FW.0),
            ..told(c, s, Some(Outcome::Pair), None)
        };
        vec![(FW, asked), (OTHER, answered)]
    });
    assert!(p.down(FW).is_none() && p.down(OTHER).is_none(), "{:?}", p.verdicts);
}

/// The first node keeps the first segment, the other takes the second; what passes is told by `show`.
fn torn(show: impl Fn(HostKey, HostKey) -> Vec<(NodeId, Observation)>) -> Pair {
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[0, 1], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 63.5, &[0], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    for i in 0..6 {
        p.advertise(OTHER, 1, 100);
        let t = 63.5 + f64::from(i);
        p.run(t, t + 1.0, &[0], &show);
    }
    assert!(
        p.carp.split().is_some_and(|s| s.suspect == Some(FW)),
        "{:?}",
        p.carp.split()
    );
    p
}

/// A try fails at the first node, and the other tells what became of it: all on one flow.
fn halves(
    answer: Option<Outcome>,
    delivery: Option<Outcome>,
) -> impl Fn(HostKey, HostKey) -> Vec<(NodeId, Observation)> {
    move |c, s| {
        let answered = Observation {
            partner: Some(FW.0),
            ..told(c, s, answer, None)
        };
        let delivered = Observation {
            partner: Some(OTHER.0),
            whole: (answer == PAIR && delivery == PAIR).then_some(Duration::from_millis(300)),
            ..told(c, s, None, delivery)
        };
        vec![(FW, told(c, s, LOST, None)), (OTHER, answered), (FW, delivered)]
    }
}

#[test]
fn a_torn_pair_through_which_everything_passes_is_not_down() {
    let p = torn(halves(PAIR, PAIR));
    assert!(p.verdicts.iter().all(|v| v.to != Health::Down), "{:?}", p.verdicts);
}

#[test]
fn a_torn_pair_through_which_only_one_half_passes_is_down() {
    for (answer, delivery) in [(None, PAIR), (PAIR, LOST)] {
        let p = torn(halves(answer, delivery));
        assert!(p.down(FW).is_some(), "{answer:?} {delivery:?}");
        assert_eq!(p.down(OTHER), None);
    }
}

#[test]
fn halves_of_flows_in_opposite_directions_make_no_whole() {
    // The outside port is dead. Connections from outside are answered towards it, and what old downloads still bring is
    // acknowledged towards it.
    let p = torn(|c, s| {
        let half = |o| Observation {
            partner: Some(OTHER.0),
            ..o
        };
        let inbound = half(told(server(100), client(100), PAIR, None));
        let download = half(told(client(1), server(1), None, PAIR));
        vec![(FW, told(c, s, LOST, None)), (FW, inbound), (FW, download)]
    });
    assert!(p.down(FW).is_some_and(|(when, _)| when < 65.6), "{:?}", p.verdicts);
    assert!(p.verdicts.iter().all(|v| v.from != Health::Down), "{:?}", p.verdicts);
}

#[test]
fn what_passed_a_torn_pair_once_does_not_speak_for_it_later() {
    let mut p = torn(halves(PAIR, PAIR));
    assert_eq!(p.down(FW), None);
    // Few tries: by themselves they are not enough.
    let from = p.now;
    p.run(from, from + 8.0, &[0], |c, s| {
        let few = matches!(c[15] % 10, 4 | 7);
        few.then(|| (FW, told(c, s, LOST, None))).into_iter().collect()
    });
    let (when, _) = p.down(FW).unwrap();
    assert!(when - from < 5.0, "{}", when - from);
}

#[test]
fn who_carries_a_share_may_take_over_only_when_something_passes_through_it() {
    let p = torn(|c, s| vec![(FW, told(c, s, LOST, None))]);
    let fit = |p: &Pair| p.detector.fit(at(p.now), OTHER, p.carp.split().unwrap().since, false);
    assert!(fit(&p), "a backup has carried nothing");
    let since = p.carp.split().unwrap().since;
    assert!(
        !p.detector.fit(at(p.now), OTHER, since, true),
        "or CARP says that it has"
    );
    let share = |theirs: Option<Outcome>| {
        let mut p = Pair::new();
        let both = |theirs| move |c, s| vec![(FW, told(c, s, WELL, WELL)), (OTHER, told(c, s, theirs, theirs))];
        p.run(0.0, 60.0, &[0, 1], both(WELL));
        let since = at(p.now);
        p.run(60.0, 66.0, &[0], both(theirs));
        p.detector.fit(at(p.now), OTHER, since, false)
    };
    assert!(share(WELL) && !share(LOST));
}

#[test]
fn without_carp_the_one_that_began_last_is_not_to_blame() {
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 80.0, &[], |c, s| {
        vec![(FW, told(c, s, LOST, None)), (OTHER, told(c, s, LOST, None))]
    });
    assert!(p.down(FW).is_some_and(|(when, _)| when < 62.0));
    assert_eq!(p.down(OTHER), None);
}

#[test]
fn a_segment_without_advertisements_needs_less_evidence_and_an_answer_clears_it() {
    // Few tries, as at a branch: without CARP they take longer.
    let sparse = |c: HostKey, s: HostKey, o| {
        if c[15] % 10 == 7 || c[15] % 10 == 4 {
            vec![(FW, told(c, s, o, o))]
        } else {
            Vec::new()
        }
    };
    let found = |advertised: &[usize], trial| {
        let mut p = Pair::new();
        p.run(0.0, 120.0, &[0, 1], |c, s| sparse(c, s, WELL));
        p.run(120.0, 135.0, advertised, |c, s| sparse(c, s, trial));
        p.down(FW).map(|(when, _)| when - 120.0)
    };
    let (both, one) = (found(&[0, 1], LOST), found(&[0], LOST));
    assert!(one < both || both.is_none(), "{one:?} {both:?}");
    assert!(one.is_some_and(|t| t < 3.5), "{one:?}");
    assert_eq!(found(&[0], WELL), None, "advertisements alone prove nothing");
}

#[test]
fn a_lossy_segment_says_less() {
    let worth = |lossy: bool| {
        let mut p = Pair::new();
        for i in 0..200_u32 {
            p.until(f64::from(i));
            p.advertise(FW, 0, 0);
            if !lossy || i % 3 > 0 {
                p.advertise(FW, 1, 0);
            }
        }
        for i in 200..203_u32 {
            p.until(f64::from(i));
            p.advertise(FW, 0, 0);
        }
        p.carp.lost(at(p.now), FW).map_or(0.0, |l| l.0)
    };
    assert!(
        worth(false) > 4.0 && worth(true) < 2.0,
        "{} {}",
        worth(false),
        worth(true)
    );
}

#[test]
fn a_silent_node_whose_own_address_ceased_to_answer_is_down_and_one_that_answers_is_not() {
    for answers in [true, false] {
        let mut p = Pair::new();
        for i in 0..10 {
            p.detector.probe(at(f64::from(i)), FW, 0, true);
        }
        p.run(0.0, 60.0, &[0, 1], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
        let mut t = 60.0;
        while t < 70.0 {
            p.until(t);
            p.advertise(FW, 0, 0);
            p.advertise(FW, 1, 0);
            p.detector.signal(at(p.now), OTHER);
            p.detector.probe(at(p.now), FW, 0, answers);
            t += 1.0;
        }
        let down = p.down(FW);
        assert_eq!(down.is_some(), !answers, "{down:?}");
        if let Some((when, cause)) = down {
            assert!(when < 63.5 && cause == Cause::Unreachable, "{when} {cause:?}");
        }
    }
}

#[test]
fn what_fails_while_another_node_takes_over_is_not_held_against_the_one_that_gives_way() {
    let down = |rival: bool| {
        let mut p = Pair::new();
        p.run(0.0, 60.0, &[0, 1], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
        p.advertise(FW, 0, 0);
        p.advertise(FW, 1, 0);
        for i in 0..5 {
            for segment in [0, 1].into_iter().filter(|_| rival) {
                p.advertise(OTHER, segment, 0);
            }
            let t = 60.0 + f64::from(i);
            p.run(t, t + 1.0, &[], |c, s| vec![(FW, told(c, s, LOST, None))]);
        }
        p.down(FW)
    };
    assert_eq!(down(true), None);
    assert!(down(false).is_some());
}

#[test]
fn who_is_cut_off_itself_is_no_witness_against_others() {
    let found = |cut: bool| {
        let mut p = Pair::new();
        let sparse = |c: HostKey, s: HostKey, o| match c[15] % 10 {
            7 => vec![(FW, told(c, s, o, o))],
            _ => Vec::new(),
        };
        p.run(0.0, 60.0, &[0, 1], |c, s| sparse(c, s, WELL));
        for i in 0..10 {
            let t = 60.0 + f64::from(i);
            p.detector.cut_off(at(t), cut.then_some(OTHER));
            if i >= 3 {
                p.advertise(OTHER, 1, 100);
            }
            p.run(t, t + 1.0, &[0], |c, s| sparse(c, s, LOST));
        }
        assert!(p.carp.split().is_some_and(|s| s.suspect == Some(FW)));
        p.down(FW)
    };
    assert!(found(false).is_some());
    assert_eq!(found(true), None);
}

#[test]
fn a_split_lends_nothing_against_a_node_that_has_proven_a_round_trip_since() {
    let found = |well_until: f64| {
        let mut p = Pair::new();
        p.run(0.0, 60.0, &[0, 1], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
        for i in 0..18 {
            let t = 60.0 + f64::from(i);
            if i >= 3 {
                p.advertise(OTHER, 1, 100);
            }
            // Then it becomes quiet, and two hosts in turn fail.
            p.run(t, t + 1.0, &[0], |c, s| match (t < well_until, c[15]) {
                (true, _) => vec![(FW, told(c, s, WELL, WELL))],
                (_, 0 | 7) => vec![(FW, told(c, s, LOST, None))],
                _ => Vec::new(),
            });
        }
        p.down(FW)
    };
    assert!(found(62.0).is_some(), "nothing came since it was torn");
    assert_eq!(found(68.0), None);
}

#[test]
fn what_goes_on_through_another_node_neither_ends_a_down_nor_makes_up() {
    // The port dies; the other node takes everything over, and completes what began at the first: its segments agree, so
    // nothing is said against anybody any more.
    let moved = |c, s| {
        let answered = Observation {
            movement: Movement::PairEndToEnd,
            partner: Some(FW.0),
            ..told(c, s, PAIR, PAIR)
        };
        vec![(OTHER, answered), (FW, told(c, s, None, None))]
    };
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 64.0, &[], |c, s| vec![(FW, told(c, s, LOST, None))]);
    assert_eq!(p.detector.health(FW, 0), Health::Down);
    p.run(64.0, 80.0, &[], moved);
    assert_eq!(p.detector.health(FW, 0), Health::Down, "{:?}", p.verdicts);
    p.run(80.0, 84.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    assert_eq!(p.detector.health(FW, 0), Health::Up, "what it carries itself does");
    // Not yet down, only suspect: that ends it, but not as a round trip.
    let mut p = Pair::new();
    p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.run(60.0, 60.7, &[], |c, s| vec![(FW, told(c, s, LOST, None))]);
    assert_eq!(p.detector.health(FW, 0), Health::Suspect);
    let before = p.verdicts.len();
    p.run(60.7, 80.0, &[], moved);
    let after: Vec<Health> = p.verdicts[before..]
        .iter()
        .filter(|v| v.node == FW)
        .map(|v| v.to)
        .collect();
    assert_eq!(after, [Health::Idle], "{:?}", &p.verdicts[before..]);
}

#[test]
fn who_only_ever_carries_one_half_is_up_by_what_both_do_as_a_whole() {
    let after = |seconds: f64, answer, delivery| {
        let mut p = Pair::new();
        p.run(0.0, seconds, &[], halves(answer, delivery));
        p.detector.health(FW, 0)
    };
    assert_eq!(after(90.0, PAIR, PAIR), Health::Up);
    assert_ne!(
        after(90.0, PAIR, None),
        Health::Up,
        "beside a dead port one half passes, too"
    );
    assert_ne!(
        after(20.0, PAIR, PAIR),
        Health::Up,
        "that may be what a failover left over"
    );
}

#[test]
fn what_was_replaced_is_not_well_again_because_nothing_is_tried_there() {
    let later = |replaced: bool| {
        let mut p = Pair::new();
        p.run(0.0, 60.0, &[0, 1], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
        p.run(60.0, 64.0, &[0], |c, s| vec![(FW, told(c, s, LOST, None))]);
        assert_eq!(p.detector.health(FW, 0), Health::Down);
        for second in 64..500 {
            let masters = if replaced { [OTHER, OTHER] } else { [FW, FW] };
            for (segment, master) in masters.into_iter().enumerate() {
                p.advertise(master, segment, 0);
            }
            p.detector.frame(at(p.now), FW);
            p.until(f64::from(second));
        }
        p.detector.health(FW, 0)
    };
    assert_eq!((later(true), later(false)), (Health::Down, Health::Idle));
}

#[test]
fn what_passes_between_nobody_knows_whom_does_not_end_a_down() {
    let recovered = |hosts: bool| {
        let mut p = Pair::new();
        p.run(0.0, 60.0, &[], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
        p.run(60.0, 64.0, &[], |c, s| vec![(FW, told(c, s, LOST, None))]);
        p.run(64.0, 90.0, &[], |c, s| {
            let o = told(c, s, WELL, WELL);
            let hosts = o.hosts.filter(|_| hosts);
            vec![(FW, Observation { hosts, ..o })]
        });
        p.detector.health(FW, 0)
    };
    assert_eq!((recovered(true), recovered(false)), (Health::Up, Health::Down));
}

#[test]
fn who_is_master_is_not_idle_as_a_backup_is() {
    let cause = |p: &Pair, node| p.detector.path(node, 0).map(|p| (p.health, p.cause));
    let mut p = Pair::new();
    p.run(0.0, 20.0, &[0], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    p.detector.frame(at(p.now), OTHER);
    p.run(20.0, 40.0, &[0], |c, s| vec![(FW, told(c, s, WELL, WELL))]);
    assert_eq!(cause(&p, OTHER), Some((Health::Idle, Cause::Backup)));
    // Both advertise it.
    for second in 40..50 {
        p.until(f64::from(second));
        p.advertise(FW, 0, 0);
        p.advertise(OTHER, 0, 100);
        p.detector.frame(at(p.now), OTHER);
    }
    assert_eq!(cause(&p, OTHER), Some((Health::Idle, Cause::TwoMasters)));
    // It alone does.
    for second in 50..60 {
        p.until(f64::from(second));
        p.advertise(OTHER, 0, 100);
        p.detector.frame(at(p.now), OTHER);
    }
    assert_eq!(cause(&p, OTHER), Some((Health::Idle, Cause::Quiet)));
}
