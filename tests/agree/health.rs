//! Sentences about health against the verdicts: what went down, what could not be judged, what it is in the end.

use crate::faces::{Faces, clock};
use serde_json::Value;
use std::collections::BTreeMap;

/// So much without a verdict is not passed over.
const UNJUDGED: f64 = 3.0;
/// Nor is so long a doubt.
const DOUBT: f64 = 5.0;

/// One health of a node on a path that lasted.
struct Stay<'a> {
    verdict: &'a Value,
    node: &'a str,
    path: &'a str,
    to: &'a str,
    from: f64,
    until: Option<f64>,
}

impl Stay<'_> {
    fn length(&self, end: f64) -> f64 {
        self.until.unwrap_or(end) - self.from
    }
}

/// See the module.
pub(crate) fn faults(f: &Faces) -> Vec<String> {
    let end = f.report.span.map_or(0.0, |(_, last)| last.as_secs_f64());
    let stays = stays(f);
    let mut faults = Vec::new();
    let mut check = |ok: bool, text: String| {
        if !ok {
            faults.push(text);
        }
    };
    let critical = |s: &&Stay<'_>| {
        let path = (0..f.engine.path_count()).find(|p| f.engine.path_name(*p) == s.path);
        path.is_none_or(|p| f.engine.is_critical(p))
    };
    let headline = &f.headline;
    let down = stays.iter().any(|s| s.to == "down" && critical(&s));
    check(headline.contains("DOWN") == down, format!("down {down}: {headline}"));
    check(
        !(down && headline.starts_with("No firewall")),
        format!("down, and none is: {headline}"),
    );

    let sum = |to: &str, node: &str| -> f64 {
        let these = stays.iter().filter(|s| s.to == to && s.node == node && critical(s));
        these.map(|s| s.length(end)).sum()
    };
    let longest = stays
        .iter()
        .filter(|s| s.to == "suspect" && critical(s))
        .map(|s| s.length(end))
        .fold(0.0, f64::max);
    let blind: f64 = f.report.gaps.iter().map(|(_, length, _)| length.as_secs_f64()).sum();
    if headline.starts_with("No firewall") {
        for node in f.list("nodes") {
            let unknown = sum("unknown", node["address"].as_str().unwrap());
            let said = headline.contains("could not be judged");
            check(
                unknown < UNJUDGED || said,
                format!("{unknown} s without a verdict: {headline}"),
            );
        }
        let said = headline.contains("in doubt");
        check(longest < DOUBT || said, format!("{longest} s of doubt: {headline}"));
        let said = headline.contains("did not hear");
        check(blind < UNJUDGED || said, format!("{blind} s deaf: {headline}"));
    }
    if headline.contains("CARP was in sync") {
        let split = !f.list("unsynchronised").is_empty();
        check(!split, format!("it was unsynchronised: {headline}"));
    }
    let again = headline.contains("it was up again");
    check(
        !again || stays.iter().any(|s| s.to == "up"),
        format!("never up: {headline}"),
    );

    let idle = headline.contains("it was idle");
    let told = f.timeline.iter().any(|l| l.sign == '▲' && l.text.starts_with("idle"));
    check(!idle || told || f.shortened, format!("not in the timeline: {headline}"));

    for s in &stays {
        let reason = s.verdict["reason"].as_str().unwrap();
        let proven = proven(f, s);
        let at = clock(&s.verdict["at"]);
        if s.to == "up" {
            let n = reason
                .rsplit_once(", ")
                .and_then(|(_, n)| n.split(' ').next()?.parse::<u64>().ok());
            check(
                n.is_none_or(|n| n <= proven),
                format!("{at} {} is up, {reason}; it proved {proven}", s.node),
            );
            check(
                !reason.contains("round trips are proven") || proven > 0,
                format!("{at} {} is up, {reason}; it proved none", s.node),
            );
        }
        if reason.contains("master of nothing") {
            let master = is_master(f, s.node, s.from);
            check(!master, format!("{at} {} is master: {reason}", s.node));
        }
        // A round trip lies before the time in which nobody was answered, or is not spoken of.
        let none = reason.starts_with("0 of ") || reason.contains(": 0 of ");
        if let Some((trip, within)) = s.verdict["evidence"]["since_end_to_end"]
            .as_f64()
            .zip(s.verdict["evidence"]["seconds"].as_f64())
            .filter(|_| none && s.to == "down")
        {
            let said = format!("its last proven round trip: {reason}");
            let said = f.headline.contains(&said) || f.timeline.iter().any(|l| l.time == at && l.text.contains(&said));
            check(
                !said || trip >= within,
                format!("{at} {trip} s ago, {within} s: {reason}"),
            );
        }
        let found = f.timeline.iter().filter(|l| l.time == at && subject(f, s) == l.subject);
        if s.to == "down" && !f.shortened {
            let lines = found.filter(|l| l.sign == '▼' && l.text.starts_with("DOWN") && l.text.contains(reason));
            check(
                lines.count() == 1,
                format!("{at} {} went down, not in the timeline", s.node),
            );
        }
    }
    for l in f.timeline.iter().filter(|l| l.sign == '▼') {
        let told = |s: &&Stay<'_>| s.to == "down" && clock(&s.verdict["at"]) == l.time && subject(f, s) == l.subject;
        check(
            stays.iter().any(|s| told(&s)),
            format!("{} {} only in the timeline", l.time, l.text),
        );
    }
    faults.extend(last(f, &stays));
    faults
}

fn stays(f: &Faces) -> Vec<Stay<'_>> {
    let mut all: Vec<Stay<'_>> = Vec::new();
    let mut open = BTreeMap::<(&str, &str), usize>::new();
    // Lengths are those of the engine's times: the clock of a capture may have been set meanwhile.
    for (v, told) in f.list("verdicts").iter().zip(&f.report.verdicts) {
        let (node, path) = (v["node"].as_str().unwrap(), v["path"].as_str().unwrap());
        let from = told.at.as_secs_f64();
        if let Some(before) = open.insert((node, path), all.len()) {
            all[before].until = Some(from);
        }
        let to = v["to"].as_str().unwrap();
        all.push(Stay {
            verdict: v,
            node,
            path,
            to,
            from,
            until: None,
        });
    }
    all.retain(|s| s.until != Some(s.from));
    all
}

fn proven(f: &Faces, s: &Stay<'_>) -> u64 {
    let node = f.list("nodes").iter().find(|n| n["address"] == s.node).unwrap();
    let mut paths = node["paths"].as_array().unwrap().iter();
    paths.find(|p| p["path"] == s.path).unwrap()["end_to_end"]
        .as_u64()
        .unwrap()
}

/// As the lines of the timeline begin.
fn subject(f: &Faces, s: &Stay<'_>) -> String {
    let name = s.verdict["name"].as_str().unwrap_or(s.node);
    match f.engine.path_count() {
        1 => name.to_owned(),
        _ => format!("{name}, {}", s.path),
    }
}

/// It was before, and is for long after.
fn is_master(f: &Faces, node: &str, at: f64) -> bool {
    let of = |m: &pfwatch::report::Mastership| f.engine.owner(m.address).map(|n| f.engine.address(n).to_string());
    f.report.masters.values().flatten().any(|m| {
        let to = m.to.map_or(f64::INFINITY, |to| to.as_secs_f64());
        of(m).as_deref() == Some(node) && m.from.as_secs_f64() < at - 1.0 && to > at + 10.0
    })
}

/// What a node is in the end is the same in the verdicts, the tables, the JSON, the page and the last line about it.
fn last(f: &Faces, stays: &[Stay<'_>]) -> Vec<String> {
    let mut faults = Vec::new();
    let (nodes, paths) = (f.table("NODES"), f.table("PATHS"));
    for node in f.list("nodes") {
        let address = node["address"].as_str().unwrap();
        let name = node["name"].as_str().unwrap_or(address);
        for p in node["paths"].as_array().unwrap() {
            let path = p["path"].as_str().unwrap();
            let is = p["health"].as_str().unwrap_or("unknown");
            let verdict = f
                .list("verdicts")
                .iter()
                .rev()
                .find(|v| v["node"] == address && v["path"] == path);
            let said = verdict.map_or("unknown", |v| v["to"].as_str().unwrap());
            let row = paths
                .iter()
                .find(|r| r[0] == name && r[1].trim_end_matches(" (not critical)") == path);
            let shown = row.map(|r| r.last().unwrap().as_str());
            if said != is || shown.is_some_and(|s| s != is) {
                faults.push(format!(
                    "{name} on {path} is {is}, its last verdict {said}, the table {shown:?}"
                ));
            }
            let told = stays
                .iter()
                .find(|s| (s.node, s.path) == (address, path))
                .map(|s| told(f, &subject(f, s)));
            if let Some(Some(told)) = told.filter(|_| !f.shortened)
                && told != is
            {
                faults.push(format!("{name} on {path} is {is}, and the timeline ends with {told}"));
            }
        }
        let now = nodes.iter().find(|r| r[0] == name).map(|r| r.last().unwrap().clone());
        if let Some(now) = now.filter(|now| !f.page_says(&format!("{now} at the end"))) {
            faults.push(format!("the page does not say that {name} is {now} at the end"));
        }
        if node["frames"] == 0 {
            let up = stays.iter().any(|s| s.node == address && s.to == "up");
            let well = f.headline.contains(&format!("through {name}"));
            if up || well {
                faults.push(format!("{name} was never heard and is well: {}", f.headline));
            }
            if f.headline.starts_with("No firewall went down:") && !f.headline.contains("; no pfsync of ") {
                faults.push(format!("{name} was never heard: {}", f.headline));
            }
        }
    }
    faults
}

/// The health with which the lines about a subject end, where they say so.
fn told<'f>(f: &'f Faces, subject: &str) -> Option<&'f str> {
    let mut is = None;
    for l in f.timeline.iter().filter(|l| l.subject == subject) {
        let first = l.text.split([' ', ':']).next().unwrap();
        let still = l.text.starts_with(&format!("{first} until the end"));
        is = match first {
            "up" | "idle" | "unknown" => Some(first),
            "suspect" if still => Some("suspect"),
            "DOWN" if still => Some("down"),
            // It is again what it was.
            "suspect" => is,
            _ => Some("something else by now"),
        };
    }
    is
}
