//! The short form of the board against the one that was committed: who changes what is found, or how soon, sees it here
//! and commits it with his change. `BLESS=1 cargo test -p pfwatch-scoreboard --test short` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use pf_sim::scenario::Scenario;
use pfwatch_scoreboard::board::raw::Store;
use pfwatch_scoreboard::board::table::Style;
use pfwatch_scoreboard::board::tables::Tables;
use pfwatch_scoreboard::board::{self, Stage};
use std::num::NonZeroUsize;
use std::path::Path;
use std::{env, fs, thread};

fn board() -> String {
    let scenarios: Vec<String> = Scenario::all().iter().map(|s| s.name.to_owned()).collect();
    let (loads, jobs) = board::short(&scenarios);
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut store = Store::in_memory();
    board::run(&jobs, threads, &Stage::of, |line| store.keep(line)).unwrap();
    let mut out = Vec::new();
    let tables = Tables::new(&scenarios, &loads, &jobs, &store.lines);
    tables.write(&mut out, Style::Text).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_board_is_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/short.txt");
    let now = board();
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &now).unwrap();
        return;
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    if now == before {
        return;
    }
    let only = |here: &str, there: &str, sign: &str| {
        let there: std::collections::BTreeSet<&str> = there.lines().collect();
        let lines = here.lines().filter(|l| !there.contains(l)).take(40);
        lines.map(|l| format!("{sign} {l}\n")).collect::<String>()
    };
    let changes = only(&before, &now, "-") + &only(&now, &before, "+");
    panic!("the board has changed; if that is meant, run this test with BLESS=1 and commit short.txt\n{changes}");
}
