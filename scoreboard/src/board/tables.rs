//! The tables: what it comes to in all and by kind, where something else is faster, and every scenario at every load. Special
//! sites have so few runs of each scenario that they are shown by kind alone.

use super::Job;
use super::faster::faster;
use super::raw::Line;
use super::summary::Sum;
use super::table::{Style, Table};
use super::words::{FIGURES, figures, rate, span};
use super::wrongs::wrongs;
use crate::watch;
use pf_sim::scenario::{Kind, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// One row of the first table is about these: scenario and load by their place in the plan, watcher by its own.
type Key = (usize, usize, usize);

/// What was found, in the order of the plan.
pub struct Tables {
    pub(super) scenarios: Vec<String>,
    pub(super) loads: Vec<String>,
    pub(super) watchers: Vec<String>,
    /// Which of `loads` are special sites.
    special: BTreeSet<usize>,
    pub(super) groups: BTreeMap<Key, Sum>,
    pub(super) kinds: BTreeMap<(Kind, usize, usize), Sum>,
    pub(super) totals: BTreeMap<usize, Sum>,
    wrongs: Vec<String>,
    runs: u64,
    length: f64,
}

impl Tables {
    /// Of those runs that the plan has; runs are added in the order of the plan, so that even the last digit of a sum does
    /// not depend on which was done first.
    #[must_use]
    pub fn new(scenarios: &[String], loads: &[String], jobs: &[Job], lines: &BTreeMap<Job, Line>) -> Self {
        let mut tables = Self {
            scenarios: scenarios.to_vec(),
            loads: Vec::new(),
            special: BTreeSet::new(),
            watchers: watch::names(),
            groups: BTreeMap::new(),
            kinds: BTreeMap::new(),
            totals: BTreeMap::new(),
            wrongs: wrongs(jobs, lines),
            runs: 0,
            length: 0.0,
        };
        let lines = || jobs.iter().filter_map(|job| lines.get(job));
        tables.loads = rows(loads, lines());
        tables.special = (0..tables.loads.len())
            .filter(|&i| !loads.contains(&tables.loads[i]))
            .collect();
        for line in lines() {
            tables.add(line);
        }
        tables
    }

    fn add(&mut self, line: &Line) {
        let place = |list: &[String], word: &str| list.iter().position(|w| w == word).unwrap_or(list.len());
        let (scenario, load) = (place(&self.scenarios, &line.scenario), place(&self.loads, &line.row()));
        let kind = kind(&line.scenario);
        self.runs += 1;
        self.length += line.length;
        for judged in &line.detectors {
            let who = place(&self.watchers, &judged.name);
            for sum in [
                self.groups.entry((scenario, load, who)).or_default(),
                self.kinds.entry((kind, load, who)).or_default(),
                self.totals.entry(who).or_default(),
            ] {
                sum.add(line.length, &judged.score);
            }
        }
    }

    pub(super) fn word(list: &[String], place: usize) -> String {
        list.get(place).cloned().unwrap_or_else(|| "?".into())
    }

    /// Few runs of each scenario.
    pub(super) fn is_special(&self, load: usize) -> bool {
        self.special.contains(&load)
    }

    /// Writes all.
    ///
    /// # Errors
    /// Of the writer.
    pub fn write(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        title(out, style, "In all")?;
        let rates = ["false alarms a year", "95 %", "wrong actions a year", "95 %"];
        let mut totals = Table::new(&[&["watcher", "simulated"][..], &FIGURES, &rates].concat(), 1);
        for (who, sum) in &self.totals {
            let names = [Self::word(&self.watchers, *who), span(sum.length)];
            let rates = [sum.mistake_rate(), sum.wrong_rate()].into_iter().flat_map(rate);
            totals.row(names.into_iter().chain(figures(sum)).chain(rates).collect());
        }
        totals.write(out, style)?;
        writeln!(out, "\n{} runs, {} simulated.", self.runs, span(self.length))?;
        title(out, style, "By kind and load")?;
        let mut kinds = Table::new(&[&["kind", "load", "watcher"][..], &FIGURES].concat(), 3);
        for ((kind, load, who), sum) in &self.kinds {
            let names = self.names(word(*kind), *load, *who);
            kinds.row(names.chain(figures(sum)).collect());
        }
        kinds.write(out, style)?;
        title(out, style, "Where something else is faster")?;
        list(out, &faster(self))?;
        title(
            out,
            style,
            "What pfwatch with CARP and probes (and canaries, where there are some) did not do as it should",
        )?;
        list(out, &self.wrongs)?;
        title(out, style, "Every scenario at every load")?;
        let mut every = Table::new(&[&["scenario", "load", "watcher"][..], &FIGURES].concat(), 3);
        let ordinary = |(_, load, _): &Key| !self.is_special(*load);
        for ((scenario, load, who), sum) in self.groups.iter().filter(|(key, _)| ordinary(key)) {
            let scenario = Self::word(&self.scenarios, *scenario);
            every.row(self.names(scenario, *load, *who).chain(figures(sum)).collect());
        }
        every.write(out, style)
    }

    fn names(&self, first: String, load: usize, who: usize) -> impl Iterator<Item = String> {
        [first, Self::word(&self.loads, load), Self::word(&self.watchers, who)].into_iter()
    }
}

/// The loads, and below each the special sites that were met there.
fn rows<'a>(loads: &[String], lines: impl Iterator<Item = &'a Line>) -> Vec<String> {
    let special: BTreeSet<(&str, String)> = lines
        .filter(|line| line.site.is_some())
        .map(|line| (line.load.as_str(), line.row()))
        .collect();
    let below = |load: &str| {
        let rows = special.iter().filter(|(of, _)| *of == load);
        rows.map(|(_, row)| row.clone()).collect::<Vec<_>>()
    };
    loads
        .iter()
        .flat_map(|load| std::iter::once(load.clone()).chain(below(load)))
        .collect()
}

/// What kind of scenario it is; what nobody knows is nobody's fault.
pub(super) fn kind(scenario: &str) -> Kind {
    Scenario::find(scenario).map_or(Kind::Fine, |s| s.kind)
}

/// A kind as the tables call it.
pub(super) fn word(kind: Kind) -> String {
    format!("{kind:?}").to_lowercase()
}

fn list(out: &mut impl Write, sentences: &[String]) -> io::Result<()> {
    if sentences.is_empty() {
        return writeln!(out, "Nothing.");
    }
    sentences.iter().try_for_each(|s| writeln!(out, "- {s}"))
}

fn title(out: &mut impl Write, style: Style, words: &str) -> io::Result<()> {
    match style {
        Style::Markdown => writeln!(out, "\n## {words}\n"),
        Style::Text => writeln!(out, "\n{words}\n"),
    }
}
