//! The first sentence, and a line about the daemon itself.

use super::View;
use super::html::Html;
use crate::status::Status;
use crate::status::headline::{Times as _, Tone, headline};
use crate::status::role::{manner, role};

/// For the tab of the browser: few words, the worst first.
pub(super) fn title(view: &View) -> String {
    let s = &view.status;
    let worst = |health: &str| s.firewalls().find(|n| n.health == health).map(|n| n.label().to_owned());
    let what = if s.stuck {
        "STUCK".into()
    } else if let Some(node) = worst("down") {
        format!("{node} DOWN")
    } else if s.split().is_some() {
        "UNSYNCHRONISED".into()
    } else if s.contested().is_some() {
        "TWO MASTERS".into()
    } else if s.vacant().is_some() {
        "NO MASTER".into()
    } else if let Some(node) = worst("suspect") {
        format!("{node} in doubt")
    } else {
        return "pfwatch".into();
    };
    format!("{what} - pfwatch")
}

pub(super) fn write(view: &View, out: &mut Html) {
    let (tone, text) = headline(&view.status, &view.words);
    let class = match tone {
        Tone::Bad => "bad",
        Tone::Warn => "warn",
        Tone::Good => "good",
        Tone::Plain => "plain",
    };
    out.raw("<section id=\"verdict\" class=\"").raw(class).raw("\">\n<h1>");
    out.text(&text).raw(".</h1>\n<p>");
    out.text(&about(view)).raw("</p>\n</section>\n");
}

fn about(view: &View) -> String {
    let s = &view.status;
    let mut parts = vec![beside(s)];
    if let Some(m) = &s.maintenance {
        let end = m.until.map(|t| format!(" until {}", view.words.time(t)));
        parts.push(format!("MAINTENANCE{}", end.unwrap_or_default()));
    }
    parts.extend(manner(s).map(str::to_owned));
    parts.push(format!("pfwatch {} for {}", s.version, view.words.ago(s.started)));
    parts.push(view.words.moment());
    parts.join(" \u{b7} ")
}

fn beside(s: &Status) -> String {
    let Some(me) = s.nodes.iter().find(|n| n.me) else {
        return "beside no node".into();
    };
    format!("beside {}, which {}", me.label(), role(s))
}
