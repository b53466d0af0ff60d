//! Is all well? One sentence, and a line about the daemon itself.
//!
//! The worst comes first: what makes everything else untrue, then what is down, then what is doubtful.

use super::super::Style;
use super::super::words::{counted, duration};
use super::{Page, last, length};
use crate::status::{Node, Path};

const MAINTENANCE: &str = "MAINTENANCE";

/// Writes both.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let (style, text) = sentence(page);
    let mut lines = String::new();
    page.look.paragraph(&mut lines, &format!("{text}."), 0);
    for line in lines.lines() {
        out.push_str(&page.look.paint(style, line));
        out.push('\n');
    }
    let mut lines = String::new();
    page.look.paragraph(&mut lines, &about(page), 0);
    // Painted when the lines are made: colours have no width.
    out.push_str(&lines.replace(MAINTENANCE, &page.look.paint(Style::Warn, MAINTENANCE)));
}

pub(super) fn sentence(page: &Page<'_>) -> (Style, String) {
    let s = page.status;
    if s.stuck {
        let text = format!(
            "The daemon is STUCK: its loop has not moved for {}, so nothing below can be relied on; restart it",
            duration(length(s.age))
        );
        return (Style::Bad, text);
    }
    let found = [broken(page), apart(page), ours(page), doubtful(page)];
    if let Some(found) = found.into_iter().flatten().next() {
        return found;
    }
    match well(page) {
        Some(text) => (Style::Good, format!("All is well: {text}")),
        None => {
            let text = "Nothing speaks against any firewall, but too little passes to say that all is well";
            (Style::Strong, text.into())
        }
    }
}

/// The path that the first sentence is about, if it is about one.
pub(super) fn told<'a>(page: &Page<'a>) -> Option<&'a Path> {
    let node = page.status.nodes.iter().find(|n| n.health == "down")?;
    let path = node.paths.iter().find(|p| p.critical && p.health == "down");
    path.filter(|_| !page.status.stuck)
}

fn broken(page: &Page<'_>) -> Option<(Style, String)> {
    let down = |n: &&Node| n.health == "down";
    let node = page.status.nodes.iter().find(down)?;
    let path = told(page)?;
    let more = page.status.nodes.iter().filter(down).count() - 1;
    let since = path
        .since
        .map(|t| format!(" since {} ({} ago)", page.time(t), page.ago(t)));
    let reason = path.reason.as_ref().map(|r| format!(": {r}"));
    let others = if more > 0 {
        format!("; and {} more", counted(more as u64, "node"))
    } else {
        String::new()
    };
    let text = format!(
        "{} is DOWN{}{}{others}",
        node.label(),
        since.unwrap_or_default(),
        reason.unwrap_or_default()
    );
    Some((Style::Bad, text))
}

fn apart(page: &Page<'_>) -> Option<(Style, String)> {
    let since = page.status.unsynchronised.last().filter(|s| s.to.is_none())?.from;
    let text = format!(
        "CARP is unsynchronised since {} ({} ago): different nodes are master",
        page.time(since),
        page.ago(since)
    );
    Some((Style::Bad, text))
}

/// What is wrong with this host.
fn ours(page: &Page<'_>) -> Option<(Style, String)> {
    let s = page.status;
    if let Some(why) = &s.unable {
        return Some((Style::Bad, format!("Nothing will be done, though it should be: {why}")));
    }
    if let Some(p) = s.probes.iter().find(|p| p.about == "self" && p.state == "down") {
        let text = format!(
            "The probe {} is down: this node does not reach as far as it should",
            p.name
        );
        return Some((Style::Bad, text));
    }
    if let Some(i) = s.interfaces.iter().find(|i| !i.up) {
        let text = format!("Nothing is heard on {} ({}): it is down or gone", i.interface, i.net);
        return Some((Style::Bad, text));
    }
    if acts(page) && (s.role == "promoted" || s.role == "demoted") {
        let text = format!("This node was {} by pfwatch, and that is not taken back yet", s.role);
        return Some((Style::Warn, text));
    }
    None
}

fn doubtful(page: &Page<'_>) -> Option<(Style, String)> {
    let s = page.status;
    if s.nodes.is_empty() {
        let text = "No pfsync is heard yet, so nothing can be said about any firewall";
        return Some((Style::Warn, text.into()));
    }
    let doubt = |n: &&Node| n.paths.iter().any(|p| p.health == "suspect");
    if let Some(node) = s.nodes.iter().find(doubt) {
        let path = node.paths.iter().find(|p| p.health == "suspect");
        let reason = path.and_then(|p| p.reason.as_ref()).map(|r| format!(": {r}"));
        let text = format!("{} is in doubt{}", node.label(), reason.unwrap_or_default());
        return Some((Style::Warn, text));
    }
    let aside = |n: &&Node| n.paths.iter().any(|p| p.health == "down");
    if let Some(node) = s.nodes.iter().find(aside) {
        let text = format!(
            "No firewall is down, but {} is on a path that is not critical",
            node.label()
        );
        return Some((Style::Warn, text));
    }
    if s.frames.pfsync == 0 {
        let text = "No pfsync is heard: look whether that is the right interface, and whether pfsync is on";
        return Some((Style::Warn, text.into()));
    }
    let silent: Vec<&str> = s.nodes.iter().filter(|n| n.frames == 0).map(Node::label).collect();
    if !silent.is_empty() {
        let text = format!("Nothing was ever heard of {}", silent.join(" and "));
        return Some((Style::Warn, text));
    }
    let lost = s.nodes.iter().find(|n| n.cause.as_deref() == Some("sync lost"));
    if let Some(node) = lost {
        let text = format!(
            "Nothing is heard of {} any more, though it advertises: look at the sync link",
            node.label()
        );
        return Some((Style::Warn, text));
    }
    None
}

/// Through whom traffic passes, if that is known.
fn well(page: &Page<'_>) -> Option<String> {
    let up: Vec<String> = page
        .status
        .nodes
        .iter()
        .filter(|n| n.health == "up")
        .map(|n| match last(n) {
            Some(t) => format!("{} (last round trip {} ago)", n.label(), page.ago(t)),
            None => n.label().to_owned(),
        })
        .collect();
    (!up.is_empty()).then(|| format!("traffic passes end to end through {}", up.join(" and ")))
}

/// What the daemon is and does.
pub(super) fn about(page: &Page<'_>) -> String {
    let s = page.status;
    let me = s.nodes.iter().find(|n| n.me);
    let mut parts = vec![match me {
        Some(n) => format!("{} {}", n.label(), role(page)),
        None => "beside no node".into(),
    }];
    if let Some(m) = &s.maintenance {
        let end = m.until.map(|t| format!(" until {}", page.time(t))).unwrap_or_default();
        parts.push(format!("{MAINTENANCE}{end}"));
    }
    parts.push(if acts(page) { "acts" } else { "observes only" }.into());
    parts.push(format!(
        "{} {}",
        page.clock.format(super::moment(s.at), "%Y-%m-%d %H:%M:%S"),
        page.clock.name
    ));
    parts.push(format!("pfwatch {} for {}", s.version, page.ago(s.started)));
    parts.join(", ")
}

fn acts(page: &Page<'_>) -> bool {
    page.status.acts && !page.status.dry_run
}

fn role(page: &Page<'_>) -> String {
    match page.status.role.as_str() {
        "unknown" => "is in no known role".into(),
        // Decided, and left undone.
        word @ ("promoted" | "demoted") if !acts(page) => format!("would be {word}"),
        word => format!("is {word}"),
    }
}
