//! The simulator announces what real kernels announce, and docs/simulator.md shows the numbers of today.
//! `BLESS=1 cargo test -p pfwatch-scoreboard --test compare` writes them there.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use pfwatch_scoreboard::compare::{COLUMNS, CompareArgs, Row, markdown, rows};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// As the command prints it without any flag.
fn compared() -> &'static [Row] {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: CompareArgs,
    }
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let args = <Line as clap::Parser>::parse_from(["compare"]).args;
        rows(&root().join(args.captures), args.seeds).unwrap()
    })
}

fn row(capture: &str, span: &str, node: &str) -> &'static Row {
    let here = |r: &&Row| (r.capture, r.span, r.node) == (capture, span, node);
    compared().iter().find(here).unwrap()
}

fn both(row: &Row, column: &str) -> (f64, f64) {
    let c = COLUMNS.iter().position(|name| *name == column).unwrap();
    (row.real[c].unwrap(), row.simulated[c].unwrap())
}

/// Both are as much, to a share of the greater one.
fn close(row: &Row, column: &str, share: f64) {
    let (real, simulated) = both(row, column);
    let by = (real - simulated).abs() / real.max(simulated);
    assert!(by <= share, "{column} of {row:?}: real {real}, simulated {simulated}");
}

#[test]
fn a_healthy_firewall_says_as_much_of_each_kind() {
    for (capture, span, node) in [
        ("steady2", "all the time", "A"),
        ("awan_port_dead", "before", "A"),
        ("lull2", "before", "A"),
        ("crash_reboot2", "gone", "B"),
    ] {
        let row = row(capture, span, node);
        for column in ["frames", "INS", "UPD_C", "end-to-end", "attempt"] {
            close(row, column, 0.2);
        }
        for column in ["new TCP answered", "new UDP answered"] {
            let (real, simulated) = both(row, column);
            assert!((real - simulated).abs() < 0.1, "{column}: {row:?}");
        }
    }
}

#[test]
fn a_dead_port_leaves_demand_and_no_success() {
    for span in ["its first 10 s", "dead"] {
        let row = row("awan_port_dead", span, "A");
        let (real, simulated) = both(row, "end-to-end");
        assert!(real == 0.0 && simulated < 0.05, "{row:?}");
        assert_eq!(both(row, "new TCP answered"), (0.0, 0.0), "{row:?}");
        assert_eq!(both(row, "new UDP answered"), (0.0, 0.0), "{row:?}");
        close(row, "INS", 0.2);
        // The simulated hosts try less often: what is measured with them is not better than it would be.
        close(row, "attempt", 0.4);
        let (real, simulated) = both(row, "attempt");
        assert!(simulated < real * 1.1, "{row:?}");
    }
}

#[test]
fn quiet_and_dead_nodes_say_nothing_of_note() {
    for (capture, span, node) in [
        ("lull2", "quiet", "A"),
        ("crash_reboot2", "gone", "A"),
        ("steady2", "all the time", "B"),
    ] {
        let row = row(capture, span, node);
        let (real, simulated) = both(row, "frames");
        assert!(real < 2.5 && simulated < 2.5, "{row:?}");
        assert!(both(row, "attempt").1 < 0.5, "{row:?}");
    }
}

#[test]
fn the_docs_show_the_numbers_of_today() {
    let path = root().join("docs/simulator.md");
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- compare -->\n", "<!-- /compare -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let now = format!("{before}{begin}{}\n{end}{after}", markdown(compared()));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    } else {
        assert!(
            now == text,
            "docs/simulator.md shows other numbers: run this test with BLESS=1 and look at its text again"
        );
    }
}
