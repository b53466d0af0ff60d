//! A card for each firewall.

use super::View;
use super::html::Html;
use super::words::count;
use crate::status::headline::{Times as _, told};
use crate::status::{Node, Path, Status};

pub(super) fn write(view: &View, out: &mut Html) {
    if view.status.nodes.is_empty() {
        return;
    }
    out.raw("<section id=\"nodes\">\n<h2>Firewalls</h2>\n<div class=\"cards\">\n");
    for node in view.status.firewalls() {
        card(view, node, out);
    }
    out.raw("</div>\n");
    if let Some(strangers) = view.status.strangers() {
        out.tagged("p", "strangers warn", &strangers).raw("\n");
    }
    out.raw("</section>\n");
}

fn card(view: &View, n: &Node, out: &mut Html) {
    out.raw("<article class=\"").text(&n.health).raw("\">\n<h3>");
    out.text(n.label())
        .raw(" ")
        .health(&n.health)
        .raw("</h3>\n<p class=\"faint\">");
    out.text(&n.address);
    if n.me {
        out.raw(", pfwatch runs beside it");
    }
    out.raw("</p>\n");
    let told = told(&view.status);
    for p in n.paths.iter().filter(|p| p.health != "up") {
        // What the first sentence says need not be said again.
        if told.is_none_or(|t| !std::ptr::eq(t, p)) {
            reason(view, n, p, out);
        }
        if let Some(why) = &p.held_back {
            out.tagged("p", "reason warn", &format!("held back: {why}")).raw("\n");
        }
    }
    out.raw("<dl>\n");
    for (what, value, class) in facts(view, n) {
        out.tagged("dt", "", what).tagged("dd", class, &value).raw("\n");
    }
    out.raw("</dl>\n</article>\n");
}

fn reason(view: &View, n: &Node, p: &Path, out: &mut Html) {
    let Some(reason) = &p.reason else { return };
    let on = if n.paths.len() > 1 {
        format!("{}: ", p.path)
    } else {
        String::new()
    };
    let since = p.since.map(|t| format!(" since {}", view.words.time(t)));
    let text = format!("{on}{}{}: {reason}", p.health, since.unwrap_or_default());
    out.tagged("p", "reason", &text).raw("\n");
}

fn facts<'a>(view: &View, n: &'a Node) -> Vec<(&'a str, String, &'static str)> {
    let mut facts = Vec::new();
    if let Some((carp, class)) = carp(&view.status, n) {
        facts.push(("CARP", carp, class));
    }
    let last = n.paths.iter().filter_map(|p| p.last_end_to_end).reduce(f64::max);
    if let Some(at) = last {
        facts.push(("last round trip", format!("{} ago", view.words.ago(at)), ""));
    }
    if n.frames == 0 {
        facts.push(("pfsync", n.silence().into(), "warn"));
    } else {
        let version = n.version.map(|v| format!("version {v}, ")).unwrap_or_default();
        facts.push(("pfsync", format!("{version}{} frames", count(n.frames)), ""));
        let half = match n.flows.half_open {
            0 => String::new(),
            half => format!(", {} half-open", count(half)),
        };
        facts.push(("states", format!("{}{half}", count(n.flows.known)), ""));
    }
    if let Some(at) = n.bulk_since {
        facts.push(("bulk update", format!("running for {}", view.words.ago(at)), "warn"));
    }
    if let Some(at) = n.last_config_sync {
        facts.push(("configuration", format!("synchronised {} ago", view.words.ago(at)), ""));
    }
    // CARP has its line already.
    for (kind, word) in n.witnesses.iter().filter(|(kind, word)| **word != 0 && *kind != "carp") {
        let class = if *word < 0 { "bad" } else { "good" };
        facts.push(("witness", witness(&view.status, n, kind, *word), class));
    }
    facts
}

fn witness(s: &Status, n: &Node, kind: &str, word: i8) -> String {
    match (kind, word) {
        ("split", _) => match s.missing_from(n) {
            Some(places) => format!("it is missing from {places}"),
            None => "it is missing from a segment".into(),
        },
        ("address", 1) => format!("its own address answers ({})", probes(s, n.label(), false)),
        ("address", _) => format!("its own address does not answer ({})", probes(s, n.label(), true)),
        ("probe", 1) => format!("it reaches as far as it should ({})", probes(s, "self", false)),
        ("probe", _) => format!("it does not reach as far as it should ({})", probes(s, "self", true)),
        ("canary", _) => "a canary fails".into(),
        (_, 1) => "speaks for it".into(),
        _ => "speaks against it".into(),
    }
}

/// Which probes say so: those that fail, or all of them.
fn probes(s: &Status, about: &str, down: bool) -> String {
    let all = s.probes.iter().filter(|p| p.about == about);
    let names = all.filter(|p| !down || p.state == "down").map(|p| p.name.as_str());
    let names: Vec<&str> = names.collect();
    let what = if names.len() == 1 { "probe" } else { "probes" };
    format!("{what} {}", names.join(", "))
}

/// What it is master of, if any CARP is heard. Only of a configured node can be said that it is master of nothing, and only
/// one that was heard on CARP, or that pfwatch runs beside, is known to be a backup.
fn carp(s: &Status, n: &Node) -> Option<(String, &'static str)> {
    let (mine, all) = s.mastered(n);
    match mine.len() {
        _ if all == 0 => None,
        0 if heard(s, n) => Some(("backup".into(), "")),
        0 => n.name.is_some().then(|| ("master of nothing".into(), "")),
        own if own == all => Some((format!("master on {}", mine.join(", ")), "")),
        _ => {
            let class = if s.split().is_some() { "bad" } else { "" };
            Some((format!("master on {} only", mine.join(", ")), class))
        }
    }
}

/// Whether it is known to take part in CARP.
fn heard(s: &Status, n: &Node) -> bool {
    let own = n.me && matches!(s.role.as_str(), "backup" | "demoted");
    let mut masters = s.segments.iter().flat_map(|s| &s.vhids).flat_map(|v| &v.masters);
    own || masters.any(|m| m.node.as_deref() == Some(&n.address))
}
