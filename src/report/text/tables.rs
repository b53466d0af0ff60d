//! What was read and what was counted: files, errors, nodes, paths.
//!
//! Called once by the page. Counts nothing itself.

use super::grid::{plain, print, print_health, right};
use super::words::{count, counted, file};
use super::{Page, Style};
use crate::capture::Net;
use crate::report::tell::{capture, input};
use std::fmt::Write as _;

/// Writes them.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    read(page, out);
    capture(page, out);
    nodes(page, out);
    paths(page, out);
}

fn read(page: &Page<'_>, out: &mut String) {
    let c = page.tale.engine.counters();
    out.push('\n');
    if let Some(span) = input::span(&page.tale) {
        let _ = writeln!(out, "{span}");
    }
    let parts = input::kinds(&page.tale);
    let from = match page.tale.report.files.as_slice() {
        [one] => format!(" in {}", file(&one.path)),
        _ => String::new(),
    };
    page.paragraph(
        out,
        &format!("{}{from}: {}", counted(c.frames, "frame"), parts.join(", ")),
        2,
    );
    if page.tale.report.files.len() > 1 {
        let mut table = plain(page.look);
        for f in &page.tale.report.files {
            let net = match f.net {
                Net::Sync => "sync",
                Net::Segment(i) => page.tale.engine.segment_name(i),
            };
            table.add_row([format!("  {net}"), count(f.frames), file(&f.path)]);
        }
        right(&mut table, &[1]);
        print(&table, out);
    }
    let errors: Vec<String> = input::errors(&page.tale)
        .into_iter()
        .map(|(n, what)| format!("{} {what}", count(n)))
        .collect();
    if !errors.is_empty() {
        let mut lines = String::new();
        page.paragraph(&mut lines, &format!("errors: {}", errors.join(", ")), 2);
        for line in lines.lines() {
            let _ = writeln!(out, "{}", page.look.paint(Style::Warn, line));
        }
    }
}

fn capture(page: &Page<'_>, out: &mut String) {
    let list = capture::lines(&page.tale);
    if list.is_empty() {
        return;
    }
    page.heading(out, "CAPTURE");
    list.iter()
        .for_each(|text| page.paragraph(out, &format!("- {text}"), 2));
}

fn nodes(page: &Page<'_>, out: &mut String) {
    if page.tale.engine.node_ids().next().is_none() {
        return;
    }
    page.heading(out, "NODES");
    let mut table = plain(page.look);
    table.set_header([
        "node",
        "address",
        "self",
        "pfsync",
        "frames",
        "messages",
        "flows",
        "half-open",
        "now",
    ]);
    for n in page.tale.engine.node_ids() {
        let Some(c) = page.tale.engine.counters().nodes.get(n.index()) else {
            continue;
        };
        let flows = page.tale.engine.flows(n);
        let versions: Vec<String> = (0..64)
            .filter(|v| c.versions >> v & 1 == 1)
            .map(|v| format!("v{v}"))
            .collect();
        let heard = c.frames > 0;
        table.add_row([
            page.tale.engine.label(n),
            page.tale.engine.address(n).to_string(),
            if page.tale.engine.is_self(n) {
                "yes".into()
            } else {
                String::new()
            },
            if heard {
                versions.join(",")
            } else {
                "never heard".into()
            },
            count(c.frames),
            count(c.messages.values().sum()),
            count(flows.known),
            count(flows.half_open),
            page.tale.now(n).to_owned(),
        ]);
    }
    right(&mut table, &[4, 5, 6, 7]);
    print_health(page.look, &table, out);
}

fn paths(page: &Page<'_>, out: &mut String) {
    if page.tale.engine.node_ids().next().is_none() {
        return;
    }
    page.heading(out, "PATHS");
    let mut table = plain(page.look);
    table.set_header([
        "node",
        "path",
        "tries",
        "forward",
        "reverse",
        "end-to-end",
        "last end-to-end",
        "now",
    ]);
    let one_day = page
        .tale
        .report
        .span
        .is_some_and(|(a, b)| page.tale.clock.date(a) == page.tale.clock.date(b));
    for n in page.tale.nodes() {
        let Some(c) = page.tale.engine.counters().nodes.get(n.index()) else {
            continue;
        };
        for (i, p) in c.paths.iter().enumerate() {
            let how = if one_day { "%H:%M:%S%.3f" } else { "%m-%d %H:%M:%S" };
            let last = p
                .last_end_to_end
                .map_or_else(|| "never".into(), |t| page.tale.clock.format(t, how));
            let health = page
                .tale
                .engine
                .path_health(n, i)
                .map_or("unknown", |h| h.health.as_str());
            let name = page.tale.engine.path_name(i);
            let name = if page.tale.engine.is_critical(i) {
                name
            } else {
                format!("{name} (not critical)")
            };
            table.add_row([
                page.tale.engine.label(n),
                name,
                count(p.attempt),
                count(p.forward),
                count(p.reverse),
                count(p.end_to_end),
                last,
                health.to_owned(),
            ]);
        }
    }
    right(&mut table, &[2, 3, 4, 5]);
    print_health(page.look, &table, out);
}
