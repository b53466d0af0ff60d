//! Text that becomes HTML: what comes from outside is escaped here and nowhere else.

use std::fmt::Write as _;

/// See the module.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// Our own markup.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anybody's words, in text or within a quoted attribute.
    pub(super) fn text(&mut self, words: &str) -> &mut Self {
        for c in words.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if c.is_control() => self.0.push(' '),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A number with one decimal at most, for coordinates.
    pub(super) fn number(&mut self, n: f64) -> &mut Self {
        let n = (n * 10.0).round() / 10.0;
        let _ = write!(self.0, "{n}");
        self
    }

    /// `<tag class="class">words</tag>`
    pub(super) fn tagged(&mut self, tag: &str, class: &str, words: &str) -> &mut Self {
        self.raw("<").raw(tag);
        if !class.is_empty() {
            self.raw(" class=\"").text(class).raw("\"");
        }
        self.raw(">").text(words).raw("</").raw(tag).raw(">")
    }

    /// A health word with its colour.
    pub(super) fn health(&mut self, word: &str) -> &mut Self {
        self.tagged("span", &format!("badge {word}"), word)
    }

    pub(super) fn done(self) -> String {
        self.0
    }
}
