//! The two tables: every scenario at every load, and what it comes to.

use super::Job;
use super::raw::Line;
use super::summary::Sum;
use super::table::{Style, Table};
use crate::rate::Rate;
use crate::watch;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// One row of the first table is about these: scenario and load by their place in the plan, watcher by its own.
type Key = (usize, usize, usize);

/// What was found, in the order of the plan.
pub struct Tables {
    scenarios: Vec<String>,
    loads: Vec<String>,
    watchers: Vec<String>,
    groups: BTreeMap<Key, Sum>,
    totals: BTreeMap<usize, Sum>,
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
            loads: loads.to_vec(),
            watchers: watch::names(),
            groups: BTreeMap::new(),
            totals: BTreeMap::new(),
            runs: 0,
            length: 0.0,
        };
        for line in jobs.iter().filter_map(|job| lines.get(job)) {
            tables.add(line);
        }
        tables
    }

    fn add(&mut self, line: &Line) {
        let place = |list: &[String], word: &str| list.iter().position(|w| w == word).unwrap_or(list.len());
        self.runs += 1;
        self.length += line.length;
        for judged in &line.detectors {
            let who = place(&self.watchers, &judged.name);
            let key = (
                place(&self.scenarios, &line.scenario),
                place(&self.loads, &line.load),
                who,
            );
            for sum in [self.groups.entry(key).or_default(), self.totals.entry(who).or_default()] {
                sum.add(line.length, &judged.score);
            }
        }
    }

    fn word(list: &[String], place: usize) -> String {
        list.get(place).cloned().unwrap_or_else(|| "?".into())
    }

    /// Writes both.
    ///
    /// # Errors
    /// Of the writer.
    pub fn write(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let head = [
            "scenario",
            "load",
            "watcher",
            "T_D median",
            "p99",
            "worst",
            "missed",
            "false alarms",
            "T_M",
            "P_A",
            "wrong actions",
            "done",
        ];
        let mut every = Table::new(&head, 3);
        for ((scenario, load, who), sum) in &self.groups {
            let names = [
                Self::word(&self.scenarios, *scenario),
                Self::word(&self.loads, *load),
                Self::word(&self.watchers, *who),
            ];
            every.row(names.into_iter().chain(figures(sum)).collect());
        }
        every.write(out, style)?;
        writeln!(out)?;
        let head = [
            "watcher",
            "simulated",
            "T_D median",
            "p99",
            "worst",
            "missed",
            "false alarms",
            "T_M",
            "P_A",
            "wrong actions",
            "done",
            "false alarms a year",
            "95 %",
            "wrong actions a year",
            "95 %",
        ];
        let mut totals = Table::new(&head, 1);
        for (who, sum) in &self.totals {
            let names = [Self::word(&self.watchers, *who), span(sum.length)];
            let rates = [sum.mistake_rate(), sum.wrong_rate()].into_iter().flat_map(rate);
            totals.row(names.into_iter().chain(figures(sum)).chain(rates).collect());
        }
        totals.write(out, style)?;
        writeln!(out)?;
        writeln!(out, "{} runs, {} simulated.", self.runs, span(self.length))
    }
}

/// T_D, missed, false alarms, T_M, P_A, wrong actions, wanted actions that were done.
fn figures(sum: &Sum) -> [String; 9] {
    let dash = || "-".to_owned();
    let seconds = |s: Option<f64>| s.map_or_else(dash, |s| format!("{s:.2}"));
    let of = |n: u64, all: u64| if all == 0 { dash() } else { format!("{n}/{all}") };
    [
        seconds(sum.detected_within(0.5)),
        seconds(sum.detected_within(0.99)),
        seconds(sum.detected_within(1.0)),
        of(sum.score.missed, sum.outages()),
        sum.score.false_alarms.to_string(),
        seconds(sum.mean_mistake()),
        sum.accuracy().map_or_else(dash, probability),
        sum.score.wrong_actions.to_string(),
        of(sum.score.acted.len() as u64, sum.score.wanted),
    ]
}

/// Six digits; only what is exactly 1 looks like it.
fn probability(p: f64) -> String {
    if p >= 1.0 {
        "1".into()
    } else {
        format!("{:.6}", p.min(0.999_999))
    }
}

fn rate(rate: Option<Rate>) -> [String; 2] {
    match rate {
        None => ["-".into(), "-".into()],
        Some(r) => [
            figure(r.seen),
            format!("{} to {}", figure(r.bounds.0), figure(r.bounds.1)),
        ],
    }
}

/// Three digits that mean something.
fn figure(x: f64) -> String {
    match x {
        0.0 => "0".into(),
        x if !(0.001..100_000.0).contains(&x) => format!("{x:.1e}"),
        x if x < 1.0 => format!("{x:.3}"),
        x if x < 100.0 => format!("{x:.1}"),
        x => format!("{x:.0}"),
    }
}

fn span(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    match seconds {
        s if s >= 2.0 * crate::rate::YEAR => format!("{:.1} y", s / crate::rate::YEAR),
        s if s >= 2.0 * DAY => format!("{:.1} d", s / DAY),
        s if s >= 7200.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{s:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_never_better_than_they_are() {
        assert_eq!([1.0, 0.999_999_9, 0.5].map(probability), ["1", "0.999999", "0.500000"]);
        let short = [0.0, 0.000_12, 0.0123, 3.689, 1234.5, 123_456.0].map(figure);
        assert_eq!(short, ["0", "1.2e-4", "0.012", "3.7", "1234", "1.2e5"]);
        assert_eq!(
            [90.0, 9000.0, 200_000.0, 7e7].map(span),
            ["90 s", "2.5 h", "2.3 d", "2.2 y"]
        );
    }
}
