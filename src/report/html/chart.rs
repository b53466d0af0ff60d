//! One kind of evidence over time, as a drawing without words: columns, with what was wrong behind them and what was decided
//! before them.
//!
//! Drawn by plotters in whole numbers, two for each column, and stretched by the browser to whatever room there is; therefore
//! words and numbers stand beside it and not in it.

use super::axis::Axis;
use super::colour::Colour;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingAreaErrorKind, IntoDrawingArea, PathElement, Polygon, Rectangle,
    SVGBackend,
};
use plotters::style::Color;

/// Of the drawing; a column is so wide.
const COLUMN: u32 = 2;
const HEIGHT: u32 = 100;
/// Whatever is there at all shall be seen.
const LEAST: f64 = 0.07;

/// What is drawn.
pub(super) struct Chart<'a> {
    pub(super) axis: &'a Axis,
    /// What it shows, for those who cannot see it.
    pub(super) title: String,
    /// One number per column, as far as there are any.
    pub(super) columns: &'a [u64],
    /// The number that fills the height.
    pub(super) top: u64,
    pub(super) colour: Colour,
    /// From and to in percent.
    pub(super) shades: &'a [(f64, f64, Colour)],
    /// In percent.
    pub(super) decisions: &'a [f64],
}

/// A finished drawing. Made here only, so that it holds nothing but shapes.
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) size: (u32, u32),
    pub(super) shapes: String,
}

/// Draws it; a drawing that cannot be made is an empty one.
pub(super) fn draw(chart: &Chart<'_>) -> Picture {
    let width = u32::try_from(chart.axis.columns).unwrap_or(u32::MAX / COLUMN) * COLUMN;
    let mut document = String::new();
    let drawn = shapes(chart, (width, HEIGHT), &mut document);
    Picture {
        title: chart.title.clone(),
        size: (width, HEIGHT),
        shapes: drawn.map_or_else(|_| String::new(), |()| inner(&document).to_owned()),
    }
}

/// What stands within the outermost element, whose size is ours to say.
fn inner(document: &str) -> &str {
    let from = document.find('>').map_or(0, |i| i + 1);
    let to = document.rfind("</svg>").unwrap_or(document.len());
    document.get(from..to).unwrap_or_default().trim()
}

type Canvas<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Problem = DrawingAreaErrorKind<std::io::Error>;

fn shapes(chart: &Chart<'_>, size: (u32, u32), document: &mut String) -> Result<(), Problem> {
    let area = SVGBackend::with_string(document, size).into_drawing_area();
    let mut canvas: Canvas<'_> = ChartBuilder::on(&area).build_cartesian_2d(0.0..100.0, 0.0..1.0)?;
    let shade =
        |(from, to, colour): &(f64, f64, Colour)| Rectangle::new([(*from, 0.0), (*to, 1.0)], colour.paper().filled());
    canvas.draw_series(chart.shades.iter().map(shade))?;
    let line = |at: f64, colour: Colour, width: u32| {
        PathElement::new(vec![(at, 0.0), (at, 1.0)], colour.paper().stroke_width(width))
    };
    canvas.draw_series(chart.axis.ticks.iter().map(|(at, _)| line(*at, Colour::Tick, 1)))?;
    let style = chart.colour.paper().filled();
    canvas.draw_series(outlines(chart).into_iter().map(|points| Polygon::new(points, style)))?;
    canvas.draw_series(chart.decisions.iter().map(|at| line(*at, Colour::Decision, 2)))?;
    area.present()
}

/// One outline for each run of columns that are not empty.
#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has fewer points than an f64 has digits"
)]
fn outlines(chart: &Chart<'_>) -> Vec<Vec<(f64, f64)>> {
    let width = 100.0 / chart.axis.columns.max(1) as f64;
    let height = |n: u64| (n as f64 / chart.top.max(1) as f64).clamp(LEAST, 1.0);
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before = 0;
    for (i, n) in chart.columns.iter().take(chart.axis.columns).enumerate() {
        let (left, right) = (i as f64 * width, (i + 1) as f64 * width);
        if *n > 0 {
            if before == 0 {
                all.push(vec![(left, 0.0)]);
            }
            if let Some(run) = all.last_mut() {
                // What goes on at the same height is one step.
                if before == *n {
                    run.pop();
                } else {
                    run.push((left, height(*n)));
                }
                run.push((right, height(*n)));
            }
        }
        if let (0, Some(run)) = (*n, all.last_mut().filter(|_| before > 0)) {
            run.push((left, 0.0));
        }
        before = *n;
    }
    if let Some(run) = all.last_mut().filter(|_| before > 0)
        && let Some((right, _)) = run.last().copied()
    {
        run.push((right, 0.0));
    }
    all
}
