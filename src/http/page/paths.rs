//! The watched paths: health of each node on each, with the last minutes as two small charts.

use super::View;
use super::chart::{Area, Chart, Line};
use super::html::Html;
use super::words::rate;
use crate::status::headline::Times as _;
use crate::status::trend::{Point, SAMPLES};
use crate::status::{Node, Path};

pub(super) fn write(view: &View, out: &mut Html) {
    let mut nodes = view.status.firewalls();
    let Some(first) = nodes.next().filter(|n| !n.paths.is_empty()) else {
        return;
    };
    out.raw("<section id=\"paths\">\n<h2>Traffic of the last minutes</h2>\n");
    for (i, path) in first.paths.iter().enumerate() {
        if first.paths.len() > 1 || path.path != "any" {
            let note = if path.critical { "" } else { " (not critical)" };
            out.tagged("h3", "", &format!("{}{note}", path.path)).raw("\n");
        }
        let most = most(view, i);
        out.raw("<div class=\"rows\">\n");
        for (n, node) in view.status.placed() {
            if let Some(path) = node.paths.get(i) {
                row(view, (n, i), node, path, most, out);
            }
        }
        out.raw("</div>\n");
    }
    out.raw(
        "<p class=\"legend faint\"><span class=\"key trips\"></span> round trips proven <span class=\"key tries\"></span> tries \
         without an answer yet <span class=\"key half\"></span> one direction only, each per second</p>\n</section>\n",
    );
}

/// What was heard of a node on a path, oldest first.
fn points(view: &View, (node, path): (usize, usize)) -> Vec<Point> {
    let of = |s: &std::sync::Arc<crate::status::trend::Sample>| {
        s.nodes
            .get(node)
            .and_then(|paths| paths.get(path))
            .copied()
            .unwrap_or_default()
    };
    view.status.trend.iter().map(of).collect()
}

/// One scale for all nodes of a path, so that they can be compared.
fn most(view: &View, path: usize) -> f64 {
    let nodes = view.status.placed();
    let all = nodes.flat_map(|(n, _)| points(view, (n, path)));
    let most = all.fold(0.0, |m: f64, p| m.max(p.end_to_end).max(p.attempt).max(p.one_way));
    most.max(1.0)
}

fn row(view: &View, place: (usize, usize), node: &Node, path: &Path, most: f64, out: &mut Html) {
    let points = points(view, place);
    out.raw("<div class=\"row\">\n<p class=\"who\"><b>").text(node.label());
    out.raw("</b> ").health(&path.health);
    if let Some(at) = path.since {
        out.tagged("span", "faint", &format!("for {}", view.words.ago(at)));
    }
    out.raw("</p>\n");
    if points.len() > 1 {
        evidence(view, node, &points, most, out);
        suspicion(view, node, path, &points, out);
    }
    out.raw("</div>\n");
}

fn evidence(view: &View, node: &Node, points: &[Point], most: f64, out: &mut Html) {
    let now = points.last().copied().unwrap_or_default();
    let text = format!(
        "{} round trips, {} tries, {} one way",
        rate(now.end_to_end),
        rate(now.attempt),
        rate(now.one_way)
    );
    let of = |value: fn(&Point) -> f64| points.iter().map(value).collect::<Vec<f64>>();
    let chart = Chart {
        label: format!(
            "{}, per second: {text}; the chart goes up to {}",
            node.label(),
            rate(most)
        ),
        width: SAMPLES,
        top: most * 1.05,
        areas: vec![Area("trips", of(|p| p.end_to_end))],
        lines: vec![Line("half", of(|p| p.one_way)), Line("tries", of(|p| p.attempt))],
        limit: None,
    };
    figure(
        view,
        "per second",
        &format!("{text} (chart up to {})", rate(most)),
        &chart,
        out,
    );
}

fn suspicion(view: &View, node: &Node, path: &Path, points: &[Point], out: &mut Html) {
    let all: Vec<f64> = points.iter().map(|p| p.suspicion).collect();
    let highest = all.iter().copied().fold(path.threshold, f64::max);
    let text = path.doubt();
    let chart = Chart {
        label: format!("{}: suspicion {text}", node.label()),
        width: SAMPLES,
        top: highest * 1.1,
        areas: vec![Area("doubt", all)],
        lines: Vec::new(),
        limit: Some(path.threshold),
    };
    figure(view, "suspicion", &text, &chart, out);
}

fn figure(view: &View, what: &str, now: &str, chart: &Chart, out: &mut Html) {
    out.raw("<figure>\n<figcaption>")
        .tagged("b", "", what)
        .raw(" ")
        .text(now);
    out.raw("</figcaption>\n");
    chart.write(out);
    if let Some(first) = view.status.trend.first() {
        let length = view.words.length(view.status.at - first.at);
        out.raw("<p class=\"axis faint\"><span>").text(&format!("{length} ago"));
        out.raw("</span><span>now</span></p>\n");
    }
    out.raw("</figure>\n");
}
