//! What happened last, one line each, in the order in which it happened: verdicts, decisions, masterships, actions and notices
//! in one list.
//!
//! Made from a snapshot by every page that shows one, so that all of them tell the same story.

use super::headline::Tone;
use super::{Master, Status};
use crate::event::place::places;

/// Seconds within which what happens to several vhids is one piece of news.
const TOGETHER: f64 = 1.0;

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
    for (at, tone, what, all) in masters(s) {
        tell(at, tone, "carp", format!("CARP on {}: {what}", places(all)));
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

/// When, how bad, what, and of which vhids.
type News<'a> = (f64, Tone, String, Vec<(&'a str, u8)>);

/// What became of the vhids; what is the same at the same time is told as one.
fn masters(s: &Status) -> Vec<News<'_>> {
    let mut all: Vec<News<'_>> = Vec::new();
    for (segment, vhid) in s.segments.iter().flat_map(|s| s.vhids.iter().map(move |v| (s, v))) {
        let mut tell = |at: f64, tone: Tone, what: String| {
            let place = (segment.name.as_str(), vhid.vhid);
            let same = |n: &&mut News<'_>| n.2 == what && (n.0 - at).abs() <= TOGETHER;
            match all.iter_mut().find(same) {
                Some((first, _, _, places)) => {
                    *first = first.min(at);
                    places.push(place);
                }
                None => all.push((at, tone, what, vec![place])),
            }
        };
        for m in &vhid.masters {
            tell(m.from, Tone::Plain, format!("{} is master", who(m)));
        }
        if let (None, Some(m)) = (vhid.master(), vhid.masters.last()) {
            tell(m.to.unwrap_or(m.from), Tone::Bad, "nobody is master any more".into());
        }
        for t in &vhid.two_masters {
            let names = t.names.join(" and ");
            let what = format!("two masters, {names} advertise it at the same time (split brain)");
            tell(t.from, Tone::Bad, what);
            if let Some(to) = t.to {
                tell(to, Tone::Plain, "no longer two masters".into());
            }
        }
    }
    all
}
