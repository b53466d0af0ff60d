//! The truth about a simulated run, in the form that the captures of real pairs have it.

use pf_sim::Time;
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::setup::Setup;
use pf_sim::site::{self, Net, Node};
use pf_sim::truth::{Act, Grade, Outage, Truth};
use serde_json::{Value, json};
use std::time::Duration;

/// What is in flight when a trouble ends still counts for this long.
const GRACE: Duration = Duration::from_secs(2);

/// As JSON, with Unix times.
pub(super) fn json(scenario: &Scenario, load: LoadName, seed: u64, setup: &Setup, truth: &Truth) -> String {
    let unix = |t: Time| {
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of our times fit well enough")]
        let epoch = setup.epoch as f64 / 1e9;
        epoch + t.as_secs_f64()
    };
    let name = |node: Node| site::address(Net::Sync, node).to_string();
    let all: Vec<Node> = (0..setup.nodes.len()).collect();
    let local: serde_json::Map<String, Value> = all
        .iter()
        .map(|&n| {
            let mut list = vec![site::address(Net::Lan, n), site::address(Net::Wan, n)];
            list.extend((1..=setup.vhids).flat_map(|v| [site::shared(Net::Lan, v), site::shared(Net::Wan, v)]));
            (name(n), json!(list))
        })
        .collect();
    let events: Vec<Value> = setup
        .faults
        .iter()
        .map(|(at, fault)| json!({"t": unix(*at), "what": format!("{fault:?}")}))
        .collect();
    let must: Vec<Value> = truth
        .outages
        .iter()
        .filter(|o| o.grade == Grade::Must)
        .map(|o| {
            json!({"node": name(o.node), "health": "down", "from": unix(o.from), "until": unix(o.to),
                "within": (o.to - o.from).as_secs_f64()})
        })
        .collect();
    let must_not: Vec<Value> = all
        .iter()
        .flat_map(|&n| {
            well(&truth.outages, n, setup.length)
                .into_iter()
                .map(move |span| (n, span))
        })
        .map(|(n, (from, to))| json!({"node": name(n), "health": ["down"], "from": unix(from), "to": unix(to)}))
        .collect();
    let decide_not: Vec<Value> = all
        .iter()
        .map(|&n| {
            let allowed = |act| truth.actions.iter().any(|r| r.node == n && r.act == act);
            let mut actions = vec!["fence"];
            actions.extend((!allowed(Act::Promote)).then_some("promote"));
            actions.extend((!allowed(Act::Demote)).then_some("demote"));
            json!({"self": name(n), "actions": actions})
        })
        .collect();
    let whole = json!({
        "system": format!("simulated, {:?}", setup.nodes.first().map(|n| n.system)),
        "what": scenario.what,
        "scenario": scenario.name,
        "load": load.as_str(),
        "seed": seed,
        "local": local,
        "traffic": {"from": unix(Duration::ZERO), "to": unix(setup.length)},
        "events": events,
        "must": must,
        "must_not": must_not,
        "decide": [],
        "decide_not": decide_not,
        "pauses": [],
    });
    format!("{whole:#}\n")
}

/// The spans in which nothing is wrong with a node.
fn well(outages: &[Outage], node: Node, length: Time) -> Vec<(Time, Time)> {
    let mut spans = Vec::new();
    let mut from = Time::ZERO;
    let mut mine: Vec<&Outage> = outages.iter().filter(|o| o.node == node).collect();
    mine.sort_by_key(|o| o.from);
    for o in mine {
        if o.from > from {
            spans.push((from, o.from));
        }
        from = from.max(o.to + GRACE);
    }
    if length > from {
        spans.push((from, length));
    }
    spans
}
