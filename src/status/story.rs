//! What happened last, one line each, in the order in which it happened: verdicts, decisions, masterships, actions and notices
//! in one list.
//!
//! Made from a snapshot by every page that shows one, so that all of them tell the same story.

use super::headline::Tone;
use super::{Master, Status};
use crate::event::place::places;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// In Unix seconds.
    pub at: f64,
    /// How bad it is.
    pub tone: Tone,
    /// `verdict`, `decision`, `notice`, `action`, `carp`.
    pub kind: &'static str,
    /// One sentence without its full stop.
    pub text: String,
}

/// What a master is called.
#[must_use]
pub fn who(m: &Master) -> String {
    match &m.name {
        Some(name) => name.clone(),
        None => format!("{} (foreign)", m.address),
    }
}

/// The whole story, oldest first.
#[must_use]
pub fn story(s: &Status) -> Vec<Line> {
    let mut all = Vec::new();
    let mut tell = |at: f64, tone: Tone, kind: &'static str, text: String| all.push(Line { at, tone, kind, text });
    let label = |node: &str, name: &Option<String>| name.clone().unwrap_or_else(|| node.to_owned());
    let several = s.nodes.iter().any(|n| n.paths.len() > 1);
    for v in &s.verdicts {
        let tone = match v.to.as_str() {
            "down" => Tone::Bad,
            "suspect" => Tone::Warn,
            _ => Tone::Plain,
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
        tell(v.at, tone, "verdict", text);
    }
    for d in &s.decisions {
        // A promotion is about the peer, but it is this node that is promoted.
        let me = s.nodes.iter().find(|n| n.me && d.action != "fence");
        let whom = me.map_or_else(|| label(&d.node, &d.name), |n| n.label().to_owned());
        let would = if d.told { "would" } else { "decided to" };
        let text = format!("{would} {} {whom}: {}", d.action, d.reason);
        tell(d.at, Tone::Warn, "decision", text);
    }
    for n in &s.notices {
        tell(n.at, Tone::Plain, "notice", n.text.clone());
    }
    for a in &s.actions {
        let tone = if a.ok { Tone::Plain } else { Tone::Bad };
        tell(
            a.at,
            tone,
            "action",
            format!("{} ({:.1} s): {}", a.action, a.seconds, a.text),
        );
    }
    for segment in &s.segments {
        for vhid in &segment.vhids {
            let place = format!("{} vhid {}", segment.name, vhid.vhid);
            for m in &vhid.masters {
                let text = format!("CARP on {place}: {} is master", who(m));
                tell(m.from, Tone::Plain, "carp", text);
            }
            if let (None, Some(m)) = (vhid.master(), vhid.masters.last()) {
                let text = format!("CARP on {place}: nobody is master any more");
                tell(m.to.unwrap_or(m.from), Tone::Bad, "carp", text);
            }
        }
    }
    for segment in &s.segments {
        for vhid in &segment.vhids {
            let place = places([(segment.name.as_str(), vhid.vhid)]);
            for t in &vhid.two_masters {
                let names = t.names.join(" and ");
                let text = format!("CARP on {place}: two masters, {names} advertise it at the same time (split brain)");
                tell(t.from, Tone::Bad, "carp", text);
                if let Some(to) = t.to {
                    tell(
                        to,
                        Tone::Plain,
                        "carp",
                        format!("CARP on {place}: no longer two masters"),
                    );
                }
            }
        }
    }
    for span in &s.unsynchronised {
        let text = "CARP is unsynchronised: different nodes are master";
        tell(span.from, Tone::Warn, "carp", text.into());
        if let Some(to) = span.to {
            tell(to, Tone::Plain, "carp", "CARP is synchronised again".into());
        }
    }
    // Stable: what happened at one time stays in its order.
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    all
}
