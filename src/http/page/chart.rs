//! Small charts as SVG, in the colours that the style gives their classes.
//!
//! The newest sample stands at the right edge; where there are fewer than fit, the chart is stretched over those that there are.

use super::html::Html;

const HEIGHT: f64 = 48.0;

/// A filled curve of this class.
pub(super) struct Area(pub(super) &'static str, pub(super) Vec<f64>);

/// A curve of this class.
pub(super) struct Line(pub(super) &'static str, pub(super) Vec<f64>);

/// See the module.
pub(super) struct Chart {
    /// For those who do not see it.
    pub(super) label: String,
    /// Samples at most.
    pub(super) width: usize,
    /// What stands at the upper edge; more than zero.
    pub(super) top: f64,
    pub(super) areas: Vec<Area>,
    pub(super) lines: Vec<Line>,
    /// A dashed line.
    pub(super) limit: Option<f64>,
}

impl Chart {
    pub(super) fn write(&self, out: &mut Html) {
        let longest = self.areas.iter().map(|a| a.1.len()).max().unwrap_or(0);
        let shown = longest.min(self.width).max(2);
        out.raw("<svg role=\"img\" aria-label=\"").text(&self.label);
        out.raw("\" preserveAspectRatio=\"none\" viewBox=\"0 0 ")
            .number(wide(shown - 1));
        out.raw(" ").number(HEIGHT).raw("\">");
        for Area(class, values) in &self.areas {
            out.raw("<path class=\"area ")
                .raw(class)
                .raw("\" d=\"M0 ")
                .number(HEIGHT);
            self.curve(values, 'L', out);
            out.raw("L")
                .number(wide(shown - 1))
                .raw(" ")
                .number(HEIGHT)
                .raw("Z\"/>");
            self.line(class, values, out);
        }
        for Line(class, values) in &self.lines {
            self.line(class, values, out);
        }
        if let Some(limit) = self.limit {
            let y = self.y(limit);
            out.raw("<path class=\"limit\" d=\"M0 ")
                .number(y)
                .raw("H")
                .number(wide(shown - 1))
                .raw("\"/>");
        }
        out.raw("</svg>\n");
    }

    fn line(&self, class: &str, values: &[f64], out: &mut Html) {
        out.raw("<path class=\"line ").raw(class).raw("\" d=\"");
        self.curve(values, 'M', out);
        out.raw("\"/>");
    }

    fn curve(&self, values: &[f64], first: char, out: &mut Html) {
        let skip = values.len().saturating_sub(self.width);
        for (x, value) in values.iter().skip(skip).enumerate() {
            out.raw(if x == 0 && first == 'M' { "M" } else { "L" });
            out.number(wide(x)).raw(" ").number(self.y(*value));
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.top > 0.0 { value / self.top } else { 0.0 };
        // What lies on an edge would be cut in half.
        HEIGHT - 1.0 - share.clamp(0.0, 1.0) * (HEIGHT - 2.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds of samples")]
fn wide(samples: usize) -> f64 {
    samples as f64
}
