//! Figures as words in a cell: short, and never better than they are.

use super::summary::Sum;
use crate::rate::{Rate, YEAR};

/// T_D, missed, false alarms, T_M, P_A, wrong actions, wanted actions that were done and that were undone too early.
pub(super) fn figures(sum: &Sum) -> [String; 10] {
    let dash = || "-".to_owned();
    let seconds = |s: Option<f64>| s.map_or_else(dash, |s| format!("{s:.2}"));
    let of = |n: u64, all: u64| if all == 0 { dash() } else { format!("{n}/{all}") };
    let undone = if sum.score.wanted == 0 {
        dash()
    } else {
        sum.score.undone.to_string()
    };
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
