//! What a reader in a hurry needs: the verdict in one sentence, what was decided, what to do next.
//!
//! Called once by the page.

use super::super::tell::advice::next;
use super::super::tell::deeds::deeds;
use super::super::tell::headline::Headline;
use super::super::tell::words::count;
use super::super::tell::{capture, input};
use super::Page;
use super::markup::Markup;

/// Lines about decisions; a hostile capture can cause any number of them.
const MOST: usize = 60;

/// Writes it.
pub(super) fn write(page: &Page<'_>, m: &mut Markup, found: &Headline) {
    m.element("header", &[], |m| {
        m.element("p", &[("class", "note")], |m| {
            m.text("pfwatch report");
            if let Some(span) = input::span(&page.tale) {
                m.text(&format!(" · {span}"));
            }
        });
        m.element("h1", &[("class", super::tone_class(Some(found.tone)))], |m| {
            m.words("b", "", &found.what);
            m.text(&format!("{}.", found.numbers));
        });
    });
    bullets(m, "capture", "The capture", "ul", &capture::lines(&page.tale));
    m.element("div", &[("class", "two")], |m| {
        decided(page, m);
        todo(page, m);
    });
}

fn decided(page: &Page<'_>, m: &mut Markup) {
    let Some((me, said)) = deeds(&page.tale) else { return };
    m.element("section", &[("class", "decided")], |m| {
        m.words("h2", "", &format!("What pfwatch would have done beside {me}"));
        if !said.iter().any(|deed| deed.acts) {
            m.words("p", "", "Nothing.");
        }
        // In the order of the decisions, which have their numbers from there.
        let mut marks = page.decided.iter().map(|d| d.sign.as_str());
        m.element("ul", &[], |m| {
            for deed in said.iter().take(MOST) {
                let class = if deed.acts { "acts" } else { "" };
                m.element("li", &[("class", class)], |m| {
                    if deed.acts {
                        m.words("b", "flag", marks.next().unwrap_or("D"));
                    }
                    m.words("span", "time", &page.tale.clock.exact(deed.at));
                    m.text(&format!(" {}", deed.text));
                });
            }
        });
        let left_out = said.len().saturating_sub(MOST);
        if left_out > 0 {
            let text = format!("{} more lines; --format json has everything.", count(left_out as u64));
            m.words("p", "note", &text);
        }
    });
}

fn todo(page: &Page<'_>, m: &mut Markup) {
    bullets(m, "next", "What to do next", "ol", &next(&page.tale));
}

/// A section with a list, if there is anything on it.
fn bullets(m: &mut Markup, class: &'static str, heading: &str, kind: &'static str, list: &[String]) {
    if list.is_empty() {
        return;
    }
    m.element("section", &[("class", class)], |m| {
        m.words("h2", "", heading);
        m.element(kind, &[], |m| {
            list.iter().for_each(|text| m.words("li", "", text));
        });
    });
}
