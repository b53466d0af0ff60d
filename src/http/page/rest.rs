//! Below the firewalls: who is CARP master, what would happen next, what happened, and how the sensor itself is.

use super::View;
use super::html::Html;
use super::words::count;
use crate::status::Vhid;
use crate::status::headline::{Times as _, Tone};
use crate::status::story::{story as lines, who};

/// Lines of what happened.
const LINES: usize = 16;

pub(super) fn segments(view: &View, out: &mut Html) {
    let s = &view.status;
    if s.segments.is_empty() {
        return;
    }
    let (split, lost) = (s.split(), s.lost());
    out.raw("<section id=\"carp\"");
    let wrong: Vec<_> = s.contested().into_iter().chain(s.vacant()).collect();
    out.raw(if split.is_some() || !wrong.is_empty() {
        " class=\"bad\""
    } else {
        ""
    });
    out.raw(">\n<h2>CARP</h2>\n");
    if let Some(span) = split {
        let who = s.missing().unwrap_or_else(|| "different nodes are master".into());
        let since = format!("Unsynchronised since {}: {who}.", view.words.time(span.from));
        out.tagged("p", "banner", &since).raw("\n");
    }
    for wrong in wrong {
        let since = format!("Since {}: {}.", view.words.time(wrong.since), wrong.text);
        out.tagged("p", "banner", &since).raw("\n");
    }
    for (segment, count) in s.reflected() {
        let text = format!(
            "{} advertisements came back to their sender on {segment}: a switch that loops, or a team of ports that hears itself.",
            super::words::count(count)
        );
        out.tagged("p", "banner", &text).raw("\n");
    }
    out.raw("<table>\n<thead><tr><th>segment</th><th>vhid</th><th>master</th><th>since</th></tr></thead>\n<tbody>\n");
    for segment in &s.segments {
        if segment.vhids.is_empty() {
            out.raw("<tr>").tagged("td", "", &segment.name);
            let why = segment
                .unheard
                .as_ref()
                .map_or_else(String::new, |why| format!(": {why}"));
            out.raw("<td></td><td class=\"faint\" colspan=\"2\">")
                .text(&format!("{}{why}", segment.silence()))
                .raw("</td></tr>\n");
        }
        let is_lost = |v: &Vhid| lost.iter().any(|l| l.segment == segment.name && l.vhid == v.vhid);
        for (vhids, v) in segment.alike(is_lost) {
            let (master, class) = match v.master() {
                _ if let Some(two) = v.contest() => (two.names.join(" and "), "bad"),
                Some(m) if m.node.is_none() => (who(m), "warn"),
                Some(m) => (who(m), ""),
                None => ("nobody".into(), "bad"),
            };
            let since = match (v.master(), v.masters.last()) {
                (Some(m), _) => Some(m.from),
                (None, last) => last.and_then(|m| m.to),
            };
            let since = since.map(|t| view.words.time(t)).unwrap_or_default();
            out.raw(if is_lost(v) { "<tr class=\"bad\">" } else { "<tr>" });
            out.tagged("td", "", &segment.name);
            out.tagged("td", "number", &vhids);
            out.tagged("td", class, &master).tagged("td", "number", &since);
            out.raw("</tr>\n");
        }
    }
    out.raw("</tbody>\n</table>\n</section>\n");
}

pub(super) fn next(view: &View, out: &mut Html) {
    if view.status.next.is_empty() {
        return;
    }
    out.raw("<section id=\"next\">\n<h2>What would happen next</h2>\n<ul>\n");
    for n in &view.status.next {
        let until = n.until.map(|t| format!(", until {}", view.words.time(t)));
        let text = format!("{}{}.", n.text, until.unwrap_or_default());
        out.tagged("li", "", &text).raw("\n");
    }
    out.raw("</ul>\n</section>\n");
}

pub(super) fn story(view: &View, out: &mut Html) {
    let all = lines(&view.status);
    if all.is_empty() {
        return;
    }
    out.raw("<section id=\"story\">\n<h2>What happened</h2>\n<ol>\n");
    for line in all.iter().rev().take(LINES) {
        let class = match line.tone {
            Tone::Bad => "bad",
            Tone::Warn => "warn",
            Tone::Good | Tone::Plain => "",
        };
        out.raw("<li class=\"").raw(class).raw("\">");
        out.tagged("time", "", &view.words.time(line.at)).raw(" ");
        if line.kind == "decision" {
            out.tagged("span", "badge decision", "decision").raw(" ");
        }
        out.tagged("span", "", &format!("{}.", line.text)).raw("</li>\n");
    }
    out.raw("</ol>\n</section>\n");
}

pub(super) fn sensor(view: &View, out: &mut Html) {
    let s = &view.status;
    if s.interfaces.is_empty() {
        return;
    }
    out.raw("<section id=\"sensor\">\n<h2>The sensor itself</h2>\n<ul>\n");
    for i in &s.interfaces {
        let dropped = match i.dropped {
            0 => String::new(),
            n => format!(", {} dropped by the kernel", count(n)),
        };
        let (deaf, class) = match (i.up, i.dropped) {
            (false, _) => (", DOWN OR GONE", "bad"),
            (true, 1..) => ("", "warn"),
            (true, 0) => ("", ""),
        };
        let text = format!("{} ({}): {} frames{dropped}{deaf}", i.interface, i.net, count(i.frames));
        out.tagged("li", class, &text).raw("\n");
    }
    let f = &s.frames;
    let refused = f.errors.values().sum::<u64>() + f.bad_checksum + f.bad_hmac;
    if refused > 0 {
        out.tagged("li", "warn", &format!("{} damaged or refused", count(refused)));
    }
    for problem in s.quality.current() {
        out.tagged("li", "warn", &problem.detail).raw("\n");
    }
    for gap in &s.gaps {
        let text = format!("deaf for {} in all ({})", view.words.length(gap.seconds), gap.cause);
        out.tagged("li", "warn", &text).raw("\n");
    }
    for p in &s.probes {
        let class = if p.state == "down" { "bad" } else { "" };
        let since = p.since.map(|t| format!(" since {}", view.words.time(t)));
        let text = format!(
            "probe {} (about {}): {}{}",
            p.name,
            p.about,
            p.state,
            since.unwrap_or_default()
        );
        out.tagged("li", class, &text).raw("\n");
    }
    for entry in &s.ledger {
        let text = format!(
            "to be taken back: {} {}: {}",
            view.words.time(entry.at),
            entry.action,
            entry.text
        );
        out.tagged("li", "warn", &text).raw("\n");
    }
    out.raw("</ul>\n</section>\n");
}
