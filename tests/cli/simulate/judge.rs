//! A report of `analyze` against the truth of a simulated run.

use serde_json::Value;

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

pub(super) fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

/// What an analysis beside `me` says against the truth, by the rules of tests/verdicts.rs.
pub(super) fn faults(me: &str, report: &Value, truth: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let verdicts = list(&report["verdicts"]);
    for must in list(&truth["must"]) {
        let (from, until) = (number(&must["from"]), number(&must["until"]));
        let about = |v: &&Value| v["node"] == must["node"];
        let in_time = |v: &&Value| from <= number(&v["at"]) && number(&v["at"]) <= from + number(&must["within"]);
        let Some(hit) = verdicts
            .iter()
            .filter(about)
            .filter(in_time)
            .find(|v| v["to"] == must["health"])
        else {
            faults.push(format!("no {must}"));
            continue;
        };
        let leaves = |v: &&Value| number(&hit["at"]) < number(&v["at"]) && number(&v["at"]) < until;
        faults.extend(
            verdicts
                .iter()
                .filter(about)
                .find(leaves)
                .map(|v| format!("leaves: {v}")),
        );
    }
    for not in list(&truth["must_not"]) {
        let (from, to) = (number(&not["from"]), number(&not["to"]));
        let bad = |v: &Value| list(&not["health"]).contains(&v["to"]);
        let of_node = || verdicts.iter().filter(|v| v["node"] == not["node"]);
        let stood = of_node().rfind(|v| number(&v["at"]) <= from).filter(|v| bad(v));
        let inside = of_node().find(|v| from < number(&v["at"]) && number(&v["at"]) <= to && bad(v));
        faults.extend(stood.or(inside).map(|v| format!("falsely: {v}, against {not}")));
    }
    let decisions = list(&report["decisions"]);
    let beside_me = |rule: &&Value| rule["self"] == me;
    for rule in list(&truth["decide"])
        .iter()
        .filter(beside_me)
        .filter(|r| r["needs"].is_null())
    {
        let (from, within) = (number(&rule["from"]), number(&rule["within"]));
        let fits = |d: &Value| d["action"] == rule["action"] && (from..=from + within).contains(&number(&d["at"]));
        faults.extend((!decisions.iter().any(fits)).then(|| format!("not decided: {rule}")));
    }
    for rule in list(&truth["decide_not"]).iter().filter(beside_me) {
        let wrong = decisions.iter().find(|d| list(&rule["actions"]).contains(&d["action"]));
        faults.extend(wrong.map(|d| format!("wrongly: {d}")));
    }
    let split = &truth["must_segments"]["unsynchronised"];
    let said: Vec<f64> = list(&report["unsynchronised"])
        .iter()
        .map(|u| number(&u["from"]))
        .collect();
    match split["from"].as_f64() {
        Some(from) => {
            let in_time = said
                .iter()
                .any(|at| (from..=from + number(&split["within"])).contains(at));
            faults.extend((!in_time).then(|| format!("split {said:?}, not {split}")));
        }
        None => faults.extend((!said.is_empty()).then(|| format!("no split, but {said:?}"))),
    }
    faults.extend(two_masters(report, truth));
    faults
}

/// Both nodes advertise a vhid: said on that segment, in time, and nowhere else.
fn two_masters(report: &Value, truth: &Value) -> Option<String> {
    let vhids = |s: &Value| list(&s["vhids"]).to_vec();
    let mut said = Vec::new();
    for segment in list(&report["segments"]) {
        for span in vhids(segment).iter().flat_map(|v| list(&v["two_masters"])) {
            said.push((segment["name"].as_str()?.to_owned(), number(&span["from"])));
        }
    }
    let wanted = &truth["must_segments"]["two_masters"];
    let right = match wanted["from"].as_f64() {
        Some(from) => {
            let in_time = from..=from + number(&wanted["within"]);
            let there = |(segment, at): &(String, f64)| wanted["segment"] == *segment && in_time.contains(at);
            said.len() == 1 && said.iter().all(there)
        }
        None => said.is_empty(),
    };
    (!right).then(|| format!("two masters {said:?}, not {wanted}"))
}
