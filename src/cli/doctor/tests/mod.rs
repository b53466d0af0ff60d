//! Each check by facts on paper: what is well is not complained of, and each fault has its sentence.

mod carp;
mod frames;
mod sync;
mod system;

use super::finding::{Finding, Outcome};
use crate::act::run::{Done, End, Job, Run};
use crate::config::{Command, Config};
use std::time::Duration;

/// A pair, seen from fw1.
const PAIR: &str = r#"
[sync]
interface = "em2"
[[node]]
name = "fw1"
address = ["172.30.0.1"]
self = true
local = ["10.0.0.2", "10.0.0.1"]
[[node]]
name = "fw2"
address = ["172.30.0.2"]
local = ["10.0.0.3", "10.0.0.1"]
[[segment]]
name = "lan"
interface = "em0"
"#;

const PROBES: &str = r#"
[[probe]]
name = "internet"
about = "self"
command = ["far"]
[[probe]]
name = "fw2 inside"
about = "fw2"
command = ["near"]
"#;

fn config(more: &str) -> Config {
    Config::parse(&format!("{PAIR}{more}")).unwrap_or_else(|e| panic!("{e}"))
}

/// What is not ok, as `check: text`.
fn faults(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|f| f.outcome != Outcome::Ok);
    bad.map(|f| format!("{}: {}", f.check, f.text)).collect()
}

/// One fault, of this kind and with these words in it.
fn one(findings: &[Finding], outcome: Outcome, words: &str) {
    let faults = faults(findings);
    assert_eq!(faults.len(), 1, "{words}: {faults:?}");
    let found = findings.iter().find(|f| f.outcome == outcome && f.text.contains(words));
    assert!(found.is_some(), "{outcome:?} {words}: {findings:?}");
}

/// A system that answers commands by what they are called, and has no others.
struct System<'a>(&'a [(&'a str, i32, &'a str)]);

impl Run for System<'_> {
    fn run(&mut self, job: &Job) -> Done {
        let typed = match &job.command {
            Command::Argv(words) => words.join(" "),
            Command::Shell(line) => line.clone(),
        };
        let known = self.0.iter().find(|(command, ..)| *command == typed);
        let (end, output) = known.map_or(
            (End::Spawn("there is no such program".into()), ""),
            |(_, code, output)| (End::Exit(*code), *output),
        );
        Done {
            end,
            output: output.into(),
            took: Duration::from_millis(20),
        }
    }
}
