//! What pfwatch would have done, what not and why; and what to do next.
//!
//! The sentences are `tell`'s; here they become paragraphs.

use super::{Page, Style};
use crate::report::tell::advice::next;
use crate::report::tell::deeds::deeds;
use std::fmt::Write as _;

/// Writes both.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    actions(page, out);
    let list = next(&page.tale);
    if !list.is_empty() {
        page.heading(out, "NEXT");
        list.iter()
            .for_each(|text| page.paragraph(out, &format!("- {text}"), 2));
    }
}

fn actions(page: &Page<'_>, out: &mut String) {
    let Some((me, said)) = deeds(&page.tale) else {
        return;
    };
    page.heading(out, &format!("WHAT PFWATCH WOULD HAVE DONE beside {me}"));
    if !said.iter().any(|deed| deed.acts) {
        out.push_str("nothing\n");
    }
    for deed in said {
        let mut lines = String::new();
        let text = format!("{} {}", page.tale.clock.exact(deed.at), deed.text);
        page.paragraph(&mut lines, &text, 13);
        for line in lines.lines() {
            let line = if deed.acts {
                page.look.paint(Style::Strong, line)
            } else {
                line.to_owned()
            };
            let _ = writeln!(out, "{line}");
        }
    }
}
