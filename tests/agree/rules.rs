//! Numbers, decisions, CARP and advice: what stands in one face stands in the others.

use crate::faces::{Faces, clock, number};
use pfwatch::event::Action;
use serde_json::Value;

/// See the module.
pub(crate) fn faults(f: &Faces) -> Vec<String> {
    [
        numbers(f),
        tables(f),
        through(f),
        decisions(f),
        carp(f),
        advice(f),
        advised(f),
        strangers(f),
        page(f),
    ]
    .concat()
}

/// A sentence for each that does not hold.
fn those(checks: impl IntoIterator<Item = (bool, String)>) -> Vec<String> {
    checks.into_iter().filter(|(ok, _)| !ok).map(|(_, text)| text).collect()
}

/// Nothing is counted that is not there.
fn numbers(f: &Faces) -> Vec<String> {
    let json = f.json.to_string();
    let never = ["0 of 0 ", " 0 tries", " NaN", " inf ", "within 0.00 s"];
    let found = never.iter().map(|words| {
        let line = f.text.lines().find(|l| l.contains(words));
        let text = format!("`{words}`: {}", line.unwrap_or("in the JSON"));
        (line.is_none() && !json.contains(words), text)
    });
    those(found)
}

/// Counts in the tables are those of the JSON.
fn tables(f: &Faces) -> Vec<String> {
    let mut checks = Vec::new();
    let (nodes, paths) = (f.table("NODES"), f.table("PATHS"));
    for (id, node) in f.engine.node_ids().zip(f.list("nodes")) {
        let address = node["address"].as_str().unwrap();
        let name = node["name"].as_str().unwrap_or(address);
        let messages: u64 = node["messages"]
            .as_object()
            .unwrap()
            .values()
            .map(|n| n.as_u64().unwrap())
            .sum();
        let flows = &node["flows"];
        let counted = [
            node["frames"].clone(),
            messages.into(),
            flows["known"].clone(),
            flows["half_open"].clone(),
        ];
        let row = nodes.iter().find(|r| r[0] == name).unwrap();
        let shown: Vec<Value> = row
            .iter()
            .rev()
            .skip(1)
            .take(4)
            .rev()
            .map(|c| number(c).into())
            .collect();
        checks.push((shown == counted, format!("{row:?} is not {counted:?}")));
        let never = row.iter().any(|c| c == "never heard");
        checks.push((never == (counted[0] == 0), format!("heard or not: {row:?}")));
        let known = !f.engine.is_unnamed(id);
        for p in node["paths"].as_array().unwrap().iter().filter(|_| known) {
            let path = p["path"].as_str().unwrap();
            let row = paths
                .iter()
                .find(|r| r[0] == name && r[1].trim_end_matches(" (not critical)") == path)
                .unwrap();
            let counted: Vec<Value> = ["attempt", "forward", "reverse", "end_to_end"]
                .iter()
                .map(|k| p[*k].clone())
                .collect();
            let shown: Vec<Value> = row[2..6].iter().map(|c| number(c).into()).collect();
            checks.push((shown == counted, format!("{row:?} is not {counted:?}")));
            let never = row[6] == "never";
            checks.push((
                never == p["last_end_to_end"].is_null(),
                format!("last round trip: {row:?}"),
            ));
            checks.push((
                never == (p["end_to_end"] == 0),
                format!("round trips and none: {row:?}"),
            ));
        }
    }
    let frames = &f.json["frames"];
    let kinds = |l: &&str| {
        l.split_once(": ")
            .is_some_and(|(_, kinds)| kinds.split(',').next().unwrap().ends_with(" pfsync"))
    };
    let line = f.text.lines().skip(1).find(kinds).unwrap_or_default();
    for (key, word) in [("pfsync", "pfsync"), ("carp", "CARP"), ("vrrp", "VRRP")] {
        let n = frames[key].as_u64().unwrap();
        let shown = line
            .split([',', ':'])
            .find_map(|part| part.trim().strip_suffix(&format!(" {word}")).map(number));
        checks.push((shown.unwrap_or(0) == n, format!("{n} {word}: {line}")));
    }
    those(checks)
}

/// Whom traffic passed through, and how much.
fn through(f: &Faces) -> Vec<String> {
    let Some((_, rest)) = f.headline.split_once("traffic passed end to end through ") else {
        return Vec::new();
    };
    let checks = f.list("nodes").iter().map(|node| {
        let paths = node["paths"].as_array().unwrap().iter();
        let proven: u64 = paths.map(|p| p["end_to_end"].as_u64().unwrap()).sum();
        let address = node["address"].as_str().unwrap();
        let who = node["name"]
            .as_str()
            .map_or_else(|| address.to_owned(), |name| format!("{name} ({address})"));
        let said = rest
            .split_once(&format!("{who} ("))
            .and_then(|(_, n)| Some(n.split_once(" proven")?.0));
        let ok = said.map_or(0, number) == proven;
        (ok, format!("{who} proved {proven}: {}", f.headline))
    });
    those(checks)
}

/// Each decision has its line in the timeline and among the deeds, and there are no others.
fn decisions(f: &Faces) -> Vec<String> {
    let mut checks = Vec::new();
    let decisions = f.list("decisions");
    let policy: Vec<&Value> = f.list("notices").iter().filter(|n| n["kind"] == "policy").collect();
    for d in decisions {
        let (at, reason) = (clock(&d["at"]), d["reason"].as_str().unwrap());
        let line = f
            .timeline
            .iter()
            .any(|l| l.sign == 'D' && l.time == at && l.text.ends_with(reason));
        let deed = f
            .deeds
            .iter()
            .any(|deed| deed.time == at && deed.text.ends_with(reason));
        checks.push((line || f.shortened, format!("{at} {reason}: not in the timeline")));
        checks.push((deed, format!("{at} {reason}: not among the deeds")));
    }
    for n in &policy {
        let text = n["text"].as_str().unwrap();
        let deed = f.deeds.iter().any(|deed| deed.text == text) || f.deeds.is_empty();
        checks.push((deed, format!("{text}: not among the deeds")));
    }
    let is = |deed: &crate::faces::Deed| {
        let of = |list: &[Value], key: &str| {
            let same = |v: &Value| clock(&v["at"]) == deed.time && deed.text.ends_with(v[key].as_str().unwrap());
            list.iter().any(same)
        };
        of(decisions, "reason") || policy.iter().any(|n| of(std::slice::from_ref(*n), "text"))
    };
    checks.extend(
        f.deeds
            .iter()
            .map(|deed| (is(deed), format!("no word of the policy: {}", deed.text))),
    );
    let lines = f.timeline.iter().filter(|l| l.sign == 'D').count();
    checks.push((
        lines == decisions.len() || f.shortened,
        format!("{lines} decisions in the timeline"),
    ));
    for n in f.list("notices") {
        let (at, text) = (clock(&n["at"]), n["text"].as_str().unwrap());
        let line = f.timeline.iter().any(|l| l.time == at && l.text == text);
        checks.push((line || f.shortened, format!("{at} {text}: not in the timeline")));
    }
    let counted = f
        .report
        .decisions
        .iter()
        .filter(|d| d.action == Action::Promote)
        .count();
    let promoted = f
        .timeline
        .iter()
        .filter(|l| l.text.starts_with("would promote"))
        .count();
    checks.push((
        counted == promoted || f.shortened,
        format!("{promoted} of {counted} promotions"),
    ));
    those(checks)
}

/// Splits and masters.
fn carp(f: &Faces) -> Vec<String> {
    let mut checks = Vec::new();
    let spans = f.list("unsynchronised");
    let lines: Vec<_> = f
        .timeline
        .iter()
        .filter(|l| l.text.starts_with("unsynchronised "))
        .collect();
    checks.push((
        lines.len() == spans.len() || f.shortened,
        format!("{} splits told of {spans:?}", lines.len()),
    ));
    for (span, (from, to)) in spans.iter().zip(&f.report.unsynchronised) {
        let at = clock(&span["from"]);
        let line = lines.iter().find(|l| l.time == at);
        let still = line.is_some_and(|l| l.text.contains("until the end"));
        let ok = line.is_some() && still == span["to"].is_null();
        checks.push((ok || f.shortened, format!("{span}: not so in the timeline")));
        for n in &f.report.notices {
            let within = n.at >= *from && to.is_none_or(|to| n.at < to);
            let denies = n.text.contains("CARP is in sync:");
            checks.push((!(within && denies), format!("{} while unsynchronised", n.text)));
        }
    }
    // A move is told at its own time: while the pair is torn, those of two segments are none that belong together.
    for l in f.timeline.iter().filter(|l| l.text.contains(" is master, it was ")) {
        let begins = lines.iter().any(|split| split.time == l.time);
        let segments = f.list("segments").iter().filter(|s| {
            let name = s["name"].as_str().unwrap();
            [format!("({name} "), format!(", {name} ")]
                .iter()
                .any(|part| l.text.contains(part))
        });
        checks.push((
            !begins || segments.count() < 2,
            format!("{} {}: torn, and all moved", l.time, l.text),
        ));
    }
    let spells = |word: &str| f.timeline.iter().filter(|l| l.text.contains(word)).count();
    let times = [
        ("CARP was unsynchronised", spans.len()),
        (" masters (split brain)", spells(" masters of ")),
        ("nobody advertised", spells("no master of ")),
    ];
    for (what, n) in times.into_iter().filter(|(_, n)| *n > 1 && !f.shortened) {
        let told = f.headline.contains(&format!("(the longest of {n} times"));
        checks.push((!f.headline.contains(what) || told, format!("{n} times: {}", f.headline)));
    }
    if !spans.is_empty() && f.headline.starts_with("No firewall") {
        let said = f.headline.contains("unsynchronised");
        checks.push((said, format!("it was unsynchronised: {}", f.headline)));
    }
    those(checks)
}

/// What is to be done follows from what was found.
fn advice(f: &Faces) -> Vec<String> {
    let mut checks = Vec::new();
    let masters = || {
        let vhids = f.list("segments").iter().flat_map(|s| s["vhids"].as_array().unwrap());
        vhids.flat_map(|v| v["masters"].as_array().unwrap())
    };
    for text in &f.next {
        for node in f.list("nodes").iter().filter(|n| n["frames"] != 0) {
            let name = node["name"].as_str().or(node["address"].as_str()).unwrap();
            let denied = text.starts_with("no pfsync") && text.split(':').next().unwrap().ends_with(name);
            checks.push((!denied, format!("{name} was heard: {text}")));
        }
        let refused = &f.json["frames"]["errors"]["badttl"];
        let asks = text.contains("is the address right");
        let unexplained = asks && refused != 0 && f.list("nodes").len() == 1;
        checks.push((!unexplained, format!("{refused} refused for their TTL: {text}")));
        let denied = text.starts_with("no CARP counts") || text.starts_with("add captures of the CARP");
        checks.push((!denied || masters().next().is_none(), format!("there is CARP: {text}")));
        let whole = text.contains("no CARP advertisement comes from a node");
        let owned = masters().any(|m| !m["node"].is_null());
        checks.push((!(whole && owned), format!("a node advertises: {text}")));
        for s in f.list("segments") {
            let name = s["name"].as_str().unwrap();
            let denied = text.starts_with(&format!("no CARP in the capture of {name}:"))
                || text.starts_with(&format!("no CARP on {name} counts"));
            checks.push((!denied, format!("there is CARP on {name}: {text}")));
        }
    }
    those(checks)
}

/// Whatever is named as wrong has a line of its own about what to do.
fn advised(f: &Faces) -> Vec<String> {
    let line = |is: &dyn Fn(&str) -> bool| f.next.iter().any(|text| is(text));
    let mut checks = Vec::new();
    for v in f.list("verdicts").iter().filter(|v| v["to"] == "down") {
        let name = v["name"].as_str().or(v["node"].as_str()).unwrap();
        let about = |text: &str| {
            let look = ["look at ", "look beyond ", "pfsync of "]
                .iter()
                .any(|s| text.starts_with(s));
            (look && text.contains(name)) || text.starts_with(name) || text.starts_with("several nodes were down")
        };
        checks.push((line(&about), format!("{name} was down, and no advice: {:?}", f.next)));
    }
    let told = [
        (
            "was unsynchronised",
            &["became CARP master there", "different nodes were master"][..],
        ),
        (" masters (split brain)", &["do not hear each other on"]),
        ("no master", &["nobody advertised "]),
    ];
    for (what, advice) in told.iter().filter(|(what, _)| f.headline.contains(what)) {
        let is = |text: &str| advice.iter().any(|words| text.contains(words));
        checks.push((line(&is), format!("{what}, and no advice: {} {:?}", f.headline, f.next)));
    }
    those(checks)
}

/// Who is in no configuration is named once, and not as a firewall.
fn strangers(f: &Faces) -> Vec<String> {
    let (nodes, paths) = (f.table("NODES"), f.table("PATHS"));
    let unnamed = f.engine.node_ids().filter(|n| f.engine.is_unnamed(*n));
    let checks = unnamed.flat_map(|n| {
        let name = f.engine.label(n);
        let row = nodes.iter().find(|r| r[0] == name).unwrap();
        [
            (row.last().unwrap() == "unknown sender", format!("{row:?}")),
            (!paths.iter().any(|r| r[0] == name), format!("{name} has a path")),
            (!f.headline.contains(&name), format!("{name}: {}", f.headline)),
            (
                !f.next.iter().any(|l| l.contains(&name)),
                format!("{name}: {:?}", f.next),
            ),
        ]
    });
    those(checks)
}

/// The page for a browser says what the page for a terminal says.
fn page(f: &Faces) -> Vec<String> {
    let lines = f.timeline.iter().map(|l| l.text.as_str());
    let deeds = f.deeds.iter().map(|d| d.text.as_str());
    let all = [f.headline.trim_end_matches('.')]
        .into_iter()
        .chain(lines)
        .chain(deeds)
        .chain(f.next.iter().map(String::as_str));
    those(all.map(|text| (f.page_says(text), format!("not on the page: {text}"))))
}
