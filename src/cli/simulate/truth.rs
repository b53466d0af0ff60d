//! The truth about a simulated run, in the form that the captures of real pairs have it.
//!
//! `decide` lists what a policy with all its witnesses does. A capture holds no answers of probes; what cannot be decided
//! without them carries `"needs": "probe"`.

use super::clock::WallClock;
use super::configuration::local;
use pf_sim::Time;
use pf_sim::fault::{Fault, Way};
use pf_sim::scenario::{LoadName, Scenario};
use pf_sim::setup::Setup;
use pf_sim::site::{self, Net, Node};
use pf_sim::truth::{Act, Grade, Outage, Truth};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// After a trouble: CARP moves back, states are created anew, and who said `down` takes the time to be sure.
const GRACE: Duration = Duration::from_secs(20);
/// Until a split, or two masters, are said: three intervals and the skew until CARP moves, and a second of standing so.
const SPLIT: f64 = 6.0;

/// As JSON, with Unix times.
pub(super) fn json(
    scenario: &Scenario,
    load: LoadName,
    seed: u64,
    setup: &Setup,
    truth: &Truth,
    clock: &WallClock,
) -> String {
    let unix = |t: Time| clock.at(t).as_secs_f64();
    let latest = |t: Time| clock.latest(t).as_secs_f64();
    let name = |node: Node| site::address(Net::Sync, node).to_string();
    let all: Vec<Node> = (0..setup.nodes.len()).collect();
    let of_all =
        |what: &dyn Fn(Node) -> Value| -> Map<String, Value> { all.iter().map(|&n| (name(n), what(n))).collect() };
    let split = split(setup);
    let events = setup
        .faults
        .iter()
        .map(|(at, fault)| json!({"t": unix(*at), "what": format!("{fault:?}")}));
    let must = truth.outages.iter().filter(|o| o.grade == Grade::Must).map(|o| {
        json!({"node": name(o.node), "health": "down", "from": unix(o.from), "until": unix(o.to),
            "within": (o.to - o.from).as_secs_f64()})
    });
    let must_not = all.iter().flat_map(|&n| {
        let spans = well(&truth.outages, n, setup.length);
        spans.into_iter().map(move |span| (n, span))
    });
    let must_not = must_not
        .map(|(n, (from, to))| json!({"node": name(n), "health": ["down"], "from": unix(from), "to": latest(to)}));
    let decide = truth.actions.iter().filter(|r| r.wanted).map(|r| {
        let action = match r.act {
            Act::Promote => "promote",
            Act::Demote => "demote",
        };
        let mut rule = json!({"self": name(r.node), "action": action, "from": unix(r.from),
            "within": (r.to - r.from).as_secs_f64()});
        if split.is_none() {
            rule["needs"] = json!("probe");
        }
        rule
    });
    let decide_not = all.iter().map(|&n| {
        let allowed = |act| truth.actions.iter().any(|r| r.node == n && r.act == act);
        let mut actions = vec!["fence"];
        actions.extend((!allowed(Act::Promote)).then_some("promote"));
        actions.extend((!allowed(Act::Demote)).then_some("demote"));
        json!({"self": name(n), "actions": actions})
    });
    let pauses = setup.faults.iter().filter_map(|(at, fault)| match fault {
        Fault::Freeze(_, length) | Fault::Stall(length) => Some(json!({"from": unix(*at), "to": unix(*at + *length)})),
        _ => None,
    });
    let mut segments = json!({});
    if let Some(from) = split {
        segments["unsynchronised"] = json!({"from": unix(from), "within": SPLIT});
    }
    if let Some(two) = truth.two_masters.first() {
        segments["two_masters"] = json!({"segment": two.net.name(), "vhid": 1, "from": unix(two.from), "to": unix(two.to),
            "within": SPLIT});
    }
    let whole = json!({
        "system": format!("simulated, {}", system(setup)),
        "what": scenario.what,
        "scenario": scenario.name,
        "load": load.as_str(),
        "seed": seed,
        "pair": of_all(&|n| json!(role(setup, n))),
        "local": of_all(&|n| json!(local(setup, n))),
        "zones": {"inside": ["10.0.0.0/8"], "outside": ["0.0.0.0/0"]},
        "traffic": {"from": unix(Duration::ZERO), "to": latest(setup.length)},
        "events": events.collect::<Vec<_>>(),
        "must": must.collect::<Vec<_>>(),
        "must_not": must_not.collect::<Vec<_>>(),
        "decide": decide.collect::<Vec<_>>(),
        "decide_not": decide_not.collect::<Vec<_>>(),
        "must_segments": segments,
        "pauses": pauses.collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}

fn system(setup: &Setup) -> String {
    let systems = setup.nodes.iter().map(|n| format!("{:?}", n.system));
    let mut names: Vec<String> = systems.collect();
    names.dedup();
    names.join(" and ")
}

fn role(setup: &Setup, node: Node) -> String {
    let letter = ["A", "B", "C"].get(node).copied().unwrap_or("another");
    let advskew = setup.nodes.get(node).map_or(0, |n| n.advskew);
    let role = if setup.vhids > 1 || setup.asymmetric {
        "carries a part"
    } else if node == 0 {
        "active at start"
    } else {
        "backup"
    };
    format!("{letter}: {role} (advskew {advskew})")
}

/// When vhids that had a common master get different ones, as far as the segments show it: the active node's advertisements no
/// longer reach one of them, for long enough that CARP moves there.
fn split(setup: &Setup) -> Option<Time> {
    if setup.asymmetric {
        return None;
    }
    let begins = |fault: &Fault| match *fault {
        Fault::Port(0, Net::Lan | Net::Wan, Way::Out | Way::Both, loss) => loss.share >= 1.0,
        Fault::AdvskewOn(0, _, skew) => setup.nodes.iter().skip(1).any(|n| n.advskew < skew),
        _ => false,
    };
    let (from, _) = setup.faults.iter().find(|(_, fault)| begins(fault))?;
    let next = setup.faults.iter().map(|(at, _)| *at).find(|at| at > from);
    let lasts = next.unwrap_or(setup.length).saturating_sub(*from);
    (lasts.as_secs_f64() > SPLIT).then_some(*from)
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
