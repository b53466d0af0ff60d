//! What happened, in one sentence: the first lines of the page.
//!
//! The sentence is `tell`'s; here it is only painted.

use super::Page;
use crate::report::tell::headline::headline;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    let found = headline(&page.tale);
    let mut lines = String::new();
    page.paragraph(&mut lines, &format!("{}{}.", found.what, found.numbers), 0);
    for line in lines.lines() {
        out.push_str(&page.look.paint(found.tone, line));
        out.push('\n');
    }
}
