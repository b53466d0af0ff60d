//! The firewalls: two lines for each path, one of what got through and one of what did not.
//!
//! Called once by the view.

use super::super::tell::Tone;
use super::super::tell::words::whole;
use super::super::text::bars::bars;
use super::trends::Trends;
use super::{Page, fit, grave};
use crate::status::{Node, Path, Status};
use ratatui::text::{Line, Span};
use std::collections::VecDeque;
use std::time::Duration;

/// Columns: who (as wide as the names are), how it is, what the bars are, the number beside them.
const WHO: (usize, usize) = (6, 22);
const HOW: usize = 18;
const WHAT: usize = 11;
const NUMBER: usize = 8;
/// When it last answered.
const LAST: usize = 14;
/// Of the bar of suspicion.
const BAR: usize = 8;
/// Bars of the last seconds, at least.
const LEAST: usize = 8;

/// Writes them.
pub(super) fn write(page: &Page<'_>, lines: &mut Vec<Line<'static>>, status: &Status, trends: &Trends) {
    if status.nodes.is_empty() {
        return;
    }
    let who_wide = width(status);
    let fixed = who_wide + HOW + WHAT + NUMBER + LAST;
    let room = page.width.saturating_sub(fixed).max(LEAST);
    let tops = trends.tops(room);
    page.heading(lines, "FIREWALLS");
    for node in status.firewalls() {
        for path in &node.paths {
            let trend = trends.of(node, path);
            let list = |which: fn(&super::trends::Trend) -> &VecDeque<f64>| trend.map(which);
            let (answered, unanswered) = (list(|t| &t.answered), list(|t| &t.unanswered));
            let mut spans = who(page, who_wide, node, path);
            spans.extend(series(page, "answered", (answered, tops.0), room, Tone::Good));
            spans.push(page.span(Some(Tone::Faint), last(status, path)));
            lines.push(Line::from(spans));
            let mut spans = why(page, who_wide, node, path);
            spans.extend(series(page, "unanswered", (unanswered, tops.1), room, Tone::Warn));
            lines.push(Line::from(spans));
            // Where it is known who lost what, the heading of CARP says it, and no line is lost to it.
            if let Some(why) = path.held_back.as_ref().filter(|_| status.missing().is_none()) {
                let text = format!("{:who_wide$}held back: {why}", "");
                lines.push(Line::from(page.span(Some(Tone::Faint), fit(&text, page.width))));
            }
        }
    }
    if let Some(strangers) = status.strangers() {
        lines.push(Line::from(page.span(Some(Tone::Warn), fit(&strangers, page.width))));
    }
}

/// Of the names; paths are only named where there are several.
fn width(status: &Status) -> usize {
    let nodes = || status.firewalls();
    let labels = nodes().map(|n| n.label().chars().count() + 3);
    let several = nodes().filter(|n| n.paths.len() > 1);
    let paths = several.flat_map(|n| &n.paths).map(|p| p.path.chars().count() + 2);
    labels.chain(paths).max().unwrap_or(0).clamp(WHO.0, WHO.1)
}

/// `fw1   DOWN`.
fn who(page: &Page<'_>, width: usize, node: &Node, path: &Path) -> Vec<Span<'static>> {
    let mark = if node.me { "*" } else { "" };
    let name = fit(node.label(), width - 2);
    let health = match path.health.as_str() {
        "down" => "DOWN".to_owned(),
        other => other.to_owned(),
    };
    let health = if path.critical {
        health
    } else {
        format!("{health} (minor)")
    };
    vec![
        page.span(Some(Tone::Strong), format!("{:width$}", format!("{name}{mark}"))),
        // The blanks behind it must not be reversed.
        page.span(Some(grave(&path.health)), health.clone()),
        page.span(None, " ".repeat(HOW.saturating_sub(health.chars().count()))),
    ]
}

/// `lan -> wan   ###----- 2.1/8.5`.
fn why(page: &Page<'_>, width: usize, node: &Node, path: &Path) -> Vec<Span<'static>> {
    let place = if node.paths.len() > 1 {
        fit(&path.path, width - 1)
    } else {
        String::new()
    };
    let share = if path.threshold > 0.0 {
        (path.suspicion / path.threshold).clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "from 0 to the bar's width"
    )]
    let full = if share > 0.0 {
        ((share * BAR as f64).round() as usize).max(1)
    } else {
        0
    };
    let (on, off) = if page.look.unicode { ("█", "░") } else { ("#", "-") };
    let tone = match share {
        s if s >= 1.0 => Tone::Bad,
        s if s >= 0.5 => Tone::Warn,
        _ => Tone::Faint,
    };
    let (is, takes) = (path.suspicion, path.threshold);
    let number = match (path.reached(), path.held_back.is_some()) {
        (false, _) => format!(" {is:.1}/{takes:.1}"),
        (true, true) => format!(" {is:.1} held"),
        (true, false) => format!(" {is:.1}>{takes:.1}"),
    };
    vec![
        page.span(Some(Tone::Faint), format!("{place:width$}")),
        page.span(Some(tone), on.repeat(full)),
        page.span(Some(Tone::Faint), off.repeat(BAR - full)),
        page.span(None, format!("{number:0$}", HOW - BAR)),
    ]
}

/// The last seconds, newest at the right, and the newest as a number.
fn series(
    page: &Page<'_>,
    what: &str,
    (list, top): (Option<&VecDeque<f64>>, f64),
    room: usize,
    tone: Tone,
) -> Vec<Span<'static>> {
    let list = list.filter(|l| !l.is_empty());
    let last: Vec<f64> = list
        .map(|l| l.iter().rev().take(room).rev().copied().collect())
        .unwrap_or_default();
    let drawn = bars(&last, top, page.look.unicode);
    let number = list
        .and_then(VecDeque::back)
        .map_or_else(String::new, |n| format!(" {n:.0}/s"));
    vec![
        page.span(Some(Tone::Faint), format!("{what:WHAT$}")),
        page.span(Some(tone), format!("{drawn:>room$}")),
        page.span(None, format!("{number:NUMBER$}")),
    ]
}

fn last(status: &Status, path: &Path) -> String {
    let Some(at) = path.last_end_to_end else {
        return String::new();
    };
    let ago = Duration::try_from_secs_f64(status.at + status.age - at).unwrap_or_default();
    // Tenths of a second that jump about are nobody's news.
    if ago < Duration::from_secs(2) {
        return "now".into();
    }
    format!("{} ago", whole(ago))
}
