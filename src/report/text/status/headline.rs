//! Is all well? The sentence that `status::headline` has, and a line about the daemon itself.

use super::super::Style;
use super::super::words::duration;
use super::{Page, length};
use crate::status::headline::{Times, Tone, headline};
use crate::status::role::{manner, role};

const MAINTENANCE: &str = "MAINTENANCE";

impl Times for Page<'_> {
    fn time(&self, at: f64) -> String {
        Page::time(self, at)
    }

    fn ago(&self, at: f64) -> String {
        Page::ago(self, at)
    }

    fn length(&self, seconds: f64) -> String {
        duration(length(seconds))
    }
}

/// The sentence, and how it looks.
pub(super) fn sentence(page: &Page<'_>) -> (Style, String) {
    let (tone, text) = headline(page.status, page);
    let style = match tone {
        Tone::Bad => Style::Bad,
        Tone::Warn => Style::Warn,
        Tone::Good => Style::Good,
        Tone::Plain => Style::Strong,
    };
    (style, text)
}

/// Writes both.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let (style, text) = sentence(page);
    let mut lines = String::new();
    page.look.paragraph(&mut lines, &format!("{text}."), 0);
    for line in lines.lines() {
        out.push_str(&page.look.paint(style, line));
        out.push('\n');
    }
    let mut lines = String::new();
    page.look.paragraph(&mut lines, &about(page), 0);
    // Painted when the lines are made: colours have no width.
    out.push_str(&lines.replace(MAINTENANCE, &page.look.paint(Style::Warn, MAINTENANCE)));
}

/// What the daemon is and does.
pub(super) fn about(page: &Page<'_>) -> String {
    let s = page.status;
    let me = s.nodes.iter().find(|n| n.me);
    let mut parts = vec![match me {
        Some(n) => format!("{} {}", n.label(), role(s)),
        None => "beside no node".into(),
    }];
    if let Some(m) = &s.maintenance {
        let end = m.until.map(|t| format!(" until {}", page.time(t))).unwrap_or_default();
        parts.push(format!("{MAINTENANCE}{end}"));
    }
    parts.extend(manner(s).map(str::to_owned));
    parts.push(format!(
        "{} {}",
        page.clock.format(super::moment(s.at), "%Y-%m-%d %H:%M:%S"),
        page.clock.name
    ));
    parts.push(format!("pfwatch {} for {}", s.version, page.ago(s.started)));
    parts.join(", ")
}
