//! Verdicts and decisions against the truth of each capture: what must be said and how soon, what must never be.
//!
//! The rules are those of the truth files: `must` (a health within a time, kept until the fault ends), `must_not`,
//! `decide`, `decide_not`, `unsynchronised`. While an emulated node stood still (`pauses`) nothing counts.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "replay/pair.rs"]
mod pair;

use pair::{Pair, pairs};
use pfwatch::engine::Engine;
use pfwatch::report::Report;
use pfwatch::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// A verdict as the truth speaks of it.
struct Said {
    at: f64,
    node: String,
    path: usize,
    to: &'static str,
}

/// What one analysis said.
struct Outcome {
    verdicts: Vec<Said>,
    decisions: Vec<(f64, &'static str)>,
    unsynchronised: Vec<f64>,
}

impl Outcome {
    fn of((report, engine): (Report, Engine)) -> Self {
        let said = |v: &pfwatch::event::Verdict| Said {
            at: v.at.as_secs_f64(),
            node: engine.address(v.node).to_string(),
            path: v.path,
            to: v.to.as_str(),
        };
        Self {
            verdicts: report.verdicts.iter().map(said).collect(),
            decisions: report
                .decisions
                .iter()
                .map(|d| (d.at.as_secs_f64(), d.action.as_str()))
                .collect(),
            unsynchronised: report
                .unsynchronised
                .iter()
                .map(|(from, _)| from.as_secs_f64())
                .collect(),
        }
    }
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

fn has(list: &Value, word: &str) -> bool {
    list.as_array().unwrap().iter().any(|w| w == word)
}

fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

/// One capture, seen from each node in turn.
struct Judge<'a> {
    pair: &'a Pair,
    outcomes: BTreeMap<String, Outcome>,
    faults: Vec<String>,
    delays: Vec<String>,
}

impl<'a> Judge<'a> {
    fn new(pair: &'a Pair) -> Self {
        let outcome = |me: String| (me.clone(), Outcome::of(pair.analyze(&me, Timestamp::MAX)));
        Self {
            pair,
            outcomes: pair.nodes().into_iter().map(outcome).collect(),
            faults: Vec::new(),
            delays: Vec::new(),
        }
    }

    fn fault(&mut self, text: String) {
        self.faults.push(format!("{}: {text}", self.pair.name));
    }

    fn paused(&self, at: f64) -> bool {
        list(&self.pair.truth["pauses"])
            .iter()
            .any(|p| number(&p["from"]) <= at && at <= number(&p["to"]) + 4.0)
    }

    fn judge(mut self) -> Vec<String> {
        // Health is the same from both sides; the backup's view is the one that acts.
        for me in self.pair.nodes() {
            for must in list(&self.pair.truth["must"]) {
                self.must(&me, must);
            }
            for must_not in list(&self.pair.truth["must_not"]) {
                self.must_not(&me, must_not);
            }
            self.unsynchronised(&me);
        }
        self.decisions();
        self.show();
        self.faults
    }

    #[expect(
        clippy::disallowed_macros,
        reason = "what a test has to say is captured, unless somebody asks for it"
    )]
    fn show(&self) {
        self.delays.iter().for_each(|d| println!("{d}"));
    }

    fn must(&mut self, me: &str, must: &Value) {
        let (node, health) = (must["node"].as_str().unwrap(), must["health"].as_str().unwrap());
        let (from, within) = (number(&must["from"]), number(&must["within"]));
        let verdicts = &self.outcomes[me].verdicts;
        let hit = verdicts
            .iter()
            .find(|v| v.node == node && v.to == health && from - 0.05 <= v.at);
        let Some(hit) = hit else {
            return self.fault(format!("self {me}: {node} never {health}"));
        };
        let (at, path, delay) = (hit.at, hit.path, hit.at - from);
        if me != node {
            self.delays
                .push(format!("{}: {node} {health} after {delay:.2} s", self.pair.name));
        }
        if delay > within {
            self.fault(format!(
                "self {me}: {node} {health} after {delay:.2} s, wanted {within} s"
            ));
        }
        let truth = &self.pair.truth;
        let events = list(&truth["events"])
            .iter()
            .map(|e| number(&e["t"]))
            .filter(|t| *t > from + 1.0);
        let until = must["until"]
            .as_f64()
            .unwrap_or_else(|| events.fold(number(&truth["traffic"]["to"]), f64::min));
        let left = self.outcomes[me].verdicts.iter().find(|v| {
            v.node == node && v.path == path && at < v.at && v.at < until && v.to != health && !self.paused(v.at)
        });
        if let Some(left) = left {
            let text = format!(
                "self {me}: {node} leaves {health} for {} {:.1} s too early",
                left.to,
                until - left.at
            );
            self.fault(text);
        }
    }

    fn must_not(&mut self, me: &str, rule: &Value) {
        let (from, to) = (number(&rule["from"]), number(&rule["to"]));
        let nodes = match rule["node"].as_str().unwrap() {
            "*" => self.pair.nodes(),
            one => vec![one.to_owned()],
        };
        for node in nodes {
            let mut state = BTreeMap::<usize, &'static str>::new();
            let mut bad = None;
            for v in self.outcomes[me]
                .verdicts
                .iter()
                .filter(|v| v.node == node && v.at <= to)
            {
                if v.at >= from {
                    // What stood when the time began counts too.
                    if bad.is_none() && state.values().any(|h| has(&rule["health"], h)) {
                        bad = Some(from);
                    }
                    if has(&rule["health"], v.to) {
                        if self.paused(v.at) {
                            state.remove(&v.path);
                            continue;
                        }
                        bad = bad.or(Some(v.at));
                    }
                }
                state.insert(v.path, v.to);
            }
            let stood = state.values().any(|h| has(&rule["health"], h));
            if bad.is_some() || stood {
                let at = bad.unwrap_or(from) - number(&self.pair.truth["traffic"]["from"]);
                self.fault(format!(
                    "self {me}: {node} falsely {} {at:.1} s into the run",
                    rule["health"]
                ));
            }
        }
    }

    fn decisions(&mut self) {
        for rule in list(&self.pair.truth["decide"]) {
            let (me, action) = (rule["self"].as_str().unwrap(), rule["action"].as_str().unwrap());
            let (from, within) = (number(&rule["from"]), number(&rule["within"]));
            let in_time = |(at, a): &(f64, &str)| *a == action && (from..=from + within).contains(at);
            if !self.outcomes[me].decisions.iter().any(in_time) {
                self.fault(format!("self {me}: no {action} within {within} s"));
            }
        }
        for rule in list(&self.pair.truth["decide_not"]) {
            let me = rule["self"].as_str().unwrap();
            let (from, to) = (
                rule["from"].as_f64().unwrap_or(0.0),
                rule["to"].as_f64().unwrap_or(f64::MAX),
            );
            let decisions = &self.outcomes[me].decisions;
            let wrong = decisions
                .iter()
                .find(|(at, a)| has(&rule["actions"], a) && (from..=to).contains(at) && !self.paused(*at));
            if let Some((_, action)) = wrong {
                let text = format!("self {me}: wrongly {action}");
                self.fault(text);
            }
        }
    }

    fn unsynchronised(&mut self, me: &str) {
        let rule = &self.pair.truth["must_segments"]["unsynchronised"];
        let Some(from) = rule["from"].as_f64() else { return };
        let within = number(&rule["within"]);
        if !self.outcomes[me]
            .unsynchronised
            .iter()
            .any(|at| (from..=from + within).contains(at))
        {
            self.fault(format!("self {me}: unsynchronised CARP not reported within {within} s"));
        }
    }
}

fn no_faults(folder: &str, at_least: usize) {
    let pairs = pairs(folder);
    assert!(pairs.len() >= at_least, "{} captures in {folder}", pairs.len());
    let faults: Vec<String> = pairs.iter().flat_map(|p| Judge::new(p).judge()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn openbsd() {
    no_faults("openbsd-pair", 3);
}

#[test]
fn freebsd() {
    no_faults("freebsd-pair", 1);
}

#[test]
fn freebsd_15() {
    no_faults("freebsd15-pair", 1);
}
