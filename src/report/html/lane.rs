//! A lane: what was so from when until when, as a line of labelled pieces on the time axis.
//!
//! Used for health, for CARP and for its splits. Elements rather than a drawing, so that a word that has no room is cut off
//! and can be read by pointing at it. Bounded: what is too short to be seen is put together where there is much of it.

use super::markup::Markup;

/// Nobody can see more, and fewer stay as they are.
const MANY: usize = 120;
/// Too short to be seen, in percent.
const TINY: f64 = 0.25;

/// What was so for a while.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    /// In percent.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) class: &'static str,
    /// In it.
    pub(super) text: String,
    /// By pointing at it.
    pub(super) title: String,
}

/// As many as can be seen.
pub(super) fn bounded(pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.len() <= MANY {
        return pieces;
    }
    let mut all: Vec<Piece> = Vec::new();
    let mut together = 0;
    for piece in pieces {
        let tiny = piece.to - piece.from < TINY;
        match all.last_mut().filter(|_| tiny && together > 0) {
            Some(last) if piece.from - last.to < TINY => {
                together += 1;
                last.to = last.to.max(piece.to);
                last.title = format!("{together} short times, too short to be shown");
            }
            _ if tiny => {
                together = 1;
                let class = "many";
                let text = String::new();
                all.push(Piece { class, text, ..piece });
            }
            _ => {
                together = 0;
                all.push(piece);
            }
        }
    }
    all
}

/// Writes it. `over` lies over all pieces.
pub(super) fn write(m: &mut Markup, label: &str, pieces: &[Piece], over: &[Piece]) {
    m.element("div", &[("class", "row lane")], |m| {
        m.element("span", &[("class", "label"), ("title", label)], |m| m.text(label));
        m.element("div", &[("class", "plot")], |m| {
            for piece in pieces.iter().chain(over) {
                let place = format!("left:{:.3}%;width:{:.3}%", piece.from, piece.to - piece.from);
                let attributes = [("class", piece.class), ("style", &place), ("title", &piece.title)];
                m.element("span", &attributes, |m| m.text(&piece.text));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: f64, to: f64) -> Piece {
        Piece {
            from,
            to,
            class: "up",
            text: "up".into(),
            title: String::new(),
        }
    }

    #[test]
    fn few_pieces_stay_and_of_many_those_that_can_be_seen() {
        let few = vec![piece(0.0, 0.01), piece(0.01, 100.0)];
        assert_eq!(bounded(few.clone()), few);
        let mut many: Vec<Piece> = (0..10_000)
            .map(|i| f64::from(i) / 200.0)
            .map(|at| piece(at, at + 0.005))
            .collect();
        many.push(piece(50.0, 100.0));
        let shown = bounded(many);
        assert_eq!(shown.len(), 2);
        assert_eq!((shown[0].class, shown[0].to), ("many", 50.0));
        assert_eq!(shown[0].title, "10000 short times, too short to be shown");
    }
}
