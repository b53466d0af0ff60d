//! A restart in the middle of real captures: what was learned is there again, and nothing false comes of it.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "replay/pair.rs"]
mod pair;

use pair::{Pair, pairs};
use pfwatch::detect::memory::Memory;
use pfwatch::event::Health;
use pfwatch::report::Report;
use pfwatch::settings::Canary;
use pfwatch::time::Timestamp;
use std::time::Duration;

/// How long the program was away.
const AWAY: Duration = Duration::from_secs(1);

fn pair(folder: &str, name: &str) -> Pair {
    pairs(folder).into_iter().find(|p| p.name == name).unwrap()
}

#[expect(clippy::cast_possible_truncation, reason = "Unix times in nanoseconds")]
fn time(seconds: f64) -> Timestamp {
    Timestamp::from_nanos((seconds * 1e9) as i64)
}

fn event(pair: &Pair, i: usize) -> Timestamp {
    time(pair.truth["events"][i]["t"].as_f64().unwrap())
}

/// What it says when it is ended at `cut` and started again `AWAY` later, with what it learned or without.
fn restarted(pair: &Pair, me: &str, cut: Timestamp, remembers: bool) -> (Report, Memory) {
    let (_, engine) = pair.analyze(me, cut);
    let memory = engine.remember();
    let with = remembers.then_some((&memory, AWAY));
    let (report, _) = pair.analyze_with(pair.settings(me), (cut + AWAY, Timestamp::MAX), with);
    (report, memory)
}

/// Seconds from `fault` to the first `down` about the first node.
fn delay(report: &Report, fault: Timestamp) -> Option<f64> {
    let mut downs = report
        .verdicts
        .iter()
        .filter(|v| v.to == Health::Down && v.node.index() == 0);
    downs.find(|v| v.at >= fault).map(|v| v.at.since(fault).as_secs_f64())
}

#[test]
fn a_fault_just_after_a_restart_is_found_as_soon_as_without_one() {
    for (folder, name) in [
        ("openbsd-pair", "awan_port_dead"),
        ("openbsd-pair", "far_drop_low"),
        ("freebsd-pair", "fb_awan_port_dead"),
    ] {
        let pair = pair(folder, name);
        let me = pair.nodes()[1].clone();
        let fault = event(&pair, 0);
        let straight = delay(&pair.analyze(&me, Timestamp::MAX).0, fault).unwrap();
        for before in [1_000, 1_500, 3_000] {
            let cut = fault - Duration::from_millis(before);
            let with = delay(&restarted(&pair, &me, cut, true).0, fault).unwrap();
            let without = delay(&restarted(&pair, &me, cut, false).0, fault);
            show(format_args!(
                "{name}, restarted {before} ms before the fault: {straight:.2} s straight, {with:.2} s with memory, \
                 without {without:.2?}"
            ));
            // States from before are unknown; where little is opened, the first tries that fail take a little to come.
            assert!(with <= straight + 2.5, "{name} {before}: {straight} {with}");
            assert!(without.is_none_or(|w| w >= with), "{name} {before}: {with} {without:?}");
        }
    }
}

#[test]
fn an_outage_that_goes_on_is_not_remembered() {
    let pair = pair("openbsd-pair", "awan_port_dead");
    let me = pair.nodes()[1].clone();
    let fault = event(&pair, 0);
    // By the outage, rates and hosts stay what they were; the window in which it began is not among them.
    let (_, before) = restarted(&pair, &me, fault, true);
    let (report, within) = restarted(&pair, &me, fault + Duration::from_secs(60), true);
    let outcomes = |m: &Memory| m.nodes[0].paths[0].outcomes.clone();
    for (before, within) in outcomes(&before).iter().zip(outcomes(&within)) {
        let failing = |row: &[f64; 3]| row[2] / row.iter().sum::<f64>();
        assert!(failing(&within) <= failing(before) + 0.02, "{before:?} {within:?}");
    }
    assert!(within.nodes[0].paths[0].servers.len() >= 10, "who worked is known");
    let took = delay(&report, fault + Duration::from_secs(61)).unwrap();
    show(format_args!("restarted within the outage: down after {took:.2} s"));
    assert!(took < 6.0, "{took}");
}

#[test]
fn a_restart_while_all_is_well_says_nothing_false() {
    for (folder, name) in [
        ("openbsd-pair", "servers_dead"),
        ("openbsd-pair", "awan_port_dead"),
        ("openbsd-pair", "far_drop_low"),
        ("freebsd-pair", "fb_awan_port_dead"),
    ] {
        let pair = pair(folder, name);
        let me = pair.nodes()[1].clone();
        let from = pair.truth["traffic"]["from"].as_f64().unwrap();
        // Until the fault; in the capture of dead servers the firewall is well to the end.
        let until = if name == "servers_dead" {
            time(pair.truth["traffic"]["to"].as_f64().unwrap())
        } else {
            event(&pair, 0)
        };
        let length = until.since(time(from));
        for i in 1..=16 {
            let cut = time(from) + length * i / 17;
            let (report, _) = restarted(&pair, &me, cut, true);
            let down = report.verdicts.iter().find(|v| v.to == Health::Down && v.at < until);
            assert!(down.is_none(), "{name}, restarted at {cut}: {down:?}");
        }
    }
}

#[test]
fn what_is_older_counts_less_and_strange_nodes_and_paths_nothing() {
    let pair = pair("openbsd-pair", "awan_port_dead");
    let me = pair.nodes()[1].clone();
    let (_, engine) = pair.analyze(&me, event(&pair, 0));
    let memory = engine.remember();
    let day = Duration::from_secs(86_400);
    let hosts = |m: &Memory| m.nodes.first().map_or(0, |n| n.paths[0].clients.len());
    let sum = |m: &Memory| m.nodes.first().map_or(0.0, |n| n.gaps.iter().sum::<f64>());
    let begun = |memory: &Memory, age: Duration| {
        let first = pair.frames[0].at;
        let (_, engine) = pair.analyze_with(pair.settings(&me), (Timestamp::MIN, first), Some((memory, age)));
        engine.remember()
    };
    let whole = begun(&memory, Duration::ZERO);
    assert!(hosts(&whole) > 10);
    assert_eq!(hosts(&whole), hosts(&memory));
    assert!((sum(&begun(&memory, day * 7)) / sum(&whole) - 0.5).abs() < 0.01);
    assert_eq!(hosts(&begun(&memory, day * 31)), 0);
    let mut strange = memory.clone();
    strange
        .nodes
        .iter_mut()
        .for_each(|n| n.paths[0].name = "dmz -> wan".into());
    assert_eq!(hosts(&begun(&strange, Duration::ZERO)), 0);
    let mut damaged = memory;
    damaged.nodes[0].gaps[0] = f64::NAN;
    let mut engine = pfwatch::engine::Engine::new(pair.settings(&me), 1);
    assert!(engine.recall(&damaged, Duration::ZERO).is_err());
    assert!(engine.remember().nodes.is_empty());
}

/// Any two hosts that talk often will do as a canary: the engine hands the configured ones to the detector.
#[test]
fn canaries_of_the_settings_are_heard_and_remembered() {
    let pair = pair("openbsd-pair", "awan_port_dead");
    let me = pair.nodes()[1].clone();
    let fault = event(&pair, 0);
    let (_, engine) = pair.analyze(&me, fault);
    let known = &engine.remember().nodes[0].paths[0];
    let mut settings = pair.settings(&me);
    for from in &known.clients {
        settings.canaries.extend(known.servers.iter().map(|to| Canary {
            from: from.address,
            to: to.address,
            proto: 6,
            every: Duration::from_secs(1),
        }));
        if settings.canaries.len() >= 60 {
            break;
        }
    }
    let (_, engine) = pair.analyze_with(settings, (Timestamp::MIN, fault), None);
    let remembered = engine.remember().canaries;
    assert!(!remembered.is_empty() && remembered.iter().all(|c| c.answers > 0));
}

#[expect(
    clippy::disallowed_macros,
    reason = "what a test has to say is captured, unless somebody asks for it"
)]
fn show(text: std::fmt::Arguments<'_>) {
    println!("{text}");
}
