//! When a vhid had two masters, or none: what went alike at the same time is told as one.
//!
//! Used by headline, timeline and advice.

use super::Tale;
use super::stays;
use super::words::{duration, of_times};
use crate::event::Advertiser;
use crate::event::place::places;
use crate::time::Timestamp;
use std::time::Duration;

/// What begins, and ends, within this time belongs together.
const TOGETHER: Duration = Duration::from_secs(2);

/// A time with more masters than one, or fewer.
pub(in crate::report) struct Spell {
    /// Who; empty: nobody.
    pub(in crate::report) who: Vec<Advertiser>,
    pub(in crate::report) from: Timestamp,
    /// None: it had not ended when the input did.
    pub(in crate::report) to: Option<Timestamp>,
    vhids: Vec<(usize, u8)>,
}

impl Spell {
    /// `two masters of lan vhid 1 for 59 s: fw1 and fw2 advertise it at the same time (split brain)`.
    pub(in crate::report) fn what(&self, tale: &Tale<'_>, lasting: &str) -> String {
        let place = self.place(tale);
        let number = match self.who.len() {
            0 => return format!("no master of {place} {lasting}: nobody advertises it, as far as is heard there"),
            2 => "two",
            _ => "several",
        };
        format!(
            "{number} masters of {place} {lasting}: {} advertise it at the same time (split brain)",
            self.names(tale).join(" and ")
        )
    }

    pub(in crate::report) fn names(&self, tale: &Tale<'_>) -> Vec<String> {
        self.who.iter().map(|a| tale.engine.caller(a)).collect()
    }

    pub(in crate::report) fn place(&self, tale: &Tale<'_>) -> String {
        places(self.vhids.iter().map(|(s, vhid)| (tale.engine.segment_name(*s), *vhid)))
    }

    /// Networks, each once.
    pub(in crate::report) fn networks(&self, tale: &Tale<'_>) -> String {
        let mut all: Vec<&str> = self.vhids.iter().map(|(s, _)| tale.engine.segment_name(*s)).collect();
        all.dedup();
        all.join(" and ")
    }

    /// Where nobody was master for a while: who had been, and who was then.
    pub(in crate::report) fn around(&self, tale: &Tale<'_>) -> Option<(String, String)> {
        let to = self.to.filter(|_| self.who.is_empty())?;
        let masters = tale.report.masters.get(self.vhids.first()?)?;
        let before = masters.iter().rev().find(|m| m.from < self.from)?;
        let after = masters.iter().find(|m| m.from >= to)?;
        Some((tale.master(before), tale.master(after)))
    }

    fn length(&self, end: Timestamp) -> Duration {
        self.to.unwrap_or(end).since(self.from)
    }

    fn is_like(&self, other: &Self) -> bool {
        let near = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a)) <= TOGETHER;
        let ends = match (self.to, other.to) {
            (Some(a), Some(b)) => near(a, b),
            (a, b) => a == b,
        };
        let nodes = |s: &Self| s.who.iter().map(|a| a.node.ok_or(a.address)).collect::<Vec<_>>();
        ends && near(self.from, other.from) && nodes(self) == nodes(other)
    }
}

/// All of them, in the order of their vhids.
pub(in crate::report) fn spells(tale: &Tale<'_>) -> Vec<Spell> {
    let report = tale.report;
    let two = report.two_masters.iter().flat_map(|(key, all)| {
        all.iter().map(|t| Spell {
            who: t.who.clone(),
            from: t.from,
            to: t.to,
            vhids: vec![*key],
        })
    });
    let none = report.no_master.iter().flat_map(|(key, all)| {
        all.iter().map(|(from, to)| Spell {
            who: Vec::new(),
            from: *from,
            to: *to,
            vhids: vec![*key],
        })
    });
    let mut all: Vec<Spell> = Vec::new();
    for spell in two.chain(none) {
        match all.iter_mut().find(|s| s.is_like(&spell)) {
            Some(s) => s.vhids.extend(spell.vhids),
            None => all.push(spell),
        }
    }
    all
}

/// Whose own advertisements came back to it, and on which networks.
pub(in crate::report) fn came_back(tale: &Tale<'_>) -> Option<(String, String)> {
    let engine = tale.engine;
    let keys = tale.report.masters.keys();
    let mut networks: Vec<&str> = keys
        .filter(|(segment, vhid)| engine.carp_reflections(*segment, *vhid) > 0)
        .map(|(segment, _)| engine.segment_name(*segment))
        .collect();
    networks.dedup();
    let me = engine.node_ids().find(|n| engine.is_self(*n))?;
    (!networks.is_empty()).then(|| (engine.label(me), networks.join(" and ")))
}

/// The longest time with two masters, and the longest with none, as clauses of a headline.
pub(in crate::report) fn clauses(tale: &Tale<'_>) -> Vec<String> {
    let end = stays::end(tale.report);
    let spells = spells(tale);
    let longest = |none: bool| {
        let some = || spells.iter().filter(|s| s.who.is_empty() == none);
        // The first of those that are equally long.
        Some((some().rev().max_by_key(|s| s.length(end))?, some().count()))
    };
    let clause = |(s, times): (&Spell, usize)| {
        let lasted = match s.to {
            Some(_) => format!("for {}", duration(s.length(end))),
            None => "and still when the capture ended".into(),
        };
        let (at, place) = (tale.clock.hundredth(s.from), s.place(tale));
        let from = format!("from {at} {}", tale.clock.name);
        match s.who.len() {
            0 => format!(
                "{from} nobody advertised {place} {lasted}{}: no master, as far as is heard there",
                of_times(times)
            ),
            n => {
                let (both, number) = if n == 2 { ("both", "two") } else { ("all", "several") };
                let names = s.names(tale).join(" and ");
                format!(
                    "{from} {names} were {both} master of {place} {lasted}{}: {number} masters (split brain)",
                    of_times(times)
                )
            }
        }
    };
    [longest(false), longest(true)]
        .into_iter()
        .flatten()
        .map(clause)
        .collect()
}
