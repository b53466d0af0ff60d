//! The live view of `status --watch`: what an operator has to know at night, on one screen that never scrolls.
//!
//! Called by the command with each snapshot and whenever there is something to draw. Draws onto a frame of ratatui; knows neither the
//! terminal nor the daemon. From the top: is all well, the firewalls, CARP, ourselves, what happened last. Where the screen is too
//! small, what happened last is cut first.

mod nodes;
mod parts;
#[cfg(test)]
mod tests;
mod trends;

use super::tell::Tone;
use super::tell::words::wrap;
use super::text::Look;
use super::text::status::{Said, said};
use crate::status::Status;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use trends::Trends;

/// What is left for events, at least, where there is room for them at all.
const EVENTS: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub struct Watch {
    status: Option<Status>,
    trends: Trends,
    /// Why the last question had no answer.
    silence: Option<String>,
}

impl Watch {
    /// Takes a snapshot.
    pub fn take(&mut self, status: Status) {
        self.trends.take(&status);
        self.status = Some(status);
        self.silence = None;
    }

    /// There was no answer; what was known stays on the screen, and is called old.
    pub fn lose(&mut self, why: String) {
        self.silence = Some(why);
    }

    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame<'_>, look: &Look) {
        let area = frame.area();
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let page = Page { look, width };
        let mut lines = Vec::new();
        if let Some(why) = &self.silence {
            page.paragraph(
                &mut lines,
                Some(Tone::Bad),
                &format!("NO ANSWER: {why}. What follows is old."),
                3,
            );
        }
        if let Some(status) = &self.status {
            // Old words are in nobody's way, and must not look like news.
            let said = said(status, look);
            self.body(&page, status, &said, &mut lines, height);
        }
        lines.truncate(height.saturating_sub(1));
        frame.render_widget(Paragraph::new(lines), area);
        let foot = Line::from(Span::styled("q quits; once a second", page.style(Some(Tone::Faint))));
        let last = Rect {
            y: area.y + area.height.saturating_sub(1),
            height: area.height.min(1),
            ..area
        };
        frame.render_widget(Paragraph::new(foot), last);
    }

    fn body(&self, page: &Page<'_>, status: &Status, said: &Said, lines: &mut Vec<Line<'static>>, height: usize) {
        let (tone, first) = &said.first;
        let tone = if self.silence.is_some() { Tone::Faint } else { *tone };
        page.paragraph(lines, Some(tone), first, 4);
        page.paragraph(lines, Some(Tone::Faint), &said.about, 2);
        nodes::write(page, lines, status, &self.trends);
        parts::carp(page, lines, status);
        parts::ourselves(page, lines, status);
        // A heading and the lines below it, in what is left above the foot.
        let left = height.saturating_sub(1).saturating_sub(lines.len());
        let left = if left < 3 { EVENTS.min(height / 3) } else { left };
        lines.truncate(height.saturating_sub(1 + left));
        parts::events(page, lines, said, left);
    }
}

/// What the parts need to know of the screen.
struct Page<'a> {
    look: &'a Look,
    width: usize,
}

impl Page<'_> {
    /// Without colours what is grave is bold or reversed.
    fn style(&self, tone: Option<Tone>) -> Style {
        let plain = Style::new();
        let Some(tone) = tone else { return plain };
        let (colour, modifier) = match tone {
            Tone::Bad => (Some(Color::Red), Modifier::BOLD),
            Tone::Warn => (Some(Color::Yellow), Modifier::empty()),
            Tone::Good => (Some(Color::Green), Modifier::empty()),
            Tone::Strong => (None, Modifier::BOLD),
            Tone::Faint => (None, Modifier::DIM),
        };
        match colour {
            Some(colour) if self.look.colour => plain.fg(colour).add_modifier(modifier),
            Some(_) if tone == Tone::Bad => plain.add_modifier(Modifier::REVERSED),
            _ => plain.add_modifier(modifier),
        }
    }

    fn span(&self, tone: Option<Tone>, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(tone))
    }

    fn heading(&self, lines: &mut Vec<Line<'static>>, text: &str) {
        lines.push(Line::default());
        lines.push(Line::from(self.span(Some(Tone::Strong), text)));
    }

    /// At most so many lines of the width.
    fn paragraph(&self, lines: &mut Vec<Line<'static>>, tone: Option<Tone>, text: &str, most: usize) {
        let all = wrap(text, self.width, 0);
        let cut = all.len() > most;
        for (i, line) in all.into_iter().take(most).enumerate() {
            let line = if cut && i + 1 == most {
                fit(&format!("{line} ..."), self.width)
            } else {
                line
            };
            lines.push(Line::from(self.span(tone, line)));
        }
    }
}

/// As much as fits into so many columns.
fn fit(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(columns.saturating_sub(3)).collect();
    short.push_str(if columns >= 3 { "..." } else { "" });
    short
}

/// How grave a health is.
fn grave(health: &str) -> Tone {
    match health {
        "down" => Tone::Bad,
        "suspect" => Tone::Warn,
        "up" => Tone::Good,
        _ => Tone::Faint,
    }
}
