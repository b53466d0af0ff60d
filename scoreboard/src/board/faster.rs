//! Where somebody else finds an outage sooner than pfwatch does, and at what price: the board says so itself, so that
//! nobody has to look for it.

use super::summary::{HUNDRED, Sum};
use super::tables::{Tables, kind, word};
use pf_sim::scenario::Kind;

/// pfwatch as it is meant to be run, the best first: where there is no canary, without it.
pub(super) const OURS: [&str; 2] = ["pfwatch, CARP, probes, canary", "pfwatch, CARP, probes"];

/// One sentence for each scenario, load and watcher, where the firewall crashed or swallows its traffic; for special sites one
/// for each kind.
pub(super) fn faster(tables: &Tables) -> Vec<String> {
    let mut sentences = Vec::new();
    for (&(scenario, load, who), theirs) in &tables.groups {
        let name = Tables::word(&tables.scenarios, scenario);
        if !tables.is_special(load) && is_outage(kind(&name)) {
            let sum = |me| tables.groups.get(&(scenario, load, me));
            sentences.extend(sentence(tables, &name, load, (who, theirs), sum));
        }
    }
    for (&(kind, load, who), theirs) in &tables.kinds {
        if tables.is_special(load) && is_outage(kind) {
            let sum = |me| tables.kinds.get(&(kind, load, me));
            sentences.extend(sentence(tables, &word(kind), load, (who, theirs), sum));
        }
    }
    sentences
}

fn is_outage(kind: Kind) -> bool {
    matches!(kind, Kind::Crash | Kind::Blackhole)
}

/// Of a watcher, if it is better than pfwatch there.
fn sentence<'a>(
    tables: &Tables,
    name: &str,
    load: usize,
    (who, theirs): (usize, &Sum),
    sum: impl Fn(usize) -> Option<&'a Sum>,
) -> Option<String> {
    let watcher = Tables::word(&tables.watchers, who);
    if watcher.starts_with("pfwatch") {
        return None;
    }
    let place = |name: &str| tables.watchers.iter().position(|w| w == name);
    let (me, mine) = OURS.iter().find_map(|name| {
        let me = place(name)?;
        Some((me, sum(me)?))
    })?;
    if !better(theirs, mine) {
        return None;
    }
    let (a, b) = (price(tables, load, who), price(tables, load, me));
    let price = if a.0 <= b.0 && a.1 <= b.1 {
        "no higher"
    } else {
        "a higher"
    };
    let load = Tables::word(&tables.loads, load);
    let result = |sum: &Sum| format!("{}, {} missed, {}", seconds(sum), sum.score.missed, done(sum));
    Some(format!(
        "{name} at {load}: {watcher} ({}) before pfwatch ({}), at {price} price ({}/{} false alarms/wrong actions at this \
         load, against {}/{})",
        result(theirs),
        result(mine),
        a.0,
        a.1,
        b.0,
        b.1,
    ))
}

/// False alarms and wrong actions of a watcher in all scenarios at a load.
fn price(tables: &Tables, load: usize, who: usize) -> (u64, u64) {
    let sums = tables.groups.iter().filter(|((_, l, w), _)| (*l, *w) == (load, who));
    sums.fold((0, 0), |(alarms, wrong), (_, sum)| {
        (alarms + sum.score.false_alarms, wrong + sum.score.wrong_actions)
    })
}

fn seconds(sum: &Sum) -> String {
    let name = if sum.score.detected.len() < HUNDRED {
        "worst"
    } else {
        "p99"
    };
    sum.detected_within(0.99)
        .map_or_else(|| "-".into(), |s| format!("{name} {s:.2} s"))
}

/// Finding is not helping.
fn done(sum: &Sum) -> String {
    match sum.score.wanted {
        0 => "nothing to do".into(),
        wanted => format!("{} of {wanted} done", sum.score.acted.len()),
    }
}

/// It misses fewer, or as many and finds the others sooner.
fn better(theirs: &Sum, ours: &Sum) -> bool {
    let late = |sum: &Sum| sum.detected_within(0.99).unwrap_or(f64::INFINITY);
    let (a, b) = (theirs.score.missed, ours.score.missed);
    a < b || (a == b && late(theirs) < late(ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Score;

    fn sum(missed: u64, detected: &[f64]) -> Sum {
        let mut sum = Sum::default();
        let score = Score {
            missed,
            detected: detected.to_vec(),
            ..Score::default()
        };
        sum.add(1.0, &score);
        sum
    }

    #[test]
    fn to_find_more_is_better_than_to_find_soon() {
        assert!(better(&sum(0, &[3.0, 9.0]), &sum(1, &[1.0])));
        assert!(better(&sum(0, &[2.0]), &sum(0, &[3.0])));
        assert!(!better(&sum(0, &[3.0]), &sum(0, &[3.0])));
        assert!(!better(&sum(1, &[]), &sum(0, &[3.0])));
        assert!(!better(&sum(2, &[]), &sum(2, &[])));
    }
}
