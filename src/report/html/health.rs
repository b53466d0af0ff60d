//! The health of a node on a path as a lane, and as shades behind its charts.
//!
//! Called by `nodes`.

use super::super::tell::stays::{self, Stay};
use super::super::tell::words::duration;
use super::colour::Colour;
use super::lane::{self, Piece};
use super::{Page, health_class};
use crate::event::{Health, NodeId};

/// What is drawn behind the evidence of that time.
pub(super) fn shade(class: &str) -> Option<Colour> {
    match class {
        "down" => Some(Colour::Down),
        "suspect" | "many" => Some(Colour::Suspect),
        "unknown" => Some(Colour::Blind),
        _ => None,
    }
}

/// What it was from when until when.
pub(super) fn pieces(page: &Page<'_>, node: NodeId, path: usize) -> Vec<Piece> {
    let Some(axis) = &page.axis else { return Vec::new() };
    let end = stays::end(page.tale.report);
    let own: Vec<&Stay<'_>> = page
        .stays
        .iter()
        .filter(|s| (s.verdict.node, s.verdict.path) == (node, path))
        .collect();
    let first = own.first().map(|s| s.from).unwrap_or_default();
    let begin = own.first().map_or(100.0, |s| axis.percent(s.verdict.at));
    let piece = |from: f64, to: f64, health: Health, title: String| Piece {
        from,
        to,
        class: health_class(health),
        text: health.as_str().into(),
        title,
    };
    let mut pieces = vec![piece(0.0, begin, first, first.as_str().into())];
    for s in own {
        let lasted = duration(s.until.unwrap_or(end).since(s.verdict.at));
        let v = s.verdict;
        let title = format!(
            "{} from {} for {lasted}: {}",
            v.to.as_str(),
            page.tale.clock.exact(v.at),
            v.sentence()
        );
        let mut piece = piece(
            axis.percent(v.at),
            s.until.map_or(100.0, |t| axis.percent(t)),
            v.to,
            title,
        );
        if matches!(v.to, Health::Down | Health::Suspect) {
            piece.text = format!("{} {lasted}", piece.text);
        }
        pieces.push(piece);
    }
    pieces.retain(|p| p.to > p.from || p.class == "down");
    lane::bounded(pieces)
}
