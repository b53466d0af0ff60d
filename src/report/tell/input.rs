//! What was read: when, how much of what, and what was wrong with it.
//!
//! Called by the pages. Counts nothing itself.

use super::Tale;
use super::words::{count, duration};

/// `2026-11-22 01:56:38 to 02:01:08 UTC (4 min 30 s)`, if anything was read.
pub(in crate::report) fn span(tale: &Tale<'_>) -> Option<String> {
    let (first, last) = tale.report.span?;
    let same_day = tale.clock.date(first) == tale.clock.date(last);
    let to = if same_day {
        tale.clock.second(last)
    } else {
        tale.clock.format(last, "%Y-%m-%d %H:%M:%S")
    };
    let from = tale.clock.format(first, "%Y-%m-%d %H:%M:%S");
    let length = duration(last.since(first));
    Some(format!("{from} to {to} {} ({length})", tale.clock.name))
}

/// `1 234 pfsync`, `56 CARP`, ...
pub(in crate::report) fn kinds(tale: &Tale<'_>) -> Vec<String> {
    let c = tale.engine.counters();
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
    parts
}

/// How many of what.
pub(in crate::report) fn errors(tale: &Tale<'_>) -> Vec<(u64, &'static str)> {
    let c = tale.engine.counters();
    let more = [
        (c.bad_checksum, "CARP with a wrong checksum"),
        (c.bad_hmac, "CARP with a wrong password"),
        (c.carp_on_sync, "CARP on the sync net, not on its segments"),
        (c.foreign, "from more senders than are remembered"),
        (c.clamped, "with a time before the frame before it"),
    ];
    let refused = c.errors.iter().map(|(kind, n)| (*n, kind.as_str()));
    refused.chain(more.into_iter().filter(|(n, _)| *n > 0)).collect()
}
