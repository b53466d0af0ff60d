//! A connection under way, and where in the libraries its life stands. Pure.

use super::super::life::{Library, Place, Shelf, Trouble};
use super::super::wheel::Slot;
use pf_sim::traffic::Kind;

/// A connection under way.
#[derive(Clone, Copy)]
pub(super) struct Running {
    pub(super) client: u32,
    pub(super) server: u32,
    /// What it says next, in the book of its level.
    pub(super) word: u32,
    /// Slot that its words count from.
    pub(super) base: Slot,
    pub(super) kind: Kind,
    pub(super) part: Part,
    /// Of the libraries.
    pub(super) level: u8,
}

/// Which shelf a life is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Well,
    Bad,
    Fresh(Trouble),
    Tail(Trouble, Place),
    /// What goes on by itself while its client is quiet, beside the connection that waits for the client's return; whether
    /// towards nobody.
    Lunch(bool),
}

pub(super) fn shelf(library: &Library, part: Part) -> &Shelf {
    match part {
        Part::Well => &library.well,
        Part::Bad => &library.bad,
        Part::Fresh(t) => &library.broken[t as usize].fresh,
        Part::Tail(t, place) => library.broken[t as usize].tails(place),
        Part::Lunch(false) => &library.lunch.well,
        Part::Lunch(true) => &library.lunch.bad,
    }
}

/// What was recorded at about this many openings a second.
pub(super) fn nearest(levels: &[Library], rate: f64) -> u8 {
    let apart = |l: &Library| (l.rate / rate.max(1e-6)).ln().abs();
    let nearest = levels
        .iter()
        .enumerate()
        .min_by(|a, b| apart(a.1).total_cmp(&apart(b.1)));
    nearest.map_or(0, |(i, _)| u8::try_from(i).unwrap_or(0))
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
