//! CARP over time: who was master of what, and when different nodes were.
//!
//! Called once by the page.

use super::super::tell::stays;
use super::super::tell::words::{count, duration};
use super::super::{Mastership, Report, Span};
use super::Page;
use super::axis::Axis;
use super::lane::{self, Piece};
use super::markup::Markup;
use crate::event::place::places;
use crate::time::Timestamp;
use std::time::Duration;

/// A forger can announce any number of virtual hosts, and let them move about.
const MOST: usize = 32;
/// Virtual hosts that move within this time move together.
const TOGETHER: Duration = Duration::from_secs(1);
/// Nodes that are told apart by pattern; all are by name.
const CLASSES: [&str; 4] = ["node-a", "node-b", "node-c", "node-d"];

/// Writes it.
pub(super) fn write(page: &Page<'_>, m: &mut Markup) {
    let report = page.tale.report;
    let Some(axis) = page.axis.as_ref().filter(|_| !report.masters.is_empty()) else {
        return;
    };
    let splits = splits(page, axis);
    let lanes = lanes(report);
    m.element("section", &[("class", "carp")], |m| {
        m.words("h2", "", "Who was CARP master");
        m.element("article", &[], |m| {
            m.element("div", &[("class", "charts")], |m| {
                super::flags(page, m, |_| true);
                if !splits.is_empty() {
                    lane::write(m, "unsynchronised", &splits, &[]);
                }
                let over: Vec<Piece> = splits.iter().take(MOST).map(frame).collect();
                for (segment, vhids, masters) in lanes.iter().take(MOST) {
                    let network = page.tale.engine.segment_name(*segment);
                    let label = places(vhids.iter().map(|vhid| (network, *vhid)));
                    lane::write(m, &label, &lane::bounded(masterships(page, axis, masters)), &over);
                }
                axis.write(m, &page.tale.clock.name);
            });
            let left_out: usize = lanes.iter().skip(MOST).map(|(_, vhids, _)| vhids.len()).sum();
            if left_out > 0 {
                let text = format!("{} more virtual hosts are left out.", count(left_out as u64));
                m.words("p", "note", &text);
            }
            if !splits.is_empty() {
                m.words(
                    "p",
                    "note",
                    "Unsynchronised: virtual hosts that move together have different masters, so each node gets a part of the traffic.",
                );
            }
        });
    });
}

/// Vhids of one network whose masters changed alike share a lane.
fn lanes(report: &Report) -> Vec<(usize, Vec<u8>, &[Mastership])> {
    let near = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a)) <= TOGETHER;
    let same = |a: &Mastership, b: &Mastership| {
        let ends = match (a.to, b.to) {
            (Some(a), Some(b)) => near(a, b),
            (a, b) => a == b,
        };
        a.address == b.address && near(a.from, b.from) && ends
    };
    let mut lanes: Vec<(usize, Vec<u8>, &[Mastership])> = Vec::new();
    for (&(segment, vhid), masters) in &report.masters {
        let alike = |(s, _, other): &&mut (usize, Vec<u8>, &[Mastership])| {
            *s == segment && other.len() == masters.len() && other.iter().zip(masters).all(|(a, b)| same(a, b))
        };
        match lanes.iter_mut().rev().take(MOST).find(alike) {
            Some((_, vhids, _)) => vhids.push(vhid),
            None => lanes.push((segment, vec![vhid], masters)),
        }
    }
    lanes
}

fn splits(page: &Page<'_>, axis: &Axis) -> Vec<Piece> {
    let end = stays::end(page.tale.report);
    let piece = |(from, to): &Span| {
        let lasted = duration(to.unwrap_or(end).since(*from));
        Piece {
            from: axis.percent(*from),
            to: to.map_or(100.0, |to| axis.percent(to)),
            class: "split",
            text: lasted.clone(),
            title: format!("unsynchronised from {} for {lasted}", page.tale.clock.exact(*from)),
        }
    };
    lane::bounded(page.tale.report.unsynchronised.iter().map(piece).collect())
}

/// The same, to be laid over what it concerns.
fn frame(split: &Piece) -> Piece {
    Piece {
        class: "over",
        text: String::new(),
        title: String::new(),
        ..split.clone()
    }
}

fn masterships(page: &Page<'_>, axis: &Axis, masters: &[Mastership]) -> Vec<Piece> {
    let engine = page.tale.engine;
    let end = stays::end(page.tale.report);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut free: Option<Timestamp> = None;
    for master in masters {
        if let Some(free) = free.filter(|free| *free < master.from) {
            pieces.push(nobody(page, axis, free, master.from));
        }
        let owner = engine.owner(master.address);
        let class = owner.map_or("foreign", |n| CLASSES.get(n.index()).copied().unwrap_or("node-d"));
        let name = owner.map_or_else(|| format!("{} (foreign)", master.address), |n| engine.label(n));
        let lasted = duration(master.to.unwrap_or(end).since(master.from));
        pieces.push(Piece {
            from: axis.percent(master.from),
            to: master.to.map_or(100.0, |to| axis.percent(to)),
            class,
            title: format!(
                "{name} ({}) is master from {} for {lasted}",
                master.address,
                page.tale.clock.exact(master.from)
            ),
            text: name,
        });
        free = master.to;
    }
    if let Some(free) = free {
        pieces.push(nobody(page, axis, free, end));
    }
    pieces.retain(|p| p.to > p.from);
    pieces
}

fn nobody(page: &Page<'_>, axis: &Axis, from: Timestamp, to: Timestamp) -> Piece {
    let lasted = duration(to.since(from));
    Piece {
        from: axis.percent(from),
        to: axis.percent(to),
        class: "nobody",
        text: "nobody".into(),
        title: format!("nobody advertises from {} for {lasted}", page.tale.clock.exact(from)),
    }
}
