//! What was read and what was counted: files, errors, nodes, paths.
//!
//! Called once by the page. Counts nothing itself.

use super::grid::{plain, print, print_health, right};
use super::words::{count, counted, duration};
use super::{Page, Style};
use crate::capture::Net;
use std::fmt::Write as _;

/// Writes them.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    input(page, out);
    nodes(page, out);
    paths(page, out);
}

fn input(page: &Page<'_>, out: &mut String) {
    let c = page.engine.counters();
    out.push('\n');
    if let Some((first, last)) = page.report.span {
        let same_day = page.clock.date(first) == page.clock.date(last);
        let to = if same_day {
            page.clock.second(last)
        } else {
            page.clock.format(last, "%Y-%m-%d %H:%M:%S")
        };
        let from = page.clock.format(first, "%Y-%m-%d %H:%M:%S");
        let length = duration(last.since(first));
        let _ = writeln!(out, "{from} to {to} {} ({length})", page.clock.name);
    }
    let mut parts = vec![format!("{} pfsync", count(c.pfsync))];
    let more = [
        (c.carp - c.vrrp, "CARP"),
        (c.vrrp, "VRRP"),
        (c.other, "other"),
        (c.unsupported, "of a link type that cannot be read"),
    ];
    parts.extend(
        more.iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{} {what}", count(*n))),
    );
    let from = match page.report.files.as_slice() {
        [one] => format!(" in {}", one.path.display()),
        _ => String::new(),
    };
    page.paragraph(
        out,
        &format!("{}{from}: {}", counted(c.frames, "frame"), parts.join(", ")),
        2,
    );
    if page.report.files.len() > 1 {
        let mut table = plain(page.look);
        for f in &page.report.files {
            let net = match f.net {
                Net::Sync => "sync",
                Net::Segment(i) => page.engine.segment_name(i),
            };
            table.add_row([format!("  {net}"), count(f.frames), f.path.display().to_string()]);
        }
        right(&mut table, &[1]);
        print(&table, out);
    }
    let mut errors: Vec<String> = c
        .errors
        .iter()
        .map(|(kind, n)| format!("{} {}", count(*n), kind.as_str()))
        .collect();
    let more = [
        (c.bad_checksum, "CARP with a wrong checksum"),
        (c.bad_hmac, "CARP with a wrong password"),
        (c.carp_on_sync, "CARP on the sync net, not on its segments"),
        (c.foreign, "from more senders than are remembered"),
        (c.clamped, "with a time before the frame before it"),
    ];
    errors.extend(
        more.iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{} {what}", count(*n))),
    );
    if !errors.is_empty() {
        let mut lines = String::new();
        page.paragraph(&mut lines, &format!("errors: {}", errors.join(", ")), 2);
        for line in lines.lines() {
            let _ = writeln!(out, "{}", page.look.paint(Style::Warn, line));
        }
    }
}

fn nodes(page: &Page<'_>, out: &mut String) {
    if page.engine.node_ids().next().is_none() {
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
    for n in page.engine.node_ids() {
        let Some(c) = page.engine.counters().nodes.get(n.index()) else {
            continue;
        };
        let flows = page.engine.flows(n);
        let versions: Vec<String> = (0..64)
            .filter(|v| c.versions >> v & 1 == 1)
            .map(|v| format!("v{v}"))
            .collect();
        let heard = c.frames > 0;
        table.add_row([
            page.engine.label(n),
            page.engine.address(n).to_string(),
            if page.engine.is_self(n) {
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
            page.engine.node_health(n).0.as_str().to_owned(),
        ]);
    }
    right(&mut table, &[4, 5, 6, 7]);
    print_health(page.look, &table, out);
}

fn paths(page: &Page<'_>, out: &mut String) {
    if page.engine.node_ids().next().is_none() {
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
        .report
        .span
        .is_some_and(|(a, b)| page.clock.date(a) == page.clock.date(b));
    for n in page.engine.node_ids() {
        let Some(c) = page.engine.counters().nodes.get(n.index()) else {
            continue;
        };
        for (i, p) in c.paths.iter().enumerate() {
            let how = if one_day { "%H:%M:%S%.3f" } else { "%m-%d %H:%M:%S" };
            let last = p
                .last_end_to_end
                .map_or_else(|| "never".into(), |t| page.clock.format(t, how));
            let health = page.engine.path_health(n, i).map_or("unknown", |h| h.health.as_str());
            let name = page.engine.path_name(i);
            let name = if page.engine.is_critical(i) {
                name
            } else {
                format!("{name} (not critical)")
            };
            table.add_row([
                page.engine.label(n),
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
