//! End-to-end progress over time, as bars of one line: one block per node and path, all on the same time axis.
//!
//! Own bars rather than `textplots`: that draws curves on a braille canvas of one series and has no room for marks, while
//! here several rows must stand exactly below each other.

use super::bars::block;
use super::{Page, Style};
use crate::event::NodeId;
use crate::report::tell::words::{rate, whole};
use crate::report::tell::{stays, ticks};
use crate::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// In front of the bars, and behind them.
const LEFT: usize = 11;
const RIGHT: usize = 12;
/// A label of the axis every so many columns, at least.
const APART: u64 = 12;
/// Time as columns.
struct Axis {
    first: Timestamp,
    /// Columns of the report in one of ours.
    merged: usize,
    /// Length of one of ours.
    step: Duration,
    columns: usize,
}

impl Axis {
    fn column(&self, at: Timestamp) -> usize {
        let column = at.since(self.first).as_nanos() / self.step.as_nanos().max(1);
        usize::try_from(column)
            .unwrap_or(usize::MAX)
            .min(self.columns.saturating_sub(1))
    }
}

/// Writes it, if there is anything to see.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let Some((first, last)) = page.tale.report.span else {
        return;
    };
    let length = last.since(first);
    let have = usize::try_from(length.as_nanos() / page.tale.report.step.as_nanos().max(1)).unwrap_or(0) + 1;
    let room = page.look.width.saturating_sub(LEFT + RIGHT).max(10);
    let merged = have.div_ceil(room);
    let Ok(factor) = u32::try_from(merged) else { return };
    let axis = Axis {
        first,
        merged,
        step: page.tale.report.step * factor,
        columns: have.div_ceil(merged),
    };
    let series = page.tale.report.series.iter().flatten();
    let proven = series.clone().flat_map(|s| sums(s.proven(), merged)).max().unwrap_or(0);
    let rest = series
        .flat_map(|s| sums(&s.unproven(), merged).collect::<Vec<_>>())
        .max()
        .unwrap_or(0);
    if proven == 0 && rest == 0 {
        return;
    }
    page.heading(out, "PROGRESS: round trips proven, and messages that prove none");
    for n in page.tale.engine.node_ids() {
        let Some(paths) = page.tale.report.series.get(n.index()) else {
            continue;
        };
        for (path, s) in paths.iter().enumerate() {
            if s.is_empty() {
                continue;
            }
            let _ = writeln!(
                out,
                "{}, {}",
                page.tale.engine.label(n),
                page.tale.engine.path_name(path)
            );
            row(page, out, &axis, ("  proven", Style::Good), s.proven(), proven);
            row(page, out, &axis, ("  unproven", Style::Warn), &s.unproven(), rest);
            marks(page, out, &axis, n, path);
        }
    }
    axis_line(page, out, &axis);
    let (down, up) = signs(page);
    let length = whole(axis.step);
    let legend = format!("one column is {length}; {down} down, {up} no longer down, D decision about it");
    let _ = writeln!(out, "{:LEFT$}{}", "", page.look.paint(Style::Faint, &legend));
}

fn sums(list: &[u32], merged: usize) -> impl Iterator<Item = u64> {
    list.chunks(merged.max(1))
        .map(|c| c.iter().map(|n| u64::from(*n)).sum())
}

fn row(page: &Page<'_>, out: &mut String, axis: &Axis, (label, style): (&str, Style), list: &[u32], top: u64) {
    let mut bars = String::new();
    let (mut own_top, mut columns) = (0, 0);
    for sum in sums(list, axis.merged).take(axis.columns) {
        // Whatever is there at all shall be seen.
        let level = if top == 0 { 0 } else { (sum * 8).div_ceil(top).min(8) };
        bars.push(block(usize::try_from(level).unwrap_or(0), page.look.unicode));
        own_top = own_top.max(sum);
        columns += 1;
    }
    bars.extend(std::iter::repeat_n(' ', axis.columns - columns));
    let top = rate(own_top, axis.step).map_or_else(|| "none".into(), |rate| format!("max {rate}"));
    let _ = writeln!(out, "{label:LEFT$}{} {top}", page.look.paint(style, &bars));
}

const fn signs(page: &Page<'_>) -> (char, char) {
    if page.look.unicode { ('▼', '▲') } else { ('v', '^') }
}

/// When it went down and came back, and what was decided about it.
fn marks(page: &Page<'_>, out: &mut String, axis: &Axis, node: NodeId, path: usize) {
    let (down, up) = signs(page);
    let mut found: Vec<(Timestamp, char, Style)> = Vec::new();
    for s in stays::stays(page.tale.report)
        .iter()
        .filter(|s| s.verdict.node == node && s.verdict.path == path)
    {
        if s.is_down() {
            found.push((s.verdict.at, down, Style::Bad));
            found.extend(s.until.map(|at| (at, up, Style::Good)));
        }
    }
    found.extend(
        page.tale
            .report
            .decisions
            .iter()
            .filter(|d| d.node == node)
            .map(|d| (d.at, 'D', Style::Strong)),
    );
    if found.is_empty() {
        return;
    }
    found.sort_by_key(|(at, ..)| *at);
    let mut line: Vec<Option<(char, Style)>> = vec![None; axis.columns];
    for (at, sign, style) in found {
        // What falls together stands side by side if there is room; a decision and a fall push a return aside.
        let own = axis.column(at);
        let free = [own, own + 1].into_iter().find(|i| line.get(*i) == Some(&None));
        let weaker = line
            .get(own)
            .is_some_and(|m| m.is_some_and(|(there, _)| there == up && sign != up));
        if let Some(place) = free.or(weaker.then_some(own)).and_then(|i| line.get_mut(i)) {
            *place = Some((sign, style));
        }
    }
    while line.last() == Some(&None) {
        line.pop();
    }
    let text: String = line
        .iter()
        .map(|m| m.map_or_else(|| " ".into(), |(sign, style)| page.look.paint(style, &sign.to_string())))
        .collect();
    let _ = writeln!(out, "{:LEFT$}{text}", "");
}

fn axis_line(page: &Page<'_>, out: &mut String, axis: &Axis) {
    let wanted = axis.step.as_secs().max(1).saturating_mul(APART);
    let mut line = String::new();
    let end = axis.first + axis.step * u32::try_from(axis.columns).unwrap_or(u32::MAX);
    for (moment, label) in ticks::ticks(page.tale.clock, axis.first, end, wanted) {
        let label = format!("|{label}");
        let column = axis.column(moment);
        if line.chars().count() <= column && column + label.len() <= axis.columns + RIGHT {
            let _ = write!(line, "{:1$}{label}", "", column - line.chars().count());
        }
    }
    if line.is_empty() {
        line = format!("|{}", page.tale.clock.second(axis.first));
    }
    let _ = writeln!(out, "{:LEFT$}{}", "", page.look.paint(Style::Faint, &line));
}
