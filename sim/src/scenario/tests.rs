//! The truth held against what the world really does.

mod reported;

use super::*;
use crate::Time;
use crate::fault::Fault;
use crate::heard::{Heard, Target};
use crate::traffic::Mix;
use crate::truth::Act;
use crate::world::World;
use std::collections::BTreeMap;

/// So long a ping is waited for.
const SECOND: Time = Time::from_secs(1);

/// When a probe about a node itself failed for the third time in a row, and which node.
fn fallen(setup: &Setup) -> Vec<(Time, usize)> {
    let mut world = World::new(setup.clone());
    let mut failures: BTreeMap<(usize, Target), u32> = BTreeMap::new();
    let mut fallen = Vec::new();
    while let Some(heard) = world.next() {
        if let Heard::Ping { at, node, target, ok } = heard
            && matches!(target, Target::Internet | Target::Inside)
        {
            let run = failures.entry((node, target)).or_default();
            *run = if ok { 0 } else { *run + 1 };
            if *run == 3 {
                fallen.push((at, node));
            }
        }
    }
    fallen
}

#[test]
fn sizes_differ_from_seed_to_seed_and_not_from_load_to_load() {
    let sized = [
        "upstream-flap",
        "clients-flap",
        "loss-10",
        "loss-30",
        "loss-60",
        "flapping-port",
        "sync-loss-1",
        "sync-loss-5",
        "sync-loss-20",
        "half-servers-dead",
        "half-clients-gone",
        "syn-flood",
        "port-scan",
        "spoofed-flood",
        "lull",
        "rush",
        "capture-drops",
        "own-stall",
        "freeze",
        "hostile-sync",
    ];
    for name in sized {
        let what = |load, seed| -> Vec<Fault> {
            let (setup, _) = Scenario::find(name).unwrap().build(load, seed);
            setup.faults.iter().map(|(_, fault)| *fault).collect()
        };
        let times = |seed| {
            let (setup, _) = Scenario::find(name).unwrap().build(LoadName::Branch, seed);
            let first = setup.faults[0].0;
            setup.faults.iter().map(|(at, _)| *at - first).collect::<Vec<_>>()
        };
        assert!(
            what(LoadName::Branch, 1) != what(LoadName::Branch, 2) || times(1) != times(2),
            "{name}"
        );
        assert_eq!(what(LoadName::Branch, 1), what(LoadName::Office, 1), "{name}");
    }
}

#[test]
fn surroundings_take_turns_and_nothing_is_hidden_by_them() {
    let built = |name: &str, load, seed| Scenario::find(name).unwrap().build(load, seed).0;
    let steady: Vec<Setup> = (1..=46).map(|seed| built("steady", LoadName::Branch, seed)).collect();
    let plain = &steady[0];
    assert!(!plain.defer && !plain.unicast && !plain.carp_states && plain.mix == Mix::standard());
    for flag in [|s: &Setup| s.defer, |s: &Setup| s.unicast, |s: &Setup| s.carp_states] {
        let with = steady.iter().filter(|s| flag(s)).count();
        assert!((12..=23).contains(&with), "{with}");
    }
    for mix in [Mix::udp_only(), Mix::keepalive_only(), Mix::few_hosts()] {
        assert_eq!(steady.iter().filter(|s| s.mix == mix).count(), 2);
    }
    for seed in 1..=46 {
        for name in [
            "inside-port-dead",
            "reply-lost-inside",
            "clients-lost-inside",
            "load-sharing-dead",
        ] {
            assert_eq!(built(name, LoadName::Branch, seed).mix, Mix::standard());
        }
        for name in ["half-servers-dead", "half-clients-gone", "busiest-dead"] {
            assert_ne!(built(name, LoadName::Branch, seed).mix, Mix::few_hosts());
        }
        assert_ne!(built("steady", LoadName::Night, seed).mix, Mix::keepalive_only());
    }
}

#[test]
fn whoever_loses_a_probe_about_itself_may_step_back_and_nobody_else_loses_one() {
    for (scenario, seed) in Scenario::all().iter().flat_map(|s| [1, 2, 3].map(|seed| (s, seed))) {
        let (mut setup, truth) = scenario.build(LoadName::Branch, seed);
        // Probes do not care how much happens at the site.
        setup.load.flows_per_second = 0.0;
        let fallen = fallen(&setup);
        for &(at, node) in &fallen {
            let right =
                |r: &crate::truth::Right| r.node == node && r.act == Act::Demote && r.from <= at && at < r.to + SECOND;
            assert!(
                truth.actions.iter().any(right),
                "{}, seed {seed}: node {node} at {at:?}",
                scenario.name
            );
        }
        // Lost for certain, so that the probes of the watchers have something to see.
        let sure = [
            "inside-port-dead",
            "outside-port-dead",
            "clients-gone",
            "upstream-dead",
            "upstream-flap",
            "clients-flap",
            "backup-inside-port-dead",
            "backup-outside-port-dead",
        ];
        assert!(
            !sure.contains(&scenario.name) || !fallen.is_empty(),
            "{}",
            scenario.name
        );
    }
}
