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
    for node in &view.status.nodes {
        card(view, node, out);
    }
    out.raw("</div>\n</section>\n");
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
        facts.push(("pfsync", "never heard".into(), "warn"));
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
        let (what, class) = witness(kind, *word);
        facts.push(("witness", what, class));
    }
    facts
}

fn witness(kind: &str, word: i8) -> (String, &'static str) {
    let text = match (kind, word) {
        ("split", _) => "it is missing from a segment",
        ("address", 1) => "its own address answers",
        ("address", _) => "its own address does not answer",
        ("probe", 1) => "it reaches as far as it should",
        ("probe", _) => "it does not reach as far as it should",
        ("canary", _) => "a canary fails",
        (_, 1) => "speaks for it",
        _ => "speaks against it",
    };
    (text.into(), if word < 0 { "bad" } else { "good" })
}

/// What it is master of, if any CARP is heard.
fn carp(s: &Status, n: &Node) -> Option<(String, &'static str)> {
    let mut mine = Vec::new();
    let mut all = 0;
    for segment in &s.segments {
        let masters = segment.vhids.iter().filter_map(|v| v.master());
        let (own, any) = masters.fold((0, 0), |(own, any), m| {
            (own + u32::from(m.node.as_deref() == Some(&n.address)), any + 1)
        });
        all += u32::from(any > 0);
        if own > 0 {
            mine.push(segment.name.as_str());
        }
    }
    let split = s.unsynchronised.last().is_some_and(|u| u.to.is_none());
    match (mine.as_slice(), all) {
        (_, 0) => None,
        ([], _) => Some(("backup".into(), "")),
        (mine, all) if u32::try_from(mine.len()) == Ok(all) => Some((format!("master on {}", mine.join(", ")), "")),
        (mine, _) => {
            let class = if split { "bad" } else { "" };
            Some((format!("master on {} only", mine.join(", ")), class))
        }
    }
}
