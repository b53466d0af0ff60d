//! Markup in which nothing can stand that was not meant: whatever comes from elsewhere is text, and text is escaped.
//!
//! Used by every part of the page. Names of elements, classes and the like are our own words (`&'static str`); names of
//! nodes, segments and files come from configurations and captures, and cannot become markup however they look.

use super::super::tell::words::is_unit;
use super::chart::Picture;
use std::fmt::Write as _;

/// An attribute: ours, or one whose value came from elsewhere.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// Markup that grows.
#[derive(Default)]
pub(super) struct Markup {
    out: String,
}

impl Markup {
    /// As a string.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An element with what `inside` writes.
    pub(super) fn element(&mut self, name: &'static str, attributes: &[Attribute<'_>], inside: impl FnOnce(&mut Self)) {
        self.begin(name, attributes);
        self.out.push('>');
        inside(self);
        let _ = write!(self.out, "</{name}>");
        if !matches!(name, "b" | "span" | "a" | "td" | "th" | "i" | "abbr" | "dt" | "dd") {
            self.out.push('\n');
        }
    }

    /// An element of a class with text in it.
    pub(super) fn words(&mut self, name: &'static str, class: &str, text: &str) {
        self.element(name, &[("class", class)], |m| m.text(text));
    }

    /// Text. A number with its groups and its unit is one word.
    pub(super) fn text(&mut self, text: &str) {
        let mut before = ' ';
        for (i, c) in text.char_indices() {
            let is_one_word = || {
                let rest = text.get(i + 1..).unwrap_or_default();
                let word = rest
                    .split(|c: char| !c.is_alphanumeric() && c != '%')
                    .next()
                    .unwrap_or_default();
                rest.starts_with(|c: char| c.is_ascii_digit()) || is_unit(word)
            };
            match c {
                ' ' if before.is_ascii_digit() && is_one_word() => self.out.push('\u{a0}'),
                c => escape(&mut self.out, c),
            }
            before = c;
        }
    }

    /// Markup of ours, known when this was compiled.
    pub(super) fn fixed(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    /// The style sheet: ours too, and put together from numbers of ours alone.
    pub(super) fn styles(&mut self, sheet: &str) {
        self.out.extend(sheet.chars().filter(|c| !matches!(c, '<' | '&')));
    }

    /// A drawing.
    pub(super) fn picture(&mut self, picture: &Picture) {
        let (width, height) = picture.size;
        let place = format!("0 0 {width} {height}");
        let stretched = ("preserveAspectRatio", "none");
        self.begin(
            "svg",
            &[
                ("viewBox", &place),
                stretched,
                ("role", "img"),
                ("aria-label", &picture.title),
            ],
        );
        let _ = write!(self.out, ">{}</svg>", picture.shapes);
    }

    fn begin(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = write!(self.out, " {key}=\"");
            value.chars().for_each(|c| escape(&mut self.out, c));
            self.out.push('"');
        }
    }
}

/// What has a meaning in markup loses it; what would be obeyed and not seen is shown.
fn escape(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\n' => out.push('\n'),
        c if is_unseen(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Controls, what turns the direction of writing around, and what no document may hold.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_elsewhere_becomes_markup() {
        let hostile = "</td><script>alert('x')</script>\" onclick=\"y\u{202e}\0&";
        let mut markup = Markup::default();
        markup.element("td", &[("title", hostile), ("class", "")], |m| m.text(hostile));
        let page = markup.finish();
        let tree = roxmltree::Document::parse(&page).unwrap();
        let shown = hostile.replace('\u{202e}', "\\u{202e}").replace('\0', "\\u{0}");
        assert_eq!(tree.root_element().text(), Some(shown.as_str()));
        assert_eq!(tree.root_element().attribute("title"), Some(shown.as_str()));
        assert_eq!(tree.root_element().attributes().len(), 1);
        assert_eq!(tree.descendants().filter(roxmltree::Node::is_element).count(), 1);
    }

    #[test]
    fn numbers_are_not_torn_apart() {
        let mut markup = Markup::default();
        markup.text("46 107 round trips in 3.5 s, 67 % of 9 servers");
        assert_eq!(
            markup.finish(),
            "46\u{a0}107 round trips in 3.5\u{a0}s, 67\u{a0}% of 9 servers"
        );
    }
}
