//! What a running daemon knows, as a page: whether all is well in one sentence, then nodes, segments and what happened.
//!
//! Called by `pfwatch status` with a snapshot. Shows nothing that is not there: no heading stands over emptiness.

mod events;
mod headline;
mod rest;
#[cfg(test)]
mod tests;

use super::grid::{plain, print_health, right};
use super::words::{Clock, count, duration, wrap};
use super::{Look, Style};
use crate::status::headline::told;
use crate::status::{Node, Path, Status};
use crate::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// What the parts of the page look at.
#[derive(Clone, Copy)]
struct Page<'a> {
    status: &'a Status,
    look: &'a Look,
    clock: &'a Clock,
}

impl Page<'_> {
    /// A time of the day, or with its date if that was another.
    fn time(&self, at: f64) -> String {
        let (at, now) = (moment(at), moment(self.status.at));
        if self.clock.date(at) == self.clock.date(now) {
            self.clock.second(at)
        } else {
            self.clock.format(at, "%m-%d %H:%M:%S")
        }
    }

    /// A paragraph below a table.
    fn item(&self, out: &mut String, text: &str) {
        for (i, line) in wrap(text, self.look.width.saturating_sub(2), 2).iter().enumerate() {
            let _ = writeln!(out, "{:1$}{line}", "", if i == 0 { 2 } else { 4 });
        }
    }

    /// How long ago; a snapshot is as old as it says.
    fn ago(&self, at: f64) -> String {
        duration(length(self.status.at + self.status.age - at))
    }
}

fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn moment(unix: f64) -> Timestamp {
    let whole = Timestamp::default() + length(unix);
    // What an f64 holds of a Unix time ends at the microsecond.
    Timestamp::from_nanos(whole.as_nanos() / 1000 * 1000)
}

/// The whole page.
#[must_use]
pub fn render(status: &Status, look: &Look) -> String {
    let mut out = String::new();
    let clock = Clock::new(look.zone.clone(), Some(moment(status.at)));
    let clock = &clock;
    let page = Page { status, look, clock };
    headline::write(&page, &mut out);
    nodes(&page, &mut out);
    paths(&page, &mut out);
    rest::write(&page, &mut out);
    events::write(&page, &mut out);
    out
}

/// What the live view says too.
pub(in crate::report) struct Said {
    /// The first sentence, with its full stop.
    pub(in crate::report) first: (Style, String),
    /// What the daemon is and does.
    pub(in crate::report) about: String,
    /// What happened, newest first: when, how grave, what.
    pub(in crate::report) events: Vec<(String, Option<Style>, String)>,
}

/// The sentences without the page.
pub(in crate::report) fn said(status: &Status, look: &Look) -> Said {
    let clock = Clock::new(look.zone.clone(), Some(moment(status.at)));
    let clock = &clock;
    let page = Page { status, look, clock };
    let (tone, first) = headline::sentence(&page);
    let events = events::newest(&page).into_iter();
    Said {
        first: (tone, format!("{first}.")),
        about: headline::about(&page),
        events: events.map(|(at, tone, text)| (page.time(at), tone, text)).collect(),
    }
}

/// When it last answered, on any path.
fn last(node: &Node) -> Option<f64> {
    node.paths.iter().filter_map(|p| p.last_end_to_end).reduce(f64::max)
}

fn nodes(page: &Page<'_>, out: &mut String) {
    if page.status.nodes.is_empty() {
        return;
    }
    page.look.heading(out, "NODES");
    let mut table = plain(page.look);
    table.set_header([
        "node",
        "address",
        "self",
        "pfsync",
        "flows",
        "half-open",
        "last round trip",
        "now",
    ]);
    for n in page.status.firewalls() {
        let versions: Vec<String> = n.versions.iter().map(|v| format!("v{v}")).collect();
        table.add_row([
            n.label().to_owned(),
            n.address.clone(),
            if n.me { "yes".into() } else { String::new() },
            if n.frames > 0 {
                versions.join(",")
            } else {
                n.silence().into()
            },
            count(n.flows.known),
            count(n.flows.half_open),
            match last(n) {
                Some(t) => format!("{} ago", page.ago(t)),
                // Each node of a torn pair carries one half of everything.
                None if n.health == "up" => "only together".into(),
                None => "never".into(),
            },
            n.health.clone(),
        ]);
    }
    right(&mut table, &[4, 5, 6]);
    print_health(page.look, &table, out);
    if let Some(strangers) = page.status.strangers() {
        page.item(out, &strangers);
    }
    // What the first sentence says need not be said again.
    let mut told = told(page.status);
    for n in page.status.firewalls() {
        let several = n.paths.len() > 1;
        for p in n.paths.iter().filter(|p| p.health != "up") {
            let Some(reason) = &p.reason else { continue };
            if told.take_if(|t| std::ptr::eq(*t, p)).is_some() {
                continue;
            }
            let on = if several {
                format!(" on {}", p.path)
            } else {
                String::new()
            };
            let since = p.since.map(|t| format!(" since {}", page.time(t))).unwrap_or_default();
            page.item(
                out,
                &format!("{}{on} is {}{since}: {reason}{}", n.label(), p.health, doubt(p)),
            );
        }
    }
    let synced = page.status.nodes.iter().filter_map(|n| Some((n.last_config_sync?, n)));
    if let Some((at, n)) = synced.max_by(|a, b| a.0.total_cmp(&b.0)) {
        page.item(
            out,
            &format!(
                "configuration last synchronised from {}, {} ago",
                n.label(),
                page.ago(at)
            ),
        );
    }
}

/// How far it is from `down`, where it is on the way.
fn doubt(p: &Path) -> String {
    if p.health == "suspect" && p.suspicion > 0.0 {
        let why = p.held_back.as_ref().map(|why| format!(": {why}"));
        format!("; suspicion {}{}", p.doubt(), why.unwrap_or_default())
    } else {
        String::new()
    }
}

fn paths(page: &Page<'_>, out: &mut String) {
    if page.status.firewalls().all(|n| n.paths.len() < 2) {
        return;
    }
    page.look.heading(out, "PATHS");
    let mut table = plain(page.look);
    table.set_header(["node", "path", "tries", "round trips", "last", "now"]);
    for n in page.status.firewalls() {
        for p in &n.paths {
            let note = if p.critical { "" } else { " (not critical)" };
            let last = p.last_end_to_end;
            table.add_row([
                n.label().to_owned(),
                format!("{}{note}", p.path),
                count(p.attempt),
                count(p.end_to_end),
                last.map_or_else(|| "never".into(), |t| format!("{} ago", page.ago(t))),
                p.health.clone(),
            ]);
        }
    }
    right(&mut table, &[2, 3, 4]);
    print_health(page.look, &table, out);
}
