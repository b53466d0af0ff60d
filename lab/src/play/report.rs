//! The table of all turns: docs/lab-results.md.

use super::catalogue::{CATALOGUE, Must, Scenario};
use super::outcome::Outcome;
use crate::bench::guard::Guard;
use crate::error::LabError;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Lines that `run --results` wrote
    #[arg(value_name = "FILE", required = true)]
    results: Vec<PathBuf>,
    /// How they were made: a line below the title
    #[arg(long, value_name = "TEXT", default_value = "Made by `make lab`.")]
    note: String,
}

/// The page.
pub fn page(args: &Args) -> Result<String, LabError> {
    let mut all = Vec::new();
    for path in &args.results {
        all.extend(read(path)?);
    }
    let mut text = format!(
        "# The laboratory's results\n\n{} [How it is built and how to read this](lab.md).\n",
        args.note
    );
    feel(&mut text, &all);
    did(&mut text, &all);
    Ok(text)
}

fn read(path: &Path) -> Result<Vec<Outcome>, LabError> {
    let text = fs::read_to_string(path).map_err(|source| LabError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.lines().filter_map(Outcome::parse).collect())
}

fn of<'a>(all: &'a [Outcome], scenario: &Scenario, guard: Guard) -> Vec<&'a Outcome> {
    all.iter()
        .filter(|o| o.name == scenario.name && o.guard == guard)
        .collect()
}

/// What users feel, beside what they feel without pfwatch.
fn feel(text: &mut String, all: &[Outcome]) {
    *text += "\n## Seconds without service\n\n\
        Median / worst until the fault was healed (of so many turns). \"never\": service did not return before that, after so many \
        seconds of tries that failed. A plus is what it cost to go back.\n\n\
        | what happens | with pfwatch | ucarp alone | ping script, every 10 s |\n|---|---|---|---|\n";
    for scenario in CATALOGUE {
        let cells = [Guard::Pfwatch, Guard::Nobody, Guard::Ping].map(|guard| cell(&of(all, scenario, guard)));
        if cells.iter().any(|c| c != "-") {
            let [pfwatch, nobody, ping] = cells;
            let _ = writeln!(text, "| {} | {pfwatch} | {nobody} | {ping} |", scenario.text);
        }
    }
}

fn cell(turns: &[&Outcome]) -> String {
    if turns.is_empty() {
        return "-".into();
    }
    let seconds = sorted(turns.iter().map(|o| o.without));
    let never = turns.iter().filter(|o| o.back.is_none()).count();
    let healing = sorted(turns.iter().map(|o| o.healing));
    let mut text = if never == turns.len() {
        format!("never ({:.0})", median(&seconds))
    } else {
        format!("{:.1} / {:.1}", median(&seconds), worst(&seconds))
    };
    if never > 0 && never < turns.len() {
        let _ = write!(text, ", {never} times never");
    }
    if worst(&healing) > 0.05 {
        let _ = write!(text, " + {:.1} / {:.1}", median(&healing), worst(&healing));
    }
    let _ = write!(text, " ({})", turns.len());
    text
}

/// What pfwatch knew and did.
fn did(text: &mut String, all: &[Outcome]) {
    *text += "\n## What pfwatch knew and did\n\n\
        Seconds after the fault at which the backup's pfwatch knew that a firewall was down (median / worst), what was done (how \
        often, median of seconds after the fault), and what was not as before after healing: addresses, advskews, ucarp \
        processes, roles, ledgers.\n\n\
        | what happens | turns | down known | done | after healing | as it must be |\n|---|---|---|---|---|---|\n";
    for scenario in CATALOGUE {
        let turns = of(all, scenario, Guard::Pfwatch);
        if turns.is_empty() {
            continue;
        }
        let down = sorted(turns.iter().filter_map(|o| o.down.as_ref().map(|d| d.0)));
        let known = match (down.len(), scenario.must) {
            (0, _) => "never".to_owned(),
            (n, _) if n < turns.len() => format!("{:.1} / {:.1} ({n} times)", median(&down), worst(&down)),
            _ => format!("{:.1} / {:.1}", median(&down), worst(&down)),
        };
        let left: Vec<&str> = turns.iter().flat_map(|o| o.left.iter().map(String::as_str)).collect();
        let left = if left.is_empty() {
            "as before".into()
        } else {
            left.join(", ")
        };
        let _ = writeln!(
            text,
            "| {} | {} | {known} | {} | {left} | {} |",
            scenario.text,
            turns.len(),
            doings(&turns),
            verdict(scenario, &turns)
        );
    }
}

fn doings(turns: &[&Outcome]) -> String {
    let mut all: BTreeMap<(String, &str), Vec<f64>> = BTreeMap::new();
    for act in turns.iter().flat_map(|o| &o.acts) {
        all.entry((act.action.clone(), act.node.name()))
            .or_default()
            .push(act.after);
    }
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(key, at)| (median(&sorted(at.into_iter())), key))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = |key: &(String, &str)| {
        let same = |a: &&super::outcome::Act| a.action == key.0 && a.node.name() == key.1;
        turns.iter().flat_map(|o| &o.acts).filter(same).count()
    };
    let words = all
        .iter()
        .map(|(at, key)| format!("{} {} ({}, {at:.1} s)", key.1, key.0, count(key)));
    let text = words.collect::<Vec<_>>().join("; ");
    if text.is_empty() { "nothing".into() } else { text }
}

fn verdict(scenario: &Scenario, turns: &[&Outcome]) -> String {
    let wrong = turns.iter().filter(|o| !o.wrong(scenario.must).is_empty()).count();
    let slow = match scenario.must {
        Must::Return(limit) => median(&sorted(turns.iter().map(|o| o.without))) > limit,
        Must::Nothing | Must::Stay | Must::Measured => false,
    };
    match (wrong, slow) {
        (0, false) => "yes".into(),
        (0, true) => "NO: too slow".into(),
        (n, _) => format!("NO: {n} of {}", turns.len()),
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all
}

/// Of sorted values; of an even number the upper one of the middle.
fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn worst(sorted: &[f64]) -> f64 {
    sorted.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::plan::Node;
    use crate::play::outcome::Act;

    fn turn(name: &str, without: f64, back: Option<f64>) -> Outcome {
        Outcome {
            name: name.into(),
            guard: Guard::Pfwatch,
            without,
            back,
            healing: 0.0,
            down: Some((1.2, "fw1".into())),
            alarms: 2,
            acts: vec![Act {
                node: Node::Fw2,
                action: "promote".into(),
                after: 3.0,
                ok: true,
            }],
            moved: true,
            left: Vec::new(),
        }
    }

    #[test]
    fn a_line_comes_back_as_it_was_written() {
        let turn = turn("outside-port", 4.0, Some(4.1));
        assert_eq!(Outcome::parse(&turn.json().to_string()), Some(turn));
    }

    #[test]
    fn what_is_done_where_nothing_may_be_done_is_wrong() {
        let turn = turn("sync-port", 0.0, Some(0.0));
        assert!(turn.wrong(Must::Measured).is_empty());
        let wrong = ["done: fw2 promote after 3.0 s", "said: 2 times suspect or down"];
        assert_eq!(turn.wrong(Must::Nothing), wrong);
        assert_eq!(turn.wrong(Must::Stay).len(), 1);
    }

    #[test]
    fn the_median_and_the_worst_are_told() {
        let turns = [4.0, 5.0, 9.0].map(|s| turn("outside-port", s, Some(s)));
        let turns: Vec<&Outcome> = turns.iter().collect();
        assert_eq!(cell(&turns), "5.0 / 9.0 (3)");
        let outside = CATALOGUE.iter().find(|s| s.name == "outside-port").unwrap();
        assert_eq!(verdict(outside, &turns), "yes");
        assert_eq!(doings(&turns), "fw2 promote (3, 3.0 s)");
    }
}
