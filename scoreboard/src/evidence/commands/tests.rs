//! What was recorded in a moment, replayed: a healthy node stays up, and a broken one is found.

use super::super::agree::by_evidence;
use super::super::life::Library;
use super::super::span::{Site, span};
use super::super::weather::Weather;
use super::{like, recorded, site};
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::traffic::Mix;
use std::sync::LazyLock;
use std::time::Duration;

/// Recorded once for all of these.
static BRANCH: LazyLock<[Library; 2]> =
    LazyLock::new(|| [0, 1].map(|system| recorded(LoadName::Branch, 1.0, system, true)));

#[test]
fn a_healthy_node_stays_up_for_an_hour() {
    let (load, canaries) = site(LoadName::Branch);
    let mix = Mix::standard();
    for library in &*BRANCH {
        let site = Site {
            levels: std::slice::from_ref(library),
            load,
            mix: &mix,
            canaries: &canaries,
            weather: Weather::CALM,
        };
        let span = span(&site, 0.1, Duration::from_secs(3_600), 1);
        assert!(span.alarms.is_empty(), "{:?}", span.alarms);
        assert!(span.told > 3_600, "{}", span.told);
    }
}

#[test]
fn a_dead_outside_port_is_found_and_nothing_else_is() {
    for seed in 1..=3 {
        for (name, broken) in [("steady", false), ("outside-port-dead", true)] {
            let (setup, truth) = Scenario::find(name).unwrap().build(LoadName::Branch, seed);
            let library = &BRANCH[like(setup.nodes[0].system)];
            let said = by_evidence(library, &setup, &truth).unwrap();
            assert_eq!(said.false_alarms, 0, "{name}: {said:?}");
            assert_eq!(said.found.is_some(), broken, "{name}: {said:?}");
            assert!(said.found.is_none_or(|t| t < Duration::from_secs(30)), "{said:?}");
        }
    }
}
