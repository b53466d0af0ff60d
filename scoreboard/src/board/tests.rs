//! The machinery around runs, with runs that cost nothing.

use super::raw::{Other, RawError, Store};
use super::table::Style;
use super::tables::Tables;
use super::*;
use crate::run::everywhere;
use pf_sim::heard::Target;
use pf_sim::site::Node;
use pf_sim::truth::{Grade, Outage};
use std::convert::Infallible;
use std::fs;
use std::path::Path;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&w| w.to_owned()).collect()
}

/// A node loses its router after a time that depends on the seed; nothing else is heard. No such thing at night.
fn stage(job: &Job) -> Option<Stage> {
    if job.load == "night" {
        return None;
    }
    let mut pair = Pair::plain(Duration::from_secs(100));
    pair.seed = job.seed;
    let from = Duration::from_secs(10 + job.seed);
    let outages = vec![Outage {
        node: 0,
        from,
        to: pair.length,
        grade: if job.scenario == "crash" {
            Grade::Must
        } else {
            Grade::May
        },
    }];
    let ping = move |second: u64| {
        let at = Duration::from_secs(second);
        let (node, target): (Node, Target) = (0, Target::Gateway);
        Heard::Ping {
            at,
            node,
            target,
            ok: at < from,
        }
    };
    let heard = everywhere(&pair, (0..100).map(ping));
    Some(Stage {
        site: None,
        heard: Box::new(heard),
        pair,
        truth: Truth {
            outages,
            actions: Vec::new(),
            two_masters: Vec::new(),
        },
    })
}

fn open(file: &Path, build: &str, other: Other) -> Result<Store, RawError> {
    Store::open(file, build, other, &mut std::io::sink())
}

fn plan() -> (Vec<String>, Vec<String>, Vec<Job>) {
    let (scenarios, loads) = (words(&["crash", "upstream-dead"]), words(&["busy", "night"]));
    let seeds = [20, 3];
    let with_seeds: Vec<Seeds> = loads
        .iter()
        .zip(seeds)
        .map(|(load, seeds)| Seeds {
            load: load.clone(),
            seeds,
        })
        .collect();
    let jobs = jobs(&scenarios, &with_seeds, 1);
    assert_eq!(jobs.len(), 46);
    (scenarios, loads, jobs)
}

fn shown(store: &Store) -> String {
    let (scenarios, loads, jobs) = plan();
    let mut out = Vec::new();
    let tables = Tables::new(&scenarios, &loads, &jobs, &store.lines);
    tables.write(&mut out, Style::Text).unwrap();
    String::from_utf8(out).unwrap()
}

fn performed(threads: usize, store: &mut Store) -> usize {
    let (_, _, all) = plan();
    let left: Vec<Job> = all.into_iter().filter(|job| !store.lines.contains_key(job)).collect();
    let mut count = 0;
    let keep = |line| {
        count += 1;
        store.keep(line)
    };
    run(&left, NonZeroUsize::new(threads).unwrap(), &stage, keep).unwrap();
    count
}

#[test]
fn the_number_of_threads_does_not_show() {
    let tables = [1, 2, 7].map(|threads| {
        let mut store = Store::in_memory();
        assert_eq!(performed(threads, &mut store), 40);
        shown(&store)
    });
    assert_eq!(tables[0], tables[1]);
    assert_eq!(tables[0], tables[2]);
    assert!(tables[0].contains("40 runs, 4000 s simulated."), "{}", tables[0]);
}

#[test]
fn what_is_in_the_file_is_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results");
    let mut store = open(&file, "this", Other::Refuse).unwrap();
    assert_eq!(performed(2, &mut store), 40);
    let wanted = shown(&store);
    drop(store);
    // Killed in the middle of a line, and before some others.
    let text = fs::read_to_string(&file).unwrap();
    let half: Vec<&str> = text.lines().take(17).collect();
    fs::write(&file, format!("{}\n{{\"scenario\":\"cra", half.join("\n"))).unwrap();
    let mut store = open(&file, "this", Other::Refuse).unwrap();
    assert_eq!(store.lines.len(), 17);
    assert_eq!(performed(2, &mut store), 23);
    assert_eq!(shown(&store), wanted);
    let mut store = open(&file, "this", Other::Refuse).unwrap();
    assert_eq!(performed(2, &mut store), 0);
    assert_eq!(shown(&store), wanted);
}

#[test]
fn results_of_another_build_or_of_no_program_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results");
    performed(1, &mut open(&file, "old", Other::Refuse).unwrap());
    let refused = open(&file, "new", Other::Refuse);
    assert!(matches!(refused, Err(RawError::Build { .. })));
    assert_eq!(open(&file, "new", Other::Take).unwrap().lines.len(), 40);
    fs::write(&file, "no JSON\n").unwrap();
    let refused = open(&file, "new", Other::Take);
    assert!(matches!(refused, Err(RawError::Format { line: 1, .. })));
}

#[test]
fn results_of_another_build_are_moved_aside_even_if_they_look_different() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.jsonl");
    let old = "{\"build\":\"0123\",\"what\":1}\n";
    fs::write(&file, old).unwrap();
    let mut said = Vec::new();
    let mut store = Store::open(&file, "new", Other::Aside, &mut said).unwrap();
    assert!(String::from_utf8(said).unwrap().contains("results.0123.jsonl"));
    assert_eq!(
        fs::read_to_string(folder.path().join("results.0123.jsonl")).unwrap(),
        old
    );
    performed(1, &mut store);
    // What is ours stays where it is.
    let mut said = Vec::new();
    let again = Store::open(&file, "new", Other::Aside, &mut said).unwrap();
    assert_eq!((again.lines.len(), said.len()), (40, 0));
}

#[test]
fn what_is_no_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for path in [Path::new("/dev/full"), folder.path()] {
        let refused = open(path, "this", Other::Refuse);
        assert!(matches!(refused, Err(RawError::NoFile { .. })));
    }
}

#[test]
fn a_result_that_cannot_be_kept_ends_it() {
    let (_, _, all) = plan();
    let mut seen = 0;
    let full = |_| {
        seen += 1;
        if seen == 3 { Err("full") } else { Ok(()) }
    };
    assert_eq!(run(&all, NonZeroUsize::new(2).unwrap(), &stage, full), Err("full"));
    assert_eq!(seen, 3);
    let nothing: Result<(), Infallible> = run(&[], NonZeroUsize::MIN, &stage, |_| Ok(()));
    assert!(nothing.is_ok());
}
