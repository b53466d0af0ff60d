//! What must and must not look like a dead firewall, told by observations alone: no frames, no CARP unless said.

use super::*;
use crate::track::flow::{Class, Movement, Outcome};

pub(super) const FW: NodeId = NodeId(0);

pub(super) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(1_790_000_000_000_000_000) + Duration::from_secs_f64(seconds)
}

fn host(net: u8, i: u32) -> HostKey {
    let mut h = [0; 16];
    h[0] = net;
    h[12..].copy_from_slice(&i.to_be_bytes());
    h
}

pub(super) fn client(i: u32) -> HostKey {
    host(10, i)
}

pub(super) fn server(i: u32) -> HostKey {
    host(203, i)
}

pub(super) struct Lab {
    pub(super) detector: Detector,
    pub(super) carp: CarpView,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) now: f64,
}

impl Lab {
    pub(super) fn new() -> Self {
        let mut detector = Detector::new(&Detect::default(), 1, 1);
        detector.add_node();
        Self {
            detector,
            carp: CarpView::default(),
            verdicts: Vec::new(),
            now: 0.0,
        }
    }

    pub(super) fn until(&mut self, t: f64) {
        while self.now < t {
            self.now += 0.05;
            self.detector.judge(at(self.now), &self.carp, &mut self.verdicts);
        }
    }

    pub(super) fn attempt(&mut self, client: HostKey, server: HostKey, answered: bool) {
        let (movement, outcome) = if answered {
            (Movement::EndToEnd, Outcome::Success)
        } else {
            (Movement::Attempt, Outcome::Failure)
        };
        let o = Observation {
            path: 0,
            movement,
            trial: Some((Class::NewTcp, outcome)),
            delivery: None,
            partner: None,
            whole: None,
            hosts: Some((client, server)),
            left: false,
        };
        self.detector.frame(at(self.now), FW);
        self.detector.observe(at(self.now), FW, &o, None);
    }

    /// `per_second` tries of 20 clients to 12 servers, each answered if `answered(client, server)`.
    pub(super) fn traffic(&mut self, per_second: u32, from: f64, to: f64, answered: impl Fn(u32, u32) -> bool) {
        let mut n = 0_u32;
        let mut t = from;
        while t < to {
            self.until(t);
            let (c, s) = (n.wrapping_mul(7) % 20, n.wrapping_mul(5) % 12);
            self.attempt(client(c), server(s), answered(c, s));
            n += 1;
            t += 1.0 / f64::from(per_second);
        }
        self.until(to);
    }

    pub(super) fn down_at(&self) -> Option<f64> {
        self.verdicts
            .iter()
            .find(|v| v.to == Health::Down)
            .map(|v| v.at.since(at(0.0)).as_secs_f64())
    }
}

#[test]
fn all_tries_failing_is_down_soon_and_the_cause_is_forward() {
    for (per_second, within) in [(100, 1.4), (20, 1.6), (5, 4.0), (2, 9.0)] {
        let mut lab = Lab::new();
        lab.traffic(per_second, 0.0, 60.0, |_, _| true);
        assert_eq!(lab.detector.health(FW, 0), Health::Up);
        lab.traffic(per_second, 60.0, 75.0, |_, _| false);
        let delay = lab.down_at().map(|t| t - 60.0);
        assert!(
            delay.is_some_and(|d| d > 0.9 && d < within),
            "{per_second}/s: {delay:?}"
        );
        let v = lab.verdicts.iter().find(|v| v.to == Health::Down).unwrap();
        assert_eq!(v.cause, Cause::BlackholeForward);
        assert!(v.evidence.suspicion >= v.evidence.threshold);
    }
}

#[test]
fn who_was_not_heard_before_may_be_in_an_election_and_one_that_goes_on_is_an_outage() {
    let mut lab = Lab::new();
    lab.traffic(100, 0.0, 2.0, |_, _| true);
    lab.traffic(100, 2.0, 9.5, |_, _| false);
    assert_eq!(lab.down_at(), None);
    lab.traffic(100, 9.5, 12.0, |_, _| false);
    assert!(lab.down_at().is_some());
}

/// What fails is told as new sooner again than what works.
#[test]
fn while_much_of_what_is_told_as_new_is_old_nobody_is_down() {
    for (share, down) in [(0.1, true), (0.3, false)] {
        let mut lab = Lab::new();
        lab.traffic(20, 0.0, 60.0, |_, _| true);
        lab.detector.retold(share);
        lab.traffic(20, 60.0, 75.0, |_, _| false);
        assert_eq!(lab.down_at().is_some(), down);
        let health = if down { Health::Down } else { Health::Unknown };
        assert_eq!(lab.detector.health(FW, 0), health);
        let cause = lab.verdicts.last().map(|v| v.cause);
        assert_eq!(cause == Some(Cause::Repeated), !down, "{cause:?}");
        assert!(
            lab.detector.next_deadline() >= Some(at(lab.now)),
            "what is due stays due"
        );
    }
}

#[test]
fn damaged_frames_on_the_sync_net_make_a_verdict_take_more() {
    let delay = |damaged: bool| {
        let mut lab = Lab::new();
        for n in 0..800_u32 {
            lab.until(f64::from(n) * 0.1);
            if damaged && n % 200 == 0 {
                assert_eq!(lab.detector.damaged(at(lab.now)), n == 0, "news once");
            }
            lab.attempt(client(n % 20), server(n * 7 % 60), n < 600);
        }
        lab.down_at().unwrap() - 60.0
    };
    let (clean, damaged) = (delay(false), delay(true));
    assert!(clean < 2.5 && damaged > clean && damaged < 4.0, "{clean} {damaged}");
}

#[test]
fn it_comes_back_up_when_several_hosts_are_answered_again() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    lab.traffic(50, 60.0, 90.0, |_, _| false);
    assert_eq!(lab.detector.health(FW, 0), Health::Down);
    lab.traffic(50, 90.0, 93.0, |_, _| true);
    assert_eq!(lab.detector.health(FW, 0), Health::Up);
}

#[test]
fn a_stray_success_does_not_clear_what_hundreds_of_failures_support() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    lab.traffic(50, 60.0, 63.0, |_, _| false);
    assert_eq!(lab.detector.health(FW, 0), Health::Down);
    for i in 0..20 {
        let t = 63.0 + f64::from(i) * 2.0;
        lab.attempt(client(1), server(1), true);
        lab.traffic(50, t, t + 2.0, |_, _| false);
        assert_eq!(lab.detector.health(FW, 0), Health::Down, "{t}");
    }
}

#[test]
fn part_of_the_hosts_failing_is_never_down() {
    type Answered = fn(u32, u32) -> bool;
    let cases: [(&str, Answered); 5] = [
        ("one server dead", |_, s| s != 3),
        ("half the servers dead", |_, s| s % 2 == 0),
        ("two of three servers dead", |_, s| s % 3 == 0),
        ("one client mad", |c, _| c != 2),
        ("half the clients mad", |c, _| c % 2 == 0),
    ];
    for (what, answered) in cases {
        for per_second in [100, 20, 4] {
            let mut lab = Lab::new();
            lab.traffic(per_second, 0.0, 60.0, |_, _| true);
            lab.traffic(per_second, 60.0, 180.0, answered);
            assert_eq!(lab.down_at(), None, "{what} at {per_second}/s");
        }
    }
}

#[test]
fn how_close_it_came_is_kept_and_the_alarm_itself_is_no_margin() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    lab.traffic(50, 60.0, 63.0, |_, s| s % 3 == 0);
    lab.traffic(50, 63.0, 120.0, |_, _| true);
    let closest = |lab: &Lab| {
        let path = lab.detector.path(FW, 0).unwrap();
        path.closest.days().first().map(crate::event::Near::share).unwrap()
    };
    let doubt = closest(&lab);
    assert!(doubt > 0.25 && doubt < 1.0, "{doubt}");
    lab.traffic(50, 120.0, 125.0, |_, _| false);
    assert_eq!(lab.detector.health(FW, 0), Health::Down);
    lab.traffic(50, 125.0, 140.0, |_, _| true);
    assert!((closest(&lab) - doubt).abs() < 1e-9);
}

#[test]
fn floods_and_scans_are_never_down_even_at_night() {
    for by_day in [true, false] {
        for what in 0..4 {
            let mut lab = Lab::new();
            lab.traffic(20, 0.0, 60.0, |_, _| true);
            let mut t = 60.0;
            let mut n = 0_u32;
            while t < 120.0 {
                lab.until(t);
                n += 1;
                let (c, s) = match what {
                    0 => (client(1), server(1000 + n)),            // a known client scans
                    1 => (client(1000 + n), server(1)),            // a spoofed flood at one server
                    2 => (client(1000 + n), server(1000 + n / 7)), // spoofed on both sides
                    _ => (client(n % 20), server(1000 + n)),       // spoofed as our own clients
                };
                lab.attempt(c, s, false);
                if by_day && n.is_multiple_of(50) {
                    lab.attempt(client(n / 50 % 20), server(n / 50 % 12), true);
                }
                t += 0.005;
            }
            assert_eq!(lab.down_at(), None, "flood {what}, by day {by_day}");
        }
    }
}

#[test]
fn the_one_busy_server_dead_is_suspect_at_most() {
    let mut lab = Lab::new();
    let mut n = 0;
    let mut burst = |lab: &mut Lab, from: f64, to: f64, ok: bool| {
        let mut t = from;
        while t < to {
            lab.until(t);
            n += 1;
            lab.attempt(client(n % 30), server(0), ok);
            t += 0.05;
        }
    };
    burst(&mut lab, 0.0, 60.0, true);
    burst(&mut lab, 60.0, 200.0, false);
    assert_eq!(lab.down_at(), None);
}

#[test]
fn a_lull_is_idle_and_an_outage_is_not_learned() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    lab.until(120.0);
    assert_eq!(lab.down_at(), None);
    lab.traffic(50, 120.0, 150.0, |_, _| true);
    lab.traffic(50, 150.0, 450.0, |_, _| false);
    let first = lab.down_at().unwrap() - 150.0;
    lab.traffic(50, 450.0, 500.0, |_, _| true);
    lab.verdicts.clear();
    lab.traffic(50, 500.0, 510.0, |_, _| false);
    let second = lab.down_at().unwrap() - 500.0;
    assert!((first - second).abs() < 0.3, "{first} {second}");
}

#[test]
fn loss_of_most_packets_is_not_down() {
    for percent in [10, 30, 60] {
        let mut lab = Lab::new();
        lab.traffic(50, 0.0, 60.0, |_, _| true);
        // Deterministic dice.
        let dice = std::cell::Cell::new(1_u32);
        lab.traffic(50, 60.0, 300.0, |_, _| {
            dice.set(dice.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            (dice.get() >> 16) % 100 >= percent
        });
        assert_eq!(lab.down_at(), None, "{percent} %");
    }
}

#[test]
fn our_own_blindness_suspends_judgement() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    for i in 0..20 {
        let t = 60.0 + f64::from(i);
        lab.detector.gap(at(t));
        lab.traffic(50, t, t + 1.0, |_, _| false);
    }
    assert_eq!(lab.down_at(), None);
}

#[test]
fn silence_without_carp_is_suspect_and_never_down() {
    let mut lab = Lab::new();
    lab.detector.add_node();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    for i in 0..60 {
        lab.detector.frame(at(60.0 + f64::from(i)), NodeId(1));
        lab.until(60.0 + f64::from(i));
    }
    assert_eq!(lab.down_at(), None);
    assert_eq!(lab.detector.health(FW, 0), Health::Suspect);
}

#[test]
fn when_everything_falls_silent_it_is_we_who_are_blind() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    lab.until(100.0);
    assert!(
        lab.verdicts.iter().all(|v| v.cause != Cause::Silence),
        "{:?}",
        lab.verdicts
    );
}

#[test]
fn pfsync_that_stops_while_carp_goes_on_is_a_lost_sync_link() {
    let mut lab = Lab::new();
    let carp = pfsync_proto::Carp {
        vhid: 1,
        advskew: 0,
        advbase: 1,
        demote: 0,
        authlen: 7,
        counter: 0,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    };
    let addr = std::net::IpAddr::from([10, 0, 0, 2]);
    for i in 0..120 {
        let t = f64::from(i);
        lab.carp.advertisement(at(t), 0, addr, Some(FW), &carp, &mut Vec::new());
        lab.detector.signal(at(t), FW);
        if i < 60 {
            lab.traffic(50, t, t + 1.0, |_, _| true);
        } else {
            lab.until(t + 1.0);
        }
    }
    assert_eq!(lab.down_at(), None);
    let last = lab.verdicts.last().unwrap();
    assert_eq!((last.to, last.cause), (Health::Unknown, Cause::SyncLost));
}

#[test]
fn a_host_that_flaps_is_still_one_host() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    // Three of each: two servers dead for good, the third answers every now and then.
    for i in 0..3_000_u32 {
        lab.until(60.0 + f64::from(i) * 0.02);
        lab.attempt(client(i % 3), server(i % 3), i % 3 == 0 && i.is_multiple_of(30));
    }
    assert_eq!(lab.down_at(), None, "{:?}", lab.verdicts);
}

#[test]
fn a_flood_does_not_hide_an_outage_that_comes_with_it() {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    let mut n = 0_u32;
    while lab.down_at().is_none() && n < 60_000 {
        lab.until(60.0 + f64::from(n) / 3_000.0);
        lab.attempt(client(10_000 + n), server(1), false);
        if n.is_multiple_of(60) {
            lab.attempt(client(n / 60 % 20), server(n / 60 * 5 % 12), false);
        }
        n += 1;
    }
    assert!(lab.down_at().is_some_and(|t| t < 62.0), "{:?}", lab.down_at());
}

/// A pair whose fw1 (the detector's only node) was master of two segments until another took the second at `split`.
pub(super) fn split_after(lab: &mut Lab, seconds: u32, split: u32, night: bool) {
    let adv = |advskew| pfsync_proto::Carp {
        vhid: 1,
        advskew,
        advbase: 1,
        demote: 0,
        authlen: 7,
        counter: 0,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    };
    let hear = |lab: &mut Lab, t: f64, segment: usize, node: NodeId, skew: u8| {
        let addr = std::net::IpAddr::from([10, 0, u8::try_from(segment).unwrap(), u8::try_from(node.0).unwrap()]);
        lab.carp
            .advertisement(at(t), segment, addr, Some(node), &adv(skew), &mut Vec::new());
        lab.detector.signal(at(t), node);
    };
    for i in 0..seconds {
        let t = f64::from(i);
        hear(lab, t, 0, FW, 0);
        if i < split {
            hear(lab, t, 1, FW, 0);
        } else if i >= split + 3 {
            hear(lab, t, 1, NodeId(1), 100);
        }
        lab.detector.frame(at(t), FW);
        if !night || i < 30 {
            lab.traffic(50, t, t + 1.0, |_, _| i < split);
        } else {
            lab.until(t + 1.0);
        }
        let (carp, now) = (&mut lab.carp, at(t));
        carp.settle(now, &mut Vec::new());
    }
}

#[test]
fn a_split_without_any_demand_blames_nobody() {
    let mut lab = Lab::new();
    lab.detector.add_node();
    split_after(&mut lab, 200, 60, true);
    assert!(lab.carp.split().is_some());
    assert_eq!(lab.down_at(), None, "{:?}", lab.verdicts);
}

#[test]
fn a_split_with_demand_and_no_answer_does() {
    let mut lab = Lab::new();
    lab.detector.add_node();
    split_after(&mut lab, 100, 60, false);
    assert_eq!(lab.detector.health(FW, 0), Health::Down);
}

#[test]
fn what_suspicion_must_reach_is_told_with_the_witnesses_there_are() {
    let mut lab = Lab::new();
    lab.detector.add_node();
    let needed = |lab: &Lab| lab.detector.path(FW, 0).unwrap().needed;
    assert_eq!(needed(&lab), None);
    split_after(&mut lab, 70, 60, true);
    let alone = needed(&lab).unwrap();
    assert!((alone - 8.5).abs() < 0.01, "{alone}");
    for _ in 0..2 {
        (0..4).for_each(|i| lab.attempt(client(i), server(i), false));
        lab.until(lab.now + 1.1);
    }
    let down = lab.verdicts.iter().find(|v| v.to == Health::Down).unwrap();
    assert!(down.evidence.witnesses.split && down.evidence.threshold < alone);
    assert_eq!(needed(&lab), Some(down.evidence.threshold.max(0.0)));
}

#[test]
fn a_start_before_anything_is_heard_does_not_stop_the_ticks() {
    let mut lab = Lab::new();
    lab.until(3.0);
    lab.detector.frame(at(3.0), FW);
    lab.until(20.0);
    let next = lab.detector.next_deadline().unwrap();
    assert!(next <= at(23.0), "{next}");
    assert_eq!(lab.detector.health(FW, 0), Health::Idle);
}

/// Everybody is known, and who was busy became slow before it became quiet: a pause of a busy node is excused anyway.
fn quiet_since_noon() -> Lab {
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    for n in 0..30_u32 {
        lab.until(60.0 + f64::from(n) * 5.0);
        lab.attempt(client(n % 20), server(n % 12), true);
    }
    lab
}

#[test]
fn a_burst_after_a_long_quiet_is_not_down_before_it_is_old_itself() {
    for old in 0..4 {
        let mut lab = quiet_since_noon();
        for i in 0..old {
            lab.until(300.0 + f64::from(i));
            lab.attempt(client(i), server(i), false);
        }
        // Everybody at once, and nobody is answered within the moment that it takes to tell.
        lab.until(600.0);
        (0..60).for_each(|n| lab.attempt(client(n * 7 % 20), server(n * 5 % 12), false));
        lab.until(600.9);
        assert_eq!(lab.down_at(), None, "{old} tries before");
        lab.traffic(50, 600.9, 620.0, |_, _| true);
        assert_eq!(lab.down_at(), None, "{old} tries before");
    }
}

#[test]
fn a_burst_that_nobody_ever_tells_more_of_is_never_down_and_one_that_goes_on_is() {
    for again in [false, true] {
        let mut lab = quiet_since_noon();
        lab.until(600.0);
        let burst = |lab: &mut Lab| (0..60).for_each(|n| lab.attempt(client(n * 7 % 20), server(n * 5 % 12), false));
        burst(&mut lab);
        lab.until(601.1);
        if again {
            burst(&mut lab);
        }
        lab.until(640.0);
        let down = lab.down_at();
        assert_eq!(down.is_some(), again, "{down:?}");
        assert!(down.is_none_or(|t| t > 601.1 && t < 601.4), "{down:?}");
    }
}

#[test]
fn who_is_down_is_so_by_tries_that_are_told() {
    // Nothing but flows of which the initiators' data moves and is never answered.
    let mut lab = Lab::new();
    lab.traffic(50, 0.0, 60.0, |_, _| true);
    let mut t = 60.0;
    for n in 0..600_u32 {
        lab.until(t);
        let o = Observation {
            path: 0,
            movement: Movement::Forward,
            trial: Some((Class::Active, Outcome::Partial)),
            delivery: None,
            partner: None,
            whole: None,
            hosts: Some((client(n * 7 % 20), server(n * 5 % 12))),
            left: false,
        };
        lab.detector.frame(at(lab.now), FW);
        lab.detector.observe(at(lab.now), FW, &o, None);
        t += 0.02;
    }
    let told: Vec<&Verdict> = lab.verdicts.iter().filter(|v| v.cause.is_blackhole()).collect();
    assert!(!told.is_empty(), "{:?}", lab.verdicts);
    assert!(told.iter().all(|v| v.evidence.failed > 0), "{told:?}");
}
