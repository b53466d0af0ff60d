//! The firewalls: for each and each of its paths, the evidence over time, its health, and its numbers.
//!
//! Called once by the page.

use super::super::series::KINDS;
use super::super::tell::words::{count, rate, whole};
use super::chart::{Chart, draw};
use super::colour::Colour;
use super::markup::Markup;
use super::{Page, health, health_class, lane};
use crate::event::NodeId;

/// More charts than this are nobody's reading, and a forger can cause any number.
const MOST: usize = 24;
const COLOURS: [Colour; KINDS.len()] = [Colour::EndToEnd, Colour::Reverse, Colour::Forward, Colour::Attempt];

/// So many of a hundred columns fit into the height, with some room above them.
const USUAL: usize = 97;

/// Writes them.
pub(super) fn write(page: &Page<'_>, m: &mut Markup) {
    let engine = page.tale.engine;
    if engine.node_ids().next().is_none() {
        return;
    }
    m.element("section", &[("class", "nodes")], |m| {
        m.words("h2", "", "The firewalls over time");
        key(page, m);
        let tops = tops(page);
        let mut room = MOST;
        let mut left_out = 0;
        for node in engine.node_ids() {
            let paths = engine.path_count();
            if room == 0 {
                left_out += 1;
                continue;
            }
            m.element("article", &[], |m| {
                head(page, m, node);
                for path in (0..paths).filter(|p| heard(page, node, *p)) {
                    if room > 0 {
                        room -= 1;
                        charts(page, m, (node, path), tops);
                    } else {
                        left_out += 1;
                    }
                }
            });
        }
        if left_out > 0 {
            m.words(
                "p",
                "note",
                &format!("{left_out} more charts are left out; --format json has everything."),
            );
        }
    });
}

/// What the rows mean.
fn key(page: &Page<'_>, m: &mut Markup) {
    m.element("p", &[("class", "note")], |m| {
        m.fixed(
            "<b>end-to-end</b>: round trips that a message proves. <b>reverse</b> and <b>forward</b>: data that moved from \
             the servers, and to them. <b>attempt</b>: packets that moved nothing. A firewall that answers nobody has attempts and no \
             round trips. Shaded: <i class=\"down\">down</i>, <i class=\"suspect\">suspect</i>, <i \
             class=\"unknown\">nothing can be said</i>; a line marked D is a decision. ",
        );
        if let Some(axis) = &page.axis {
            m.text(&format!(
                "One column is {}; one that reaches the upper edge may be higher.",
                whole(axis.step)
            ));
        }
    });
}

fn heard(page: &Page<'_>, node: NodeId, path: usize) -> bool {
    let series = page.tale.report.series.get(node.index()).and_then(|s| s.get(path));
    series.is_some_and(|s| !s.is_empty())
        || page
            .stays
            .iter()
            .any(|s| (s.verdict.node, s.verdict.path) == (node, path))
}

/// Columns as wide as the page's.
fn sums(list: &[u32], merged: usize) -> Vec<u64> {
    list.chunks(merged.max(1))
        .map(|c| c.iter().map(|n| u64::from(*n)).sum())
        .collect()
}

/// For each kind the number that fills the height, on all charts the same, so that nodes can be compared. A moment that is far
/// above all others does not press everything else to the ground.
fn tops(page: &Page<'_>) -> [u64; KINDS.len()] {
    let Some(axis) = &page.axis else {
        return Default::default();
    };
    let of = |kind: usize| {
        let all = page.tale.report.series.iter().flatten();
        let mut list: Vec<u64> = all
            .flat_map(|s| sums(&s.columns()[kind], axis.merged))
            .filter(|n| *n > 0)
            .collect();
        list.sort_unstable();
        let most = list.last().copied().unwrap_or(0);
        let usual = list.get(list.len() * USUAL / 100).copied().unwrap_or(most);
        most.min(usual + usual / 3 + 1)
    };
    std::array::from_fn(of)
}

/// Who, and everything that is one number.
fn head(page: &Page<'_>, m: &mut Markup, node: NodeId) {
    let engine = page.tale.engine;
    let health = engine.node_health(node).0;
    m.element("h3", &[], |m| {
        m.text(&engine.label(node));
        if engine.name(node).is_some() {
            m.words("span", "address", &engine.address(node).to_string());
        }
        if engine.is_self(node) {
            m.words("span", "tag", "pfwatch's own");
        }
        m.words(
            "span",
            health_class(health),
            &format!("{} at the end", page.tale.now(node)),
        );
    });
    let Some(c) = engine.counters().nodes.get(node.index()) else {
        return;
    };
    let flows = engine.flows(node);
    let versions: Vec<String> = (0..64)
        .filter(|v| c.versions >> v & 1 == 1)
        .map(|v| format!("v{v}"))
        .collect();
    let last = c.paths.iter().filter_map(|p| p.last_end_to_end).max();
    let figures = [
        (
            "pfsync",
            if c.frames > 0 {
                versions.join(", ")
            } else {
                "never heard".into()
            },
        ),
        ("frames", count(c.frames)),
        ("messages", count(c.messages.values().sum())),
        ("flows at the end", count(flows.known)),
        ("half-open", count(flows.half_open)),
        ("opened", count(flows.opened)),
        ("closed", count(flows.closed)),
        (
            "last round trip",
            last.map_or_else(|| "never".into(), |t| page.tale.clock.exact(t)),
        ),
    ];
    m.element("dl", &[("class", "figures")], |m| {
        for (name, value) in figures {
            m.element("div", &[], |m| {
                m.words("dt", "", name);
                m.words("dd", "", &value);
            });
        }
    });
}

fn charts(page: &Page<'_>, m: &mut Markup, (node, path): (NodeId, usize), tops: [u64; KINDS.len()]) {
    let engine = page.tale.engine;
    let Some(axis) = &page.axis else { return };
    let name = engine.path_name(path);
    let title = match (engine.path_count(), engine.is_critical(path)) {
        (1, _) => String::new(),
        (_, true) => name.clone(),
        (_, false) => format!("{name} (not critical)"),
    };
    let health = health::pieces(page, node, path);
    let shades: Vec<(f64, f64, Colour)> = health
        .iter()
        .filter_map(|p| Some((p.from, p.to, health::shade(p.class)?)))
        .collect();
    let about = |d: &&super::Decided| d.node == node;
    let decisions: Vec<f64> = page.decided.iter().filter(about).map(|d| d.percent).collect();
    let counted = engine
        .counters()
        .nodes
        .get(node.index())
        .and_then(|c| c.paths.get(path));
    let totals = counted.map_or([0; KINDS.len()], |c| [c.end_to_end, c.reverse, c.forward, c.attempt]);
    let series = page.tale.report.series.get(node.index()).and_then(|s| s.get(path));
    m.element("div", &[("class", "charts")], |m| {
        if !title.is_empty() {
            m.words("h4", "", &title);
        }
        super::flags(page, m, |d| d.node == node);
        lane::write(m, "health", &health, &[]);
        let words = KINDS
            .iter()
            .enumerate()
            .filter(|_| series.is_some_and(|s| !s.is_empty()));
        for (kind, word) in words {
            let columns = series.map_or(Vec::new(), |s| sums(&s.columns()[kind], axis.merged));
            let highest = columns.iter().copied().max().unwrap_or(0);
            let most = rate(highest, axis.step).map_or_else(|| "none".into(), |rate| format!("max {rate}"));
            let picture = draw(&Chart {
                axis,
                title: format!(
                    "{}, {name}: {word}, {} in all, {most}",
                    engine.label(node),
                    totals[kind]
                ),
                columns: &columns,
                top: tops[kind],
                colour: COLOURS[kind],
                shades: &shades,
                decisions: &decisions,
            });
            m.element("div", &[("class", if kind == 0 { "row first" } else { "row" })], |m| {
                m.element("span", &[("class", "label")], |m| {
                    m.text(word);
                    m.words("b", "", &count(totals[kind]));
                });
                m.element("div", &[("class", "plot")], |m| m.picture(&picture));
                m.words("span", "most", &most);
            });
        }
        axis.write(m, &page.tale.clock.name);
    });
}
