//! What stands at the end: what happened line by line, margins, messages, errors, files.
//!
//! Called once by the page. An empty table is not shown.

use super::super::tell::close::close;
use super::super::tell::input;
use super::super::tell::timeline::{Entry, Mark, timeline};
use super::super::tell::words::{count, counted, file};
use super::markup::Markup;
use super::{Page, tone_class};
use crate::capture::Net;
use std::collections::BTreeSet;

/// Writes them.
pub(super) fn write(page: &Page<'_>, m: &mut Markup) {
    events(page, m);
    margins(page, m);
    mix(page, m);
    errors(page, m);
    files(page, m);
}

fn head(m: &mut Markup, columns: &[String]) {
    m.element("thead", &[], |m| {
        m.element("tr", &[], |m| columns.iter().for_each(|c| m.words("th", "", c)));
    });
}

fn events(page: &Page<'_>, m: &mut Markup) {
    let found = timeline(&page.tale);
    if found.first.is_empty() {
        return;
    }
    m.element("section", &[("class", "events")], |m| {
        m.words("h2", "", &format!("What happened ({})", page.tale.clock.name));
        m.element("table", &[], |m| {
            m.element("tbody", &[], |m| {
                let mut day = String::new();
                found.first.iter().for_each(|e| event(page, m, e, &mut day));
                if found.left_out > 0 {
                    let text = format!(
                        "{} more lines; --format json has everything",
                        count(found.left_out as u64)
                    );
                    wide(m, &text);
                }
                found.last.iter().for_each(|e| event(page, m, e, &mut day));
            });
        });
        if page.tale.report.unmentioned > 0 {
            let text = format!("{} notices were not kept.", count(page.tale.report.unmentioned));
            m.words("p", "note", &text);
        }
    });
}

fn wide(m: &mut Markup, text: &str) {
    m.element("tr", &[("class", "day")], |m| {
        m.element("td", &[("colspan", "4")], |m| m.text(text));
    });
}

fn event(page: &Page<'_>, m: &mut Markup, e: &Entry, day: &mut String) {
    let date = page.tale.clock.date(e.at);
    if date != *day {
        wide(m, &date);
        *day = date;
    }
    let sign = match e.mark {
        Mark::None => "",
        Mark::Down => "▼",
        Mark::Up => "▲",
        Mark::Decision => "D",
        Mark::Split => "!",
    };
    m.element("tr", &[("class", tone_class(e.tone))], |m| {
        m.words("td", "time", &page.tale.clock.exact(e.at));
        m.words("td", "sign", sign);
        m.words("td", "subject", &e.subject);
        m.words("td", "text", &e.text);
    });
}

fn margins(page: &Page<'_>, m: &mut Markup) {
    if page.tale.report.verdicts.is_empty() {
        return;
    }
    m.element("section", &[("class", "margins")], |m| {
        m.words("h2", "", "How close to a false alarm");
        let (days, left_out) = close(&page.tale);
        if days.is_empty() {
            m.words("p", "", "No suspicion at all.");
            return;
        }
        m.words(
            "p",
            "note",
            "The highest suspicion of each day (UTC) and what it would have taken; what did go down is not counted.",
        );
        m.element("ul", &[], |m| {
            for day in &days {
                m.words("li", if day.tight { "warn" } else { "" }, &day.text);
            }
        });
        if left_out > 0 {
            m.words(
                "p",
                "note",
                &format!("{} with wider margins left out.", counted(left_out, "day")),
            );
        }
    });
}

/// Messages by action and node, with bars on one scale.
fn mix(page: &Page<'_>, m: &mut Markup) {
    let engine = page.tale.engine;
    let nodes: Vec<_> = engine
        .node_ids()
        .filter_map(|n| Some((n, engine.counters().nodes.get(n.index())?)))
        .filter(|(_, c)| c.frames > 0)
        .collect();
    let actions: BTreeSet<&str> = nodes.iter().flat_map(|(_, c)| c.messages.keys().copied()).collect();
    if actions.is_empty() {
        return;
    }
    let top = nodes
        .iter()
        .flat_map(|(_, c)| c.messages.values().copied())
        .max()
        .unwrap_or(1)
        .max(1);
    m.element("section", &[("class", "mix")], |m| {
        m.words("h2", "", "Messages");
        m.element("div", &[("class", "scroll")], |m| {
            m.element("table", &[], |m| {
                let mut columns = vec!["message".to_owned()];
                columns.extend(nodes.iter().map(|(n, _)| engine.label(*n)));
                head(m, &columns);
                m.element("tbody", &[], |m| {
                    for action in &actions {
                        m.element("tr", &[], |m| {
                            m.words("th", "", action);
                            for (_, c) in &nodes {
                                cell(m, c.messages.get(action).copied().unwrap_or(0), top);
                            }
                        });
                    }
                    m.element("tr", &[("class", "sum")], |m| {
                        m.words("th", "", "only alive");
                        nodes.iter().for_each(|(_, c)| cell(m, c.sender_alive, top));
                    });
                });
            });
        });
        m.words(
            "p",
            "note",
            "Only alive: messages that prove nothing but that the sender's pfsync lives.",
        );
    });
}

#[expect(clippy::cast_precision_loss, reason = "the width of a bar")]
fn cell(m: &mut Markup, n: u64, top: u64) {
    m.element("td", &[("class", "bar")], |m| {
        if n > 0 {
            let width = format!("width:{:.1}%", (n as f64 / top as f64 * 100.0).clamp(0.5, 100.0));
            m.element("i", &[("style", &width)], |_| {});
            m.words("span", "", &count(n));
        }
    });
}

fn errors(page: &Page<'_>, m: &mut Markup) {
    let found = input::errors(&page.tale);
    m.element("section", &[("class", "errors")], |m| {
        m.words("h2", "", "Errors");
        if found.is_empty() {
            m.words("p", "", "Nothing that was read was damaged or refused.");
            return;
        }
        m.element("table", &[], |m| {
            m.element("tbody", &[], |m| {
                for (n, what) in &found {
                    m.element("tr", &[("class", "warn")], |m| {
                        m.words("td", "number", &count(*n));
                        m.words("td", "", what);
                    });
                }
            });
        });
    });
}

fn files(page: &Page<'_>, m: &mut Markup) {
    let tale = &page.tale;
    m.element("section", &[("class", "files")], |m| {
        m.words("h2", "", "What was read");
        let frames = counted(tale.engine.counters().frames, "frame");
        m.words("p", "", &format!("{frames}: {}.", input::kinds(tale).join(", ")));
        m.element("div", &[("class", "scroll")], |m| {
            m.element("table", &[], |m| {
                head(m, &["net", "frames", "from", "to", "file"].map(str::to_owned));
                m.element("tbody", &[], |m| {
                    for f in &tale.report.files {
                        let net = match f.net {
                            Net::Sync => "sync",
                            Net::Segment(i) => tale.engine.segment_name(i),
                        };
                        let time =
                            |t: Option<_>| t.map_or_else(String::new, |t| tale.clock.format(t, "%Y-%m-%d %H:%M:%S"));
                        m.element("tr", &[], |m| {
                            m.words("td", "", net);
                            m.words("td", "number", &count(f.frames));
                            m.words("td", "time", &time(f.first));
                            m.words("td", "time", &time(f.last));
                            m.words("td", "path", &file(&f.path));
                        });
                    }
                });
            });
        });
    });
}
