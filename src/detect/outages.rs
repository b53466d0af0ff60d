//! Stories of outages that last, and of what lasts and is none: slow and small sites, lone hosts, sync links, probes.

use super::pairs::{LOST, OTHER, Pair, WELL, told};
use super::tests::{FW, at, client, server};
use super::*;

/// Nobody but FW carries; `show` is asked once each `every` seconds from `from` to `to`, CARP goes on on two segments, and is
/// OTHER's on the second from `split` on.
fn site(p: &mut Pair, (from, to, every): (f64, f64, f64), split: f64, show: impl Fn(u32) -> Option<Observation>) {
    let (mut next, mut second) = (from, from.ceil());
    while p.now < to {
        let t = p.now;
        if t >= second {
            second += 1.0;
            p.advertise(FW, 0, 0);
            if t < split {
                p.advertise(FW, 1, 0);
            } else if t > split + 3.4 {
                p.advertise(OTHER, 1, 100);
            }
        }
        if t >= next {
            next += every;
            p.n += 1;
            if let Some(o) = show(p.n) {
                p.hear(FW, &o);
            }
        }
        p.until(t + 0.05);
    }
}

/// Tries of `clients` to `servers` in turn.
fn tries(clients: u32, servers: u32, outcome: Option<Outcome>) -> impl Fn(u32) -> Option<Observation> {
    move |n| Some(told(client(n * 7 % clients), server(n * 5 % servers), outcome, None))
}

const NEVER: f64 = f64::MAX;

#[test]
fn a_small_site_where_all_fails_stays_suspect_and_a_split_that_comes_late_ends_it() {
    for split in [350.0, 370.0, 450.0, 1_000.0, NEVER] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 300.0, 0.2), split, tries(5, 4, WELL));
        site(&mut p, (300.0, 1_100.0, 0.2), split, tries(5, 4, LOST));
        p.verdicts.retain(|v| v.at > at(300.0));
        assert!(p.verdicts.iter().all(|v| v.to != Health::Idle), "{:?}", p.verdicts);
        let down = p.down(FW).map(|(when, _)| when - split);
        let soon = down.is_some_and(|t| t > 1.0 && t < 8.0);
        assert!(if split < NEVER { soon } else { down.is_none() }, "{split}: {down:?}");
        if split == NEVER {
            assert_eq!(p.detector.health(FW, 0), Health::Suspect);
        }
    }
}

#[test]
fn an_outage_of_a_slow_site_is_found_however_slow_it_is() {
    for every in [4.0, 8.0, 15.0] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 3_600.0, every), NEVER, tries(20, 12, WELL));
        site(&mut p, (3_600.0, 4_400.0, every), NEVER, tries(20, 12, LOST));
        let down = p.down(FW).map(|(when, _)| when - 3_600.0);
        assert!(down.is_some_and(|t| t < 24.0 * every), "{every}: {down:?}");
    }
}

#[test]
fn our_own_blindness_makes_nobody_idle_however_long_it_lasts() {
    for outage in [true, false] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 300.0, 0.05), NEVER, tries(20, 12, WELL));
        if outage {
            site(&mut p, (300.0, 310.0, 0.05), NEVER, tries(20, 12, LOST));
        }
        assert_eq!(p.down(FW).is_some(), outage);
        let told = p.verdicts.len();
        p.now = 2_000.0;
        p.detector.gap(at(p.now));
        p.carp.forgive(at(p.now), Duration::from_secs(1_690));
        site(&mut p, (2_000.0, 2_000.4, 0.05), NEVER, tries(20, 12, LOST));
        assert_eq!(p.verdicts.len(), told, "{:?}", p.verdicts.last());
    }
}

#[test]
fn our_own_blindness_in_an_outage_takes_new_evidence_and_no_more() {
    let mut p = Pair::new();
    site(&mut p, (0.0, 300.0, 0.05), NEVER, tries(20, 12, WELL));
    site(&mut p, (300.0, 300.6, 0.05), NEVER, tries(20, 12, LOST));
    p.now = 303.0;
    p.detector.gap(at(p.now));
    p.carp.forgive(at(p.now), Duration::ZERO);
    site(&mut p, (303.0, 310.0, 0.05), NEVER, tries(20, 12, LOST));
    let down = p.down(FW).map(|(when, _)| when - 303.0);
    assert!(down.is_some_and(|t| t > 1.2 && t < 3.0), "{down:?}");
}

#[test]
fn hosts_that_fail_by_themselves_lend_nothing_to_a_quiet_night() {
    // Three clients have been asking four dead servers for hours when the others go home; then a fourth does for minutes.
    let mut p = Pair::new();
    let day = |n: u32| {
        let stubborn = n.is_multiple_of(4);
        Some(told(
            client(if stubborn { 100 + n / 4 % 3 } else { n % 20 }),
            server(if stubborn { 100 + n / 4 % 4 } else { n % 12 }),
            if stubborn && n > 2_000 { LOST } else { WELL },
            None,
        ))
    };
    site(&mut p, (0.0, 3_600.0, 0.25), NEVER, day);
    site(&mut p, (3_600.0, 10_800.0, 1.0), NEVER, |n| day(n * 4));
    assert!(p.verdicts.iter().all(|v| v.to != Health::Suspect), "{:?}", p.verdicts);
    assert_eq!(p.detector.health(FW, 0), Health::Idle);
    site(&mut p, (10_800.0, 11_400.0, 1.0), NEVER, |_| {
        Some(told(client(1), server(1), LOST, None))
    });
    assert_eq!(p.detector.health(FW, 0), Health::Idle, "{:?}", p.verdicts);
    let quiet = p.verdicts.iter().rev().find(|v| v.cause == Cause::Quiet).unwrap();
    assert!(!quiet.sentence().contains("nothing that fails"), "{}", quiet.sentence());
}

#[test]
fn a_night_of_polls_is_learned_as_any_other_pace() {
    for every in [3.0, 5.0, 10.0, 30.0] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 600.0, 0.25), NEVER, tries(20, 12, WELL));
        site(&mut p, (600.0, 8.0 * 3_600.0, every), NEVER, tries(20, 12, WELL));
        let lost: Vec<_> = p.verdicts.iter().filter(|v| v.cause == Cause::SyncLost).collect();
        assert!(lost.len() < 20, "{every}: {}", lost.len());
        assert!(
            lost.iter()
                .all(|v| v.sentence().ends_with("the sync link is lost, or nobody talks")),
            "{}",
            lost[0].sentence()
        );
    }
}

#[test]
fn a_crash_in_the_morning_after_such_a_night_is_found_as_soon() {
    let mut p = Pair::new();
    site(&mut p, (0.0, 600.0, 0.25), NEVER, tries(20, 12, WELL));
    site(&mut p, (600.0, 7_200.0, 5.0), NEVER, tries(20, 12, WELL));
    site(&mut p, (7_200.0, 7_800.0, 0.25), NEVER, tries(20, 12, WELL));
    while p.now < 7_830.0 {
        let t = p.now;
        p.advertise(OTHER, 2, 100);
        p.until(t + 1.0);
    }
    let down = p.down(FW).map(|(when, _)| when - 7_800.0);
    assert!(down.is_some_and(|t| t < 4.5), "{down:?} {:?}", p.verdicts.last());
}

#[test]
fn after_long_deafness_a_crash_is_found_as_soon_as_ever() {
    let mut p = Pair::new();
    let step = |p: &mut Pair, from: f64, to: f64, heard: bool, alive: bool| {
        let (mut t, mut i) = (from, 0_u32);
        while t < to {
            p.now = t;
            if heard && i.is_multiple_of(20) {
                p.advertise(OTHER, 2, 0);
            }
            if heard && alive && i.is_multiple_of(20) {
                p.advertise(FW, 0, 0);
                p.advertise(FW, 1, 0);
            }
            if heard && alive && i.is_multiple_of(5) {
                p.hear(FW, &told(client(i % 20), server(i % 12), WELL, None));
            }
            p.carp.settle(at(t), &mut Vec::new());
            if p.detector.next_deadline().is_some_and(|d| d <= at(t)) {
                p.detector.judge(at(t), &p.carp, &mut p.verdicts);
            }
            t += 0.05;
            i += 1;
        }
    };
    step(&mut p, 0.0, 100.0, true, true);
    step(&mut p, 100.0, 1_900.0, false, true);
    p.detector.gap(at(1_900.0));
    p.carp.forgive(at(1_900.0), Duration::ZERO);
    step(&mut p, 1_900.0, 1_910.0, true, true);
    step(&mut p, 1_910.0, 1_940.0, true, false);
    let down = p.down(FW).map(|(when, _)| when - 1_910.0);
    assert!(down.is_some_and(|t| t < 3.5), "{down:?}");
}

/// A node whose probe stops to answer at 60 s, and which talks when `talks`.
fn probed(until: f64, talks: impl Fn(f64) -> Option<Observation>) -> Pair {
    let mut p = Pair::new();
    let (mut second, mut next) = (0.0, 0.0);
    while p.now < until {
        let t = p.now;
        if t >= second {
            second += 1.0;
            p.advertise(FW, 0, 0);
            p.advertise(FW, 1, 0);
            p.detector.signal(at(t), OTHER);
            p.detector.probe(at(t), FW, 0, t < 60.0);
        }
        if t >= next {
            next = t + 0.25;
            if let Some(o) = talks(t) {
                p.hear(FW, &o);
            }
        }
        p.until(t + 0.05);
    }
    p
}

fn worth(p: &Pair) -> f64 {
    p.detector.nodes[0].reach.worth(at(p.now), 0)
}

#[test]
fn a_probe_that_fails_while_round_trips_go_on_is_no_witness_until_it_answers_again() {
    let n = std::cell::Cell::new(0_u32);
    let well = |_: f64| {
        n.set(n.get() + 1);
        told(client(n.get() % 20), server(n.get() % 12), WELL, None)
    };
    // Somebody blocks ping; then nobody talks for a while.
    let mut p = probed(600.0, |t| (!(400.0..403.0).contains(&t)).then(|| well(t)));
    assert_eq!(p.down(FW), None, "{:?}", p.verdicts);
    assert!(worth(&p) <= 0.0, "{}", worth(&p));
    // It answers again: then it is one again.
    for i in 0..3 {
        p.detector.probe(at(p.now + f64::from(i)), FW, 0, i == 0);
    }
    p.now += 2.0;
    assert!(worth(&p) > 1.0);
    // With the node silent it is believed, until round trips show that it was wrong.
    let p = probed(75.0, |t| (!(60.0..70.0).contains(&t)).then(|| well(t)));
    assert!(p.down(FW).is_some_and(|(_, cause)| cause == Cause::Unreachable));
    assert_eq!(p.detector.health(FW, 0), Health::Up, "{:?}", p.verdicts);
}

#[test]
fn of_several_probes_all_must_fail_before_a_silent_node_is_unreachable() {
    for both in [true, false] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 60.0, 0.25), NEVER, tries(20, 12, WELL));
        for i in 0..20 {
            p.detector.probe(at(40.0 + f64::from(i)), FW, 0, true);
            p.detector.probe(at(40.0 + f64::from(i)), FW, 1, true);
        }
        for i in 0..10 {
            p.advertise(FW, 0, 0);
            p.advertise(FW, 1, 0);
            p.detector.signal(at(p.now), OTHER);
            p.detector.probe(at(p.now), FW, 0, false);
            p.detector.probe(at(p.now), FW, 1, !both);
            p.until(61.0 + f64::from(i));
        }
        assert_eq!(p.down(FW).is_some(), both, "{:?}", p.verdicts);
    }
}

#[test]
fn when_all_fall_silent_within_a_moment_nobody_is_dead() {
    // The capture ends, or we go deaf: the other node's last word comes a moment after the first one's.
    for more in [0, 40] {
        let mut p = Pair::new();
        site(&mut p, (0.0, 120.0, 0.05), NEVER, tries(20, 12, WELL));
        p.now += 0.3;
        p.detector.signal(at(p.now), OTHER);
        for i in 0..more {
            p.until(121.0 + f64::from(i) * 0.5);
            p.detector.signal(at(p.now), OTHER);
        }
        p.until(150.0);
        assert_eq!(p.down(FW).is_some(), more > 0, "{:?}", p.verdicts);
    }
}
