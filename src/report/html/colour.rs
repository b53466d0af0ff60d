//! The colours of the charts, and the styles of the page.
//!
//! A chart is drawn in the colours of paper. The style sheet knows each of them by its value and puts a variable in its
//! place, so that a dark screen gets others; a chart that somebody cuts out of the page keeps those it was drawn in.

use plotters::style::RGBColor;
use std::fmt::Write as _;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    EndToEnd,
    Reverse,
    Forward,
    Attempt,
    Down,
    Suspect,
    Blind,
    Tick,
    Decision,
}

/// Each: the variable, on paper, in the dark. No two are the same on paper, because that is how they are told apart.
const TABLE: [(Colour, &str, u32, u32); 9] = [
    (Colour::EndToEnd, "end-to-end", 0x1f_7a5c, 0x4f_c79c),
    (Colour::Reverse, "reverse", 0x2f_6db5, 0x6f_a8e8),
    (Colour::Forward, "forward", 0x7a_55b0, 0xb5_94e8),
    (Colour::Attempt, "attempt", 0xa8_6512, 0xe0_a04a),
    (Colour::Down, "down-shade", 0xf6_cfcb, 0x5a_2422),
    (Colour::Suspect, "suspect-shade", 0xfb_ecc4, 0x4b_3c14),
    (Colour::Blind, "blind-shade", 0xe9_e9ec, 0x2c_3036),
    (Colour::Tick, "tick", 0xd9_dce1, 0x3a_3f47),
    (Colour::Decision, "decision", 0x17_191c, 0xf2_f3f5),
];

/// The style sheet, but for the colours of charts.
const SHEET: &str = include_str!("style.css");

impl Colour {
    /// As it is on paper.
    pub(super) fn paper(self) -> RGBColor {
        let found = TABLE.iter().find(|row| row.0 == self);
        let [_, r, g, b] = found.map_or(0, |row| row.2).to_be_bytes();
        RGBColor(r, g, b)
    }
}

/// The whole style sheet.
pub(super) fn styles() -> String {
    let mut out = SHEET.to_owned();
    let mut dark = String::new();
    out.push_str(":root{");
    for (_, name, paper, night) in TABLE {
        let _ = write!(out, "--{name}:#{paper:06X};");
        let _ = write!(dark, "--{name}:#{night:06X};");
    }
    let _ = writeln!(
        out,
        "}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    );
    for (_, name, paper, _) in TABLE {
        let _ = writeln!(
            out,
            "[fill=\"#{paper:06X}\"]{{fill:var(--{name})}}[stroke=\"#{paper:06X}\"]{{stroke:var(--{name})}}"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_colour_is_told_apart_and_has_its_rule() {
        let papers: BTreeSet<u32> = TABLE.iter().map(|row| row.2).collect();
        assert_eq!(papers.len(), TABLE.len());
        assert_eq!(Colour::Reverse.paper(), RGBColor(0x2f, 0x6d, 0xb5));
        let styles = styles();
        assert!(styles.contains("[fill=\"#2F6DB5\"]{fill:var(--reverse)}"));
        // It stands in the page as it is.
        assert!(!styles.contains(['<', '&']) && !styles.contains("]]>") && !styles.contains("url("));
    }
}
