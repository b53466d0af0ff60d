//! What stands below the nodes: segments, probes, what is to be taken back, what is heard.
//!
//! Called once by the page.

use super::super::Style;
use super::super::grid::{plain, print, print_health, right};
use super::super::words::{count, counted, duration};
use super::{Page, length};
use crate::status::story::who;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    segments(page, out);
    acting(page, out);
    capture(page, out);
    interfaces(page, out);
}

fn capture(page: &Page<'_>, out: &mut String) {
    let mut problems = page.status.quality.current().peekable();
    if problems.peek().is_some() {
        page.look.heading(out, "CAPTURE");
    }
    problems.for_each(|p| page.item(out, &p.detail));
}

fn segments(page: &Page<'_>, out: &mut String) {
    if page.status.segments.is_empty() {
        return;
    }
    page.look.heading(out, "SEGMENTS");
    let mut table = plain(page.look);
    table.set_header(["segment", "vhid", "master", "since", "before"]);
    for s in &page.status.segments {
        if s.vhids.is_empty() {
            table.add_row([s.name.as_str(), "", s.silence()]);
        }
        for (vhids, v) in s.alike(|_| false) {
            let before = v
                .masters
                .iter()
                .rev()
                .skip(usize::from(v.master().is_some()))
                .map(who)
                .next();
            let since = match (v.master(), v.masters.last()) {
                (Some(m), _) => page.time(m.from),
                (None, Some(m)) => m.to.map(|t| page.time(t)).unwrap_or_default(),
                (None, None) => String::new(),
            };
            let masters = match (v.contest(), v.master()) {
                (Some(two), _) => two.names.join(" AND "),
                (None, Some(m)) => who(m),
                (None, None) => "nobody".into(),
            };
            table.add_row([s.name.clone(), vhids, masters, since, before.unwrap_or_default()]);
        }
    }
    right(&mut table, &[1]);
    let mut text = String::new();
    print(&table, &mut text);
    for (i, line) in text.lines().enumerate() {
        let line = if i == 0 {
            page.look.paint(Style::Faint, line)
        } else {
            line.to_owned()
        };
        out.push_str(&line);
        out.push('\n');
    }
}

/// Probes, and what was changed here.
fn acting(page: &Page<'_>, out: &mut String) {
    if !page.status.probes.is_empty() {
        page.look.heading(out, "PROBES");
        let mut table = plain(page.look);
        table.set_header(["probe", "about", "since", "now"]);
        for p in &page.status.probes {
            let since = p.since.map(|t| page.time(t)).unwrap_or_default();
            table.add_row([p.name.clone(), p.about.clone(), since, p.state.clone()]);
        }
        right(&mut table, &[]);
        print_health(page.look, &table, out);
    }
    if !page.status.ledger.is_empty() {
        page.look.heading(out, "TO BE TAKEN BACK (`pfwatch undo` does it now)");
        for entry in &page.status.ledger {
            page.item(
                out,
                &format!("{} {}: {}", page.time(entry.at), entry.action, entry.text),
            );
        }
    }
}

/// One line, unless something is wrong with one of them.
fn interfaces(page: &Page<'_>, out: &mut String) {
    let s = page.status;
    if s.interfaces.is_empty() {
        return;
    }
    page.look.heading(out, "HEARD");
    for i in &s.interfaces {
        let dropped = match i.dropped {
            0 => String::new(),
            n => format!(", {} dropped by the kernel", count(n)),
        };
        let text = format!("  {} ({}): {}{dropped}", i.interface, i.net, counted(i.frames, "frame"));
        let style = if i.dropped > 0 { Style::Warn } else { Style::Faint };
        let (text, style) = if i.up {
            (text, style)
        } else {
            (format!("{text}, DOWN OR GONE"), Style::Bad)
        };
        out.push_str(&if style == Style::Faint {
            text
        } else {
            page.look.paint(style, &text)
        });
        out.push('\n');
    }
    let f = &s.frames;
    let wrong = f.errors.values().sum::<u64>() + f.bad_checksum + f.bad_hmac;
    let mut parts = vec![
        format!("{} of pfsync", count(f.pfsync)),
        format!("{} of CARP", count(f.carp)),
    ];
    if wrong > 0 {
        parts.push(format!("{} damaged or refused", count(wrong)));
    }
    for gap in &s.gaps {
        parts.push(format!(
            "deaf for {} in all ({})",
            duration(length(gap.seconds)),
            gap.cause
        ));
    }
    page.item(out, &parts.join(", "));
}
