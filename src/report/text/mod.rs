//! The report as a page that an operator reads at night: what happened in one sentence, then everything behind it.
//!
//! Called by the commands with a finished report. Writes a string; knows neither terminals nor locales beyond what `Look`
//! says of them.

mod advice;
pub(super) mod bars;
mod close;
mod grid;
mod headline;
mod plot;
pub mod status;
mod tables;
mod timeline;

use super::Report;
use super::tell::words::{self, Clock};
use super::tell::{Tale, Tone as Style};
use crate::engine::Engine;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// How the page may look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Columns that a line may have.
    pub width: usize,
    /// Colours are welcome.
    pub colour: bool,
    /// More than ASCII is understood.
    pub unicode: bool,
    /// Of all times.
    pub zone: TimeZone,
}

impl Look {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("\x1b[{}m{text}\x1b[0m", code(style))
        } else {
            text.to_owned()
        }
    }

    fn heading(&self, out: &mut String, text: &str) {
        let _ = writeln!(out, "\n{}", self.paint(Style::Strong, text));
    }

    /// A paragraph within the width; all lines but the first start with `indent` blanks.
    fn paragraph(&self, out: &mut String, text: &str, indent: usize) {
        for (i, line) in words::wrap(text, self.width, indent).iter().enumerate() {
            let _ = writeln!(out, "{:1$}{line}", "", if i == 0 { 0 } else { indent });
        }
    }
}

const fn code(style: Style) -> &'static str {
    match style {
        Style::Bad => "1;31",
        Style::Warn => "33",
        Style::Good => "32",
        Style::Strong => "1",
        Style::Faint => "2",
    }
}

/// Everything that the parts of the page look at.
#[derive(Clone, Copy)]
struct Page<'a> {
    tale: Tale<'a>,
    look: &'a Look,
}

impl Page<'_> {
    fn heading(&self, out: &mut String, text: &str) {
        self.look.heading(out, text);
    }

    fn paragraph(&self, out: &mut String, text: &str, indent: usize) {
        self.look.paragraph(out, text, indent);
    }
}

/// The whole page.
#[must_use]
pub fn render(report: &Report, engine: &Engine, look: &Look) -> String {
    let mut out = String::new();
    let clock = Clock::of(report, look.zone.clone());
    let (clock, look) = (&clock, look);
    let tale = Tale { report, engine, clock };
    let page = Page { tale, look };
    headline::write(&page, &mut out);
    tables::write(&page, &mut out);
    plot::write(&page, &mut out);
    timeline::write(&page, &mut out);
    close::write(&page, &mut out);
    advice::write(&page, &mut out);
    out
}
