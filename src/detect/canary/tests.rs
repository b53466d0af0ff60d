//! What canaries can and cannot say, told by observations at night, when nobody else is there.

use super::super::tests::{FW, Lab, at, client, server};
use super::*;
use crate::event::{Cause, Health, Verdict};
use std::net::IpAddr;

fn canary(from: u8, to: u8, every: Duration) -> settings::Canary {
    settings::Canary {
        from: IpAddr::from([10, 9, 9, from]),
        to: IpAddr::from([192, 0, 2, to]),
        proto: 6,
        every,
    }
}

/// Canaries with hosts (from, to), each once a second unless said otherwise.
struct Night {
    lab: Lab,
    ends: Vec<(u8, u8)>,
    every: f64,
    /// Messages come this long after the try, as the flush has it.
    delay: f64,
    beat: u32,
}

impl Night {
    fn new(ends: &[(u8, u8)], every: f64) -> Self {
        let mut lab = Lab::new();
        let list: Vec<_> = ends
            .iter()
            .map(|e| canary(e.0, e.1, Duration::from_secs_f64(every)))
            .collect();
        lab.detector.watch(&list);
        Self {
            lab,
            ends: ends.to_vec(),
            every,
            delay: 0.0,
            beat: 0,
        }
    }

    fn hosts(end: (u8, u8)) -> (HostKey, HostKey) {
        let c = canary(end.0, end.1, Duration::ZERO);
        (octets(c.from), octets(c.to))
    }

    /// Until `to`; what `sings` says of canary i at a time: answered, not answered, not heard.
    fn sing(&mut self, to: f64, sings: impl Fn(usize, f64) -> Option<bool>) {
        loop {
            let beat = f64::from(self.beat) * self.every;
            if beat + self.delay >= to {
                break;
            }
            for (i, end) in self.ends.clone().into_iter().enumerate() {
                // They do not start together.
                #[expect(clippy::cast_precision_loss, reason = "small integers")]
                let tried = beat + i as f64 * 0.31 * self.every;
                self.lab.until(tried + self.delay);
                let (from, to) = Self::hosts(end);
                if let Some(answered) = sings(i, tried) {
                    self.lab.attempt(from, to, answered);
                }
            }
            self.beat += 1;
        }
        self.lab.until(to);
    }

    fn down_after(&self, t: f64) -> Option<f64> {
        self.lab.down_at().map(|d| d - t)
    }

    fn ever(&self, health: Health, from: f64) -> Option<&Verdict> {
        self.lab
            .verdicts
            .iter()
            .find(|v| v.node == FW && v.to == health && v.at >= at(from))
    }
}

/// When something dies.
const DEAD: f64 = 300.0;

fn advertisement(advskew: u8) -> pfsync_proto::Carp {
    pfsync_proto::Carp {
        vhid: 1,
        advskew,
        advbase: 1,
        demote: 0,
        authlen: 7,
        counter: 0,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    }
}

#[test]
fn two_canaries_and_a_blackhole_at_night_are_down_soon() {
    for canaries in [&[(1, 1), (2, 2)][..], &[(1, 1), (2, 2), (3, 3)]] {
        for phase in [0.0, 0.2, 0.4, 0.6, 0.8, 0.99] {
            for delay in [0.0, 0.5, 1.0] {
                let mut night = Night::new(canaries, 1.0);
                night.delay = delay;
                night.sing(DEAD + phase, |_, _| Some(true));
                assert_eq!(night.lab.detector.health(FW, 0), Health::Up);
                night.sing(DEAD + 20.0, |_, t| Some(t < DEAD + phase));
                let took = night.down_after(DEAD + phase);
                // Three tries of two, or two of three, the flush included.
                let within = if canaries.len() == 2 { 4.2 } else { 3.2 };
                assert!(
                    took.is_some_and(|t| t <= within),
                    "{canaries:?} {phase} {delay}: {took:?}"
                );
                let v = night.ever(Health::Down, DEAD).unwrap();
                assert_eq!(v.cause, Cause::BlackholeForward);
                let said = v.sentence();
                assert!(said.contains("canaries)") && said.contains("usually 9"), "{said}");
            }
        }
    }
}

#[test]
fn where_only_canaries_pass_silence_is_not_taken_for_a_lost_link() {
    for others in [false, true] {
        let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
        let source = IpAddr::from([10, 0, 0, 1]);
        for i in 0..360_u32 {
            let t = f64::from(i);
            night
                .lab
                .carp
                .advertisement(at(t), 0, source, Some(FW), &advertisement(0), &mut Vec::new());
            night.lab.detector.signal(at(t), FW);
            let alive = t < DEAD;
            if others && alive {
                night.lab.attempt(client(i % 20), server(i % 12), true);
            }
            night.sing(t + 1.0, |_, _| alive.then_some(true));
        }
        let last = night.lab.verdicts.last().unwrap();
        let expected = if others {
            (Health::Unknown, Cause::SyncLost)
        } else {
            (Health::Suspect, Cause::CanaryMissing)
        };
        assert_eq!((last.to, last.cause), expected);
    }
}

#[test]
fn one_canary_is_suspect_at_most_and_its_dead_target_is_no_idle() {
    let mut night = Night::new(&[(1, 1)], 1.0);
    night.sing(DEAD, |_, _| Some(true));
    night.sing(DEAD + 3_600.0, |_, t| Some(t < DEAD));
    assert_eq!(night.lab.down_at(), None);
    assert_eq!(night.lab.detector.health(FW, 0), Health::Suspect);
    assert!(night.ever(Health::Idle, DEAD).is_none(), "{:?}", night.lab.verdicts);
    night.sing(DEAD + 3_620.0, |_, _| Some(true));
    assert_eq!(night.lab.detector.health(FW, 0), Health::Up);
}

#[test]
fn canaries_with_a_host_in_common_are_one() {
    for ends in [[(1, 1), (1, 2)], [(1, 1), (2, 1)]] {
        let mut night = Night::new(&ends, 1.0);
        night.sing(DEAD, |_, _| Some(true));
        night.sing(DEAD + 600.0, |_, t| Some(t < DEAD));
        assert_eq!(night.lab.down_at(), None, "{ends:?}");
        assert!(night.ever(Health::Suspect, DEAD).is_some());
    }
}

#[test]
fn a_target_that_is_dead_for_long_lends_nothing_to_the_next() {
    let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
    night.sing(DEAD, |_, _| Some(true));
    night.sing(2.0 * DEAD, |i, _| Some(i != 0));
    night.sing(3.0 * DEAD, |_, _| Some(false));
    assert_eq!(night.lab.down_at(), None, "{:?}", night.lab.verdicts);
}

#[test]
fn a_canary_host_that_is_dead_is_missed_and_nothing_more() {
    for others in [false, true] {
        let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
        // Somebody else is heard, so that we are not deaf; and pfsync itself goes on where `others` are there.
        night.lab.detector.add_node();
        night.sing(DEAD, |_, _| Some(true));
        for i in 0..600_u32 {
            let t = DEAD + f64::from(i) * 0.5;
            night.lab.until(t);
            night.lab.detector.frame(at(t), crate::event::NodeId(1));
            if others {
                night.lab.detector.frame(at(t), FW);
            }
        }
        assert_eq!(night.lab.down_at(), None);
        let v = night.ever(Health::Suspect, DEAD).unwrap();
        let expected = if others { Cause::CanaryMissing } else { Cause::Silence };
        assert_eq!(v.cause, expected);
        assert!(v.at < at(DEAD + 8.0), "{}", v.at);
        assert_eq!(night.lab.detector.health(FW, 0), Health::Suspect);
        assert!(night.ever(Health::Idle, DEAD).is_none(), "{:#?}", night.lab.verdicts);
    }
}

#[test]
fn one_of_two_canary_hosts_dead_is_nothing() {
    let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
    night.sing(DEAD, |_, _| Some(true));
    night.sing(DEAD + 300.0, |i, _| (i == 0).then_some(true));
    let after: Vec<&Verdict> = night.lab.verdicts.iter().filter(|v| v.at > at(DEAD)).collect();
    assert!(after.is_empty(), "{after:?}");
}

#[test]
fn a_working_canary_keeps_the_night_up() {
    for every in [1.0, 10.0, 30.0] {
        let mut night = Night::new(&[(1, 1)], every);
        night.sing(1_200.0, |_, _| Some(true));
        assert!(night.ever(Health::Idle, 60.0).is_none(), "{:?}", night.lab.verdicts);
        assert_eq!(night.lab.detector.health(FW, 0), Health::Up);
    }
}

#[test]
fn traffic_by_day_that_is_answered_outvotes_two_dead_targets() {
    for per_second in [2_u32, 20] {
        let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
        let mut n = 0_u32;
        for i in 0..900_u32 * per_second {
            let t = f64::from(i) / f64::from(per_second);
            night.sing(t, |_, tried| Some(tried < DEAD));
            n += 1;
            night.lab.attempt(client(n * 7 % 20), server(n * 5 % 12), true);
        }
        assert_eq!(night.lab.down_at(), None, "{per_second}/s: {:?}", night.lab.verdicts);
        assert_eq!(night.lab.detector.health(FW, 0), Health::Up);
    }
}

#[test]
fn canaries_that_never_worked_prove_nothing() {
    let mut night = Night::new(&[(1, 1), (2, 2), (3, 3)], 1.0);
    night.sing(600.0, |_, _| Some(false));
    assert_eq!(night.lab.down_at(), None);
}

#[test]
fn an_outage_is_not_what_is_usual_for_a_canary() {
    let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
    night.sing(DEAD, |_, _| Some(true));
    night.sing(2.0 * DEAD, |_, _| Some(false));
    let first = night.down_after(DEAD).unwrap();
    night.sing(2.0 * DEAD + 60.0, |_, _| Some(true));
    assert_eq!(night.lab.detector.health(FW, 0), Health::Up, "it came back");
    night.lab.verdicts.clear();
    night.sing(2.0 * DEAD + 90.0, |_, _| Some(false));
    let second = night.down_after(2.0 * DEAD + 60.0).unwrap();
    assert!((first - second).abs() < 1.1, "{first} {second}");
}

#[test]
fn a_canary_that_often_fails_needs_longer() {
    let mut night = Night::new(&[(1, 1), (2, 2)], 1.0);
    night.sing(DEAD, |i, t| Some((t + i as f64).rem_euclid(7.0) >= 1.0));
    assert_eq!(night.lab.down_at(), None);
    night.sing(DEAD + 60.0, |_, _| Some(false));
    let took = night.down_after(DEAD).unwrap();
    assert!((3.0..12.0).contains(&took), "{took}");
}

#[test]
fn one_canary_and_a_split_are_enough() {
    for canaries in [0, 1] {
        let ends = [(1, 1)];
        let mut night = Night::new(&ends[..canaries], 1.0);
        night.lab.detector.add_node();
        for i in 0..360_u32 {
            let t = f64::from(i);
            let split = t >= DEAD;
            let mut hear = |segment: u8, node: u16, skew: u8| {
                let source = IpAddr::from([10, 0, segment, u8::try_from(node).unwrap()]);
                let node = crate::event::NodeId(node);
                night.lab.carp.advertisement(
                    at(t),
                    usize::from(segment),
                    source,
                    Some(node),
                    &advertisement(skew),
                    &mut Vec::new(),
                );
                night.lab.detector.signal(at(t), node);
            };
            hear(0, 0, 0);
            if !split {
                hear(1, 0, 0);
            } else if t >= DEAD + 3.0 {
                hear(1, 1, 100);
            }
            night.lab.detector.frame(at(t), FW);
            night.lab.carp.settle(at(t), &mut Vec::new());
            night.sing(t + 1.0, |_, tried| Some(tried < DEAD));
        }
        assert!(night.lab.carp.split().is_some());
        let down = night.down_after(DEAD);
        if canaries == 0 {
            assert_eq!(down, None);
        } else {
            assert!(down.is_some_and(|t| t < 10.0), "{down:?}");
        }
    }
}
