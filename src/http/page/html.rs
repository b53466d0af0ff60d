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
        for (i, c) in words.char_indices() {
            match c {
                ' ' if belongs_together(words, i) => self.0.push('\u{a0}'),
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

/// Whether the space at `i` stands between a number and its unit.
fn belongs_together(words: &str, i: usize) -> bool {
    let (before, after) = words.split_at(i);
    let unit = after.trim_start().split([' ', ',', ';', ':', '.', ')']).next();
    before.ends_with(|c: char| c.is_ascii_digit()) && matches!(unit, Some("s" | "min" | "h" | "d" | "%"))
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn everything_from_outside_is_text() {
        let mut out = Html::default();
        out.text("<b a=\"x\" c='y'>&amp;\u{0}\n");
        assert_eq!(out.done(), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;  ");
    }

    #[test]
    fn numbers_stay_with_their_units() {
        let mut out = Html::default();
        out.text("2 h 5 min ago, 3 servers in 1.0 s; 67 % are");
        assert_eq!(
            out.done(),
            "2\u{a0}h 5\u{a0}min ago, 3 servers in 1.0\u{a0}s; 67\u{a0}% are"
        );
    }
}
