//! No verdict uses the future: a capture cut at any moment gives exactly what the whole gave until then.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "replay/pair.rs"]
mod pair;

use pair::{Pair, pairs};
use pfwatch::report::Report;
use pfwatch::time::Timestamp;

const CUTS: usize = 50;

/// Everything concluded until `until`, as text that shows where two differ.
fn concluded(report: &Report, until: Timestamp) -> Vec<String> {
    let verdicts = report
        .verdicts
        .iter()
        .filter(|v| v.at <= until)
        .map(|v| format!("{v:?}"));
    let decisions = report
        .decisions
        .iter()
        .filter(|d| d.at <= until)
        .map(|d| format!("{d:?}"));
    verdicts.chain(decisions).collect()
}

/// Times of frames: just before and just after everything that was concluded, the others evenly spread. At the time of a
/// frame everything due has been looked at; between two frames the end of a file comes first, because it is not silence.
fn cuts(pair: &Pair, whole: &Report) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = pair.frames.iter().map(|f| f.at).collect();
    times.sort_unstable();
    let concluded = whole
        .verdicts
        .iter()
        .map(|v| v.at)
        .chain(whole.decisions.iter().map(|d| d.at));
    let mut cuts: Vec<usize> = concluded
        .flat_map(|at| {
            let after = times.partition_point(|t| *t < at);
            [after.saturating_sub(1), after]
        })
        .filter(|i| *i < times.len())
        .collect();
    let rest = CUTS.saturating_sub(cuts.len());
    cuts.extend((0..rest).map(|i| (i + 1) * times.len() / (rest + 1)));
    cuts.into_iter().map(|i| times[i]).collect()
}

#[test]
fn a_cut_capture_gives_what_the_whole_gave_until_then() {
    let all = pairs("openbsd-pair");
    let pair = all.iter().find(|p| p.name == "awan_port_dead").unwrap();
    let nodes = pair.nodes();
    let [_, backup] = nodes.as_slice() else {
        panic!("a pair")
    };
    let (whole, _) = pair.analyze(backup, Timestamp::MAX);
    assert!(whole.verdicts.len() > 5 && !whole.decisions.is_empty());
    let cuts = cuts(pair, &whole);
    assert!(cuts.len() >= CUTS);
    // Two halves, each on a core of its own where there are two.
    std::thread::scope(|threads| {
        for half in cuts.chunks(cuts.len().div_ceil(2)) {
            let whole = &whole;
            threads.spawn(move || {
                for &at in half {
                    let (cut, _) = pair.analyze(backup, at);
                    assert_eq!(concluded(&cut, Timestamp::MAX), concluded(whole, at), "cut at {at}");
                }
            });
        }
    });
}
