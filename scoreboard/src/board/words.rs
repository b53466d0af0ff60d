//! Figures as words in a cell: short, and never better than they are.

use super::summary::{HUNDRED, Sum};
use crate::rate::{Rate, YEAR};

/// What [`figures`] are.
pub(super) const FIGURES: [&str; 14] = [
    "n",
    "T_D median",
    "p99",
    "worst",
    "missed",
    "down, left open",
    "false alarms",
    "T_M",
    "P_A",
    "wrong actions",
    "done",
    "time to act",
    "p99",
    "undone",
];

/// Runs, T_D, missed, `down` where that was left open, false alarms, T_M, P_A, wrong actions, wanted actions that were done,
/// how long they took, and how many were undone too early. No 99 % of fewer than a hundred.
pub(super) fn figures(sum: &Sum) -> [String; 14] {
    let dash = || "-".to_owned();
    let seconds = |s: Option<f64>| s.map_or_else(dash, |s| format!("{s:.2}"));
    let of = |n: u64, all: u64| if all == 0 { dash() } else { format!("{n}/{all}") };
    let undone = if sum.score.wanted == 0 {
        dash()
    } else {
        sum.score.undone.to_string()
    };
    let p99 = |values: &[f64], p99: Option<f64>| seconds(p99.filter(|_| values.len() >= HUNDRED));
    [
        sum.runs.to_string(),
        seconds(sum.detected_within(0.5)),
        p99(&sum.score.detected, sum.detected_within(0.99)),
        seconds(sum.detected_within(1.0)),
        of(sum.score.missed, sum.outages()),
        of(sum.score.open_said, sum.score.open),
        sum.score.false_alarms.to_string(),
        seconds(sum.mean_mistake()),
        sum.accuracy().map_or_else(dash, probability),
        sum.score.wrong_actions.to_string(),
        of(sum.score.acted.len() as u64, sum.score.wanted),
        seconds(sum.acted_within(0.5)),
        p99(&sum.score.acted, sum.acted_within(0.99)),
        undone,
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

/// A rate and its bounds.
pub(super) fn rate(rate: Option<Rate>) -> [String; 2] {
    match rate {
        None => ["-".into(), "-".into()],
        Some(r) => [
            figure(r.seen),
            format!("{} to {}", figure(r.bounds.0), figure(r.bounds.1)),
        ],
    }
}

/// Two or three digits that mean something.
fn figure(x: f64) -> String {
    match x {
        0.0 => "0".into(),
        x if !(0.001..100_000.0).contains(&x) => format!("{x:.1e}"),
        x if x < 1.0 => format!("{x:.3}"),
        x if x < 100.0 => format!("{x:.1}"),
        x => format!("{x:.0}"),
    }
}

/// A time in the largest unit of which there are two.
pub(super) fn span(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    match seconds {
        s if s >= 2.0 * YEAR => format!("{:.1} y", s / YEAR),
        s if s >= 2.0 * DAY => format!("{:.1} d", s / DAY),
        s if s >= 7200.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{s:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_not_told_of_fewer() {
        let sum = |n: u32| {
            let mut sum = Sum::default();
            let times: Vec<f64> = (1..=n).map(f64::from).collect();
            let score = crate::score::Score {
                acted: times.clone(),
                detected: times,
                wanted: n.into(),
                open: 3,
                open_said: 2,
                ..Default::default()
            };
            sum.add(1.0, &score);
            figures(&sum)
        };
        let cells = |n: u32| {
            let cells = sum(n);
            [0, 1, 2, 3, 5, 10, 11, 12].map(|i| cells[i].clone())
        };
        assert_eq!(cells(99), ["1", "50.00", "-", "99.00", "2/3", "99/99", "50.00", "-"]);
        assert_eq!(
            cells(100),
            ["1", "50.00", "99.00", "100.00", "2/3", "100/100", "50.00", "99.00"]
        );
    }

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
