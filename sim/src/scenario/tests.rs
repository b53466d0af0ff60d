//! The truth held against what the world really does.

use super::*;
use crate::Time;
use crate::heard::{Heard, Target};
use crate::truth::Act;
use crate::world::World;
use std::collections::BTreeMap;

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
fn whoever_loses_a_probe_about_itself_may_step_back_and_nobody_else_loses_one() {
    for scenario in Scenario::all() {
        let (mut setup, truth) = scenario.build(LoadName::Branch, 1);
        // Probes do not care how much happens at the site.
        setup.load.flows_per_second = 0.0;
        let fallen = fallen(&setup);
        for &(at, node) in &fallen {
            let right = |r: &crate::truth::Right| r.node == node && r.act == Act::Demote && r.from <= at && at < r.to;
            assert!(
                truth.actions.iter().any(right),
                "{}: node {node} at {at:?}",
                scenario.name
            );
        }
        // Lost for certain, so that the probes of the watchers have something to see.
        let sure = [
            "inside-port-dead",
            "outside-port-dead",
            "clients-gone",
            "upstream-dead",
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
