//! The report as one page for a browser and for paper: verdict, decisions and what to do first, then everything over time.
//!
//! Called by `analyze` with a finished report. One string that needs nothing else: no script, no font, no picture from
//! elsewhere, and it forbids the browser to ask for any. Its size depends on what is shown, not on the capture's length.

mod axis;
mod carp;
mod chart;
mod colour;
mod health;
mod lane;
mod markup;
mod nodes;
mod tables;
mod top;

use super::Report;
use super::tell::headline::headline;
use super::tell::stays::{Stay, stays};
use super::tell::words::Clock;
use super::tell::{Tale, Tone};
use crate::engine::Engine;
use crate::event::{Health, NodeId};
use axis::Axis;
use jiff::tz::TimeZone;
use markup::Markup;

/// Flags on a chart; more of them would hide each other.
const FLAGS: usize = 24;
/// A flag needs so much room, in percent.
const FLAG: f64 = 3.0;

/// Everything that the parts of the page look at.
struct Page<'a> {
    tale: Tale<'a>,
    axis: Option<Axis>,
    stays: Vec<Stay<'a>>,
    decided: Vec<Decided>,
}

/// A decision as it is marked.
struct Decided {
    percent: f64,
    node: NodeId,
    sign: String,
    title: String,
}

/// The whole page.
#[must_use]
pub fn render(report: &Report, engine: &Engine, zone: TimeZone) -> String {
    let clock = Clock::of(report, zone);
    let clock = &clock;
    let tale = Tale { report, engine, clock };
    let axis = Axis::new(&tale);
    let decided = report.decisions.iter().map(|d| Decided {
        percent: axis.as_ref().map_or(0.0, |axis| axis.percent(d.at)),
        node: d.node,
        sign: format!("D{}", d.seq),
        title: format!("{} {}: {}", clock.exact(d.at), d.action.as_str(), d.reason),
    });
    let page = Page {
        decided: decided.collect(),
        stays: stays(report),
        axis,
        tale,
    };
    let found = headline(&page.tale);
    let mut m = Markup::default();
    m.fixed("<!DOCTYPE html>\n");
    m.element("html", &[("lang", "en")], |m| {
        m.element("head", &[], |m| {
            m.fixed("<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
            m.fixed("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
            m.fixed(
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n",
            );
            m.words("title", "", &format!("{} - pfwatch", found.what));
            m.fixed("<style>\n");
            m.styles(&colour::styles());
            m.fixed("</style>\n");
        });
        m.element("body", &[], |m| {
            m.element("main", &[], |m| {
                top::write(&page, m, &found);
                nodes::write(&page, m);
                carp::write(&page, m);
                tables::write(&page, m);
            });
            m.words("footer", "note", &format!("Made by pfwatch {} analyze.", env!("CARGO_PKG_VERSION")));
        });
    });
    m.finish()
}

/// The flags of the decisions that are asked for, beside each other where they would stand on each other.
fn flags(page: &Page<'_>, m: &mut Markup, shown: impl Fn(&&Decided) -> bool) {
    let list: Vec<&Decided> = page.decided.iter().filter(|d| shown(d)).take(FLAGS).collect();
    if list.is_empty() {
        return;
    }
    m.element("div", &[("class", "row flags")], |m| {
        m.words("span", "label", "decisions");
        m.element("div", &[("class", "plot")], |m| {
            let mut free: f64 = 0.0;
            for d in list {
                let at = d.percent.max(free).min(100.0 - FLAG);
                free = at + FLAG;
                let place = format!("left:{at:.3}%");
                m.element("b", &[("class", "flag"), ("style", &place), ("title", &d.title)], |m| {
                    m.text(&d.sign)
                });
            }
        });
    });
}

const fn health_class(health: Health) -> &'static str {
    match health {
        Health::Unknown => "unknown",
        Health::Up => "up",
        Health::Idle => "idle",
        Health::Suspect => "suspect",
        Health::Down => "down",
    }
}

const fn tone_class(tone: Option<Tone>) -> &'static str {
    match tone {
        Some(Tone::Bad) => "bad",
        Some(Tone::Warn) => "warn",
        Some(Tone::Good) => "good",
        Some(Tone::Strong) => "strong",
        Some(Tone::Faint) | None => "",
    }
}
