//! What happened last, newest first: verdicts, decisions, masterships, actions and notices in one list.
//!
//! Called once by the page.

use super::super::Style;
use super::super::words::wrap;
use super::Page;
use super::rest::who;
use std::fmt::Write as _;

const LINES: usize = 12;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let all = newest(page);
    if all.is_empty() {
        return;
    }
    page.look.heading(out, "LAST EVENTS");
    for (at, style, text) in all.iter().take(LINES) {
        let time = page.time(*at);
        let indent = time.chars().count() + 2;
        for (i, line) in wrap(text, page.look.width.saturating_sub(indent), 0).iter().enumerate() {
            let line = style.map_or_else(|| line.clone(), |s| page.look.paint(s, line));
            let _ = match i {
                0 => writeln!(out, "{time}  {line}"),
                _ => writeln!(out, "{:indent$}{line}", ""),
            };
        }
    }
}

pub(super) type Line = (f64, Option<Style>, String);

/// All of them, newest first.
pub(super) fn newest(page: &Page<'_>) -> Vec<Line> {
    let mut all = collect(page);
    // Stable: what happened at one time stays in its order.
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.reverse();
    all
}

fn collect(page: &Page<'_>) -> Vec<Line> {
    let s = page.status;
    let several = s.nodes.iter().any(|n| n.paths.len() > 1);
    let label = |node: &str, name: &Option<String>| name.clone().unwrap_or_else(|| node.to_owned());
    let mut all: Vec<Line> = Vec::new();
    for v in &s.verdicts {
        let style = match v.to.as_str() {
            "down" => Some(Style::Bad),
            "suspect" => Some(Style::Warn),
            _ => None,
        };
        let on = if several {
            format!(" on {}", v.path)
        } else {
            String::new()
        };
        let text = format!(
            "{}{on} is {}, was {}: {}",
            label(&v.node, &v.name),
            v.to,
            v.from,
            v.reason
        );
        all.push((v.at, style, text));
    }
    let would = if s.acts && !s.dry_run { "decided to" } else { "would" };
    for d in &s.decisions {
        // A promotion is about the peer, but it is this node that is promoted.
        let me = s.nodes.iter().find(|n| n.me && d.action != "fence");
        let whom = me.map_or_else(|| label(&d.node, &d.name), |n| n.label().to_owned());
        let text = format!("{would} {} {whom}: {}", d.action, d.reason);
        all.push((d.at, Some(Style::Warn), text));
    }
    for n in &s.notices {
        all.push((n.at, None, n.text.clone()));
    }
    for a in &s.actions {
        let style = (!a.ok).then_some(Style::Bad);
        all.push((a.at, style, format!("{} ({:.1} s): {}", a.action, a.seconds, a.text)));
    }
    for segment in &s.segments {
        for vhid in &segment.vhids {
            let place = format!("{} vhid {}", segment.name, vhid.vhid);
            for m in &vhid.masters {
                all.push((m.from, None, format!("CARP on {place}: {} is master", who(m))));
            }
            if let (None, Some(m)) = (vhid.master(), vhid.masters.last()) {
                let text = format!("CARP on {place}: nobody is master any more");
                all.push((m.to.unwrap_or(m.from), Some(Style::Bad), text));
            }
        }
    }
    for span in &s.unsynchronised {
        all.push((
            span.from,
            Some(Style::Warn),
            "CARP is unsynchronised: different nodes are master".into(),
        ));
        if let Some(to) = span.to {
            all.push((to, None, "CARP is synchronised again".into()));
        }
    }
    all
}
